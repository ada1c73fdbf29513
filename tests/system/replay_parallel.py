"""nke replay -j N: the same packets in the same order as with one machine."""
import random

from replaytest import *

JOBS = ('2', '3', '8')


def flows(count=40, rounds=12, seed=7, broken=False):
    """Many flows mixed, both families and directions, with fragments and packets that are not IP."""
    rng = random.Random(seed)
    datas, ident = [], 0
    for n in range(rounds * count):
        i = rng.randrange(count)
        host, peer = (HOST4, '10.1.%d.%d' % (i % 3, 10 + i)) if i % 2 else (HOST6, 'fd00:1::%x' % (i + 16))
        src, dst, out = (host, peer, True) if rng.random() < .5 else (peer, host, False)
        sport, dport = (2000 + i, 80 + i) if out else (80 + i, 2000 + i)
        kind = rng.randrange(10)
        if kind < 5:
            packets = [tcp(src, dst, sport, dport, data=pattern(rng.randrange(400), n))]
        elif kind < 8:
            packets = [udp(src, dst, sport, dport, pattern(rng.randrange(300), n))]
        elif kind < 9:
            ident += 1
            packets = fragments(src, dst, 17, udp_segment(src, dst, sport, dport, pattern(
                rng.randrange(1500, 5000), n)), ident)
            if broken and rng.random() < .3:
                del packets[rng.randrange(len(packets))]
            if rng.random() < .3:
                packets.reverse()
        else:
            datas.append(b'\xff' * 6 + (HOST_MAC if out else PEER_MAC) + b'\x08\x06' + pattern(46, n))
            continue
        datas += [ethernet(p, out) for p in packets]
    return spaced(datas, step=100000)


HOST = ['--host', '02:00:00:00:00:01,%s,%s' % (HOST4, HOST6)]


def test_same(t):
    """Without kexts and with stateless ones."""
    for name, frames in (('flows', flows()), ('broken', flows(broken=True)),
                         ('long', flows(rounds=800, broken=True))):
        for kexts in [], ['nothing'], ['touch', 'anew'], ['append4'], ['drop_long'], ['flip2'], ['address']:
            if name == 'long' and kexts not in ([], ['append4']):
                continue
            data = pcap(frames)
            one = t.replay(data, *HOST, kexts=kexts, what=name, check=False)
            for jobs in JOBS:
                what = '%s, %s, -j %s' % (name, kexts, jobs)
                r = t.replay(data, *HOST, '-j', jobs, kexts=kexts, what=what, check=False)
                t.same_frames(r.raw, one.frames, what)
                for key in ('read', 'in', 'out', 'kept', 'changed', 'dropped', 'swallowed', 'written'):
                    t.equal(r.packets.get(key), one.packets.get(key), what, '-', key)
                t.equal([[f[k] for k in ('kind', 'seen_in', 'seen_out', 'changed', 'dropped')] for f in r.filters],
                        [[f[k] for k in ('kind', 'seen_in', 'seen_out', 'changed', 'dropped')] for f in one.filters],
                        what, '- filters')
                if one.json and r.json:
                    for key in 'ip', 'ip6':
                        t.equal({k: v for k, v in r.json[key].items() if v},
                                {k: v for k, v in one.json[key].items() if v}, what, '- counters of', key)
                    t.equal(sorted(r.json['host'].split()), sorted(one.json['host'].split()), what, '- host')
            if kexts == []:
                t.check(r.raw == data, name, '- not the same file')


def test_day(t):
    day = open(t.day, 'rb').read()
    for kexts in [], ['rewrite'], ['ipdrop']:
        one = t.replay(day, kexts=kexts, what='host-day').raw
        for jobs in ('1',) + JOBS:
            t.check(t.replay(day, '-j', jobs, kexts=kexts, what='host-day').raw == one, 'host-day', kexts,
                    '-j', jobs)


def test_flows_stay(t):
    """Every flow is seen by one machine, its fragments too; all machines have something to do."""
    frames = flows()
    for jobs in JOBS:
        r = t.replay(pcap(frames), *HOST, '-j', jobs, kexts=['log_flow'], what='log_flow')
        by_flow, machines = {}, set()
        for line in r.said('log_flow'):
            machine, low, high, _ = line.split()
            by_flow.setdefault((low, high), set()).add(machine)
            machines.add(machine)
        t.equal(len(machines), int(jobs), 'log_flow -j', jobs, '- machines')
        # a datagram whose fragments came backwards goes by its addresses alone
        t.check(sum(len(m) > 1 for m in by_flow.values()) <= len(by_flow) // 2, 'log_flow -j', jobs,
                '- flows on several machines:', by_flow)
    # in order, all of them stay
    frames = [f for f in flows(seed=8)]
    ordered = []
    for n in range(30):
        for i in range(10):
            src, dst = '10.1.0.%d' % (10 + i), HOST4
            ordered += [ethernet(p, False) for p in fragments(src, dst, 17, udp_segment(
                src, dst, 80 + i, 2000, pattern(3000)), n)]
            ordered.append(ethernet(udp(dst, src, 2000, 80 + i, b'answer'), True))
    r = t.replay(pcap(spaced(ordered)), *HOST, '-j', '8', kexts=['log_flow'], what='fragments of flows')
    by_flow = {}
    for line in r.said('log_flow'):
        machine, low, high, _ = line.split()
        by_flow.setdefault((low, high), set()).add(machine)
    t.equal(len(by_flow), 10, 'fragments of flows')
    t.equal([len(m) for m in by_flow.values()], [1] * 10, 'fragments of flows - machines')


def anonymous(frames):
    """Without the identification of IPv6 fragments, which every machine makes up for its own."""
    return [Frame(f.time_ns, f.data[:58] + bytes(4) + f.data[62:], f.length)
            if f.data[12:14] == b'\x86\xdd' and f.data[20] == 44 else f for f in frames]


