"""What becomes of packets: order, identity, fragments, changed and removed datagrams."""
from replaytest import *


def vlan(frame, tag):
    return frame[:12] + struct.pack('>HH', 0x8100, tag) + frame[12:]


def both_ways(host, peer):
    """(source, destination, outbound)"""
    return ((host, peer, True), (peer, host, False))


def everything():
    """Frames of all kinds that must come out as they went in, when nobody changes them."""
    d, ident = [], 100

    def add(packets, out):
        d.extend(ethernet(p, out) for p in packets)

    for host, peer in ((HOST4, PEER4), (HOST6, PEER6)):
        for src, dst, out in both_ways(host, peer):
            six = ':' in src
            add([tcp(src, dst, 1000, 80, data=pattern(n)) for n in (0, 1, 100, 1440)], out)
            ident += 1
            whole = fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(4000)), ident)
            add(whole, out)
            add([udp(src, dst, 9, 9, b'between')], out)
            ident += 1
            whole = fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(4000, 1)), ident)
            for p in whole:                         # interleaved
                add([p, tcp(src, dst, 1, 2, data=b'x')], out)
            ident += 1
            whole = fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(5000, 2)), ident)
            add(whole[::-1], out)                   # backwards
            ident += 1
            whole = fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(4000, 3)), ident)
            add([whole[0], whole[0], whole[1], whole[1], whole[2]], out)    # twice
            add([whole[2], udp(src, dst, 9, 9, b'after')], out)             # and once more, too late
            ident += 1
            whole = fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(4000, 4)), ident, 1000)
            overlap = fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(4000, 4)), ident, 1200)
            add([whole[0], overlap[1], whole[1], whole[2], whole[3]], out)  # overlapping
            ident += 1
            whole = fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(4000, 5)), ident)
            add([whole[0], whole[2]], out)          # one is missing
            ident += 1
            for ecn in ((2, 3, 2), (0, 0, 2), (1, 2, 1), (3, 0, 0)):
                ident += 1
                add(fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(3500)), ident, ecn=ecn), out)
            ident += 1
            add(fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(100)), ident), out) # atomic in v6
            small = ethernet(udp(src, dst, 9, 9, b'p'), out)
            d.append(small + b'\0' * 20)            # padded
            d.append(small + b'garbage!')
            d.append(vlan(small, 5))
            d.append(vlan(small, 0))                # priority tags
            d.append(vlan(small + b'padding', 0xe000))
            d.append(vlan(ethernet(fragments(src, dst, 17, pattern(2000), ident + 1)[0], out), 0))
            d.append(vlan(ethernet(fragments(src, dst, 17, pattern(2000), ident + 1)[1], out), 0))
            ident += 3
            add([udp(src, dst, 9, 9, pattern(n)) for n in (8900, 20000, 65000)], out)   # not cut yet
            big = bytearray(ethernet(tcp(src, dst, 1, 2, data=pattern(3000)), out))
            d.append(bytes(big[:700]))              # shorter than it says
            if six:
                hbh = bytes([44, 0, 1, 4, 0, 0, 0, 0])
                add(fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(3000)), ident,
                              extension=hbh, first=0), out)
                mixed = fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(3000)), ident + 1)
                other = fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(3000)), ident + 1,
                                  extension=hbh, first=0)
                add([mixed[0], other[1], mixed[2]], out)    # only one has the extra header
                for first in hbh, hbh, mixed[0][40:48]:     # a fragment header in a fragment
                    add(fragments(src, dst, 17, udp_segment(src, dst, 9, 9, pattern(3000)), ident + 1,
                                  extension=first, first=44), out)
                add([ip6(src, dst, 0, b'', extension=bytes([59, 0, 1, 4, 0, 0, 0, 0]))], out)
                ident += 3
            else:
                add([ip4(src, dst, 17, udp_segment(src, dst, 9, 9, b'o'), options=b'\x01' * 8)], out)
                bad = bytearray(udp(src, dst, 9, 9, b'bad'))
                bad[10] ^= 1
                add([bytes(bad)], out)
                add([ip4(src, dst, 6, b'df', flags=2), ip4(src, dst, 6, b'evil', flags=4)], out)
    d.append(HOST_MAC + PEER_MAC + b'\x08\x06' + b'\0\1\x08\0\6\4\0\1' + bytes(20))     # ARP
    d.append(PEER_MAC + HOST_MAC + b'\x08\x06' + b'\0\1\x08\0\6\4\0\2' + bytes(38))
    d.append(b'\xff' * 6 + PEER_MAC + b'\x00\x26\x42\x42\x03' + bytes(35))              # LLC
    d.append(HOST_MAC + PEER_MAC + b'\x08\x00')                                         # empty
    d.append(PEER_MAC + HOST_MAC + b'\x86\xdd')
    d += [HOST_MAC + PEER_MAC, HOST_MAC[:3], b'']                                       # runts
    return spaced(d)


