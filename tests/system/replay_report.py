"""The report (--json): its members, their types, and that they agree with manual, summary and output."""
import re

from replaytest import *

COUNT, TEXT, NUMBER = 'count', str, float
PACKETS = ['read', 'bytes', 'in', 'out', 'snapped', 'kept', 'changed', 'swallowed', 'dropped', 'refused',
           'unclaimed', 'no_memory', 'injected', 'written', 'written_bytes', 'left_out']
FILTER = dict({'kext': TEXT, 'name': TEXT, 'kind': TEXT, 'interface': TEXT, 'ns_per_call': NUMBER},
              **dict.fromkeys(['seen_in', 'seen_out', 'passed', 'changed', 'swallowed', 'dropped', 'injected', 'calls'],
                              COUNT))
KEXT = {'identifier': TEXT, 'calls': COUNT, 'seconds': NUMBER, 'memory_peak_bytes': COUNT}
MEMORY = dict.fromkeys(['mbuf_peak_bytes', 'heap_peak_bytes', 'mbuf_denied'], COUNT)
REPORT = {'input': TEXT, 'output': (TEXT, None), 'link': TEXT, 'host': TEXT, 'host_found': bool, 'jobs': COUNT,
          'seconds': NUMBER, 'packets': dict.fromkeys(PACKETS, COUNT), 'filters': list, 'kexts': list, 'memory': MEMORY, 'ip': dict,
          'ip6': dict, 'error': TEXT, 'exit': COUNT}


def fits(value, shape):
    if isinstance(shape, tuple):
        return any(fits(value, s) for s in shape)
    if isinstance(shape, dict):
        return isinstance(value, dict) and set(value) == set(shape) and all(fits(value[k], shape[k]) for k in shape)
    if shape is COUNT:
        return type(value) is int and value >= 0
    return value is shape or type(value) is shape


def check_shape(t, report, what):
    if not t.check(report is not None, what, '- no report'):
        return
    t.equal(sorted(report), sorted(REPORT), what, '- members')
    for key, shape in REPORT.items():
        t.check(fits(report.get(key), shape), what, '-', key, 'is', repr(report.get(key))[:300])
    for f in report['filters']:
        t.check(fits(f, FILTER) and f['kind'] in ('interface', 'ipv4', 'ipv6', 'socket'), what, '- filter', f)
    for k in report['kexts']:
        t.check(fits(k, KEXT) and k['calls'] > sum(f['calls'] for f in report['filters'] if f['kext'] == k['identifier']),
                what, '- kext', k)
    for family in 'ip', 'ip6':
        t.check(len(report[family]) > 20 and all(fits(v, COUNT) for v in report[family].values()), what, '-', family)


def test_manual(t):
    page = open(os.path.join(t.source, 'docs/man/nke-replay.1')).read()
    page = page[page.index('.Sh FILES'):page.index('.Sh EXIT STATUS')]
    told = set(re.findall(r'[a-z_0-9]+', ' '.join(re.findall(r'^\.(?:It )?Li (.*)', page, re.M))))
    t.equal(told, set(REPORT) | set(PACKETS) | set(FILTER) | set(KEXT) | set(MEMORY), 'the manual tells of')


def summary(t, text, what):
    """The numbers of the summary, by the names of the report."""
    found = {}
    for pattern in (r'(?P<input>.*): (?P<link>[^:]*), (?P<read>\d+) packets '
                    r'\((?P<in>\d+) to the host, (?P<out>\d+) from it\)$',
                    r'host: (?P<host>.*?)( \((found from the capture; )?--host sets it\))?$',
                    r'packets: (?P<kept>\d+) kept, (?P<changed>\d+) changed, (?P<swallowed>\d+) swallowed, '
                    r'(?P<dropped>\d+) dropped, (?P<injected>\d+) new(, (?P<no_memory>\d+) lost for want of memory)?$',
                    r'of the captured: (?P<refused>\d+) malformed or not for the host, (?P<unclaimed>\d+) of no IP '
                    r'protocol, (?P<snapped>\d+) captured short$',
                    r'(?P<output>.*): (?P<written>\d+) packets$'):
        m = re.search('^' + pattern, text, re.M)
        found.update({k: v for k, v in (m.groupdict() if m else {}).items() if v is not None})
    t.check('host' in found and 'kept' in found, what, '- summary:', text)
    return found