def test_timers(t):
    """What timers inject is in the order of time, as with one machine."""
    frames = flows(rounds=80)
    for f, i in zip(frames, range(len(frames))):
        f.time_ns = START + i * 1300000
    one = t.replay(pcap(frames, nano=True), *HOST, kexts=['copy_packets'], what='copies')
    for jobs in JOBS:
        r = t.replay(pcap(frames, nano=True), *HOST, '-j', jobs, kexts=['copy_packets'], what='copies -j ' + jobs)
        t.equal([f.time_ns for f in r.frames], sorted(f.time_ns for f in r.frames), 'copies -j', jobs, '- order')
        t.same_frames(anonymous(r.frames), anonymous(one.frames), 'copies -j', jobs)


def test_again(t):
    """Two runs are the same to the last byte."""
    data = pcap(flows(rounds=60, broken=True))
    for kexts in ['append4'], ['delay'], ['swallow3'], ['copy_packets']:
        for jobs in '1', '3':
            runs = [t.replay(data, *HOST, '-j', jobs, kexts=kexts, check=False, what='twice') for _ in range(2)]
            t.check(runs[0].raw == runs[1].raw, 'twice the same:', kexts, '-j', jobs)
            counts = [r.json and (r.packets, r.json['ip'], r.json['ip6'],
                                  [{k: v for k, v in f.items() if k != 'ns_per_call'} for f in r.filters])
                      for r in runs]
            t.equal(counts[0], counts[1], 'twice the same report:', kexts, '-j', jobs)


def test_discovered(t):
    """An address of the host that only one flow shows counts in all machines."""
    datas = [ethernet(tcp(HOST4, PEER4, 1, 2, flags=2), True)] * 2100
    for n in range(50):
        late = "10.1.0.%d" % (100 + n)
        datas.append(ethernet(udp(late, PEER4, 5, 5, b"here I am"), True))
        datas += [ethernet(udp("10.1.0.%d" % (10 + i), late, i, 7, b"hello"), False) for i in range(20)]
    for kexts in [], ["nothing"]:
        one = t.replay(pcap(spaced(datas)), kexts=kexts, what="discovered")
        for jobs in JOBS:
            r = t.replay(pcap(spaced(datas)), "-j", jobs, kexts=kexts, what="discovered")
            t.equal([(f["seen_in"], f["seen_out"]) for f in r.filters],
                    [(f["seen_in"], f["seen_out"]) for f in one.filters], "discovered -j", jobs)
            t.equal(r.packets["refused"], one.packets["refused"], "discovered -j", jobs, "- refused")
            t.equal(sorted(r.json["host"].split()), sorted(one.json["host"].split()), "discovered -j", jobs)


def test_panic(t):
    """One machine panics: everybody's packets up to then are there."""
    frames = flows(rounds=100)
    for kext, said in (('panic5', 'enough after 5 packets'), ('crash5', 'SIGSEGV')):
        for jobs in JOBS:
            what = '%s -j %s' % (kext, jobs)
            r = t.replay(pcap(frames), *HOST, '-j', jobs, kexts=[kext], expect=4, what=what)
            t.check(said in r.err and 'packet' in r.err, what, '- says', r.err[:300])
            t.check(r.json and r.json['exit'] == 4, what, '- report')
            kept = {f.key() for f in frames}
            t.check(all(f.key() in kept for f in r.frames), what, '- something odd left')
            t.check(len(r.frames) <= len(frames), what, '- too much left')
            times = [f.time_ns for f in r.frames]
            t.equal(times, sorted(times), what, '- order')
    # damage is found by the reader
    data = pcap(frames)
    for jobs in JOBS:
        r = t.replay(data[:-5], *HOST, '-j', jobs, expect=2, what='cut off')
        t.same_frames(r.raw, frames[:-1], 'cut off, -j', jobs)


def test_panic_again(t):
    """However far the other machines had come when one panicked: the same packets, and counted right."""
    for name, frames in ('long', flows(rounds=200, broken=True)), ('ordered', flows(rounds=200)):
        for jobs in JOBS:
            what = 'late panic, %s, -j %s' % (name, jobs)
            runs = [t.replay(pcap(frames), *HOST, '-j', jobs, kexts=['panic900'], expect=4, what=what)
                    for _ in range(4)]
            t.equal(len({r.raw for r in runs}), 1, what, '- outputs')
            for r in runs:
                t.equal(r.packets, runs[0].packets, what, '- report')
                t.equal(r.packets['written'], len(r.frames), what, '- written')
            t.check(0 < len(runs[0].frames) < len(frames), what, '- left', len(runs[0].frames))


def test_large(t):
    """Frames of which few, or not even two, fit into what is read at a time."""
    datas = []
    for n in range(60):
        src, dst = '10.1.0.%d' % (10 + n % 7), HOST4
        datas.append(ethernet(udp(src, dst, 5, 7, pattern(60000, n)), False))
        datas.append(ethernet(udp(dst, src, 7, 5, b'small'), True))
    frames = spaced(datas)
    for kexts in [], ['append4']:
        one = t.replay(pcap(frames), *HOST, kexts=kexts, what='large', check=False)
        for jobs in JOBS:
            r = t.replay(pcap(frames), *HOST, '-j', jobs, kexts=kexts, what='large', check=False)
            t.check(r.raw == one.raw, 'large', kexts, '-j', jobs)


def test(t):
    test_same(t)
    test_day(t)
    test_flows_stay(t)
    test_timers(t)
    test_again(t)
    test_discovered(t)
    test_panic(t)
    test_panic_again(t)
    test_large(t)


main(test)
