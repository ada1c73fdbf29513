"""The command lines of nke: what makes no sense, what cannot be read or written, full disks."""
import resource
import signal

from replaytest import *


def said(t, code, text, *args, **more):
    """The exit code, and text that standard error has in one of its lines."""
    r = t.tool(*args, **more)
    t.equal(r.code, code, args, '- exit')
    t.check(text in r.err, args, '- %r is not in %r' % (text, r.err[-600:]))
    t.equal(r.out or b'', b'', args, '- standard output')
    return r


def usage(t, text, command, *args):
    """A usage error: one line that names the thing, and where to find help."""
    r = said(t, 1, 'nke %s: %s' % (command, text), *command.split(), *args)
    t.check(len(r.err.splitlines()) <= 3 and "Try 'nke %s --help'." % command in r.err, command, args, '- says', r.err)


def test_options(t):
    day = t.day
    good = os.path.join(t.kexts, 'good.kext')
    for command, last in ('replay', day), ('build', 'x.c'), ('kext info', good):
        usage(t, "there is no option '--frob'", command, '--frob', last)
        usage(t, "there is no option '-x'", command, '-x', last)
        usage(t, "there is no option '-x'", command, '-xv', last)
        usage(t, "option '--help' takes no value", command, '--help=me', last)
        r = t.tool(*command.split(), '--help')
        t.equal((r.code, r.err, r.out.startswith(b'usage: nke ' + command.encode())), (0, '', True), command, '--help')
    usage(t, "there is no option '-x'", 'replay', '--quiet', '-xw', day)
    usage(t, "there is no option '-x'", 'build', '--verbose', '-xv', 'x.c')
    usage(t, "there is no option '-x'", 'kext info', '--json', '-xj', good)
    for option in '-w', '-j', '--kext', '--host', '--json', '--memory', '--seed', '--interface':
        usage(t, "option '%s' needs a value" % option, 'replay', day, option)
    for option in '-o', '--output', '--start', '--stop', '--id', '--version', '--plist', '--define':
        usage(t, "option '%s' needs a value" % option, 'build', 'x.c', option)
    usage(t, "option '-o' needs a value", 'build', 'x.c', '-vo')
    usage(t, 'which capture?', 'replay', '--quiet')
    usage(t, 'one capture at a time: %s, then other.pcap' % day, 'replay', day, 'other.pcap')
    usage(t, 'at most 64 kexts', 'replay', day, *['--kext', good] * 65)
    usage(t, 'what about it? info, list, load or unload', 'kext')
    for option in '--start', '--stop':
        for name in '', 'a b', '1st', 'a;b', 'caf\u00e9':
            usage(t, "%s '%s': expected the name of a function in C" % (option, name), 'build', 'x.c', option, name)


def test_run(t):
    usage(t, 'on which device? --tap NAME or --device NAME', 'run')
    usage(t, "there is no option '--frob'", 'run', '--frob')
    usage(t, "there is nothing to do with 'more'", 'run', '--tap', 'tap0', 'more')
    r = t.tool('run', '--help')
    t.equal((r.code, r.err, r.out.startswith(b'usage: nke run')), (0, '', True), 'run --help')
    for option in '--tap', '--device', '--kext', '-w', '--echo', '--for', '--seed':
        usage(t, "option '%s' needs a value" % option, 'run', option)
    for option in '--address', '--gateway', '--mtu', '--lladdr', '--netns':
        usage(t, '%s: of which interface? --tap or --device come before it' % option, 'run', option, 'x')
    for option in '--dhcp', '--auto6', '--offload':
        usage(t, '%s: of which interface? --tap or --device come before it' % option, 'run', option)
    for text in '', '10.0.0.1', '/24', 'host/24', '10.0.0/24', '1' * 60 + '/24':
        usage(t, "--address: '%s': expected an address and the bits of its network" % text, 'run', '--tap', 'tap0',
              '--address', text)
    for text in '10.0.0.1/', '10.0.0.1/x', '10.0.0.1/33', 'fd00::1/129', '10.0.0.1/24x', '10.0.0.1/-1':
        usage(t, "--address: '%s': expected 0 to " % text, 'run', '--tap', 'tap0', '--address', text)
    for text in '', '10.0.0.1/24', 'gateway':
        usage(t, "--gateway: '%s': expected an address" % text, 'run', '--tap', 'tap0', '--gateway', text)
    usage(t, '--gateway: an interface has one of each family', 'run', '--tap', 'tap0', '--gateway', '10.0.0.1',
          '--gateway', '10.0.0.2')
    for text in '', '02:00', '02:00:00:00:00:00:01', 'zz:00:00:00:00:01', '01:00:00:00:00:01':
        usage(t, "--lladdr: '%s': expected the link address of one station" % text, 'run', '--tap', 'tap0', '--lladdr',
              text)
    for option, low, high in ('--mtu', 72, 65535), ('--echo', 1, 65535), ('--for', 1, 1000000):
        for text in '', '-1', 'x', '1.5', str(high + 1), str(low - 1):
            usage(t, "%s takes a whole number from %d to %d, not '%s'" % (option, low, high, text), 'run', '--tap',
                  'tap0', option, text)
    usage(t, '--netns: is for TAP devices', 'run', '--device', 'eth0', '--netns', 'x')
    usage(t, 'at most 16 interfaces', 'run', *['--tap', 'tap0'] * 17)
    usage(t, 'at most 64 kexts', 'run', '--tap', 'tap0', *['--kext', 'x'] * 65)