def agree(t, r, what):
    """Report, summary and output say the same."""
    check_shape(t, r.json, what)
    p = r.packets
    for key, value in summary(t, r.out.decode(), what).items():
        want = p[key] if key in p else r.json[key] or 'unknown'
        t.equal(value, str(want), what, '- summary and report on', key)
    rows = re.findall(r'^  (interface|IPv4|IPv6|socket) .*?((?: +\d+){6})$', r.out.decode(), re.M)
    t.equal([(kind.lower(), [int(n) for n in numbers.split()[:5]]) for kind, numbers in rows],
            [(f['kind'], [f[k] for k in ('passed', 'changed', 'swallowed', 'dropped', 'injected')]) for f in r.filters],
            what, '- filters')
    t.equal((p['written'], p['written_bytes']), (len(r.frames), sum(len(f.data) for f in r.frames)), what, '- written')
    t.equal((r.json['exit'], r.json['error']), (0, ''), what, '- exit')


KEXTS = [[], ['nothing'], ['drop3'], ['swallow3'], ['append4'], ['rewrite', 'headerlog'], ['copy_packets'],
         ['copy_frames'], ['delay'], ['split'], ['ipdrop', 'drop3'], ['exchange']]


def loud(t, data, *options, kexts=(), what=''):
    """t.replay, with the summary."""
    args = ['replay', *options, '-w', t.path('loud.pcap'), '--json', t.path('loud.json')]
    for name in kexts:
        args += ['--kext', t.kext(name)]
    r = t.tool(*args, data)
    t.equal(r.code, 0, what, '- exit')
    r.raw = open(t.path('loud.pcap'), 'rb').read()
    r.json = json.load(open(t.path('loud.json')))
    t.consistent(r.json, what)
    return r


def test_numbers(t):
    day = parse(open(t.day, 'rb').read())[0]
    for jobs in '1', '2', '5':
        for kexts in KEXTS:
            what = '%s, -j %s' % (kexts, jobs)
            r = loud(t, t.day, '-j', jobs, kexts=kexts, what=what)
            agree(t, r, what)
            p = r.packets
            t.equal((p['read'], p['bytes'], r.json['jobs']), (len(day), sum(len(f.data) for f in day), int(jobs)), what,
                    '- read')
            # too long for a frame, cut into more; datagrams of other numbers of fragments
            if kexts not in (['append4'], ['exchange']):
                t.equal(p['written'], p['kept'] + p['changed'] + p['injected'], what, '- out of')
            quiet = t.replay(t.day, '-j', jobs, kexts=kexts, check=False, what=what)
            if kexts != ['delay'] or jobs == '1':
                t.equal(quiet.packets, p, what, '- --quiet counts otherwise')
            # and without -w
            alone = t.tool('replay', '--quiet', '-j', jobs, '--json', '-', t.day,
                           *[a for k in kexts for a in ('--kext', t.kext(k))])
            alone = json.loads(alone.out)
            t.equal((alone['output'], alone['packets']), (None, p), what, '- without -w')
            check_shape(t, alone, what + ' without -w')


def test_odd(t):
    """Nothing to count, packets captured short, malformed ones, loss; what failed."""
    empty = t.save('empty.pcap', pcap([]))
    agree(t, loud(t, empty, what='no packets'), 'no packets')
    bad = ethernet(udp(HOST4, PEER4, 1, 2, b'x'), True)
    bad = bad[:24] + b'\xff\xff' + bad[26:]
    other = HOST_MAC + PEER_MAC + b'\x12\x34' + pattern(46)
    good = ethernet(tcp(HOST4, PEER4, 1, 2, data=pattern(1400)), True)
    frames = spaced([good, bad, other] * 90)
    for f in frames[::9]:
        f.data = f.data[:60]
    odd = t.save('odd.pcap', pcap(frames))
    r = loud(t, odd, '--host', '02:00:00:00:00:01,' + HOST4, what='odd packets')
    agree(t, r, 'odd packets')
    t.equal((r.json['host_found'], r.packets['snapped'], r.packets['unclaimed']), (False, 30, 90), 'odd packets')
    t.equal(r.json['host'].split()[:2], ['02:00:00:00:00:01', HOST4], 'odd packets - host')
    cut = t.save('cut.pcap', pcap(frames)[:-3])
    r = t.replay(cut, check=False, expect=2, what='cut off')
    check_shape(t, r.json, 'cut off')
    t.equal((r.json['exit'], len(r.frames)), (2, 269), 'cut off')
    for kext, code in ('panic5', 4), ('unresolved', 3), ('refuses', 3):
        check_shape(t, t.replay(t.day, kexts=[kext], check=False, expect=code, what=kext).json, kext)
    # names that are not UTF-8
    name = os.fsencode(t.path('sch')) + b'\xc3\xb6n\xff\xfe\xe2\x82.pcap'
    with open(name, 'wb') as f:
        f.write(pcap(frames))
    r = t.tool('replay', '--quiet', '--json', '-', os.fsdecode(name))
    t.check(json.loads(r.out.decode())['input'].endswith('/sch\u00f6n\ufffd\ufffd\ufffd\ufffd.pcap'),
            'not UTF-8', r.out[:200])


def test(t):
    test_manual(t)
    test_numbers(t)
    test_odd(t)


main(test)
