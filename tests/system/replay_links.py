"""Link types and file formats: without a kext, what comes out is what went in."""
import bz2
import gzip
import lzma
import subprocess

from replaytest import *


def traffic(link):
    """A conversation of every family the link carries, both ways, and something odd."""
    frames = []
    for host, peer in ((HOST4, PEER4), (HOST6, PEER6)):
        if (6 if ':' in host else 4) not in link.families:
            continue
        frames += [link.frame(tcp(host, peer, 40000, 80, flags=2), True),
                   link.frame(tcp(peer, host, 80, 40000, flags=0x12), False),
                   link.frame(tcp(host, peer, 40000, 80, data=pattern(700)), True),
                   link.frame(tcp(peer, host, 80, 40000, data=pattern(1400)), False),
                   link.frame(udp(host, peer, 5000, 53, b'question'), True),
                   link.frame(udp(peer, host, 53, 5000, b''), False)]
        frames += [link.frame(p, True) for p in fragments(host, peer, 17, udp_segment(
            host, peer, 7, 7, pattern(4000)), 77)]
        frames += [link.frame(p, False) for p in fragments(peer, host, 17, udp_segment(
            peer, host, 7, 7, pattern(2500)), 78)]
    frames.append(frames[0][:link.header] + b'\xf0what is this?')
    frames.append(frames[0][:link.header])          # nothing behind the header
    if link.header:
        frames.append(frames[0][:link.header - 1])  # not even that
        frames.append(b'')
    return frames


def formats(frames, linktype):
    """(name, bytes, unit of time in ns, is exactly what the tool writes)"""
    yield 'pcap', pcap(frames, linktype), 1000, True
    yield 'pcap-ns', pcap(frames, linktype, nano=True), 1, True
    yield 'pcap-be', pcap(frames, linktype, order='>'), 1000, False
    yield 'pcap-be-ns', pcap(frames, linktype, order='>', nano=True), 1, False
    yield 'pcap-small-snaplen', pcap(frames, linktype, snaplen=9000), 1000, False
    for order in '<', '>':
        for resolution in 6, 9:
            yield 'pcapng%s%d' % (order, resolution), pcapng(
                frames, linktype, order, resolution), 10**(9 - resolution), False
    yield 'pcapng-3-interfaces', pcapng(frames, linktype, '<', 9, 3), 1, False


def test_formats(t):
    for link in LINKS:
        frames = spaced(traffic(link), step=1234567)
        for name, data, unit, exact in formats(frames, link.type):
            what = '%s as %s' % (link.name, name)
            r = t.replay(data, what=what)
            if exact:
                t.check(r.raw == data, what, '- not the same file')
            if t.same_frames(r.raw, frames, what, unit=unit) is True:
                t.equal(parse(r.raw)[1], link.type, what, '- link type')
            t.equal(r.packets['kept'], len(frames), what, '- kept')
            if name in ('pcap', 'pcapng<9'):
                r = t.replay(data, kexts=['nothing'], what=what + ' with nothing.kext')
                t.same_frames(r.raw, frames, what, 'with nothing.kext', unit=unit)
                r = t.replay(data, kexts=['touch'], what=what + ' with touch.kext')
                t.same_frames(r.raw, frames, what, 'with touch.kext', unit=unit)
                t.equal(r.packets['changed'], 0, what, 'with touch.kext - changed')
                t.equal(sum(f['changed'] for f in r.filters), 0, what,
                        'with touch.kext - changed by a filter')


def test_pipes(t):
    frames = spaced(traffic(ETHERNET) * 40)
    for name, data, unit, exact in formats(frames, 1):
        r = t.tool('replay', '--quiet', '-', '-w', '-', stdin=data)
        t.equal(r.code, 0, name, 'through pipes - exit')
        t.same_frames(r.out, frames, name, 'through pipes', unit=unit)
    r = t.tool('replay', '-', '-w', '-', stdin=data)
    t.check(b'packets' not in r.out and 'packets' in r.err,
            'the summary must go to standard error when the capture goes to standard output')
    r = t.tool('replay', '--quiet', '-', '-w', '-', '--json', t.path('pipe.json'), stdin=data)
    t.same_frames(r.out, frames, 'through pipes with --json', unit=unit)
    # slowly, and ended by a closed pipe
    slow = 'head -c 30000 %s; sleep 0.2; tail -c +30001 %s' % ((t.save('slow.pcap', pcap(frames)),) * 2)
    r = subprocess.run('(%s) | %s replay --quiet - -w -' % (slow, t.nke), shell=True, capture_output=True)
    t.same_frames(r.stdout, frames, 'through a slow pipe', unit=1000)
    r = t.replay('/dev/null', expect=2, what='an empty file')
    t.one_complaint(r, 'an empty file', text=['/dev/null'])