def test_remote(t):
    for command, more in ('ctl', ['list']), ('kext list', []), ('kext load', ['x']), ('kext unload', ['x']), \
            ('sysctl', ['kern.ostype']):
        usage(t, 'which machine? --control PATH', command, *more)
        usage(t, "--control: '%s': expected a path of 1 to 107 bytes" % ('x' * 108), command, '--control', 'x' * 108,
              *more)
        usage(t, "there is no option '--frob'", command, '--frob', *more)
        usage(t, "option '--control' needs a value", command, '--control')
        said(t, 2, "nke %s: no machine listens at /nowhere/s: 'nke run --control /nowhere/s' makes one" % command,
             *command.split(), '--control', '/nowhere/s', *more)
        r = t.tool(*command.split(), '--help')
        t.equal((r.code, r.err, r.out.startswith(b'usage: nke ' + command.encode())), (0, '', True), command, '--help')
    usage(t, 'what is to be done? list, connect, get, set, send, watch or events', 'ctl')
    usage(t, "there is no 'nke ctl frob'", 'ctl', 'frob')
    for words in 'list', 'connect NAME', 'get NAME OPTION', 'set NAME OPTION VALUE', 'send NAME DATA', 'watch NAME', \
            'events':
        usage(t, "expected 'nke ctl --control PATH %s'" % words, 'ctl', *words.split(), 'more')
    for option, most in ('--unit', 2**32 - 1), ('--size', 32768), ('--count', 2**31 - 1), ('--timeout', 1000000), \
            ('--vendor', 2**32 - 1), ('--class', 2**32 - 1), ('--subclass', 2**32 - 1):
        for text in '', '-1', 'x', '1.5', str(most + 1):
            usage(t, "%s takes a whole number from 0 to %d, not '%s'" % (option, most, text), 'ctl', 'list', option,
                  text)
    usage(t, "--type takes dgram or stream, not 'raw'", 'ctl', '--type', 'raw', 'watch', 'x')
    for option in 'x', '', '1.5', '4294967296':
        usage(t, "option '%s': expected a whole number of 32 bits" % option, 'ctl', 'get', 'x', option, '--control',
              '/nowhere/s')
    for form, text in ('--int', 'x'), ('--hex', '0'), ('--hex', '0g'), ('--hex', '00' * 32769), ('--string', 'x' * 32769):
        usage(t, "value '%s': " % text[:40], 'ctl', 'set', 'x', '1', form, text, '--control', '/nowhere/s')
    usage(t, 'which kext?', 'kext load')
    usage(t, 'which kext?', 'kext unload', '--drain')
    usage(t, "there is nothing to do with 'x'", 'kext list', 'x')
    usage(t, '--drain and --timeout are for', 'kext load', '--drain')
    usage(t, '--timeout is for --drain', 'kext unload', '--timeout', '3', 'x')
    for text in '', '0', '-1', 'x', '86401':
        usage(t, "--timeout takes a whole number from 1 to 86400, not '%s'" % text, 'kext unload', '--drain',
              '--timeout', text)
    usage(t, "there is no 'nke kext frob': info, list, load or unload", 'kext', 'frob')
    usage(t, 'which variable? NAME or NAME=VALUE', 'sysctl')


def test_numbers(t):
    for option, low, high in ('-j', 1, 256), ('--memory', 1, 1 << 20), ('--seed', 0, 2**64 - 1):
        bad = ['', ' 1', '1 ', '+1', '-1', '0x10', '1.5', 'one', '1k', str(high + 1), '9' * 40]
        for text in bad + ([str(low - 1)] if low else []):
            usage(t, "%s takes a whole number from %d to %d, not '%s'" % (option, low, high, text), 'replay', option,
                  text, t.day)
    for args in ('-j', '1'), ('-j', '256'), ('--memory', '1048576'), ('--seed', '0'), ('--seed', str(2**64 - 1)):
        r = t.replay(t.day, *args, check=False, what=' '.join(args))
        t.equal(r.packets['written'], 4472, args, '- written')


