"""Odd clocks in captures: no packet is lost, every one keeps its stamp, and the machine's time goes on."""
from replaytest import *

S = 10**9
LATEST = (2**32 - 1) * S
HOST = ['--host', '02:00:00:00:00:01,%s,%s' % (HOST4, HOST6)]


def clocks():
    """Names and lists of times."""
    n = 240
    yield 'all zero', [0] * n
    yield 'all the same', [START] * n
    yield 'from zero', [i * S for i in range(n)]
    yield 'zero, then now', [0] + [START + i for i in range(n)]
    yield 'now, then zero', [START + i * 1000 for i in range(n)] + [0] * n
    yield 'backwards', [START - i * S for i in range(n)]
    yield 'backwards by nanoseconds', [START - i for i in range(n)]
    yield 'to and fro', [START + (-1)**i * i * 1234567 for i in range(n)]
    yield 'one hour back', [START + (i - (3600 if i >= n // 2 else 0)) * S for i in range(n)]
    yield 'a year back and on', [START - (i % 3 == 1) * 31536000 * S + i * S for i in range(n)]
    yield 'leap second', [START + min(i, 100) * S // 100 + max(i - 200, 0) * S // 100 for i in range(n)]
    yield 'a day of silence', [START + i * 1000 + (i >= n // 2) * 86400 * S for i in range(n)]
    yield 'to the end and back', [LATEST if i % 2 else 0 for i in range(n)]
    yield 'last ones', [LATEST + S - n + i for i in range(n)]
    yield '2038', [(2**31 - 2) * S + i * S // 40 for i in range(n)]
    yield 'wraps', [(2**32 - 2 + i // 60) % 2**32 * S + i % 60 for i in range(n)]


def capture(times, fragments_too=True):
    datas = []
    for i in range(len(times)):
        host, peer = ((HOST4, PEER4), (HOST6, PEER6))[i // 5 & 1]
        src, dst, out = (host, peer, True) if i // 3 & 1 else (peer, host, False)
        if fragments_too and i % 20 in (7, 11):     # the rest of the datagram comes later
            src, dst, out = (HOST4, PEER4, True) if i // 20 & 1 else (PEER4, HOST4, False)
            datas.append(ethernet(fragments(src, dst, 17, pattern(2000), i // 20 + 1)[i % 20 == 11], out))
        else:
            datas.append(ethernet(tcp(src, dst, 1000 + i % 7, 80, data=pattern(i)), out))
    return [Frame(t, d) for t, d in zip(times, datas)]


def same_clock(t, frames, data, unit, what):
    """Kexts that leave packets alone, and some that change all of them."""
    for kexts, options in ([], []), ([], ['-j', '2']), (['nothing'], []), (['touch'], ['--check']), \
            (['anew'], ['-j', '3']), (['headerlog'], []):
        r = t.replay(data, *HOST, *options, kexts=kexts, check=False, what=what, timeout=20)
        t.same_frames(r.raw, frames, what, kexts, options, unit=unit)
        t.equal(r.packets['kept'], len(frames), what, kexts, options, '- kept')


def test_formats(t):
    for name, times in clocks():
        frames = capture(times)
        for order in '<', '>':
            same_clock(t, frames, pcap(frames, order=order, nano=True), 1, name + ', pcap in nanoseconds ' + order)
        same_clock(t, frames, pcap(frames), 1000, name + ', pcap in microseconds')
        for resolution in 9, 6, 3, 0:
            unit = 10**(9 - resolution)
            r = t.replay(pcapng(frames, resolution=resolution), *HOST, what=name)
            t.same_frames(r.raw, frames, name, 'pcapng, resolution', resolution, unit=unit)


def test_changed(t):
    """A changed packet keeps its stamp."""
    for name, times in clocks():
        frames = capture(times, fragments_too=False)
        for jobs in '1', '2':
            r = t.replay(pcap(frames, nano=True), *HOST, '-j', jobs, kexts=['flip2'], what=name, timeout=20)
            t.equal([f.time_ns for f in r.frames], times, name, '- stamps of changed ones')
            t.equal(r.packets['changed'], len(frames), name, '- changed')


def test_timers(t):
    """Packets that wait on timers while the clock does odd things: none is lost, none leaves before it came."""
    for name, times in clocks():
        frames = capture(times, fragments_too=False)
        for jobs in '1', '2':
            what = '%s, delay -j %s' % (name, jobs)
            r = t.replay(pcap(frames, nano=True), *HOST, '-j', jobs, kexts=['delay'], what=what, timeout=20)
            t.equal(sorted(f.data for f in r.frames), sorted(f.data for f in frames), what, '- packets')
            # beyond 32 bits of seconds the stamps begin again
            if times == sorted(times) and times[-1] < LATEST:
                out = [f.time_ns for f in r.frames]
                t.check(all(a >= b for a, b in zip(out, times)), what, '- leaves early')
                t.equal(out, sorted(out), what, '- order')


def test_fractions(t):
    """Fractions of a second that are none; the second is counted on."""
    frames = capture([START] * 12)
    data = bytearray(pcap(frames, nano=True))
    at = 24
    fractions = [0, 999999999, 10**9, 10**9 + 1, 2 * 10**9, 2**31 - 1, 2**31, 2**32 - 1, 5, 6, 7, 8]
    for f, fraction in zip(frames, fractions):
        data[at + 4:at + 8] = struct.pack('<I', fraction)
        at += 16 + len(f.data)
    for kexts in [], ['nothing'], ['delay'], ['anew']:
        r = t.replay(bytes(data), *HOST, kexts=kexts, what='odd fractions', timeout=20)
        t.equal(sorted(f.data for f in r.frames), sorted(f.data for f in frames), 'odd fractions', kexts, '- packets')
    micro = bytearray(pcap(frames))
    micro[24 + 4:24 + 8] = struct.pack('<I', 0xffffffff)
    r = t.replay(bytes(micro), *HOST, what='odd microseconds', timeout=20)
    t.equal([f.data for f in r.frames], [f.data for f in frames], 'odd microseconds - packets')


def test_far_future(t):
    """pcapng has room for stamps that pcap has not: 32 bits of their seconds are left, and the rest of them."""
    for seconds in 2**32, 2**32 + 1700000000, 2**33 + 5, 2**40:
        frames = capture([seconds * S + i * 1000 for i in range(40)])
        for kexts in [], ['nothing'], ['delay']:
            what = 'year %d' % (1970 + seconds // 31556952)
            r = t.replay(pcapng(frames), *HOST, kexts=kexts, what=what, timeout=20)
            if kexts != ['delay']:
                t.equal([f.time_ns for f in r.frames], [f.time_ns % (2**32 * S) for f in frames], what, kexts)
            t.equal(sorted(f.data for f in r.frames), sorted(f.data for f in frames), what, kexts)
    # 64 bits, all of them
    f = capture([0] * 3)
    t64 = b''.join(block('<', 6, struct.pack('<IIIII', 0, high, 0xffffffff, len(x.data), len(x.data)) + x.data +
                         b'\0' * (-len(x.data) % 4)) for x, high in zip(f, (0, 0x7fffffff, 0xffffffff)))
    for resolution in 0, 6, 9, 0x80 | 10, 0x80 | 63:
        r = t.replay(section() + interface(1, resolution=resolution) + t64, *HOST, kexts=['nothing'],
                     what='64 bits, resolution %d' % resolution, timeout=20)
        t.equal([x.data for x in r.frames], [x.data for x in f], '64 bits, resolution', resolution)


def test(t):
    test_formats(t)
    test_changed(t)
    test_timers(t)
    test_fractions(t)
    test_far_future(t)


main(test)
