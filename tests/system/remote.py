"""A machine of `nke run --control` from other processes: nke ctl, nke kext, nke sysctl, and raw packets.

    [ client ]---+
    [ client ]---+--- local socket --- [ nke run: machine without interfaces, kexts ]
    [ client ]---+
"""
import json
import os
import random
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time

BUILD, SOURCE = os.path.abspath(sys.argv[1]), sys.argv[2]
ONLY = sys.argv[3:]
WORK = tempfile.mkdtemp(prefix='nke-remote.')
NKE, KEXTS = os.path.join(BUILD, 'nke'), os.path.join(BUILD, 'tests/data/kexts')
ECHO, STREAM, OPENER = 'com.example.echo', 'com.example.echo.stream', 'com.example.opener'
PACKET_MAX, DATA_MAX = 131072, 32768
failures = []


def check(good, *what):
    if not good:
        text = ' '.join(str(w) for w in what)
        failures.append(text)
        print('FAILED:', text, flush=True)


def equal(have, want, *what):
    check(have == want, *what, '- have', repr(have), 'want', repr(want))


def eventually(f, seconds=10):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if f():
            return True
        time.sleep(0.01)
    return bool(f())


def kext(name):
    return os.path.join(KEXTS, name + '.kext')


class Machine:
    """`nke run --control`; its standard error is in .log. `code` is the exit status that is expected."""
    def __init__(self, *kexts, code=0):
        self.path = os.path.join(WORK, 'socket.%d' % time.monotonic_ns())
        self.code = code
        self.file = open(self.path + '.log', 'w')
        loads = [a for k in kexts for a in ('--kext', kext(k))]
        self.p = subprocess.Popen([NKE, 'run', '--control', self.path, '--verbose', '--check', *loads],
                                  stdout=self.file, stderr=self.file)

    @property
    def log(self):
        with open(self.path + '.log') as f:
            return f.read()

    def __enter__(self):
        if not eventually(lambda: 'run: control: listening at' in self.log or self.p.poll() is not None) or \
                self.p.poll() is not None:
            raise RuntimeError('nke run does not begin: ' + self.log)
        return self

    def end(self):
        if self.p.poll() is None:
            self.p.send_signal(signal.SIGTERM)
        return self.p.wait(20)

    def __exit__(self, kind, value, trace):
        try:
            code = self.end()
            if kind is None:
                check(code == self.code, 'nke run: exit', code, self.log)
        except subprocess.TimeoutExpired:
            self.p.kill()
            check(False, 'nke run does not end:', self.log)
        self.file.close()
        check(not os.path.exists(self.path), 'the socket is still there')
        if kind is not None:
            print(self.log)

    def start(self, command, *args):
        words = command.split()
        return subprocess.Popen([NKE, *words, '--control', self.path, *args], stdin=subprocess.PIPE,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def tool(self, command, *args, code=0, given=''):
        """Standard output; of a command that fails, standard error."""
        p = self.start(command, *args)
        out, err = p.communicate(given, timeout=30)
        equal(p.returncode, code, command, args, '- exit;', err)
        if code == 0:
            equal(err, '', command, args, '- complains')
        return err if code else out


class Client:
    """Raw packets."""
    def __init__(self, machine):
        self.s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.s.settimeout(20)
        self.s.connect(machine.path)
        self.id = 0
        self.pushed = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.s.close()

    def receive(self):
        data = self.s.recv(2 * PACKET_MAX)
        return json.loads(data) if data else None

    def post(self, request, **members):
        self.id += 1
        self.s.send(json.dumps(dict(members, request=request, id=self.id)).encode())
        return self.id

    def answer(self, number):
        while True:
            message = self.receive()
            if message is None:
                raise RuntimeError('the machine closes')
            if 'push' not in message:
                equal(message.get('id'), number, 'an answer to another request:', message)
                return message
            self.pushed.append(message)

    def ask(self, request, ok=True, **members):
        a = self.answer(self.post(request, **members))
        equal((a['answer'], a['ok']), (request, ok), a)
        if not ok:
            check(re.fullmatch('E[A-Z0-9]+', a['error']) and a['text'], 'a refusal without a reason:', a)
        return a

    def push(self, kind):
        while not any(m['push'] == kind for m in self.pushed):
            message = self.receive()
            if message is None:
                raise RuntimeError('the machine closes instead of telling ' + kind)
            self.pushed.append(message)
        found = next(m for m in self.pushed if m['push'] == kind)
        self.pushed.remove(found)
        return found


def clients_of(machine, name=ECHO):
    with Client(machine) as c:
        return next(x['clients'] for x in c.ask('controls')['controls'] if x['name'] == name)


# ---- kexts and variables ------------------------------------------------------------------------

def test_kexts():
    with Machine() as m:
        equal(m.tool('kext list'), '', 'no kexts')
        equal(m.tool('kext load', kext('control'), kext('good')), '', 'load')
        lines = m.tool('kext list').splitlines()
        equal([line.split()[0] for line in lines[1:]], ['com.example.control', 'com.example.good'], 'list')
        check(kext('good') in lines[2] and '1.0' in lines[2], 'list says', lines[2])
        calls, ms = lines[2].split()[3:5]
        check(int(calls) >= 1 and float(ms) >= 0, 'its start was a call:', lines[2])
        err = m.tool('kext load', kext('good'), code=3)
        check('com.example.good' in err, 'loaded twice:', err)
        err = m.tool('kext load', '/nowhere/x.kext', code=3)
        check('/nowhere/x.kext' in err, 'no such kext:', err)
        equal(m.tool('kext unload', 'com.example.good'), '', 'unload')
        err = m.tool('kext unload', 'com.example.good', code=3)
        check("no kext com.example.good is loaded: 'nke kext list' tells which are" in err, 'unloaded twice:', err)
        # a path is the client's
        p = subprocess.run([NKE, 'kext', 'load', '--control', m.path, 'good.kext'], cwd=KEXTS, text=True,
                           capture_output=True, timeout=20)
        equal((p.returncode, p.stderr), (0, ''), 'a relative path')
        with Client(m) as c:
            equal([k['identifier'] for k in c.ask('kexts', **{'from': 1})['kexts']], ['com.example.good'], 'from')
        check('kext com.example.good unloaded' in m.log, 'the log says', m.log)


def test_sysctl():
    with Machine() as m:
        equal(m.tool('sysctl', 'kern.ostype'), 'kern.ostype: Darwin\n')
        equal(m.tool('sysctl', 'net.inet.ip.forwarding=1', 'net.inet.ip.ttl'),
              'net.inet.ip.forwarding: 0 -> 1\nnet.inet.ip.ttl: 64\n')
        equal(m.tool('sysctl', '-n', 'net.inet.ip.forwarding'), '1\n')
        equal(m.tool('sysctl', '-nx', 'net.inet.ip.forwarding=00000000'), '01000000 -> 00000000\n')
        equal(re.sub('[0-9a-f]', 'x', m.tool('sysctl', '-n', 'kern.boottime')), 'x' * 32 + '\n', 'a struct')
        check(int(m.tool('sysctl', '-n', 'hw.memsize')) > 1 << 32, 'a number of 64 bits')
        check('there is no such variable' in m.tool('sysctl', 'net.inet.nothing', code=2), 'unknown')
        check('sysctl kern.ostype' in m.tool('sysctl', 'kern.ostype=Plan9', code=2), 'cannot be set')
        for text in '', 'x', '1x', '3000000000', '-3000000000', '1.5':
            err = m.tool('sysctl', 'net.inet.ip.ttl=' + text, code=2)
            check("'%s' is not a value for it: expected a number in its range" % text in err, text, err)
        equal(m.tool('sysctl', '-n', 'net.inet.ip.ttl'), '64\n', 'nothing was set')


# ---- kernel controls ----------------------------------------------------------------------------

def test_controls():
    with Machine('control') as m:
        lines = [line.split() for line in m.tool('ctl', 'list').splitlines()]
        equal([line[0] for line in lines[1:]], [ECHO, STREAM], 'list')
        equal(lines[1][2:], ['dgram', 'no', '0', 'com.example.control'], 'list')
        equal(lines[2][2:], ['stream', 'yes', '0', 'com.example.control'], 'list')
        equal(m.tool('ctl', 'set', ECHO, '1', 'hello'), '')
        equal(m.tool('ctl', 'get', ECHO, '1'), 'hello\n')
        equal(m.tool('ctl', 'get', ECHO, '1', '--hex'), '68656c6c6f\n')
        equal(m.tool('ctl', 'get', ECHO, '1', '--size', '0'), '5\n')
        equal(m.tool('ctl', 'set', ECHO, '1', '--int', '0x10'), '')
        equal(m.tool('ctl', 'get', ECHO, '1', '--int'), '16\n')
        equal(m.tool('ctl', 'get', ECHO, '1'), '00000000  10 00 00 00' + ' ' * 36 + '  |....|\n')
        check('Protocol not available' in m.tool('ctl', 'get', ECHO, '9', code=2), 'the kext refuses')
        check('Message too long' in m.tool('ctl', 'set', ECHO, '1', 'x' * 101, code=2), 'the kext refuses')
        check("there is no kernel control nobody: 'nke ctl list' tells" in m.tool('ctl', 'watch', 'nobody', code=2))
        check('takes the other type' in m.tool('ctl', 'watch', ECHO, '--type', 'stream', code=2), 'type')
        check('Permission denied' in m.tool('ctl', 'get', ECHO, '1', '--unit', '13', code=2), 'unit')
        equal(m.tool('ctl', 'send', ECHO, 'hi there', '--count', '1'), 'hi there\n')
        equal(m.tool('ctl', 'send', STREAM, '--hex', '00ff', '--count', '1', '--type', 'stream'),
              '00ff\n')
        equal(m.tool('ctl', 'send', ECHO, 'unheard'), '')
        equal(m.tool('ctl', 'connect', ECHO, given='one\ntwo\n\x7fthree'), 'one\ntwo\n00000000  7f 74 68 72 65 65' +
              ' ' * 30 + '  |.three|\n')
        equal(m.tool('ctl', 'connect', STREAM, given=''), '')
        check('Message too long' in m.tool('ctl', 'send', ECHO, 'x' * 3000, code=2), 'too long for the control')
        check('0 of 1 messages came in 1 seconds' in m.tool('ctl', 'watch', ECHO, '--count', '1', '--timeout', '1',
                                                            code=2), 'watch in vain')
        check(int(m.tool('ctl', 'get', ECHO, '2', '--int')) >= 10, 'all have gone')


def test_long_value():
    with Machine('opener') as m, Client(m) as c:
        equal(m.tool('ctl', 'get', OPENER, '5', '--hex', '--size', str(DATA_MAX)), '5a' * DATA_MAX + '\n', 'get')
        h = c.ask('connect', name=OPENER)['handle']
        equal(c.ask('get', False, handle=h, option=5, size=DATA_MAX + 1)['error'], 'EINVAL', 'one byte more')
        equal(c.ask('set', False, handle=h, option=9, data='00' * DATA_MAX)['error'], 'ENOPROTOOPT', 'is taken')
        equal(c.ask('set', False, handle=h, option=9, data='00' * DATA_MAX + '00')['error'], 'EINVAL', 'is not')


def test_many_controls():
    with Machine('opener') as m:
        m.tool('ctl', 'set', OPENER, '4', '--int', '1000')
        with Client(m) as c:
            first = c.ask('controls')
            check(first['more'] and 100 < len(first['controls']) < 1000, len(first['controls']), 'in one packet')
        names = [line.split()[0] for line in m.tool('ctl', 'list').splitlines()[1:]]
        equal(names, [OPENER] + ['%s.%d' % (OPENER, i + 1) for i in range(1000)], 'all of them')
        m.tool('kext unload', 'com.example.opener')


def test_two_clients():
    with Machine('control') as m, Client(m) as a, Client(m) as b:
        ha, hb, ha2 = (c.ask('connect', name=ECHO)['handle'] for c in (a, b, a))
        equal((ha, hb, ha2), (1, 1, 2), 'handles')
        equal(clients_of(m), 3, 'clients')
        for c, h, text in (a, ha, b'a'), (b, hb, b'b'), (a, ha2, b'a2'):
            c.ask('watch', handle=h)
            equal(c.ask('send', handle=h, data=text.hex())['sent'], len(text))
        for c, want in (a, {(ha, b'a'.hex()), (ha2, b'a2'.hex())}), (b, {(hb, b'b'.hex())}):
            equal({(p['handle'], p['data']) for p in (c.push('data') for _ in range(len(want)))}, want, 'what came')
        # what comes before somebody watches waits
        h = b.ask('connect', name=ECHO, unit=77)['handle']
        equal(a.ask('connect', False, name=ECHO, unit=77)['error'], 'EBUSY', 'a unit of another client')
        b.ask('send', handle=h, data='0102')
        b.ask('watch', handle=h)
        equal(b.push('data')['data'], '0102')
        b.ask('close', handle=h)
        equal(b.ask('send', False, handle=h, data='')['error'], 'EBADF')
        equal(a.ask('send', False, handle=ha, data='0' * 6000)['error'], 'EMSGSIZE')
        equal(a.pushed + b.pushed, [], 'for nobody')


def test_who_asks():
    with Machine('opener') as m:
        p = m.start('ctl', 'get', OPENER, '3')
        equal(p.communicate(timeout=20)[0], '%d nke\n' % p.pid, 'the process that the kext sees')
        with Client(m) as c:
            h = c.ask('connect', name=OPENER)['handle']
            who = bytes.fromhex(c.ask('get', handle=h, option=3, size=100)['data']).decode()
            equal(who.split()[0], str(os.getpid()))


def test_events():
    with Machine('control') as m, Client(m) as c:
        watching = m.start('ctl', 'events', '--count', '1', '--vendor', '1000', '--class', '1')
        h = c.ask('events', vendor=1, **{'class': 3, 'subclass': 2})['handle']
        c.ask('watch', handle=h)
        echo = c.ask('connect', name=ECHO)['handle']

        def posted():
            c.ask('set', handle=echo, option=3, data='cafe')
            return watching.poll() is not None
        check(eventually(posted), 'nke ctl events hears nothing')
        out = watching.communicate()[0]
        check(re.fullmatch(r'event \d+ vendor 1000 class 1 subclass 2 code 3 data cafe\n', out), out)
        equal(c.ask('kext_load', path=kext('opener'))['kext']['identifier'], 'com.example.opener')
        e = c.push('event')
        equal((e['vendor'], e['class'], e['subclass'], e['code'], e['handle']), (1, 3, 2, 1, h), 'a control came')
        c.ask('kext_unload', identifier='com.example.opener')
        equal(c.push('event')['code'], 2, 'a control went')
        equal(c.ask('send', False, handle=h, data='00')['error'], 'EOPNOTSUPP', 'events are heard only')


# ---- unloading ----------------------------------------------------------------------------------

HELD = 'socket filter "com.example.holds" on socket'


def test_unload_held():
    with Machine('opener', 'holds') as m:
        m.tool('ctl', 'set', OPENER, '1', '--int', '2')
        err = m.tool('kext unload', 'com.example.holds', code=3)
        equal(err.count(HELD), 2, 'holders', err)
        check("'nke kext unload --drain' waits until it goes" in err, err)
        # drained: others are served meanwhile
        p = m.start('kext unload', '--drain', 'com.example.holds')
        first = p.stderr.readline()
        check(re.fullmatch(r'nke kext unload: waiting for \d+\.\d s:\n', first), 'progress:', first)
        m.tool('ctl', 'set', OPENER, '1', '--int', '1')
        equal(m.tool('ctl', 'get', OPENER, '1', '--int'), '1\n', 'the loop does not wait')
        check(p.poll() is None, 'gone although it is held')
        m.tool('ctl', 'set', OPENER, '1', '--int', '0')
        err = p.stderr.read()
        equal((p.wait(20), 'com.example.holds' in m.tool('kext list')), (0, False), 'drained', err)
        check(HELD in err, 'progress tells the holders:', err)


def test_drain_is_quiet():
    with Machine('stays_attached', code=3) as m:
        err = m.tool('kext unload', '--drain', '--timeout', '1', 'com.example.stays_attached', code=3)
        check('stopped, but stays mapped' in err and 'IPv4 filter "stays"' in err, err)
        equal(m.log.count('left behind IPv4 filter "stays"'), 1, 'lines of the log')


def test_drain_ends():
    with Machine('opener', 'holds', 'control') as m, Client(m) as c:
        m.tool('ctl', 'set', OPENER, '1', '--int', '1')
        err = m.tool('kext unload', '--drain', '--timeout', '1', 'com.example.holds', code=3)
        check(HELD in err, err)
        first = c.post('kext_unload', identifier='com.example.holds', drain=True)
        equal(c.push('progress')['id'], first, 'progress')
        equal(c.ask('kext_unload', False, identifier='com.example.holds', drain=True)['error'], 'EBUSY', 'two at once')
        # a control is held by its clients, also by the one that drains
        with Client(m) as d:
            d.ask('connect', name=ECHO)
            number = d.post('kext_unload', identifier='com.example.control', drain=True)
            check('kernel control "%s", id 2, 1 client' % ECHO in d.push('progress')['holders'], 'holders')
            d.id += 1
            d.s.send(json.dumps(dict(request='close', id=d.id, handle=1)).encode())
            answers = {a['id']: a['ok'] for a in (d.receive() for _ in range(2))}
            equal(answers, {number: True, number + 1: True}, 'closed, then drained')
        # somebody else unloads it
        m.tool('ctl', 'set', OPENER, '1', '--int', '0')
        equal(c.answer(first)['ok'], True, 'drained')
        # the one that waits goes away: nobody tries any more
        c.ask('kext_load', path=kext('holds'))
        m.tool('ctl', 'set', OPENER, '1', '--int', '1')
        with Client(m) as d:
            d.post('kext_unload', identifier='com.example.holds', drain=True)
            d.push('progress')
        m.tool('ctl', 'set', OPENER, '1', '--int', '0')
        check('com.example.holds' in m.tool('kext list'), 'the drain goes on without its client')


# ---- clients that die, do not read, or mean no good ---------------------------------------------

def test_killed():
    with Machine('control') as m:
        for _ in range(5):
            watching = [m.start('ctl', 'watch', ECHO) for _ in range(4)]
            check(eventually(lambda: clients_of(m) == 4), 'they do not connect')
            for p in watching:
                p.kill()
                p.communicate()
            check(eventually(lambda: clients_of(m) == 0), 'killed clients stay')
        m.tool('kext unload', 'com.example.control')


def test_does_not_read():
    with Machine('control') as m, Client(m) as lazy, Client(m) as other:
        h = lazy.ask('connect', name=ECHO)['handle']
        lazy.ask('watch', handle=h)
        lazy.s.setblocking(False)
        sent = 0
        try:
            while sent < 20000:
                lazy.s.send(json.dumps(dict(request='send', handle=h, data='%04x' % sent * 400)).encode())
                sent += 1
        except BlockingIOError:
            pass
        check(10 < sent < 20000, 'the machine reads on although nobody reads its answers:', sent)
        for _ in range(100):
            other.ask('kexts')
        with open('/proc/%d/status' % m.p.pid) as f:
            kilobytes = int(re.search(r'VmRSS:\s+(\d+)', f.read()).group(1))
        check(kilobytes < 300000, 'memory:', kilobytes, 'kB')
        # it wakes up: every request has its answer, and what was taken came back in order
        lazy.s.setblocking(True)
        lazy.s.settimeout(20)
        answers, came = 0, []
        while answers < sent:
            message = lazy.receive()
            if 'push' in message:
                came.append(int(message['data'][:4], 16))
            else:
                check(message['ok'] or message['error'] == 'ENOBUFS', message)
                answers += 1
        equal(came, sorted(came), 'order')
        check(len(came) > 10, 'came:', len(came))


def test_many_clients():
    with Machine('opener') as m:
        clients = [Client(m) for _ in range(64)]
        for c in clients:
            c.ask('connect', name=OPENER)
        with Client(m) as more:
            a = more.receive()
            equal((a['error'], more.receive()), ('EAGAIN', None), 'one too many')
        check('has 64 clients already' in m.tool('kext list', code=2), 'nke kext does not say why')
        for c in clients[1:]:
            c.s.close()
        c = clients[0]
        check(eventually(lambda: clients_of(m, OPENER) == 1), 'they stay')
        handles = [c.ask('connect', name=OPENER)['handle'] for _ in range(15)]
        equal(c.ask('connect', False, name=OPENER)['error'], 'EMFILE', 'connections of a client')
        equal(c.ask('events', False)['error'], 'EMFILE', 'connections of a client')
        c.ask('close', handle=handles[3])
        c.ask('events')
        c.s.close()


NONSENSE = [None, True, 0, -1, 2**31, 2**63 - 1, 1.5, '', 'x', '0', 'zz', '00' * 40000, [], [1], {}, {'a': 1}]


def test_nonsense():
    """Requests with each member missing, and of every wrong kind."""
    requests = [('kexts', {'from': 0}), ('kext_load', {'path': '/nowhere'}), ('controls', {'from': 0}),
                ('kext_unload', {'identifier': 'x', 'drain': True, 'timeout': 1}),
                ('sysctl', {'name': 'kern.ostype', 'value': '00'}), ('close', {'handle': 99}),
                ('connect', {'name': ECHO, 'unit': 1, 'type': 'dgram'}), ('watch', {'handle': 1}),
                ('events', {'vendor': 1, 'class': 1, 'subclass': 1}), ('send', {'handle': 1, 'data': '00'}),
                ('get', {'handle': 1, 'option': 1, 'size': 8, 'data': '00'}),
                ('set', {'handle': 1, 'option': 1, 'data': '00'}), ('nothing', {}), ('', {}), ('x' * 1000, {})]
    with Machine('control') as m:
        for name, members in requests:
            with Client(m) as c:
                c.ask('connect', name=ECHO)
                for key in members:
                    for value in NONSENSE:
                        a = c.answer(c.post(name, **dict(members, **{key: value})))
                        check(a['ok'] or a['text'], name, key, repr(value)[:40], a)
                        if name in ('connect', 'events') and a['ok']:
                            c.ask('close', handle=a['handle'])
                    rest = dict(members)
                    del rest[key]
                    c.answer(c.post(name, **rest))
                if not members:
                    equal(c.ask(name, False)['error'], 'EINVAL', name)
        with Client(m) as c:
            for packet in b'{', b'[]', b'1', b'null', b'\xff\xfe', b'\0', b'{"request":"kexts\\u0000"}', b'{}', \
                    b'{"request":1}', b'{"a":1,"a":2}', b'[' * 100000, b'{"a":' * 20000, b'x' * PACKET_MAX, \
                    b'x' * (PACKET_MAX + 1):
                c.s.send(packet)
                a = c.receive()
                equal((a['ok'], a['error'], 'id' in a), (False, 'EINVAL', False), packet[:20])
            # whatever is an id that is no number is not sent back
            c.s.send(json.dumps(dict(request='kexts', id='x' * 1000)).encode())
            check('id' not in c.receive(), 'an id')
        equal(m.tool('ctl', 'send', ECHO, 'well', '--count', '1'), 'well\n', 'the machine is well')


def test_noise():
    """Packets that are nearly right."""
    r = random.Random(5)
    good = [json.dumps(x).encode() for x in (
        dict(request='connect', id=1, name=ECHO), dict(request='send', id=2, handle=1, data='0011'),
        dict(request='get', id=3, handle=1, option=1, size=10), dict(request='watch', id=4, handle=1),
        dict(request='set', id=5, handle=1, option=1, data='aabb'), dict(request='kexts', id=6),
        dict(request='kext_unload', id=7, identifier='com.example.none', drain=True),
        dict(request='events', id=8), dict(request='close', id=9, handle=2), dict(request='controls', id=10))]
    with Machine('control') as m:
        for _ in range(60):
            with Client(m) as c:
                c.s.settimeout(0.001)
                for _ in range(r.randrange(60)):
                    packet = bytearray(r.choice(good))
                    for _ in range(r.choice((0, 0, 1, 1, 2, 8))):
                        at = r.randrange(len(packet))
                        packet[at:at + r.randrange(3)] = bytes(r.randrange(256) for _ in range(r.randrange(3)))
                    try:
                        if packet:
                            c.s.send(packet)
                        if r.random() < 0.5:
                            c.s.recv(PACKET_MAX)
                    except (BlockingIOError, TimeoutError, socket.timeout, ConnectionError):
                        pass
        check(eventually(lambda: clients_of(m) == 0), 'clients stay')
        equal(m.tool('ctl', 'send', ECHO, 'well', '--count', '1'), 'well\n', 'the machine is well')
        m.tool('kext unload', 'com.example.control')


# ---- the end ------------------------------------------------------------------------------------

def test_panic():
    with Machine('opener', 'control', code=4) as m, Client(m) as c:
        watching = m.start('ctl', 'watch', ECHO)
        check(eventually(lambda: clients_of(m) == 1), 'it does not connect')
        err = m.tool('ctl', 'set', OPENER, '2', 'x', code=4)
        check(re.fullmatch('nke ctl: the machine has ended: panic: opener: a panic that was asked for: '
                           "'nke run' has the report\n", err), err)
        err = watching.communicate(timeout=20)[1]
        check(watching.returncode == 4 and 'a panic that was asked for' in err, watching.returncode, err)
        end = c.push('end')
        check(end['panicked'] and 'com.example.opener' in end['text'], end)
        equal(c.receive(), None, 'after the end')
        equal(m.p.wait(20), 4, 'nke run')
        check('panic: opener' in m.log, m.log)


def test_panic_at_load():
    with Machine(code=4) as m:
        err = m.tool('kext load', kext('crash'), code=4)
        check(re.match('nke kext load: the machine has ended: panic: ', err), err)


def test_end():
    with Machine('control') as m, Client(m) as c:
        watching = m.start('ctl', 'watch', ECHO)
        check(eventually(lambda: clients_of(m) == 1), 'it does not connect')
        equal(m.end(), 0, 'clients do not keep kexts from being unloaded')
        equal(watching.communicate(timeout=20)[1], 'nke ctl: the machine has ended\n')
        equal(watching.returncode, 2, 'watch')
        end = c.push('end')
        equal((end['panicked'], c.receive()), (False, None), end)
    err = m.tool('kext list', code=2)
    equal(err, "nke kext list: no machine listens at %s: 'nke run --control %s' makes one\n" % (m.path, m.path))


def test_socket():
    with Machine() as m:
        equal(stat.S_IMODE(os.stat(m.path).st_mode), 0o600, 'mode')
        p = subprocess.run([NKE, 'run', '--control', m.path], capture_output=True, text=True, timeout=20)
        equal((p.returncode, p.stderr), (2, 'nke run: --control %s: another program listens there: choose another '
                                         'path, or end it\n' % m.path), 'a second machine')
        equal(m.tool('kext list'), '', 'the first one is there')
    left = Machine()
    with left:
        left.p.kill()
        left.p.wait()
        check(os.path.exists(left.path), 'killed, and the socket is gone')
        p = subprocess.Popen([NKE, 'run', '--control', left.path, '--for', '60'])
        check(eventually(lambda: subprocess.run([NKE, 'kext', 'list', '--control', left.path],
                                                capture_output=True, timeout=20).returncode == 0), 'a stale socket')
        # a machine removes the socket that it made, no other
        os.unlink(left.path)
        with open(left.path, 'w') as f:
            f.write('mine')
        p.terminate()
        equal(p.wait(20), 0)
        with open(left.path) as f:
            equal(f.read(), 'mine', 'a file of somebody else')
        p = subprocess.run([NKE, 'run', '--control', left.path], capture_output=True, text=True, timeout=20)
        check(p.returncode == 2 and 'there is something else than a socket' in p.stderr, p.returncode, p.stderr)
        os.unlink(left.path)
        left.code = -signal.SIGKILL
    p = subprocess.run([NKE, 'run', '--control', '/nowhere/s'], capture_output=True, text=True, timeout=20)
    equal((p.returncode, p.stderr), (2, 'nke run: --control /nowhere/s: No such file or directory\n'))
    p = subprocess.run([NKE, 'run', '--control', 'x' * 108], capture_output=True, text=True, timeout=20)
    check(p.returncode == 1 and 'expected a path of 1 to 107 bytes' in p.stderr, p.stderr)


def main(there):
    tests = [(n, f) for n, f in there.items() if n.startswith('test_') and (not ONLY or n[5:] in ONLY)]
    if not tests:
        sys.exit('no such tests: %s' % ONLY)
    for name, test in tests:
        start, before = time.monotonic(), len(failures)
        try:
            test()
        except Exception as e:
            check(False, name, '-', type(e).__name__, e)
        print('%-6s %s, %.1f s' % ('ok' if len(failures) == before else 'FAILED', name, time.monotonic() - start),
              flush=True)
    shutil.rmtree(WORK, ignore_errors=True)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main(globals()))