def test_host(t):
    for host, part in (('', ''), (',', ''), ('10.1.0.2,', ''), ('10.1.0', '10.1.0'), ('10.1.0.2.3', '10.1.0.2.3'),
                       ('10.1.0.256', '10.1.0.256'), ('10.1.0.2,xyz', 'xyz'), ('fd00::zz', 'fd00::zz'),
                       ('fd00::2/64', 'fd00::2/64'), ('10.1.0.2 fd00::2', '10.1.0.2 fd00::2'),
                       ('02:00:00:00:00', '02:00:00:00:00'), ('02:00:00:00:00:01:02', '02:00:00:00:00:01:02'),
                       ('localhost', 'localhost'), ('x' * 5000, 'x' * 60)):
        r = said(t, 1, "--host: '%s' is no address; expected 10.1.0.2, fd00::2 or 02:00:00:00:00:01, separated by "
                 'commas' % part, 'replay', '--quiet', '--host', host, '-w', t.path('host.pcap'), t.day)
        t.one_complaint(r, '--host', host)
        t.check(not os.path.exists(t.path('host.pcap')), '--host', host, '- leaves an output')
    raw = t.save('raw.pcap', pcap(spaced([udp(HOST4, PEER4, 1, 2, b'')]), 101))
    said(t, 1, '--host: frames of this capture (raw IP) have no link addresses of the host; expected IP addresses',
         'replay', '--quiet', '--host', '02:00:00:00:00:01', raw)


def test_interface(t):
    for name in '', 'en', '0', '0en', 'en 0', 'en0 ', 'en/0', 'en-1', 'en00', 'en01', 'en32768', 'en99999999999', \
            'lo0', 'abcdefghijklmno0':
        said(t, 1, "interface name '%s': expected letters and a number, like en0, 15 characters at most; lo0 is "
             'there already' % name, 'replay', '--quiet', '--interface', name, t.day)
    data = open(t.day, 'rb').read()
    for name in 'en0', 'en7', 'e0', 'utun12', 'en32767', 'pdp_ip0', 'abcdefghijklmn0', 'lo1':
        r = t.replay(data, '--interface', name, kexts=['nothing'] if name == 'en0' else [], what='--interface ' + name)
        t.check(r.raw == data, '--interface', name, '- the output differs')


def test_input(t):
    for path, text in ((t.path('nowhere.pcap'), 'No such file or directory'), (t.dir, 'is a directory, not a capture'),
                       (__file__, 'not a capture that can be read'), ('/dev/null', 'not a capture that can be read'),
                       ('', 'No such file or directory')):
        r = said(t, 2, '%s: %s' % (path, text), 'replay', '--quiet', path, '-w', t.path('o'), '--json', t.path('j'))
        t.one_complaint(r, path)
        t.check(not os.path.exists(t.path('o')), path, '- leaves an output')
    said(t, 2, 'standard input: not a capture that can be read', 'replay', '--quiet', '-', stdin=b'')
    odd = t.save('wlan.pcap', pcap([], 105))
    said(t, 2, 'wlan.pcap: link type 105 (802.11) is not supported; Ethernet, raw IP, BSD loopback and Linux cooked '
         'captures are', 'replay', '--quiet', odd)
    if os.geteuid() != 0:
        os.chmod(t.save('secret.pcap', b''), 0)
        said(t, 2, 'secret.pcap: Permission denied', 'replay', '--quiet', t.path('secret.pcap'))


def test_output(t):
    for option in '-w', '--json':
        for path, text in ((t.path('no/where'), 'No such file or directory'), (t.dir, 'Is a directory'),
                           (t.day + '/x', 'Not a directory'), ('', 'No such file or directory')):
            said(t, 2, 'nke: %s: %s' % (path, text), 'replay', '--quiet', t.day, option, path)
    # never over what is read, by whatever name
    data = open(t.day, 'rb').read()
    name = t.save('own.pcap', data)
    os.symlink('own.pcap', t.path('link.pcap'))
    os.link(name, t.path('hard.pcap'))
    for other in 'own.pcap', '../%s/own.pcap' % os.path.basename(t.dir), 'link.pcap', 'hard.pcap':
        said(t, 1, '%s: is the capture that is read; write to another file' % t.path(other), 'replay', '--quiet', name,
             '-w', t.path(other))
        said(t, 1, '%s: is the capture that is read; write the report to another file' % t.path(other), 'replay',
             '--quiet', name, '--json', t.path(other))
        t.check(open(name, 'rb').read() == data, other, '- the capture is damaged')
    said(t, 1, 'nke replay: standard output: the capture and the report cannot both go there', 'replay', t.day,
         '-w', '-', '--json', '-')
    said(t, 1, '/both: the capture and the report cannot both go there', 'replay', t.day, '-w', t.path('both'),
         '--json', t.path('both'))


def full_disk(t, text, *args, **more):
    with open('/dev/full', 'wb') as full:
        r = said(t, 2, text, *args, stdout=full, **more)
    t.equal(len(r.err.splitlines()), 1, args, '- says', r.err)


