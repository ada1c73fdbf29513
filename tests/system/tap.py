"""Machines on TAP devices against the host's kernel. Run in a network namespace of its own by tap.sh.

    [ kernel tap0 10.9.0.1, fd09::1 ]----- TAP -----[ en0 10.9.0.2, fd09::2 machine ]

and, as a router,

    [ left t0 10.1.0.2 ]----- TAP -----[ 10.1.0.1 en0  machine  en1 10.2.0.1 ]----- TAP -----[ t1 10.2.0.2 right ]
"""
import http.server
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

BUILD, SOURCE = sys.argv[1], sys.argv[2]
ONLY = sys.argv[3:]
WORK = tempfile.mkdtemp(prefix='nke-tap.')
NKE, CLIENT = os.path.join(BUILD, 'nke'), os.path.join(BUILD, 'tap_client')
failures, left_out = [], []


def sh(command, ns=None, check=True, timeout=60):
    full = ['nsenter', '-t', str(ns), '-n', 'sh', '-c', command] if ns else ['sh', '-c', command]
    r = subprocess.run(full, capture_output=True, text=True, timeout=timeout)
    if check and r.returncode != 0:
        raise RuntimeError('%s: exit %d: %s%s' % (command, r.returncode, r.stdout, r.stderr))
    return r.stdout + r.stderr


def check(good, *what):
    if not good:
        text = ' '.join(str(w) for w in what)
        failures.append(text)
        print('FAILED:', text, flush=True)


def eventually(f, seconds=5):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if f():
            return True
        time.sleep(0.05)
    return bool(f())


class Run:
    """`nke run`, whose standard error is in .log."""
    def __init__(self, *args, stop=signal.SIGTERM):
        self.path = os.path.join(WORK, 'run.%d' % time.monotonic_ns())
        self.stop = stop
        self.file = open(self.path, 'w')
        self.p = subprocess.Popen([NKE, 'run', '--verbose', '--check', *args], stderr=self.file, stdout=self.file)

    @property
    def log(self):
        with open(self.path) as f:
            return f.read()

    def __enter__(self):
        if not eventually(lambda: 'run: en0: on ' in self.log or self.p.poll() is not None):
            raise RuntimeError('nke run does not begin: ' + self.log)
        return self

    def __exit__(self, kind, value, trace):
        if self.p.poll() is None:
            self.p.send_signal(self.stop)
        try:
            self.p.wait(10)
        except subprocess.TimeoutExpired:
            self.p.kill()
            check(False, 'nke run does not end:', self.log)
        self.file.close()
        if kind is None:
            check(self.p.returncode == 0, 'nke run: exit', self.p.returncode, self.log)
        else:
            print(self.log)


def kernel_end(device='tap0', ns=None, addresses=('10.9.0.1/24', 'fd09::1/64')):
    for a in addresses:
        sh('ip addr add %s dev %s%s' % (a, device, ' nodad' if ':' in a else ''), ns)
    sh('ip link set %s up' % device, ns)


class Namespace:
    def __enter__(self):
        self.p = subprocess.Popen(['unshare', '-n', 'sleep', '1000'])
        own = os.readlink('/proc/self/ns/net')
        eventually(lambda: os.readlink('/proc/%d/ns/net' % self.p.pid) != own)
        sh('ip link set lo up', self.p.pid)
        return self.p.pid

    def __exit__(self, *_):
        self.p.kill()
        self.p.wait()


class Tcpdump:
    """All that passes a device, for check_capture."""
    def __init__(self, device, ns=None):
        self.path = os.path.join(WORK, '%s.%d.pcap' % (device, time.monotonic_ns()))
        command = ['tcpdump', '-U', '--immediate-mode', '-n', '-i', device, '-s', '0', '-B', '65536', '-w', self.path]
        self.p = subprocess.Popen((['nsenter', '-t', str(ns), '-n'] if ns else []) + command,
                                  stderr=subprocess.PIPE, text=True)
        self.p.stderr.readline()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        size = -1
        while size != os.path.getsize(self.path):      # it may be behind
            size = os.path.getsize(self.path)
            time.sleep(0.3)
        self.p.terminate()
        self.p.wait()