HOST = ['--host', '02:00:00:00:00:01,%s,%s' % (HOST4, HOST6)]


def test_identity(t):
    frames = everything()
    data = pcap(frames)
    for kexts in ([], ['nothing'], ['headerlog'], ['ipcount'], ['touch'], ['to_and_fro'], ['shift'], ['split'],
                  ['anew_after'], ['anew'], ['touch', 'split', 'anew'], ['nothing', 'anew', 'touch']):
        for check in True, False:
            what = 'identity with %s%s' % (kexts, '' if check else ' unchecked')
            r = t.replay(data, *HOST, kexts=kexts, check=check, what=what)
            t.same_frames(r.raw, frames, what)
            t.equal((r.packets['kept'], r.packets['injected'] if r.json else 0), (len(frames), 0), what)
            t.equal([f['changed'] for f in r.filters if f['changed'] and f['name'] == 'mangle'], [], what,
                    '- changed by a filter')


# ---- datagrams, put together without libnke ------------------------------------------------------

class Whole:
    def __init__(self, at):
        self.at, self.parts, self.end, self.frames = at, {}, None, 0


def packet_of(frame):
    """(version, key, header, offset, more, payload) of an Ethernet frame with a sound IP packet, or None"""
    ip_ = frame.data[14:]
    if frame.data[12:14] == b'\x08\x00' and len(ip_) >= 20:
        hl, length = (ip_[0] & 15) * 4, struct.unpack('>H', ip_[2:4])[0]
        off = struct.unpack('>H', ip_[6:8])[0]
        return 4, (ip_[12:20], ip_[4:6], ip_[9]), ip_[:hl], (off & 0x1fff) * 8, bool(off & 0x2000), ip_[hl:length]
    if frame.data[12:14] == b'\x86\xdd' and len(ip_) >= 40:
        length, next_, at = struct.unpack('>H', ip_[4:6])[0], ip_[6], 40
        while next_ in (0, 60, 43):
            next_, at = ip_[at], at + 8 * (1 + ip_[at + 1])
        if next_ != 44:
            return 6, (ip_[8:40], None, next_), ip_[:at], 0, False, ip_[at:40 + length]
        proto, _, off, ident = struct.unpack('>BBHI', ip_[at:at + 8])
        return 6, (ip_[8:40], ident, proto), ip_[:at], off & 0xfff8, bool(off & 1), ip_[at + 8:40 + length]
    return None


def datagrams(frames):
    """[(position of the first piece that left, key, payload)] of whole ones, in order of completion."""
    making, done = {}, []
    for i, f in enumerate(frames):
        p = packet_of(f)
        if p is None:
            continue
        _, key, _, off, more, payload = p
        if off == 0 and not more:
            done.append((i, key, payload))
            continue
        w = making.setdefault(key, Whole(i))
        w.parts[off] = payload
        if not more:
            w.end = off + len(payload)
        flat, at = b'', 0
        while at in w.parts:
            flat += w.parts[at]
            at += len(w.parts[at])
        if w.end is not None and at >= w.end:
            done.append((w.at, key, flat))
            del making[key]
    return done


def sound(t, frames, what, longest=1514):
    """Every IP packet: header checksum, lengths, offsets; nothing longer than it may be."""
    for i, f in enumerate(frames):
        p = packet_of(f)
        if p is None:
            continue
        version, _, header, off, more, payload = p
        if version == 4:
            t.check(checksum(header) == 0, what, '- header checksum of frame', i + 1)
        t.check(not more or len(payload) % 8 == 0, what, '- length of a fragment in frame', i + 1)
        t.check(len(f.data) <= longest, what, '- frame %d is %d bytes long' % (i + 1, len(f.data)))