def test_full_disk(t):
    good = os.path.join(t.kexts, 'good.kext')
    gone = 'No space left on device'
    for args in ('--help',), ('--version',), ('replay', '--help'), ('replay', t.day), ('build', '--help'), \
            ('replay', '--quiet', t.day, '--json', '-'), ('kext', 'info', good), ('kext', 'info', '--json', good):
        full_disk(t, 'nke: standard output: ' + gone, *args)
    for jobs in '1', '2':
        full_disk(t, 'nke: standard output: %s after about' % gone, 'replay', '-j', jobs, t.day, '--quiet', '-w', '-')
        r = said(t, 2, 'nke: /dev/full: %s after about' % gone, 'replay', '-j', jobs, '--quiet', t.day,
                 '-w', '/dev/full', '--json', t.path('full.json'))
        t.one_complaint(r, 'full disk', text=['packets: the file is not complete'])
        report = json.load(open(t.path('full.json')))
        t.equal((report['exit'], report['packets']['read']), (2, 4472), 'full disk - report')
        t.check(report['error'].startswith('/dev/full: ' + gone), 'full disk - error', report['error'])
    said(t, 2, 'nke: /dev/full: ' + gone, 'replay', '--quiet', t.day, '--json', '/dev/full')


def test_fills_up(t):
    """The disk fills up in the middle: what is there is what would be there, up to some byte."""
    data = open(t.day, 'rb').read()
    room = 1300000

    def little_room():
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (room, room))

    for options in [], ['--kext', t.kext('nothing')], ['-j', '2']:
        p = subprocess.run([t.nke, 'replay', '--quiet', *options, t.day, '-w', t.path('room.pcap')],
                           preexec_fn=little_room, stderr=subprocess.PIPE)
        t.equal(p.returncode, 2, 'fills up', options, '- exit')
        t.check(b'room.pcap: File too large after about' in p.stderr, 'fills up', options, '- says', p.stderr)
        written = open(t.path('room.pcap'), 'rb').read()
        t.check(written == data[:len(written)] and len(written) <= room, 'fills up', options, '- has a gap')


def test_build(t):
    source = os.path.join(t.source, 'tests/data/kexts/good.c')
    t.save('file.kext', b'')
    os.mkdir(t.path('good.so'))
    for output, text in (('no/good.kext', 'no/good.kext: No such file or directory'),
                         ('file.kext', 'file.kext/Contents: Not a directory'), ('good.so', 'good.so: Is a directory')):
        r = t.tool('build', source, '--start', 'good_start', '--stop', 'good_stop', '-o', t.path(output))
        t.equal(r.code, 2, 'build -o', output, '- exit')
        t.check(text in r.err, 'build -o', output, '- says', r.err)
    for output in '', 'x.kext/', 'a' * 64 + '.kext':
        usage(t, "'%s' is no name for a kext; expected 1 to 63 characters" % output, 'build', source, '-o', output)
    for name, value, text in (('CC', '/nowhere/cc', "the compiler '/nowhere/cc' does not run; set CC"),
                              ('TMPDIR', '/nowhere', 'no temporary folder in /nowhere: No such file or directory'),
                              ('NKE_KERNEL_INCLUDE', '/nowhere', 'NKE_KERNEL_INCLUDE: /nowhere: no sys/kpi_mbuf.h in '
                               'there')):
        os.environ[name] = value
        said(t, 2, 'nke build: ' + text, 'build', source, '-o', t.path('good.kext'))
        del os.environ[name]
    t.check(not os.path.exists(t.path('good.kext')), 'a failed build leaves something')


def test_kext_info(t):
    good = os.path.join(t.kexts, 'good.kext')
    for path, text in (('', 'No such file'), ('/dev/null', 'not a regular file'), (__file__, 'not a shared object'),
                       (t.dir, 'no kext: it has neither Contents/Info.plist nor Info.plist; sources become one by')):
        said(t, 2, 'nke kext info: %s: %s' % (path, text), 'kext', 'info', path)
    # one of several: the others are told, the worst decides
    for paths, code in ((good, '/nowhere'), 2), (('/nowhere', good), 2), ((good, t.kext('unresolved')), 3), \
            ((t.kext('unresolved'), '/nowhere', good), 2):
        r = t.tool('kext', 'info', '--json', *paths)
        t.equal((r.code, len(json.loads(r.out))), (code, len(paths) - paths.count('/nowhere')), 'kext info', paths)


def test(t):
    test_options(t)
    test_run(t)
    test_remote(t)
    test_numbers(t)
    test_host(t)
    test_interface(t)
    test_input(t)
    test_output(t)
    test_full_disk(t)
    test_fills_up(t)
    test_build(t)
    test_kext_info(t)


main(test)
