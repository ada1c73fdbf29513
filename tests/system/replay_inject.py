"""Packets that kexts make, filters that come and go meanwhile, the machine's clock."""
from replaytest import *

MS = 1000000


def pair(host, peer, n, link):
    return [link.frame(udp(host, peer, 9, 9, pattern(30 + n)), True),
            link.frame(udp(peer, host, 9, 9, pattern(60 + n)), False)]


def test_copies(t):
    """Copies that a timer injects: in place, on time, with the right link header, in both directions."""
    for link in LINKS:
        datas = []
        for n in range(6):
            for host, peer in ((HOST4, PEER4), (HOST6, PEER6)):
                if (6 if ':' in host else 4) in link.families:
                    datas += pair(host, peer, n, link)
        frames = spaced(datas, step=3 * MS)
        want = []
        for f in frames:
            want += [(f.time_ns, 1, f), (f.time_ns + 5 * MS, 0, Frame(f.time_ns + 5 * MS, f.data))]
        want = [f for _, _, f in sorted(want, key=lambda w: w[:2])]
        for kext in 'copy_packets', 'copy_frames':
            what = '%s on %s' % (kext, link.name)
            host = ','.join(a for a in (HOST4, HOST6) if (6 if ':' in a else 4) in link.families)
            r = t.replay(pcap(frames, link.type, nano=True), '--host', host, kexts=[kext], what=what)
            t.same_frames(r.raw, want, what)
            t.equal(r.packets['injected'] if r.json else -1, len(frames), what, '- new')
            t.equal(r.packets['written'], 2 * len(frames), what, '- written')


def test_fragmented_copies(t):
    """A copy of a datagram is cut to the MTU on its way out, and on its way in as if it had come so."""
    for host, peer in ((HOST4, PEER4), (HOST6, PEER6)):
        for src, dst, out in ((host, peer, True), (peer, host, False)):
            frames = spaced(pair(host, peer, 0, ETHERNET) + [ethernet(p, out) for p in fragments(
                src, dst, 17, udp_segment(src, dst, 9, 9, pattern(4000)), 7)], step=10 * MS)
            what = 'copies of a fragmented datagram, %s > %s' % (src, dst)
            r = t.replay(pcap(frames), '--host', host, kexts=['copy_packets'], what=what)
            t.equal(len(r.frames), 2 * len(frames), what)
            t.check(all(len(f.data) <= 1514 for f in r.frames), what, '- length')
            t.check(all(f.data[:14] == frames[-1].data[:14] for f in r.frames[-3:]), what, '- link header')
            t.equal({f.time_ns for f in r.frames[-3:]}, {frames[-1].time_ns + 5 * MS}, what, '- time')


def test_flood(t):
    """More new packets from inside one callback than fit into the ring."""
    frames = spaced([d for n in range(4) for d in pair(HOST4, PEER4, n, ETHERNET)])
    r = t.replay(pcap(frames), '--host', HOST4, kexts=['flood'], what='flood')
    t.equal(r.packets['injected'] if r.json else -1, 20000, 'flood - new')
    t.equal(r.packets['written'], 20008, 'flood - written')
    t.equal(sum(f.time_ns in [g.time_ns for g in frames] and f.data in [g.data for g in frames]
                for f in r.frames), 20008, 'flood - frames')
    t.equal([f.time_ns for f in r.frames], sorted(f.time_ns for f in r.frames), 'flood - order')


def test_come_and_go(t):
    frames = spaced([d for n in range(200) for d in pair(HOST4, PEER4, n % 50, ETHERNET)], step=10 * MS)
    for kexts in ['come_late'], ['go_early'], ['come_late', 'touch'], ['touch', 'go_early'], ['go_early', 'anew']:
        for jobs in '1', '2':
            r = t.replay(pcap(frames), '--host', HOST4, '-j', jobs, kexts=kexts, what=str(kexts))
            t.same_frames(r.raw, frames, kexts, 'with -j', jobs)
    r = t.replay(pcap(frames), '--host', HOST4, kexts=['come_late'], what='come_late')
    # one second of frames at 100 a second; both ends of it: the timers come first
    t.equal(r.said('come_late'), ['200 seen, 0 ticks'], 'come_late')


def test_no_interface(t):
    """A kext takes the interface away: nothing hangs, nothing that was captured is lost."""
    frames = spaced([d for n in range(300) for d in pair(HOST4, PEER4, n % 50, ETHERNET)], step=10 * MS)
    for kexts in ['no_interface'], ['no_interface', 'touch'], ['touch', 'no_interface']:
        r = t.replay(pcap(frames), '--host', HOST4, kexts=kexts, what=str(kexts), expect=None)
        t.check(r.code in (0, 3), kexts, '- exit', r.code, r.err[-500:])
        t.same_frames(r.raw, frames, kexts)


def test_clock(t):
    """Gaps of years, time going back, time zero: timers run on, nothing hangs, stamps stay."""
    one = ethernet(udp(HOST4, PEER4, 9, 9, b'x'), True)
    year = 31556952 * 10**9
    times = [START, START + MS, START + 10 * year, START + 10 * year + MS, START + 5 * year, START - 3 * year,
             0, 0, START + 11 * year, START + 40 * year, START + 12 * year]
    frames = [Frame(x, one) for x in times]
    for kexts in [], ['touch'], ['copy_frames']:
        r = t.replay(pcap(frames, nano=True), '--host', HOST4, kexts=kexts, what='clock')
        if kexts == ['copy_frames']:
            t.equal(r.packets['injected'] if r.json else -1, len(frames), 'clock - new')
        else:
            t.same_frames(r.raw, frames, 'clock', kexts)
    # a timer of 50 ms sees an hour of the ten years pass
    frames = frames[:4]
    r = t.replay(pcap(frames, nano=True), kexts=['tick', 'touch'], what='clock with ticks')
    t.same_frames(r.raw, frames, 'clock with ticks')
    n = int(r.said('tick')[-1].split()[2]) if r.said('tick') else -1
    t.check(72000 <= n <= 74000, 'clock -', n, 'ticks')
    # zero times only
    frames = [Frame(0, one)] * 10
    r = t.replay(pcap(frames), kexts=['tick'], what='zero times')
    t.same_frames(r.raw, frames, 'zero times')
    # the clock starts at zero when the first packet says so
    frames = [Frame(0, one), Frame(START, one), Frame(START + 20 * MS, one)]
    r = t.replay(
        pcap(frames, nano=True), '--host', HOST4, kexts=['copy_frames'], what='from zero')
    t.equal([f.time_ns for f in r.frames], [0, 5 * MS, START, START + 5 * MS, START + 20 * MS, START + 25 * MS],
            'from zero')
    # going back: what is new has the machine's time, which does not go back
    frames = [Frame(START + 100 * MS, one), Frame(START, one), Frame(START + 300 * MS, one)]
    r = t.replay(pcap(frames, nano=True), '--host', HOST4, kexts=['copy_frames'], what='going back')
    t.equal(sorted(f.time_ns - START for f in r.frames),
            [0, 100 * MS, 105 * MS, 105 * MS, 300 * MS, 305 * MS], 'going back')


def test(t):
    test_copies(t)
    test_fragmented_copies(t)
    test_flood(t)
    test_come_and_go(t)
    test_no_interface(t)
    test_clock(t)


main(test)
