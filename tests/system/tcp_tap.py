"""TCP of machines on TAP devices against the host's kernel. Run in a network namespace of its own by tap.sh.

    [ kernel tap0 10.9.0.1, fd09::1 ]----- TAP -----[ en0 10.9.0.2, fd09::2 machine ]

and, where the way is to be bad, behind a router and a wire that loses, doubles, turns bits, reorders and
delays both ways:

    [ kernel ]-- TAP --[ 10.9.0.2 router 10.10.0.1 ]-- wire --[ 10.10.0.2, fd10::2 machine ]
"""
import hashlib
import json
import os
import random
import shutil
import socket
import subprocess
import sys
import threading
import time

import tap as live
from tap import WORK, check, eventually, kernel_end, sh

PEER = os.path.join(live.BUILD, 'tcp_peer')
BIG = int(os.environ.get('NKE_TCP_OCTETS', 100 << 20))
ADDRESSES = '10.9.0.2/24', 'fd09::2/64'
BEHIND = '10.10.0.2', 'fd10::2'
# loss, reordering, doubling, turned bits and delay, alone and together; octets so that each takes seconds
BAD_WAYS = (
    ('loss=0.01,delay=1', 8 << 20), ('loss=0.03,delay=1', 4 << 20), ('loss=0.1,delay=1', 1 << 20),
    ('reorder=0.2,delay=2', 8 << 20), ('duplicate=0.1,delay=1', 8 << 20), ('corrupt=0.02,delay=1', 4 << 20),
    ('delay=20,jitter=5', 8 << 20),
    ('loss=0.02,reorder=0.05,duplicate=0.02,corrupt=0.01,delay=2,jitter=1', 2 << 20),
)


class Peer:
    """tcp_peer, one mode of it."""
    def __init__(self, *what, through=None, offload=False, addresses=ADDRESSES):
        args = [PEER, 'tap0', *(['offload'] if offload else []), *(['through=' + through] if through else []),
                *addresses, '--', *map(str, what)]
        self.p = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.what = args[2:]
        if not eventually(lambda: 'tap0:' in sh('ip link show tap0', check=False) or self.p.poll() is not None):
            raise RuntimeError('no TAP device: %s' % self.what)
        kernel_end()
        if through:
            sh('ip route add 10.10.0.0/24 via 10.9.0.2')
            sh('ip -6 route add fd10::/64 via fd09::2')

    def ready(self):
        line = self.p.stdout.readline()
        check(line == 'ready\n', self.what, 'says', line)
        return self

    def wait(self, seconds=120):
        try:
            out, _ = self.p.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.p.kill()
            out, _ = self.p.communicate()
            check(False, self.what, 'does not end:', out)
            return out
        check(self.p.returncode == 0, self.what, 'ends with', self.p.returncode, out)
        return out

    def __enter__(self):
        return self

    def __exit__(self, kind, value, trace):
        if self.p.poll() is None:
            self.p.terminate()
        out, _ = self.p.communicate(timeout=10)
        check(self.p.returncode == 0, self.what, 'ends with', self.p.returncode, out)
        sh('ip link del tap0 2>/dev/null', check=False)


def make_file(octets):
    path = os.path.join(WORK, 'file.%d' % octets)
    if not os.path.exists(path):
        r = random.Random(octets)
        with open(path, 'wb') as f:
            block = r.randbytes(1 << 20)
            for i in range(octets >> 20):
                f.write(i.to_bytes(8, 'big') + block[8:])
    return path


def same(a, b):
    def digest(path):
        with open(path, 'rb') as f:
            return hashlib.file_digest(f, 'sha256').digest() if hasattr(hashlib, 'file_digest') else \
                hashlib.sha256(f.read()).digest()
    return os.path.exists(a) and os.path.getsize(a) == os.path.getsize(b) and digest(a) == digest(b)


