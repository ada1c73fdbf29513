#!/usr/bin/env python3
"""nke drill as a command: what is run and in which order, what is told, JUnit, captures, exit status.

usage: drill_command.py BUILD SOURCE

The scripts are made here; none needs more than UDP, so that what is tested is the command.
"""
import os
import re
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

BUILD, SOURCE = (os.path.abspath(p) for p in sys.argv[1:3])
NKE = os.path.join(BUILD, 'nke')
failures = []

GOOD = '0 socket(..., SOCK_DGRAM, IPPROTO_UDP) = 3\n+0 bind(3, ..., ...) = 0\n' \
    '+.25 < udp (100)\n+0 read(3, ..., 1000) = 100\n'
WRONG = GOOD.replace('= 100', '= 99')
BROKEN = '0 socket(..., SOCK_DGRAM, IPPROTO_UDP) 3\n'


def check(ok, *what):
    if not ok:
        failures.append(what)
        print('FAILED:', *what, file=sys.stderr)


def equal(seen, expected, *what):
    check(seen == expected, *what, '- expected %r, seen %r' % (expected, seen))


def write(path, text):
    os.makedirs(os.path.dirname(path) or '.', exist_ok=True)
    with open(path, 'w') as f:
        f.write(text)


def drill(*args, code=0, env=None):
    r = subprocess.run([NKE, 'drill', *args], capture_output=True, text=True, timeout=50, errors='replace',
                       env=dict(os.environ, **(env or {})))
    equal(r.returncode, code, args, '- exit status', r.stdout[-500:], r.stderr[-500:])
    return r


def packets(path):
    """The packets of a pcap file: (seconds, bytes)."""
    with open(path, 'rb') as f:
        data = f.read()
    magic, link = struct.unpack_from('<I', data)[0], struct.unpack_from('<I', data, 20)[0]
    scale = {0xa1b2c3d4: 1e6, 0xa1b23c4d: 1e9}[magic]
    equal(link in (12, 101), True, path, '- raw IP, not', link)
    at, found = 24, []
    while at < len(data):
        sec, frac, captured, _ = struct.unpack_from('<IIII', data, at)
        found.append((sec + frac / scale, data[at + 16:at + 16 + captured]))
        at += 16 + captured
    return found


# ---- what is run --------------------------------------------------------------------------------

def test_outcomes():
    write('good.pkt', GOOD)
    write('wrong.pkt', WRONG)
    write('broken.pkt', BROKEN)
    r = drill('good.pkt')
    check(r.stdout.startswith('1 script: 1 passed, 0 failed\n'), r.stdout)
    equal(r.stderr, '', 'standard error')
    equal(drill('--quiet', 'good.pkt').stdout, '', '--quiet')
    r = drill('wrong.pkt', code=1)
    check('wrong.pkt: failed\nwrong.pkt:4: ' in r.stdout and '  script:   +0 read(3, ..., 1000) = 99' in r.stdout,
          r.stdout)
    r = drill('broken.pkt', 'wrong.pkt', 'good.pkt', code=2)
    check("broken.pkt: broken\nbroken.pkt:1:40: expected '=' and the result behind a call, found '3'\n"
          '  script:   ' + BROKEN in r.stdout, r.stdout)
    check('3 scripts: 1 passed, 1 failed, 1 cannot be run\n' in r.stdout, r.stdout)
    r = drill('-v', 'good.pkt')
    check('good.pkt: passed (4 events in 0.250000 s)' in r.stdout and '0.250000' in r.stdout, r.stdout)
    check('0.2 s of the machines\' time' in r.stdout or '0.3 s of' in r.stdout, r.stdout)


def test_folders():
    for name in ('f/b.pkt', 'f/a.pkt', 'f/c/d/e.pkt', 'f/c/0.pkt'):
        write(name, GOOD)
    for name in ('f/notes.txt', 'f/.hidden.pkt', 'f/.git/x.pkt', 'f/x.pkt~'):
        write(name, 'nonsense')
    os.makedirs('empty', exist_ok=True)
    os.symlink('..', 'f/c/up')
    r = drill('-v', 'f/a.pkt', 'f/b.pkt', 'f/c/d')
    equal(re.findall(r'^(\S+): passed', r.stdout, re.M), ['f/a.pkt', 'f/b.pkt', 'f/c/d/e.pkt'], 'names')
    os.unlink('f/c/up')
    r = drill('-v', 'f/')
    equal(re.findall(r'^(\S+): passed', r.stdout, re.M), ['f/a.pkt', 'f/b.pkt', 'f/c/0.pkt', 'f/c/d/e.pkt'], 'order')
    r = drill('empty', code=2)
    check('empty: no scripts (*.pkt) are in this folder' in r.stderr, r.stderr)
    r = drill('f/notes.txt', code=2)       # a file is run whatever its name
    check('f/notes.txt:1:1: expected an event' in r.stdout, r.stdout)
    r = drill('nowhere.pkt', code=2)
    check('nke drill: nowhere.pkt: No such file' in r.stderr, r.stderr)
    # Links that go round end.
    os.symlink('.', 'f/loop')
    drill('-j', '2', '--dry_run', '--quiet', 'f')
    os.unlink('f/loop')