def mixture(src, dst, out):
    """Fragmented datagrams among others: two interleaved, one backwards, one with a duplicate."""
    def pieces(length, ident, **more):
        return [ethernet(p, out) for p in fragments(
            src, dst, 17, udp_segment(src, dst, 9, 9, pattern(length, ident)), ident, **more)]

    def one(n):
        return ethernet(udp(src, dst, n, n, pattern(n)), out)
    a, b, c, e = pieces(4000, 1), pieces(2800, 2), pieces(3000, 3), pieces(3500, 4)
    return spaced([one(10), a[0], one(11), b[0], a[1], one(12), b[1], a[2], one(13)] + c[::-1] +
                  [e[0], one(14), e[0], e[1], e[2], one(15)])


def test_changed(t):
    """Longer and shorter datagrams leave where their first piece was, in right pieces."""
    extra = b'more'
    for host, peer in ((HOST4, PEER4), (HOST6, PEER6)):
        for src, dst, out in both_ways(host, peer):
            frames = mixture(src, dst, out)
            what = '%s > %s' % (src, dst)
            before = datagrams(frames)
            for kext, change in (('append4', lambda p: p + extra), ('shorten4', lambda p: p[:-4]),
                                 ('flip2', lambda p: p[:-1] + bytes([p[-1] ^ 255]))):
                name = '%s: %s' % (kext, what)
                r = t.replay(pcap(frames), *HOST, kexts=[kext], what=name)
                after = r.frames
                sound(t, after, name)
                got, want = datagrams(after), before
                # the same datagrams, changed, in the order of their first pieces
                t.equal([(k, p) for _, k, p in sorted(got)], [
                    (k, change(p) if len(p) > (4 if ':' in src else 24) or kext != 'shorten4' else p) for _, k, p in sorted(
                        want, key=lambda w: first_piece(frames, w))], name, '- datagrams')
                t.equal(r.packets['injected'], 0, name, '- new')
                t.equal(sum(k[1] in (b'\0\1', 1) for _, k, _ in got), sum(
                    k[1] in (b'\0\1', 1) for _, k, _ in before), name)
                times = [f.time_ns for f in after]
                t.equal(times, sorted(times), name, '- not in the order of time')
                t.check(set(times) <= {f.time_ns for f in frames}, name, '- times of their own')
                t.check(all(f.data[:12] == frames[0].data[:12] for f in after), name, '- link header')


def first_piece(frames, datagram):
    """Position of the frame with offset 0 of a whole datagram."""
    for i, f in enumerate(frames):
        p = packet_of(f)
        if p and p[1] == datagram[1] and p[3] == 0 and datagram[2].startswith(p[5][:8]):
            return i
    return -1


def test_removed(t):
    """A datagram that is refused or taken takes all its frames with it."""
    for host, peer in ((HOST4, PEER4), (HOST6, PEER6)):
        for src, dst, out in both_ways(host, peer):
            frames = mixture(src, dst, out)
            keep = [f for f in frames if not (packet_of(f)[3] or packet_of(f)[4])]
            for kext, field in (('drop_long', 'dropped'), ('swallow_long', 'swallowed')):
                name = '%s: %s > %s' % (kext, src, dst)
                r = t.replay(pcap(frames), *HOST, kexts=[kext], what=name)
                t.same_frames(r.raw, keep, name)
                t.equal(r.packets[field], len(frames) - len(keep), name, '- frames', field)
                f = next((f for f in r.filters if f['kind'] == ('ipv6' if ':' in src else 'ipv4')), {field: -1})
                t.equal(f[field], 4, name, '- datagrams', field)
    # frames, at the interface: fragments that are not first
    for src, dst, out in both_ways(HOST4, PEER4):
        frames = mixture(src, dst, out)
        keep = [f for f in frames if not packet_of(f)[3]]
        r = t.replay(pcap(frames), *HOST, kexts=['swallow_second'], what='swallow_second')
        t.same_frames(r.raw, keep, 'swallow_second')
        # of a changed datagram the pieces that are left
        r = t.replay(pcap(frames), *HOST, kexts=['append4', 'swallow_second'], what='append4, swallow_second')
        t.check(r.frames and not any(packet_of(f)[3] for f in r.frames) or not out,
                'append4, swallow_second - a fragment is left')