def test_pcapng_oddities(t):
    frames = spaced(traffic(ETHERNET))
    # simple packet blocks have no time
    data = section() + interface(1) + b''.join(simple(f) for f in frames)
    r = t.replay(data, what='simple packet blocks')
    t.same_frames(r.raw, [Frame(0, f.data) for f in frames], 'simple packet blocks')
    # simple packets are cut at the snapshot length
    data = section() + interface(1, snaplen=100) + b''.join(
        block('<', 3, struct.pack('<I', len(f.data)) + f.data[:100]) for f in frames)
    r = t.replay(data, what='simple packet blocks, snapped')
    t.same_frames(r.raw, [Frame(0, f.data[:100], len(f.data)) for f in frames],
                  'simple packet blocks, snapped')
    # blocks of other kinds between the packets
    other = block('<', 4, struct.pack('<HH', 0, 0)) + block('<', 5, struct.pack('<III', 0, 0, 0)) + \
        block('<', 0xbad, b'who knows')
    data = section() + interface(1, resolution=9) + other + b''.join(
        enhanced(f, unit=1) + other for f in frames)
    r = t.replay(data, what='blocks of other kinds')
    t.same_frames(r.raw, frames, 'blocks of other kinds')
    # a second section
    half = len(frames) // 2
    data = pcapng(frames[:half]) + pcapng(frames[half:])
    r = t.replay(data, what='two sections')
    t.same_frames(r.raw, frames, 'two sections', unit=1000)
    # sections of both byte orders
    data = pcapng(frames[:half]) + pcapng(frames[half:], order='>', resolution=9)
    t.same_frames(t.replay(data, what='two orders').raw, frames, 'two orders', unit=1000)
    # interfaces that say different things
    data = section() + interface(1, resolution=6) + b''.join(enhanced(f) for f in frames[:3]) + \
        interface(1, snaplen=77, resolution=9) + b''.join(enhanced(f, 1, unit=1) for f in frames[3:])
    t.same_frames(t.replay(data, what='another snapshot length').raw, frames, 'another snapshot length', unit=1000)
    raw = spaced(traffic(link_named('raw')), step=500000)
    for played, first, second, other in ((frames, 1, 101, raw), (raw, 101, 1, frames), (frames, 147, 1, None)):
        data = section() + interface(first, resolution=6) + interface(second, resolution=6)
        for f, g in zip(played, other or played):
            data += enhanced(f, 1 if other is None else 0) + enhanced(g, 0 if other is None else 1)
        for options in [], ['-j', '2']:
            what = 'link types %d and %d %s' % (first, second, options)
            r = t.replay(data, *options, what=what)
            n = min(len(played), len(other or played))
            t.equal((r.packets['read'], r.packets['left_out']), (n, n), what)
            t.same_frames(r.raw, played[:n], what, unit=1000)
    for options in [], ['--sockets']:
        r = t.tool('replay', *options, t.path('in.pcap'))
        t.check(b'left out: %d packets' % n in r.out, 'what is left out is not told', options, r.out)
    # resolutions of powers of two and ten, an offset
    ticks, options = 1700000000 << 20 | 1 << 19, struct.pack('<HHB3xHHqHH', 9, 1, 0x80 | 20, 14, 8, 86400, 0, 0)
    data = section() + block('<', 1, struct.pack('<HHI', 1, 0, 0) + options) + block('<', 6, struct.pack(
        '<IIIII', 0, ticks >> 32, ticks & 0xffffffff, len(frames[0].data), len(frames[0].data)) + frames[0].data)
    r = t.replay(data, what='half a second and a day')
    t.same_frames(r.raw, [Frame((1700000000 + 86400) * 10**9 + 5 * 10**8, frames[0].data)], 'half a second and a day')
    # only packets of an interface that cannot be played, though another can
    data = section() + interface(1) + interface(147) + enhanced(frames[0], 1)
    r = t.replay(data, expect=2, what='nothing to play')
    t.one_complaint(r, 'nothing to play', text=['in.pcap', 'link type 147'])
    # a first packet that is too long
    bad = bytearray(enhanced(frames[0]))
    bad[20:24] = struct.pack('<I', 9999)
    r = t.replay(section() + interface(1) + bytes(bad), expect=2, what='a first packet too long')
    t.one_complaint(r, 'a first packet too long', text=['packet 1', '9999'])
    t.equal(r.packets['read'], 0, 'a first packet too long')
    # what cannot be
    for name, bad in (('resolution 10^-20', interface(1, resolution=20)), ('version 2', block(
            '<', 0x0a0d0d0a, struct.pack('<IHHq', 0x1a2b3c4d, 2, 0, -1))), ('an option too long', block(
                '<', 1, struct.pack('<HHIHH', 1, 0, 0, 9, 99))), ('half an interface', block('<', 1, b'\1\0\0\0')),
            ('other lengths', enhanced(frames[0])[:-4] + b'\x10\0\0\0'), ('half a packet', block('<', 6, bytes(8)))):
        r = t.replay(section() + interface(1) + enhanced(frames[0]) + bad + enhanced(frames[1]), expect=2, what=name)
        t.one_complaint(r, name, text=['in.pcap', 'packet 2', 'expected'])
        t.same_frames(r.raw, frames[:1], name, unit=1000)
    # no interface at all; an interface that is not described
    for name, data in (('no interface', section() + enhanced(frames[0])),
                       ('interface 7', section() + interface(1) + enhanced(frames[0], 7))):
        r = t.replay(data, expect=2, what=name)
        t.one_complaint(r, name, text=['in.pcap'])