def test_jobs_change_nothing():
    for i in range(40):
        write('many/%02d.pkt' % i, GOOD if i % 7 else WRONG)
    said = [re.sub(r'^[0-9.]+ s, .*', '', drill('-v', '-j', j, 'many', code=1).stdout, flags=re.M)
            for j in ('1', '3', '40')]
    check(said[0] == said[1] == said[2], 'the output depends on -j')
    check('40 scripts: 34 passed, 6 failed' in said[0], said[0][-200:])


# ---- reports and captures -----------------------------------------------------------------------

def test_junit():
    write('x/good.pkt', GOOD)
    write('x/wrong <&">.pkt', WRONG)
    write('x/broken.pkt', '0 f("\x01\xff") nonsense\n')
    write('y/good.pkt', '0 `echo "<said>"`\n' + GOOD)
    drill('--junit', 'out.xml', 'x', 'y', code=2)
    root = xml.parse('out.xml').getroot()
    equal((root.tag, root.get('tests'), root.get('failures'), root.get('errors')), ('testsuites', '4', '1', '1'))
    suites = root.findall('testsuite')
    equal([s.get('name') for s in suites], ['x', 'y'], 'suites')
    cases = {c.get('file'): c for c in root.iter('testcase')}
    wrong = cases['x/wrong <&">.pkt']
    equal((wrong.get('classname'), wrong.get('line'), wrong.find('failure').get('type')), ('x', '4', 'failed'))
    check(':4: ' in wrong.find('failure').get('message') and 'script:' in wrong.find('failure').text, 'failure')
    equal(cases['x/broken.pkt'].find('error').get('type'), 'broken')
    equal(len(cases['x/good.pkt']), 0, 'a script that passed')
    equal(cases['y/good.pkt'].find('system-out').text, '<said>\n')
    r = drill('--junit', '-', 'x/good.pkt')
    equal(xml.fromstring(r.stdout).get('tests'), '1', '--junit -')
    check('1 script: 1 passed' in r.stderr, r.stderr)
    r = drill('--junit', '/nowhere/x.xml', 'x/good.pkt', code=2)
    check('nke drill: /nowhere/x.xml: No such file' in r.stderr, r.stderr)
    r = drill('--junit', '/dev/full', 'x/good.pkt', code=2)
    check('No space left' in r.stderr, r.stderr)


def test_captures():
    write('c/one.pkt', GOOD)
    write('c/d/two.pkt', '--ip_version=ipv6\n' + GOOD)
    drill('-w', 'one.pcap', 'c/one.pkt')
    found = packets('one.pcap')
    equal([(t, len(p), p[0] >> 4) for t, p in found], [(0.25, 128, 4)], 'a packet of UDP')
    drill('-w', 'caps', 'c/one.pkt', 'c/d/two.pkt')
    equal(sorted(os.listdir('caps')), ['c_d_two.pcap', 'c_one.pcap'], '-w FOLDER')
    equal([len(p) for _, p in packets('caps/c_d_two.pcap')], [148], 'IPv6')
    drill('-w', 'caps', '../%s/c/one.pkt' % os.path.basename(os.getcwd()))
    r = drill('-w', 'one.pcap', 'c', code=2)
    check('expected a folder for the captures of 2 scripts' in r.stderr, r.stderr)
    drill('-w', '/nowhere/x.pcap', 'c/one.pkt', code=2)


# ---- options ------------------------------------------------------------------------------------

def usage(text, *args):
    r = drill(*args, code=1)
    equal(r.stdout, '', args, '- standard output')
    check('nke drill: ' + text in r.stderr and "Try 'nke drill --help'." in r.stderr, args, '- says', r.stderr)


def test_usage():
    r = drill('--help')
    check(r.stdout.startswith('usage: nke drill') and r.stderr == '', '--help')
    usage('no script is given')
    usage("there is no option '--frob'", '--frob', 'good.pkt')
    usage("there is no option '-x'", '-x', 'good.pkt')
    usage("option '--kext' needs a value", 'good.pkt', '--kext')
    usage("option '--mtu' needs a value", 'good.pkt', '--mtu')
    usage("option '--quiet' takes no value", '--quiet=1', 'good.pkt')
    for jobs in ('0', '257', 'x', '-1', ''):
        usage('-j %s: expected a number from 1 to 256' % jobs, '-j', jobs, 'good.pkt')
    usage('--seed x: expected a number', '--seed', 'x', 'good.pkt')
    usage('--mtu=5: expected a number from 68 to 65535', '--mtu=5', 'good.pkt')
    usage('--ip_version=5: expected ipv4, ipv6 or ipv4-mapped-ipv6', '--ip_version', '5', 'good.pkt')
    usage('--define=x: expected NAME=VALUE', '-Dx', 'good.pkt')
    usage('--wire_client is not supported', '--wire_client', 'good.pkt')
    usage('more than 16 kexts', *['--kext=x'] * 17, 'good.pkt')


