"""Kexts that will not load, stop, crash or panic: exit codes, what is said, and that nothing so far is lost."""
from replaytest import *

HOST = ['--host', '02:00:00:00:00:01,%s,%s' % (HOST4, HOST6)]


def packets(count, pattern_of_ways, step):
    datas = []
    for i in range(count):
        host, peer = ((HOST4, PEER4), (HOST6, PEER6))[i // 7 & 1]
        out = pattern_of_ways[i % len(pattern_of_ways)] == 'o'
        src, dst = (host, peer) if out else (peer, host)
        datas.append(ethernet(udp(src, dst, 1000 + i, 2000 + i, b'%d' % i), out))
    return spaced(datas, step=step)


def test_crash(t):
    """At the fifth or fiftieth packet that filters see, at the interface, as IP, or both."""
    for ways in 'i', 'o', 'io', 'ooi', 'iio':
        for step in 0, 1, 1000000:
            frames = packets(300, ways, step)
            for kext, said in (('panic5', 'mangle: enough after 5 packets'),
                               ('crash5', 'SIGSEGV (signal 11) at crash5`'),
                               ('panic_frames', 'mangle: enough after 50 packets'),
                               ('crash_datagrams', 'SIGSEGV (signal 11) at crash_datagrams`')):
                for options in [], ['--check'], ['--check', '--memory', '1']:
                    what = '%s, %s, %d, %s' % (kext, ways, step, options)
                    r = t.replay(pcap(frames, nano=True), *HOST, *options, kexts=[kext], check=False, expect=4,
                                 what=what)
                    t.check('panic: ' + said in r.err, what, '- says', r.err[:400])
                    died = panic_of(t, r, kext, what)
                    if died is None:
                        continue
                    # everything that was decided before is there; nothing of what came later
                    t.same_frames(r.raw, frames[:len(r.frames)], what)
                    t.equal(died, 50 if said.endswith('50 packets') or '_d' in kext else 3, what, '- packet')
                    t.equal(len(r.frames), died - 1, what, '- written')
                    p = r.packets
                    t.equal((p['kept'], p['written'], p['changed'] + p['swallowed'] + p['dropped'] + p['no_memory']),
                            (died - 1, died - 1, 0), what, '- report')
                    t.check(died <= p['read'] <= len(frames), what, '- read', p['read'])
                    t.equal((r.json['exit'], r.json['filters']), (4, []), what, '- report')
                    t.check(said in r.json['error'] and 'packet: %d\n' % died in r.json['error'], what, '- error')


def test_other_signals(t):
    """Faults of all kinds in the middle of a flow; a full stack needs one of its own to be told."""
    frames = packets(300, 'oi', 1000)
    for kext, said in (('overflow', 'SIGSEGV (signal 11) at overflow`'), ('divide', 'SIGFPE (signal 8) at divide`'),
                       ('jump', 'SIGSEGV (signal 11) at 0x10, address 0x10')):
        r = t.replay(pcap(frames), *HOST, kexts=[kext], expect=4, what=kext)
        t.check('panic: ' + said in r.err, kext, '- says', r.err[:400])
        t.equal(panic_of(t, r, kext, kext), 50, kext, '- packet')
        t.same_frames(r.raw, frames[:49], kext)


def panic_of(t, r, kext, what):
    """The packet that the report names."""
    lines = [line.split('kernel: ', 1)[1] for line in r.err.splitlines() if 'kernel: ' in line]
    fields = dict(line.split(': ', 1) for line in lines if ': ' in line)
    t.equal(fields.get('machine'), 'nke0', what, '- machine')
    t.equal(fields.get('kext'), 'com.example.%s 1.0.0' % kext, what, '- kext')
    t.check(fields.get('callback') in ('iff_input', 'iff_output', 'ipf_input', 'ipf_output'), what,
            '- callback', fields)
    trace = lines[lines.index('backtrace:') + 1:] if 'backtrace:' in lines else []
    t.check(any(kext in line or 'what ran was no code' in line for line in trace), what, '- backtrace', lines)
    if not t.check(fields.get('packet', '').isdigit(), what, '- names no packet:', r.err[:800]):
        return None
    return int(fields['packet'])


def test_day(t):
    """A capture of many packets goes to a pipe: what was written before is whole."""
    for kext in 'panic5', 'crash5':
        r = t.tool('replay', '--kext', t.kext(kext), t.day, '-w', '-')
        t.equal(r.code, 4, kext, '- exit')
        number = panic_of(t, r, kext, kext + ' to a pipe')
        t.same_frames(r.out, parse(open(t.day, 'rb').read())[0][:number - 1], kext, 'to a pipe')
        t.check('packets: %d kept, ' % (number - 1) in r.err, kext, '- no summary', r.err[-400:])


def test_load(t):
    """Nothing is played, and the report says why."""
    for kext, text in (('unresolved', 'missing symbol no_such_function_one'),
                       ('start_fails', 'the start routine returned 3')):
        for options in [], ['-j', '2']:
            for before in [], ['nothing']:
                what = '%s behind %s, %s' % (kext, before, options)
                r = t.replay(t.day, *options, kexts=before + [kext], check=False, expect=3, what=what)
                t.check(any(text in line for line in r.complaints()), what, '- says', r.err)
                t.equal((r.json['exit'], r.packets['read'], r.frames), (3, 0, []), what, '- report')
                t.check(text in r.json['error'], what, '- error', r.json['error'])
                t.check('left behind' not in r.err or kext == 'start_fails', what, '- leaves', r.err)
    r = t.replay(t.day, kexts=['crash'], check=False, expect=4, what='crash in start')
    t.check('callback: start\n' in r.err or 'callback: ' in r.err, 'crash in start', r.err)
    t.equal((r.json['exit'], r.packets['read'], r.frames), (4, 0, []), 'crash in start - report')
    t.check('SIGSEGV (signal 11) at crash`crash_start' in r.json['error'], 'crash in start - error', r.json['error'])
    r = t.tool('replay', '--kext', t.path('nowhere.kext'), t.day)
    t.equal(r.code, 3, 'no kext - exit')
    t.one_complaint(r, 'no kext', text=['nowhere.kext: No such file or directory'])


def test_unload(t):
    """All packets are there; what went wrong comes after them."""
    data = open(t.day, 'rb').read()
    for kext, options, code, text in (('refuses', [], 3, 'com.example.refuses refuses to stop'),
                                      ('stays_attached', [], 3, 'stays_attached'), ('leaks', ['--check'], 3, 'left'),
                                      ('double_free', ['--check'], 4, 'freed twice')):
        for jobs in '1', '2':
            what = '%s, %s, -j %s' % (kext, options, jobs)
            r = t.replay(data, '-j', jobs, *options, kexts=[kext], check=False, expect=code, what=what)
            t.check(r.raw == data, what, '- the output differs')
            t.equal((r.json['exit'], r.packets['kept']), (code, r.packets['read']), what, '- report')
            t.check(text in r.json['error'], what, '- error', r.json['error'])
    # others are unloaded all the same
    kexts = [a for kext in ('good', 'refuses', 'nothing') for a in ('--kext', t.kext(kext))]
    r = t.tool('replay', '--quiet', *kexts, t.day)
    # what went wrong, and what holds the kext
    t.equal((r.code, len(r.complaints())), (3, 2), 'one of three refuses')


def test(t):
    test_crash(t)
    test_other_signals(t)
    test_day(t)
    test_load(t)
    test_unload(t)


main(test)