def test_unsupported(t):
    for linktype in 105, 9, 147, 65000:
        for data in (pcap(spaced([b'x' * 60]), linktype), pcapng(spaced([b'x' * 60]), linktype)):
            r = t.replay(data, expect=2, what='link type %d' % linktype)
            t.one_complaint(r, 'link type %d' % linktype, text=['in.pcap', 'link type'])
            t.check(not os.path.exists(t.path('out.pcap')), 'link type %d leaves an output' % linktype)


def test_raw_numbers(t):
    """Link types 12 and 14 mean raw IP, as other systems number it; it is written as what it is."""
    frames = spaced(traffic(link_named('raw')))
    for linktype in 12, 14:
        r = t.replay(pcap(frames, linktype), what='link type %d' % linktype)
        t.same_frames(r.raw, frames, 'link type', linktype, unit=1000)
        t.equal(parse(r.raw)[1], 101, 'link type', linktype, '- written')


def test_other_files(t):
    """What is no capture is said, and what to do."""
    data = pcap(spaced(traffic(ETHERNET)))
    for name, packed in (('gzip', gzip.compress(data)), ('bzip2', bz2.compress(data)), ('xz', lzma.compress(data))):
        r = t.replay(packed, expect=2, what=name)
        t.one_complaint(r, name, text=['in.pcap', 'compressed by ' + name])
    for name, other in (('text', b'#!/bin/sh\n'), ('snoop', b'snoop\0\0\0\0\0\0\2\0\0\0\4'), ('two bytes', b'\x1f\x8b')):
        r = t.replay(other, expect=2, what=name)
        t.one_complaint(r, name, text=['in.pcap', 'expected pcap or pcapng'])


def test_times(t):
    """Time stamps far away, of zero, going back: kept as they are."""
    one = ethernet(udp(HOST4, PEER4, 1, 2, b'x'), True)
    times = [0, 0, 1, 2**31 - 1, 2**31, 2**32 - 1, 5, 2**31 + 7, 0]
    frames = [Frame(s * 10**9 + 123456000, one) for s in times]
    for nano in False, True:
        data = pcap(frames, nano=nano)
        for kexts in [], ['touch']:
            r = t.replay(data, kexts=kexts, what='odd times')
            t.check(r.raw == data, 'odd times are not kept', kexts)


def test(t):
    test_formats(t)
    test_pipes(t)
    test_pcapng_oddities(t)
    test_unsupported(t)
    test_raw_numbers(t)
    test_other_files(t)
    test_times(t)


main(test)