class WebServer:
    """lighttpd, or Python's own, with the files of WORK, for both families at port 8080."""
    def __enter__(self):
        program = shutil.which('lighttpd', path=os.environ['PATH'] + ':/usr/sbin')
        if program:
            conf = os.path.join(WORK, 'lighttpd.conf')
            with open(conf, 'w') as f:
                f.write('server.document-root = "%s"\nserver.port = 8080\n$SERVER["socket"] == "[::]:8080" { }\n' % WORK)
            args = [program, '-D', '-f', conf]
        else:
            args = [sys.executable, '-m', 'http.server', '8080', '--bind', '::', '--directory', WORK]
        self.p = subprocess.Popen(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        check(eventually(lambda: self.answers()), 'the web server does not begin')
        return self

    @staticmethod
    def answers():
        try:
            socket.create_connection(('127.0.0.1', 8080), 1).close()
            return True
        except OSError:
            return False

    def __exit__(self, *_):
        self.p.terminate()
        self.p.wait()


def curl(url, out, seconds=120):
    p = subprocess.run(['curl', '-s', '-S', '-g', '-m', str(seconds), '-o', out, url], capture_output=True, text=True)
    return '' if p.returncode == 0 else 'curl %s: %d %s' % (url, p.returncode, p.stderr)


def url(host, path='', port=8080):
    return 'http://%s:%d/%s' % ('[%s]' % host if ':' in host else host, port, path)


def fetch(host, octets, **how):
    """The machine gets a file from a real web server."""
    path, got = make_file(octets), os.path.join(WORK, 'got')
    if os.path.exists(got):
        os.unlink(got)
    start = time.monotonic()
    with Peer('get', host, 8080, '/' + os.path.basename(path), got, **how) as peer:
        peer.wait()
    check(same(got, path), 'got from', host, how, '- another file')
    return octets / (time.monotonic() - start)


def serve(hosts, octets, **how):
    """A real client gets a file from the machine."""
    path, got = make_file(octets), os.path.join(WORK, 'got')
    with Peer('serve', 80, path, **how) as peer:
        peer.ready()
        for host in hosts:
            if os.path.exists(got):
                os.unlink(got)
            said = curl(url(host, port=80), got)
            check(not said and same(got, path), 'served to', host, how, said or '- another file')


def test_get():
    """100 MB from a real web server, both families, with and without offloads."""
    with WebServer():
        for offload in False, True:
            for host in '10.9.0.1', 'fd09::1':
                fetch(host, BIG, offload=offload)


def test_serve():
    """100 MB to a real client."""
    if not shutil.which('curl'):
        live.left_out.append('serving: there is no curl')
        return
    for offload in False, True:
        serve(('10.9.0.2', 'fd09::2'), BIG, offload=offload)


def test_get_bad_way():
    """From a real web server by a way that loses, doubles, reorders, turns bits, delays."""
    with WebServer():
        for n, (way, octets) in enumerate(BAD_WAYS):
            fetch(('10.9.0.1', 'fd09::1')[n % 2], octets, through=way)


def test_serve_bad_way():
    if not shutil.which('curl'):
        live.left_out.append('serving: there is no curl')
        return
    for n, (way, octets) in enumerate(BAD_WAYS):
        serve((BEHIND[(n + 1) % 2],), octets, through=way)


def take_all(listener, count, end):
    """The kernel's side of churn."""
    for _ in range(count):
        s, _ = listener.accept()
        s.settimeout(10)
        try:
            s.recv(1)
        except OSError:
            pass
        s.close()
    end.append(True)


def expert(path):
    """What tshark's expert calls malformed."""
    if not shutil.which('tshark'):
        live.left_out.append('looking for malformed segments: there is no tshark')
        return
    # the kernel's own sums are its own affair: it sends 0xffff, which the expert does not like
    said = sh('tshark -r %s -o tcp.check_checksum:TRUE -Y "(_ws.malformed || tcp.checksum.status == 0) && '
              '(ip.src == 10.9.0.2 || ipv6.src == fd09::2)" 2>/dev/null' % path, timeout=120)
    check(not said.strip(), 'tshark finds malformed segments:', said[:400])


def test_churn():
    """10,000 connections opened and closed, both ways; no segment is malformed."""
    count = 10000
    listener = socket.create_server(('', 9000), backlog=1024)
    done = []
    threading.Thread(target=take_all, args=(listener, count, done), daemon=True).start()
    with Peer('churn', '10.9.0.1', 9000, count) as peer, live.Tcpdump('tap0') as dump:
        peer.wait()
    check(eventually(lambda: done), 'the kernel did not get', count, 'connections')
    expert(dump.path)
    with Peer('accept', 9001, count) as peer, live.Tcpdump('tap0') as dump:
        peer.ready()
        for n in range(count):
            s = socket.create_connection(('10.9.0.2', 9001), 10)
            if n % 2 == 0:
                s.shutdown(socket.SHUT_WR)
                check(s.recv(1) == b'', 'no end of connection', n)
            s.close()
        peer.wait()
    expert(dump.path)


def test_bulk():
    """Octets both ways at once, and a capture of it."""
    total = 16 << 20
    data = bytes(range(256)) * 256
    with Peer('echo', 7) as peer, live.Tcpdump('tap0') as dump:
        peer.ready()
        for host in '10.9.0.2', 'fd09::2':
            s = socket.create_connection((host, 7), 10)
            s.settimeout(30)

            def send():
                for _ in range(total // len(data)):
                    s.sendall(data)
                s.shutdown(socket.SHUT_WR)
            threading.Thread(target=send, daemon=True).start()
            got = hashlib.sha256()
            want = hashlib.sha256(data * (total // len(data)))
            while True:
                piece = s.recv(1 << 18)
                if not piece:
                    break
                got.update(piece)
            check(got.digest() == want.digest(), 'echo of', host, 'is another')
            s.close()
    expert(dump.path)


def iperf(host, *options):
    """What a real iperf3 client says of its test of the machine."""
    p = subprocess.run(['iperf3', '-J', '-c', host, *options], capture_output=True, text=True, timeout=60)
    said = json.loads(p.stdout or '{}')
    return said.get('end', {}), said.get('error', p.stderr)


def iperf_counts(host, ways, *options):
    """
    Both ends count the same octets, but for what is under way when the client has enough. In a run of a second
    that is all that is sent until the other end hears of it, however busy the host is.
    """
    end, wrong = iperf(host, *options)
    check(not wrong, 'iperf3 to', host, options, '-', wrong)
    for way in ways:
        sent, got = (end.get(kind + way, {}).get('bytes', 0) for kind in ('sum_sent', 'sum_received'))
        more = 32 << 20 if '-n' in options else sent // 2
        check(got > 0 and -1 << 20 < sent - got < more, 'iperf3 to', host, options, way, '- sent', sent,
              'received', got)
    return end.get('sum_sent', {})


def test_iperf():
    """iperf3's client with the machine as its server: every way, many streams, over a bad way, what it refuses."""
    if not shutil.which('iperf3'):
        live.left_out.append('iperf3 with the machine: there is no iperf3')
        return
    for offload, host in (False, '10.9.0.2'), (True, 'fd09::2'):
        with Peer('iperf', 5201, offload=offload) as peer:
            peer.ready()
            iperf_counts(host, [''], '-n', '64M')
            iperf_counts(host, [''], '-n', '64M', '-R')
            iperf_counts(host, ['', '_bidir_reverse'], '-t', '1', '--bidir')
            iperf_counts(host, [''], '-t', '1', '-P', '4')
            iperf_counts(host, [''], '-t', '1', '-P', '4', '-R')
            wrong = iperf(host, '-u')[1]
            check('not implemented' in wrong, 'iperf3 -u is told', wrong)
    with Peer('iperf', 5201, through='loss=0.01,reorder=0.02,delay=1') as peer:
        peer.ready()
        iperf_counts(BEHIND[0], [''], '-t', '2')
        sent = iperf_counts(BEHIND[1], [''], '-t', '2', '-R')
        check(sent['retransmits'] > 0, 'nothing was sent again over a way that loses:', sent)


def test_refused():
    """Nobody listens: the machine is told, and tells."""
    with Peer('echo', 7) as peer:
        peer.ready()
        for host in '10.9.0.2', 'fd09::2':
            try:
                socket.create_connection((host, 8), 5)
                check(False, 'somebody listens at', host)
            except ConnectionRefusedError:
                pass
    peer = Peer('source', '10.9.0.1', 8, 1)
    out, _ = peer.p.communicate(timeout=20)
    check(peer.p.returncode == 1 and 'refused' in out, 'nobody listens at the kernel:', out)


if __name__ == '__main__':
    sys.exit(live.main(globals()))