def test_options_of_both():
    write('o/v6.pkt', '--ip_version=ipv6\n' + GOOD)
    write('o/bad.pkt', '\n--mtu=1\n' + GOOD)
    write('o/address.pkt', '--local_ip=::1\n' + GOOD)
    drill('--ip_version=ipv4', '--mtu=1400', '-v', '--verbose', 'o/v6.pkt')
    r = drill('o/bad.pkt', code=2)
    check('o/bad.pkt:2:1: --mtu=1: expected a number from 68 to 65535\n  script:   --mtu=1\n' in r.stdout, r.stdout)
    r = drill('o/address.pkt', code=2)
    check("o/address.pkt: '::1' is no IPv4 address" in r.stdout, r.stdout)
    drill('--remote_ip=2001:db8::77/32', '--local_ip=fd00::7', '--gateway_ip=fd00::8', 'o/v6.pkt')
    write('o/define.pkt', GOOD.replace('(100)', '(SIZE)').replace('= 100', '= $SIZE'))
    drill('-D', 'SIZE=500', '--define=OTHER="x"', 'o/define.pkt')
    r = drill('o/define.pkt', code=2)
    check("expected a number as the number of octets, found 'SIZE'" in r.stdout, r.stdout)
    write('o/dry.pkt', WRONG + '+0 `reboot`\n')
    drill('--dry_run', 'o/dry.pkt')
    write('o/nonfatal.pkt', '--non_fatal=syscall\n' + WRONG)
    r = drill('o/nonfatal.pkt')
    check('o/nonfatal.pkt:5: ' in r.stdout and '1 passed' in r.stdout, r.stdout)


def test_commands_and_code():
    write('k/sysctl.pkt', '`sysctl -w net.inet.ip.ttl=7`\n0 `sysctl -n net.inet.ip.ttl`\n')
    check('7\n' in drill('k/sysctl.pkt').stdout, 'sysctl')
    mark = os.path.abspath('mark')
    write('k/shell.pkt', '// first\n0 `touch %s`\n' % mark)
    r = drill('k/shell.pkt', code=2)
    check('k/shell.pkt:2: ' in r.stdout and '--shell' in r.stdout and not os.path.exists(mark), r.stdout)
    drill('--shell', 'k/shell.pkt')
    check(os.path.exists(mark), '--shell does not run commands')
    write('k/false.pkt', '0 `exec false`\n')
    drill('--shell', 'k/false.pkt', code=1)
    write('k/code.pkt', '0 %{ x = 2 }%\n0 %{ print(x * 21) }%\n0 %{\nassert x == 3, "two" }%\n')
    r = drill('k/code.pkt', code=1)
    check('42\n' in r.stdout and 'k/code.pkt:4: assert x == 3: x is 2 (two)' in r.stdout, r.stdout)
    write('k/python.pkt', '0 %{ x = 20 }%\n0 %{ for i in range(3): print(x + i) }%\n')
    r = drill('k/python.pkt', code=2)
    check("k/python.pkt:2: 'for' is not known" in r.stdout, r.stdout)
    check(drill('--shell', 'k/python.pkt').stdout.startswith('20\n21\n22\n'), 'python3')
    write('k/python.pkt', '0 %{ assert [1][0] == 2 }%\n')
    check('AssertionError' in drill('--shell', 'k/python.pkt', code=1).stdout, 'python3 fails')
    write('init/a.sh', '# commands\nsysctl -w net.inet.ip.ttl=9\n')
    write('init/b.sh', 'sysctl -n net.inet.ip.ttl\n')
    check('9\n' in drill('--init_scripts=init/a.sh,init/b.sh', 'k/sysctl.pkt').stdout, '--init_scripts')
    drill('--init_scripts=init/none.sh', 'k/sysctl.pkt', code=2)


def test_kexts():
    kexts = os.path.join(BUILD, 'tests/data/kexts')
    r = drill('--kext', 'nowhere.kext', 'good.pkt', code=3)
    check('nowhere.kext' in r.stdout, r.stdout)
    examples = os.path.join(BUILD, 'examples')
    drop = os.path.join(examples, 'ipdrop.kext')
    if os.path.exists(drop):
        drill('--kext', drop, '--check', '-j', '2', 'good.pkt', 'f')
    check(os.path.isdir(kexts), kexts)


def main():
    with tempfile.TemporaryDirectory() as work:
        os.chdir(work)
        tests = [f for name, f in sorted(globals().items()) if name.startswith('test_')]
        test_outcomes()
        for test in tests:
            if test is not test_outcomes:
                test()
        os.chdir('/')
    if failures:
        sys.exit('%d failures' % len(failures))
    print('%d tests of nke drill' % len(tests))


main()