def test_every_third(t):
    frames = everything()
    for kext, field in (('swallow3', 'swallowed'), ('drop3', 'dropped')):
        for check in True, False:
            r = t.replay(pcap(frames), *HOST, kexts=[kext], check=check, what=kext)
            kept = {(f.time_ns, f.data) for f in frames}
            t.check(all((f.time_ns, f.data) in kept for f in r.frames), kext, '- something new is there')
            t.equal(len(r.frames), r.packets['kept'], kext, '- kept')
            t.equal(r.packets['changed'], 0, kext, '- changed')
            t.check(r.packets['read'] == len(frames) and r.json and r.packets[field] > len(frames) // 4, kext)


def test_link_header(t):
    """An interface filter changes the link header: that is all that changes."""
    def is_fragment(f):
        p = packet_of(f)
        return p and (p[3] or p[4])
    frames = [f for f in everything() if len(f.data) >= 14 and f.data[12:14] != b'\x81\x00' and
              not is_fragment(f)]
    want = [Frame(f.time_ns, f.data[:11] + bytes([f.data[11] ^ 255]) + f.data[12:]) for f in frames]
    r = t.replay(pcap(frames), *HOST, kexts=['address'], what='address')
    t.same_frames(r.raw, want, 'address')
    t.equal(r.packets['changed'], len(frames), 'address - changed')
    r = t.replay(pcap(frames), *HOST, kexts=['address', 'address2'], what='address, twice')
    t.same_frames(r.raw, frames, 'address, twice')
    # fragments, also of datagrams that are never complete
    for src, dst, out in both_ways(HOST4, PEER4) + both_ways(HOST6, PEER6):
        pieces = [ethernet(p, out) for p in fragments(src, dst, 17, pattern(4000), 5)]
        missing = [ethernet(p, out) for p in fragments(src, dst, 17, pattern(4000), 6)][:2]
        frames = spaced(pieces + missing)
        want = [Frame(f.time_ns, f.data[:11] + bytes([f.data[11] ^ 255]) + f.data[12:]) for f in frames]
        r = t.replay(pcap(frames), *HOST, kexts=['address'], what='address, fragments')
        t.equal(sorted(f.data[:14] for f in r.frames), sorted(f.data[:14] for f in want), 'address, fragments')
        t.equal(datagrams(r.frames), datagrams(want), 'address, fragments')
        t.same_frames(r.frames[3:], want[3:], 'address, fragments')
    # together with a change of the packet
    frames = everything()[:4]
    r = t.replay(pcap(frames), *HOST, kexts=['address', 'append4'], what='address, append4')
    t.check(all(f.data[11] == 0xfe ^ 0xff or f.data[11] == 1 ^ 0xff for f in r.frames), 'address, append4')
    t.check(all(f.data.endswith(b'more') for f in r.frames), 'address, append4')


def test_changed_frames(t):
    """What an interface filter changes is seen by the stack, or left alone, but never lost."""
    frames = spaced([ethernet(udp(HOST4, PEER4, n, n, pattern(n)), True) for n in range(50, 60)] +
                    [ethernet(udp(PEER4, HOST4, n, n, pattern(n)), False) for n in range(50, 60)])
    r = t.replay(pcap(frames), *HOST, kexts=['append4frame'], what='append4frame')
    t.equal([f.data[-4:] for f in r.frames], [b'more'] * 20, 'append4frame')
    t.equal(r.packets['changed'], 20, 'append4frame - changed')
    sound(t, r.frames, 'append4frame')
    r = t.replay(pcap(frames), *HOST, kexts=['append4frame', 'append4'], what='append4frame, append4')
    t.equal([f.data[-8:] for f in r.frames], [b'moremore'] * 20, 'append4frame, append4')
    t.equal([f['changed'] for f in r.filters if f['kind'] != 'ipv6'], [20, 20], 'append4frame, append4')


def test_changed_fragments(t):
    """What an interface filter does to one fragment only is not lost."""
    for src, dst, out in both_ways(HOST4, PEER4) + both_ways(HOST6, PEER6):
        pieces = [ethernet(p, out) for p in fragments(src, dst, 17, pattern(4000), 5)]
        missing = [ethernet(p, out) for p in fragments(src, dst, 17, pattern(4000), 6)][:2]
        frames = spaced(pieces + missing)
        want = [f if packet_of(f)[3] == 0 else Frame(
            f.time_ns, f.data[:-1] + bytes([f.data[-1] ^ 255])) for f in frames]
        for kexts in ['flip_second'], ['flip_second', 'touch'], ['flip_second', 'anew']:
            what = '%s: %s > %s' % (kexts, src, dst)
            r = t.replay(pcap(frames), *HOST, kexts=kexts, what=what)
            t.equal(datagrams(r.frames), datagrams(want), what, '- datagrams')
            t.same_frames(r.frames[-2:], want[-2:], what)
            sound(t, r.frames, what)


def test_swapped(t):
    """A filter that passes on the packet before the one it was shown."""
    for host, peer in ((HOST4, PEER4), (HOST6, PEER6)):
        for src, dst, out in both_ways(host, peer):
            frames = spaced([ethernet(udp(src, dst, 9, 9, pattern(40 + n)), out) for n in range(20)])
            for kext in 'exchange', 'exchange_frames':
                what = '%s: %s > %s' % (kext, src, dst)
                r = t.replay(pcap(frames), *HOST, kexts=[kext], what=what)
                if kext == 'exchange' or out:
                    t.equal([f.data for f in r.frames], [f.data for f in frames[:-1]], what, '- packets')
                    t.equal([f.time_ns for f in r.frames], [f.time_ns for f in frames[1:]], what, '- times')


def test_again(t):
    """Injected again from inside the filter: everything is there, once."""
    for kext in 'again', 'again_raw':
        for host, peer in ((HOST4, PEER4), (HOST6, PEER6)):
            for src, dst, out in both_ways(host, peer):
                if kext == 'again_raw' and not out:
                    continue
                frames = mixture(src, dst, out)
                what = '%s: %s > %s' % (kext, src, dst)
                r = t.replay(pcap(frames), *HOST, kexts=[kext], what=what)
                t.equal(sorted(p for _, _, p in datagrams(r.frames)), sorted(
                    p for _, _, p in datagrams(frames)), what, '- datagrams')
                sound(t, r.frames, what)
                t.check(all(f.data[:14] == frames[0].data[:14] for f in r.frames), what, '- link header')


def test_held(t):
    """A missing fragment holds the output back, but for a while and 8192 frames only."""
    for host, peer in ((HOST4, PEER4), (HOST6, PEER6)):
        for src, dst, out in both_ways(host, peer):
            pieces = [ethernet(p, out) for p in fragments(src, dst, 17, pattern(4000), 77)]
            filler = [ethernet(udp(src, dst, 9, 9, b'%d' % n), out) for n in range(9000)]
            what = '%s > %s' % (src, dst)
            for name, datas in (('never complete', [pieces[0]] + filler),
                                ('complete too late', [pieces[0]] + filler + pieces[1:] + filler[:100]),
                                ('twice, complete too late', [pieces[0]] * 2 + filler + pieces[1:]),
                                ('the middle too late', [pieces[0], pieces[2]] + filler + pieces[1:2] + filler[:9]),
                                ('just in time', [pieces[0]] + filler[:8100] + pieces[1:] + filler[:100])):
                frames = spaced(datas, step=1000)
                for kexts in ([], ['nothing'], ['anew'], ['append4'], ['drop_long']):
                    if kexts and (name != 'complete too late' and name != 'just in time' and
                                  kexts != ['anew']):
                        continue
                    label = '%s, %s, %s' % (what, name, kexts)
                    r = t.replay(pcap(frames, nano=True), *HOST, kexts=kexts, check=False, what=label)
                    if kexts == ['append4']:
                        t.equal(r.packets['injected'], 0, label, '- new')
                        t.equal(len(r.frames), len(frames), label, '- frames')
                    elif kexts == ['drop_long'] and name == 'just in time':
                        t.same_frames(r.raw, [f for f in frames if f.data not in pieces], label)
                    else:
                        t.same_frames(r.raw, frames, label)
            # the timer lets go: 30 s in IPv4, 60 s in IPv6
            frames = spaced([pieces[0]] + filler[:10], step=10 * 10**9)
            r = t.replay(pcap(frames), *HOST, kexts=['anew'], what=what + ', timed out')
            t.same_frames(r.raw, frames, what, 'timed out')
            # timed out after its place was given up
            frames = spaced([pieces[0]] + filler, step=1000) + [
                Frame(START + 10**12 + i, d) for i, d in enumerate(filler[:20])]
            r = t.replay(pcap(frames, nano=True), *HOST, kexts=['nothing'], check=False, what=what)
            t.same_frames(r.raw, frames, what, 'timed out after its place was given up')
            t.equal(r.packets['no_memory'] if r.json else -1, 0, what, '- lost')


def test(t):
    test_identity(t)
    test_changed(t)
    test_removed(t)
    test_every_third(t)
    test_link_header(t)
    test_changed_frames(t)
    test_changed_fragments(t)
    test_swapped(t)
    test_again(t)
    test_held(t)


main(test)
