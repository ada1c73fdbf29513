"""Limits of memory: losses are counted, nothing crashes, memory stays flat."""
import subprocess
import time

from replaytest import *


def pending(count, length=1400):
    """Fragments that never become datagrams, between packets of a flow."""
    datas = []
    for n in range(count):
        host, peer = ((HOST4, PEER4), (HOST6, PEER6))[n & 1]
        src, dst, out = ((host, peer, True), (peer, host, False))[n >> 1 & 1]
        pieces = fragments(src, dst, 17, pattern(length + 1500), n, size=length // 8 * 8)
        datas.append(ethernet(pieces[n >> 2 & 1], out))
        datas.append(ethernet(tcp(src, dst, 5, 80, data=b'%d' % n), out))
    return spaced(datas, step=1000)


def test_memory(t):
    frames = pending(2500)
    data = pcap(frames, nano=True)
    for kexts in [], ['nothing'], ['anew'], ['append4']:
        for options in ['--memory', '1'], ['--memory', '1', '-j', '3'], ['--memory', '2', '--check']:
            what = '%s, %s' % (kexts, options)
            r = t.replay(data, *options, kexts=kexts, check=False, what=what)
            p = r.packets
            machines = r.json['jobs'] if r.json else 1
            t.check(r.json and r.json['memory']['mbuf_peak_bytes'] <= (int(options[1]) << 20) * machines, what,
                    '- memory:', r.json and r.json['memory'])
            t.equal(len(r.frames) + (p['no_memory'] if r.json else 0), len(frames), what, '- written and lost')
            if kexts != ['append4']:
                kept = {f.key() for f in frames}
                t.check(all(f.key() in kept for f in r.frames), what, '- something odd left')
            order = [f.time_ns for f in r.frames]
            t.equal(order, sorted(order), what, '- order')
    # enough memory: nothing is lost
    r = t.replay(data, '--memory', '64', kexts=['nothing'], what='enough memory')
    t.same_frames(r.raw, frames, 'enough memory')


def peak(t, *args):
    """The most memory that the tool has at any time (looked at every few milliseconds), in KiB."""
    # A sanitizer keeps freed memory for a while, which is not what is looked for.
    options = os.environ.get('ASAN_OPTIONS', '') + ':quarantine_size_mb=1'
    p = subprocess.Popen([t.nke, 'replay', '--quiet', *args], env=dict(os.environ, ASAN_OPTIONS=options))
    most = 0
    while p.poll() is None:
        try:
            with open('/proc/%d/status' % p.pid) as f:
                most = max([most] + [int(line.split()[1]) for line in f if line.startswith('VmRSS')])
        except OSError:
            pass
        time.sleep(0.003)
    t.equal(p.returncode, 0, 'flat - exit')
    return most


def test_flat(t):
    """Ten times as many packets do not need more memory."""
    few = pending(8000, 200)
    few = t.save('few.pcap', pcap(few, nano=True)), t.save('many.pcap', pcap(
        [Frame(f.time_ns + n * 10**9, f.data) for n in range(10) for f in few], nano=True))
    for options in [], ['--kext', t.kext('nothing')], ['-j', '2']:
        peaks = [peak(t, '--memory', '4', *options, path) for path in few]
        t.check(peaks[1] < peaks[0] * 1.25 + 6000, 'memory grows with the capture:', options, peaks, 'KiB')


def test(t):
    test_flat(t)
    test_memory(t)


main(test)
