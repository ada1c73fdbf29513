"""Packets captured short, and captures that are damaged or cut off."""
from replaytest import *


def good(count=12):
    datas = []
    for i in range(count // 4):
        datas += [ethernet(tcp(HOST4, PEER4, 40000 + i, 80, flags=2), True),
                  ethernet(udp(PEER6, HOST6, 53, 5000 + i, pattern(200)), False),
                  ethernet(tcp(PEER4, HOST4, 80, 40000 + i, data=pattern(900)), False),
                  ethernet(udp(HOST6, PEER6, 5000 + i, 53, pattern(20)), True)]
    return spaced(datas)


def test_snapped(t):
    for link in LINKS:
        packets = [(udp(HOST6, PEER6, 1, 2, pattern(500)) if link.families == (6,) else
                    tcp(HOST4, PEER4, 1, 2, data=pattern(500)), True)] * 3
        packets += [(p, False) for p in fragments(
            *((PEER6, HOST6) if link.families == (6,) else (PEER4, HOST4)), 17, pattern(3000), 5)]
        whole = [link.frame(p, out) for p, out in packets]
        for cut in (0, 1, 4, 13, 14, 15, 20, 33, 34, 54, 68, 96, 400):
            frames = [Frame(START + i, d[:cut], len(d)) for i, d in enumerate(whole)]
            for kexts in [], ['touch'], ['headerlog']:
                data = pcap(frames, link.type, nano=True)
                what = '%s cut at %d %s' % (link.name, cut, kexts)
                r = t.replay(data, kexts=kexts, what=what)
                t.check(r.raw == data, what, '- the output differs')
                t.equal(r.packets['snapped'], sum(len(d) > cut for d in whole), what, '- snapped')
    # changed ones keep what is missing
    frames = [Frame(START, ethernet(b'\x12' * 300, True)[:100], 314)]
    frames[0].data = frames[0].data[:12] + b'\x12\x34' + frames[0].data[14:]
    r = t.replay(pcap(frames), '--host', '02:00:00:00:00:01', kexts=['flip1'], what='snapped and changed')
    if t.equal(len(r.frames), 1, 'snapped and changed'):
        t.equal((len(r.frames[0].data), r.frames[0].length), (100, 314), 'snapped and changed - lengths')
        t.equal(r.packets['changed'], 1, 'snapped and changed - changed')
    r = t.tool('replay', t.save('in.pcap', data))
    t.check('captured short' in r.out.decode(), 'snapped packets are not in the summary')


def damaged(t, data, count, what, offset=None, frames=None, text=()):
    """The first `count` of good() are there, then one line says what was wrong with the next."""
    for kexts, options in ([], []), (['nothing'], []), ([], ['-j', '3']):
        r = t.replay(data, *options, kexts=kexts, expect=2, what=what)
        said = ['in.pcap', 'packet %d ' % (count + 1)] + list(text)
        if offset is not None:
            said.append('byte %d' % offset)
        t.one_complaint(r, what, text=said)
        t.same_frames(r.raw, (frames or good())[:count], what, unit=1000)
        t.equal(r.packets['read'], count, what, '- read')
        t.equal(r.json and r.json['exit'], 2, what, '- exit in the report')
        t.check(r.json and 'packet %d ' % (count + 1) in r.json['error'], what, '- error in the report')


def test_pcap(t):
    frames = good()
    data = pcap(frames)
    starts, at = [], 24
    for f in frames:
        starts.append(at)
        at += 16 + len(f.data)
    for n in (0, 1, 5, 11):
        for extra in (1, 8, 15):
            damaged(t, data[:starts[n] + extra], n, 'cut in the header of packet %d' % (n + 1), starts[n])
        for extra in (17, 16 + len(frames[n].data) - 1):
            damaged(t, data[:starts[n] + extra], n, 'cut in packet %d' % (n + 1), starts[n])
        # the same from a pipe
        r = t.tool('replay', '--quiet', '-', '-w', '-', stdin=data[:starts[n] + 17])
        t.equal(r.code, 2, 'cut in a pipe - exit')
        t.one_complaint(r, 'cut in a pipe', text=['standard input: packet %d at byte %d' % (n + 1, starts[n])])
        t.same_frames(r.out, frames[:n], 'cut in a pipe', unit=1000)
    n = 7
    for caplen in (0x7fffffff, 0xffffffff, 0x80000000, 300000, 0x01000000):
        bad = data[:starts[n] + 8] + struct.pack('<II', caplen, caplen) + data[starts[n] + 16:]
        damaged(t, bad, n, 'a packet of %d bytes' % caplen, starts[n])
    damaged(t, data + b'\xff' * 1000, len(frames), 'garbage behind', len(data))
    damaged(t, data[:starts[n]] + b'\xee' * 500 + data[starts[n]:], n, 'garbage between', starts[n])
    # more captured than there was: odd, but harmless
    bad = data[:starts[n] + 12] + struct.pack('<I', 10) + data[starts[n] + 16:]
    r = t.replay(bad, what='caplen larger than len')
    t.same_frames(r.raw, frames, 'caplen larger than len', unit=1000)
    # big-endian, nanoseconds
    damaged(t, pcap(frames, order='>', nano=True)[:starts[n] + 3], n, 'big-endian, cut', starts[n])


def test_headers(t):
    data = pcap(good())
    for name, bad in (('nothing', b''), ('one byte', data[:1]), ('four bytes', data[:4]),
                      ('half a header', data[:12]), ('all but one', data[:23]), ('text', b'hello, world\n' * 20),
                      ('zeros', bytes(1000)), ('version 9', data[:4] + b'\x09\0\x09\0' + data[8:]),
                      ('an archive', b'\x1f\x8b\x08\0' + bytes(100)), ('pcapng, 5 bytes', section()[:5]),
                      ('pcapng, half', section()[:20]), ('pcapng, bad order', section()[:8] + bytes(20))):
        r = t.replay(bad, expect=2, what=name)
        t.one_complaint(r, name, text=['in.pcap'])
        t.check(not os.path.exists(t.path('out.pcap')), name, '- leaves an output')
    r = t.replay(data[:24], what='no packets')
    t.check(r.raw == data[:24], 'no packets')


def test_pcapng(t):
    frames = good()
    blocks = [section(), interface(1)] + [enhanced(f) for f in frames]
    for n in (0, 1, 6, 11):
        before = b''.join(blocks[:n + 2])
        # The offset: where the reader was when it noticed.
        for cut in (1, 7, 11, 30, len(blocks[n + 2]) - 1):
            damaged(t, before + blocks[n + 2][:cut], n, 'pcapng cut in packet %d' % (n + 1), text=['byte'])
        if n:
            damaged(t, before + b'\xff' * 64, n, 'pcapng, garbage', text=['byte'])
            damaged(t, before + struct.pack('<III', 6, 0x7ffffff0, 0) + bytes(64), n, 'pcapng, a huge block',
                    text=['byte'])
            damaged(t, before + struct.pack('<III', 6, 4, 4) + bytes(64), n, 'pcapng, a tiny block',
                    text=['byte'])
            bad = bytearray(blocks[n + 2])
            bad[20:24] = struct.pack('<I', 0x7fffffff)
            damaged(t, before + bytes(bad), n, 'pcapng, a huge packet in a block', text=['byte'])


def test(t):
    test_snapped(t)
    test_pcap(t)
    test_headers(t)
    test_pcapng(t)


main(test)