# ---- what is on the wire -----------------------------------------------------------------------------

def ones_sum(data, start=0):
    if len(data) % 2:
        data += b'\0'
    total = start + sum(struct.unpack('!%dH' % (len(data) // 2), data))
    while total > 0xffff:
        total = (total >> 16) + (total & 0xffff)
    return total


def frames(path):
    with open(path, 'rb') as f:
        data = f.read()
    order = '<' if data[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
    at = 24
    while at + 16 <= len(data):
        size, whole = struct.unpack(order + 'II', data[at + 8:at + 16])
        yield data[at + 16:at + 16 + size]
        at += 16 + size
    check(at == len(data), path, 'is cut off')


def transport_sum(protocol, src, dst, body):
    """0xffff when it is right; None where there is none."""
    if protocol == 17 and body[6:8] == b'\0\0' and len(src) == 4:
        return None
    if protocol in (1, 2):
        return ones_sum(body)
    if protocol in (6, 17, 58):
        if protocol == 17:
            body = body[:struct.unpack('!H', body[4:6])[0] or len(body)]
        return ones_sum(src + dst + struct.pack('!II', len(body), protocol) + body)
    return None


class Checker:
    """Every checksum of a capture, whole datagrams put together from their fragments."""
    def __init__(self):
        self.pieces, self.checked, self.bad, self.fragments = {}, 0, [], 0

    def datagram(self, protocol, src, dst, body):
        total = transport_sum(protocol, src, dst, body)
        if total is not None:
            self.checked += 1
            if total != 0xffff:
                self.bad.append('protocol %d, %d bytes, %s to %s' % (protocol, len(body), src.hex(), dst.hex()))

    def piece(self, key, offset, more, body):
        self.fragments += 1
        have = self.pieces.setdefault(key, [{}, None])
        have[0][offset] = body
        if not more:
            have[1] = offset + len(body)
        if have[1] is not None and sum(map(len, have[0].values())) == have[1]:
            del self.pieces[key]
            self.datagram(key[2], key[0], key[1], b''.join(have[0][o] for o in sorted(have[0])))

    def frame(self, f):
        kind = struct.unpack('!H', f[12:14])[0]
        p = f[14:]
        if kind == 0x0800:
            hlen = (p[0] & 15) * 4
            length, ident, frag = struct.unpack('!HHH', p[2:8])
            if ones_sum(p[:hlen]) != 0xffff:
                self.bad.append('IPv4 header')
            body, src, dst = p[hlen:length], p[12:16], p[16:20]
            if frag & 0x3fff:
                self.piece((src, dst, p[9], ident), (frag & 0x1fff) * 8, bool(frag & 0x2000), body)
            else:
                self.datagram(p[9], src, dst, body)
        elif kind == 0x86dd:
            length, protocol, src, dst = struct.unpack('!H', p[4:6])[0], p[6], p[8:24], p[24:40]
            body = p[40:40 + length]
            while protocol in (0, 60):
                protocol, body = body[0], body[(body[1] + 1) * 8:]
            if protocol == 44:
                frag, ident = struct.unpack('!HI', body[2:8])
                self.piece((src, dst, body[0], ident), frag & 0xfff8, bool(frag & 1), body[8:])
            else:
                self.datagram(protocol, src, dst, body)


def check_capture(path, name, least=1):
    c = Checker()
    for f in frames(path):
        c.frame(f)
    check(not c.bad, name, '- bad checksums:', len(c.bad), c.bad[:3])
    check(c.checked >= least, name, '- only', c.checked, 'checksums')
    if shutil.which('tcpdump'):
        said = sh('tcpdump -nvvr %s 2>/dev/null' % path)
        wrong = [line for line in said.splitlines() if re.search(r'bad (udp )?cksum|wrong|incorrect', line)]
        check(not wrong, name, '- tcpdump says', wrong[:2])
    return c


# ---- asking the machine ------------------------------------------------------------------------------

def echo_icmp(address, sizes, count=None):
    """Pings with the kernel's raw sockets; sizes without an equal answer."""
    v6 = ':' in address
    s = socket.socket(socket.AF_INET6 if v6 else socket.AF_INET, socket.SOCK_RAW, 58 if v6 else 1)
    for o in socket.SO_SNDBUF, socket.SO_RCVBUF:
        s.setsockopt(socket.SOL_SOCKET, o, 1 << 20)
    s.settimeout(2)
    bad = []
    for n, size in enumerate(sizes):
        body = struct.pack('!HH', 4711, n & 0xffff) + bytes((i * 3 + n) & 255 for i in range(256)) * (size // 256 + 1)
        body = body[:4 + size]
        head = struct.pack('!BBH', 128 if v6 else 8, 0, 0)
        if not v6:
            head = struct.pack('!BBH', 8, 0, ~ones_sum(head + body) & 0xffff)
        try:
            s.sendto(head + body, (address, 0))
            while True:
                got = s.recv(70000)[0 if v6 else 20:]
                if got[0] == (129 if v6 else 0) and got[4:8] == body[:4]:
                    break
            if got[4:] != body:
                bad.append(size)
        except OSError as e:
            bad.append((size, str(e)))
    return bad


def echo_udp(address, port, sizes):
    s = socket.socket(socket.AF_INET6 if ':' in address else socket.AF_INET, socket.SOCK_DGRAM)
    for o in socket.SO_SNDBUF, socket.SO_RCVBUF:
        s.setsockopt(socket.SOL_SOCKET, o, 1 << 20)
    s.settimeout(2)
    bad = []
    for n, size in enumerate(sizes):
        data = (bytes((i * 5 + n) & 255 for i in range(256)) * (size // 256 + 1))[:size]
        try:
            s.sendto(data, (address, port))
            if s.recv(70000) != data:
                bad.append(size)
        except OSError as e:
            bad.append((size, str(e)))
    return bad


def sizes_to(top):
    """All to 3,100, then every 97th, and all around the sizes at which another fragment is needed."""
    some = set(range(0, 3100)) | set(range(3100, top + 1, 97)) | {top - 1, top}
    for n in range(1, 45):
        some |= {n * 1480 - 8 + d for d in (-1, 0, 1)} | {n * 1448 - 8 + d for d in (-1, 0, 1)}
    return sorted(s for s in some if 0 <= s <= top)


MACHINE = '--tap', 'tap0', '--address', '10.9.0.2/24', '--address', 'fd09::2/64', '--echo', '7'


def ours(r):
    """IPv6 addresses are used when nobody else had them for a second."""
    check(eventually(lambda: 'fd09::2/64 is ours' in r.log), 'the address is not used:', r.log)


def test_ping():
    """Kernel to machine, every size."""
    for more in [], ['--offload']:
        with Run(*MACHINE, *more) as r, Tcpdump('tap0') as dump:
            kernel_end()
            ours(r)
            for address in '10.9.0.2', 'fd09::2':
                said = sh('ping -c 3 -i 0.1 -W 1 %s' % address, check=False)
                check(' 0% packet loss' in said, 'ping', address, more, said)
                bad = echo_icmp(address, sizes_to(65507))
                check(not bad, 'ping', address, more, '- no answer, or another, for', len(bad), 'sizes:', bad[:5])
        c = check_capture(dump.path, 'ping %s' % more, 10000)
        check(c.fragments > 10000, 'ping - only', c.fragments, 'fragments')


def test_udp():
    """Kernel to machine, every size."""
    for more in [], ['--offload']:
        with Run(*MACHINE, *more) as r, Tcpdump('tap0') as dump:
            kernel_end()
            ours(r)
            for address in '10.9.0.2', 'fd09::2':
                bad = echo_udp(address, 7, sizes_to(65507))
                check(not bad, 'UDP', address, more, '- no answer, or another, for', len(bad), 'sizes:', bad[:5])
        if not more:    # with it, what the kernel sends has no checksum yet where tcpdump sees it
            check_capture(dump.path, 'UDP', 10000)


class Echo(threading.Thread):
    """The kernel's side: sends datagrams back."""
    def __init__(self, family, address, port):
        super().__init__(daemon=True)
        self.s = socket.socket(family, socket.SOCK_DGRAM)
        for o in socket.SO_SNDBUF, socket.SO_RCVBUF:
            self.s.setsockopt(socket.SOL_SOCKET, o, 1 << 20)
        self.s.bind((address, port))
        self.start()

    def run(self):
        while True:
            data, peer = self.s.recvfrom(70000)
            self.s.sendto(data, peer)


class Client:
    """tap_client: the machine asks."""
    def __init__(self, *what, before=('10.9.0.2/24', 'fd09::2/64'), device='tap0'):
        self.p = subprocess.Popen([CLIENT, device, *before, '--', *map(str, what)], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        line = self.p.stdout.readline()
        if line != 'up\n':
            raise RuntimeError('tap_client: ' + line)
        kernel_end(device)

    def go(self):
        self.p.stdin.write('\n')
        self.p.stdin.flush()

    def line(self):
        return self.p.stdout.readline().strip()

    def end(self, name):
        out, _ = self.p.communicate(timeout=120)
        check(self.p.returncode == 0, name, '- exit', self.p.returncode, out[:500])
        return out


def test_machine_asks():
    """Machine to kernel: ping and UDP, every size class, blocking calls beside the loop's thread."""
    sizes = sizes_to(65507)[::7] + [65507]
    for address, family in ('10.9.0.1', socket.AF_INET), ('fd09::1', socket.AF_INET6):
        c = Client('ping', address, *sizes)
        with Tcpdump('tap0') as dump:
            c.go()
            c.end('ping from the machine to ' + address)
        if os.path.exists(dump.path):
            check_capture(dump.path, 'ping from the machine', len(sizes))
        c = Client('udp', address, 9, *sizes)
        Echo(family, address, 9)
        c.go()
        c.end('UDP from the machine to ' + address)


def routes(left, right):
    sh('ip route add default via 10.1.0.1', left)
    sh('ip -6 route add default via fd01::1', left)
    sh('ip route add default via 10.2.0.1', right)
    sh('ip -6 route add default via fd02::1', right)


def router(left, right, *more, mtu='1500'):
    return Run('--tap', 't0', '--netns', '/proc/%d/ns/net' % left, '--address', '10.1.0.1/24', '--address',
               'fd01::1/64', *more, '--tap', 't1', '--netns', '/proc/%d/ns/net' % right, '--address', '10.2.0.1/24',
               '--address', 'fd02::1/64', '--mtu', mtu, *more, '--forward')


def two_ends(left, right, r):
    check(eventually(lambda: 'en1: on TAP' in r.log), 'no second interface', r.log)
    kernel_end('t0', left, ('10.1.0.2/24', 'fd01::2/64'))
    kernel_end('t1', right, ('10.2.0.2/24', 'fd02::2/64'))
    routes(left, right)
    check(eventually(lambda: r.log.count('is ours') >= 2), 'addresses are not used', r.log)


def test_router():
    """Through the machine between two kernels: ping with fragments, traceroute, UDP with checksums left to us."""
    for more in [], ['--offload']:
        with Namespace() as left, Namespace() as right, router(left, right, *more) as r, \
                Tcpdump('t1', right) as dump:
            two_ends(left, right, r)
            for to in '10.2.0.2', 'fd02::2':
                for size in 0, 56, 1472, 1473, 20000, 65507:
                    said = sh('ping -c 2 -i 0.1 -W 2 -s %d %s' % (size, to), left, check=False)
                    check(' 0% packet loss' in said, 'ping through the router', more, to, size, said)
            for to, hop in ('10.2.0.2', '10.1.0.1'), ('fd02::2', 'fd01::1'):
                if not shutil.which('traceroute'):
                    left_out.append('traceroute: not installed')
                    break
                said = sh('traceroute -n -q 1 -w 2 -m 5 %s' % to, left)
                hops = [line.split()[1] for line in said.splitlines()[1:]]
                check(hops == [hop, to], 'traceroute', to, said)
            # datagrams whose checksum the kernel left out must leave complete
            script = ('import socket\nfor f, a in ((2, "10.2.0.2"), (10, "fd02::2")):\n'
                      ' s = socket.socket(f, socket.SOCK_DGRAM)\n'
                      ' for n in range(0, 1400, 13): s.sendto(b"x" * n, (a, 4000))\n')
            sh("python3 -c '%s'" % script, left)
        check_capture(dump.path, 'forwarded %s' % more, 100)


def test_path_mtu():
    """A link of 1,400 bytes behind the router: the kernel learns it."""
    with Namespace() as left, Namespace() as right, router(left, right, mtu='1400') as r:
        two_ends(left, right, r)
        sh('ip link set t1 mtu 1400', right)
        for to, command in ('10.2.0.2', 'ping -M do -s 1472'), ('fd02::2', 'ping -s 1452'):
            sh('%s -c 2 -i 0.2 -W 1 %s' % (command, to), left, check=False)
            said = sh('ip route get %s' % to, left)
            check('mtu 1400' in said, 'path MTU', to, said)
            said = sh('ping -c 2 -i 0.1 -W 1 -s 8000 %s' % to, left, check=False)
            check(' 0% packet loss' in said, 'ping over the small link', to, said)
        if shutil.which('tracepath'):
            for to in '10.2.0.2', 'fd02::2':
                said = sh('tracepath -n -m 5 %s' % to, left)
                check('pmtu 1400' in said, 'tracepath', to, said)
        else:
            left_out.append('tracepath: not installed')


def test_machine_learns_mtu():
    """A kernel that routes on to a small link tells the machine, which then cuts its datagrams."""
    with Namespace() as far:
        with Run('--tap', 'tap0', '--address', '10.9.0.2/24', '--gateway', '10.9.0.1', '--echo', '7') as r:
            kernel_end()
            sh('ip link add v0 type veth peer name v1 && ip link set v1 netns %d && ip link set v0 mtu 1300 up && '
               'ip addr add 10.8.0.1/24 dev v0 && sysctl -qw net.ipv4.ip_forward=1' % far)
            sh('ip link set v1 mtu 1300 up && ip addr add 10.8.0.2/24 dev v1 && '
               'ip route add default via 10.8.0.1', far)
            script = ('import socket\ns = socket.socket(2, socket.SOCK_DGRAM)\ns.settimeout(1)\ngood = 0\n'
                      'for i in range(5):\n s.sendto(b"x" * 1400, ("10.9.0.2", 7))\n'
                      ' try: good += len(s.recv(2000)) == 1400\n except OSError: pass\nprint(good)\n')
            good = int(sh("python3 -c '%s'" % script, far))
            check(good >= 3, 'answers over a small link behind the kernel:', good, 'of 5', r.log)
        sh('ip link del v0', check=False)


def test_duplicate_address():
    # the kernel has it
    sh('ip tuntap add dev tap0 mode tap')
    kernel_end(addresses=('10.9.0.2/24', 'fd09::2/64'))
    with Run(*MACHINE) as r:
        check(eventually(lambda: "fd09::2/64 is another station's" in r.log), 'duplicate of IPv6 is not found', r.log)
        check(eventually(lambda: re.search(r'10\.9\.0\.2.*(collision|conflict|duplicate|another)|'
                                           r'(collision|conflict|duplicate).*10\.9\.0\.2', r.log)),
              'duplicate of IPv4 is not found', r.log)
    sh('ip link del tap0', check=False)
    # the machine has it
    with Run(*MACHINE) as r:
        sh('ip link set tap0 up')
        ours(r)
        sh('ip addr add fd09::2/64 dev tap0')
        check(eventually(lambda: 'dadfailed' in sh('ip -6 addr show dev tap0')), 'the kernel does not find it',
              sh('ip -6 addr show dev tap0'))


def test_router_advertisement():
    if shutil.which('radvd') is None:
        left_out.append('router advertisements of radvd: not installed')
        return
    with open(os.path.join(WORK, 'radvd.conf'), 'w') as f:
        f.write('interface tap0 { AdvSendAdvert on; MinRtrAdvInterval 3; MaxRtrAdvInterval 4; AdvLinkMTU 1400;\n'
                ' prefix 2001:db8:77::/64 { AdvOnLink on; AdvAutonomous on; }; };\n')
    with Run('--tap', 'tap0', '--auto6') as r:
        sh('sysctl -qw net.ipv6.conf.all.forwarding=1')
        kernel_end(addresses=('2001:db8:77::1/64', 'fd0a::1/64'))
        p = subprocess.Popen(['radvd', '-n', '-C', os.path.join(WORK, 'radvd.conf'), '-p',
                              os.path.join(WORK, 'radvd.pid'), '-m', 'stderr'], stderr=subprocess.DEVNULL)
        found = re.compile(r'address (2001:db8:77:[0-9a-f:]+)/64 is ours')
        check(eventually(lambda: found.search(r.log), 10), 'no address by router advertisement', r.log)
        m = found.search(r.log)
        if m:
            said = sh('ping -c 2 -i 0.1 -W 1 %s' % m[1], check=False)
            check(' 0% packet loss' in said, 'ping of an address by router advertisement', said)
            # it has a default router, too: an address that is not on the link
            said = sh('ping -c 2 -i 0.1 -W 1 -I fd0a::1 %s' % m[1], check=False)
            check(' 0% packet loss' in said, 'ping from beyond the router', said)
        p.terminate()
        p.wait()
        sh('sysctl -qw net.ipv6.conf.all.forwarding=0')


def test_multicast():
    """Joining is reported, what is sent to the group arrives, both ways."""
    for group, family, kind in ('239.7.7.7', socket.AF_INET, 'IGMP'), ('ff15::77', socket.AF_INET6, 'MLD'):
        c = Client('join', group, 5000, 4)
        with Tcpdump('tap0') as dump:
            c.go()
            check(c.line() == 'joined', kind, 'not joined')
            s = socket.socket(family, socket.SOCK_DGRAM)
            if family == socket.AF_INET:
                s.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, socket.inet_aton('10.9.0.1'))
            else:
                s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_MULTICAST_IF, socket.if_nametoindex('tap0'))
            s.sendto(b'hello', (group, 5000))
            s.sendto(b'nobody', ('239.7.7.8' if family == socket.AF_INET else 'ff15::78', 5000))
            out = c.end(kind)
            check(out.splitlines() == ['got hello'], kind, '- received', out)
        packed = socket.inet_pton(family, group)
        if family == socket.AF_INET:
            reports = [f for f in frames(dump.path) if f[12:14] == b'\x08\0' and f[23] == 2 and packed in f]
        else:
            reports = [f for f in frames(dump.path) if f[12:14] == b'\x86\xdd' and f[20] == 0 and packed in f[54:]]
        check(len(reports) >= 2, kind, '- the kernel saw', len(reports), 'reports of joining and leaving')
        check_capture(dump.path, kind)
        # the kernel is the member
        c = Client('send', group, 5001, 'from the machine')
        s = socket.socket(family, socket.SOCK_DGRAM)
        s.bind(('', 5001))
        s.settimeout(5)
        if family == socket.AF_INET:
            s.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, packed + socket.inet_aton('10.9.0.1'))
        else:
            s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_JOIN_GROUP,
                         packed + struct.pack('@I', socket.if_nametoindex('tap0')))
        c.go()
        try:
            check(s.recv(100) == b'from the machine', kind, '- the kernel received something else')
        except OSError as e:
            check(False, kind, '- the kernel received nothing:', e)
        c.end(kind + ' to the kernel')


def test_dhcp():
    if shutil.which('dhcpd') is None:
        left_out.append('DHCP from dhcpd: not installed')
        return
    lease, conf = os.path.join(WORK, 'leases'), os.path.join(WORK, 'dhcpd.conf')
    open(lease, 'w').close()
    with open(conf, 'w') as f:
        f.write('authoritative; default-lease-time 60; max-lease-time 60;\n'
                'subnet 10.9.0.0 netmask 255.255.255.0 { range 10.9.0.100 10.9.0.110; option routers 10.9.0.1; }\n')
    os.chmod(WORK, 0o777)
    os.chmod(lease, 0o666)
    with Run('--tap', 'tap0', '--dhcp', '--echo', '7') as r:
        kernel_end()
        p = subprocess.Popen(['dhcpd', '-4', '-f', '-d', '-user', 'root', '-group', 'root', '-cf', conf, '-lf', lease,
                              '-pf', os.path.join(WORK, 'dhcpd.pid'), 'tap0'], stderr=subprocess.PIPE, text=True)
        found = re.compile(r'(10\.9\.0\.1\d\d)/24 by DHCP from 10\.9\.0\.1, gateway 10\.9\.0\.1, for 60 s')
        check(eventually(lambda: found.search(r.log), 20), 'no address by DHCP', r.log)
        m = found.search(r.log)
        if m:
            said = sh('ping -c 2 -i 0.1 -W 1 %s' % m[1], check=False)
            check(' 0% packet loss' in said, 'ping of an address by DHCP', said)
    p.terminate()
    said = p.communicate()[1]
    check('DHCPRELEASE of' in said, 'the address is not given back', said[-800:])


def test_link_and_capture():
    """The kernel's end goes down and up; kexts are there; the capture is whole when a signal comes."""
    path = os.path.join(WORK, 'all.pcap')
    kext = os.path.join(BUILD, 'examples', 'ipcount.kext')
    for stop in signal.SIGTERM, signal.SIGINT:
        with Run(*MACHINE, '-w', path, '--kext', kext, stop=stop) as r:
            kernel_end()
            ours(r)
            sh('ping -c 5 -i 0.05 -W 1 10.9.0.2', check=False)
            sh('ip link set tap0 down')
            check(eventually(lambda: 'en0: the link is gone' in r.log), 'the link is not gone', r.log)
            sh('ip link set tap0 up')
            check(eventually(lambda: r.log.count('en0: the link is there') == 2), 'the link is not there', r.log)
            said = sh('ping -c 5 -i 0.05 -W 1 10.9.0.2', check=False)
            check(' 0% packet loss' in said, 'ping after the link came back', said)
        check('ipcount' in r.log, 'the kext says nothing', r.log)
        check_capture(path, 'nke run -w', 20)
        counted = re.search(r'en0 on tap0: in (\d+) frames, .*; out (\d+) frames', r.log)
        check(counted and int(counted[1]) + int(counted[2]) == sum(1 for _ in frames(path)),
              'the capture has another number of frames', r.log)


def test_device():
    """A device of the host, by libpcap: one end of a veth, whose other end is in another namespace."""
    with Namespace() as far:
        sh('ip link add v0 type veth peer name v1 && ip link set v1 netns %d && ip link set v0 up' % far)
        sh('ip link set v1 up && ip addr add 10.7.0.1/24 dev v1 && ip addr add fd07::1/64 dev v1 nodad', far)
        with Run('--device', 'v0', '--address', '10.7.0.2/24', '--address', 'fd07::2/64', '--echo', '7') as r:
            check(eventually(lambda: 'fd07::2/64 is ours' in r.log), 'the address is not used', r.log)
            for to in '10.7.0.2', 'fd07::2':
                for size in 56, 1472, 4000, 65507:
                    said = sh('ping -c 2 -i 0.1 -W 2 -s %d %s' % (size, to), far, check=False)
                    check(' 0% packet loss' in said, 'ping by libpcap', to, size, said)
            sh('ip link set v1 down', far)
            check(eventually(lambda: 'en0: the link is gone' in r.log), 'the link of v0 is not gone', r.log)
        sh('ip link del v0', check=False)


def test_example():
    """examples/udpecho_tap.c, as it is."""
    p = subprocess.Popen([os.path.join(BUILD, 'examples', 'udpecho_tap'), 'tap0', '10.9.0.2'], stdout=subprocess.PIPE,
                         text=True)
    check('port 7' in p.stdout.readline(), 'the example does not begin')
    kernel_end(addresses=('10.9.0.1/24',))
    bad = echo_udp('10.9.0.2', 7, [0, 1, 1000, 1472, 1473, 9000])
    check(not bad, 'the example does not answer', bad)
    p.send_signal(signal.SIGINT)
    out, _ = p.communicate(timeout=10)
    check(p.returncode == 0 and '6 datagrams' in out, 'the example ends with', p.returncode, out)


def test_kexts():
    """The examples with sockets, all at once, while the kernel talks to the machine and the machine to a server."""
    kexts = [a for name in ('appwall', 'connlog', 'rot13', 'vpn', 'httpget', 'tunnel')
             for a in ('--kext', os.path.join(BUILD, 'examples', name + '.kext'))]
    control = os.path.join(WORK, 'control')
    r = Run(*MACHINE, '--echo', '7', '--control', control, *kexts)
    with r:
        kernel_end()
        page = os.urandom(100000)

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(200)
                self.end_headers()
                self.wfile.write(page)

            def log_message(self, *_):
                pass

        server = http.server.HTTPServer(('10.9.0.1', 80), Handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sh('%s sysctl --control %s "net.httpget.get=10.9.0.1 80 /page"' % (NKE, control))
        status = '%s sysctl -n --control %s net.httpget.status net.httpget.bytes' % (NKE, control)
        check(eventually(lambda: sh(status).split() == ['200', str(len(page))]), 'httpget:', sh(status), r.log)
        server.shutdown()
        text = bytes(range(256)) * 400
        for address in '10.9.0.2', 'fd09::2', '10.9.0.2':
            with socket.create_connection((address, 7), 10) as s:
                s.settimeout(10)
                got = b''
                sender = threading.Thread(target=s.sendall, args=(text,))
                sender.start()
                while len(got) < len(text):
                    got += s.recv(65536)
                sender.join()
                check(got == text, address, 'turned twice, and not what it was')
        bad = echo_udp('10.9.0.2', 7, [0, 1, 1000, 1472, 1473, 9000])
        check(not bad, 'no answer by UDP', bad)
    check(re.search(r'connlog: 4 records, 4 not read', r.log), 'connlog:', r.log)
    check(re.search(r'appwall: \d+ allowed, 0 denied', r.log), 'appwall:', r.log)


def test_refused():
    """What cannot be opened is told in a line, exit status 2."""
    for args, text in ((['--device', 'nowhere0'], 'nowhere0'), (['--tap', 'lo'], "TAP device 'lo'"),
                       (['--tap', 'tap0', '--netns', 'nowhere'], 'nowhere'),
                       (['--tap', 'tap0', '-w', '/nowhere/x.pcap'], '/nowhere/x.pcap')):
        p = subprocess.run([NKE, 'run', '--quiet', *args], capture_output=True, text=True, timeout=20)
        check(p.returncode == 2 and text in p.stderr and len(p.stderr.splitlines()) == 1, args, p.returncode, p.stderr)
    with Run(*MACHINE):
        p = subprocess.run([NKE, 'run', '--quiet', '--tap', 'tap0'], capture_output=True, text=True, timeout=20)
        check(p.returncode == 2 and 'busy' in p.stderr, 'TAP twice', p.returncode, p.stderr)
    # the device is taken away
    r = Run('--tap', 'tap0')
    with r:
        sh('ip link del tap0')
        check(eventually(lambda: r.p.poll() is not None), 'nke run goes on without its device', r.log)
        check(r.p.returncode == 2 and 'tap0' in r.log, 'device gone:', r.p.returncode, r.log)
        r.p.returncode = 0


def main(there):
    sh('ip link set lo up')
    tests = [(n, f) for n, f in there.items() if n.startswith('test_') and (not ONLY or n[5:] in ONLY)]
    if not tests:
        sys.exit('no such tests: %s' % ONLY)
    for name, test in tests:
        start = time.monotonic()
        before = len(failures)
        try:
            test()
        except Exception as e:
            check(False, name, '-', type(e).__name__, e)
        sh('ip link del tap0 2>/dev/null', check=False)
        print('%-6s %s, %.1f s' % ('ok' if len(failures) == before else 'FAILED', name, time.monotonic() - start),
              flush=True)
    for what in left_out:
        print('left out:', what)
    shutil.rmtree(WORK, ignore_errors=True)
    return 1 if failures else 0


if __name__ == '__main__':
    sys.exit(main(globals()))
