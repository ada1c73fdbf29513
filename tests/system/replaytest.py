"""What the tests of `nke replay` share: captures made and read byte by byte, packets, running the tool.

A capture is a list of Frame; a link type frames IP packets (LINKS); a format is what is written
around them (pcap(), pcapng()). Nothing here knows how libnke does it.
"""
import json
import os
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

HOST_MAC, PEER_MAC = bytes.fromhex('020000000001'), bytes.fromhex('0200000000fe')
HOST4, PEER4 = '10.1.0.2', '10.1.0.1'
HOST6, PEER6 = 'fd00:1::2', 'fd00:1::1'
START = 1700000000 * 10**9      # of the clock, in nanoseconds


# ---- packets ------------------------------------------------------------------------------------

def checksum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return ~total & 0xffff


def addr(text):
    return socket.inet_pton(socket.AF_INET6 if ':' in text else socket.AF_INET, text)


def ip4(src, dst, proto, payload, ident=1, flags=0, offset=0, ttl=64, tos=0, options=b''):
    hl = 20 + len(options)
    head = struct.pack('>BBHHHBBH', 0x40 | hl // 4, tos, hl + len(payload), ident,
                       flags << 13 | offset // 8, ttl, proto, 0) + addr(src) + addr(dst) + options
    return head[:10] + struct.pack('>H', checksum(head)) + head[12:] + payload


def ip6(src, dst, proto, payload, extension=b'', tclass=0, hops=64):
    """`extension` are whole extension headers, the last of which names `proto`; `proto` is then the first's."""
    return struct.pack('>IHBB', 6 << 28 | tclass << 20, len(extension) + len(payload), proto, hops) + \
        addr(src) + addr(dst) + extension + payload


def pseudo(src, dst, proto, length):
    if ':' in src:
        return addr(src) + addr(dst) + struct.pack('>IHBB', length, 0, 0, proto)
    return addr(src) + addr(dst) + struct.pack('>BBH', 0, proto, length)


def udp_segment(src, dst, sport, dport, data):
    head = struct.pack('>HHHH', sport, dport, 8 + len(data), 0)
    sum_ = checksum(pseudo(src, dst, 17, 8 + len(data)) + head + data) or 0xffff
    return head[:6] + struct.pack('>H', sum_) + data


def ip(src, dst, proto, payload, **more):
    return (ip6 if ':' in src else ip4)(src, dst, proto, payload, **more)


def udp(src, dst, sport, dport, data, **more):
    return ip(src, dst, 17, udp_segment(src, dst, sport, dport, data), **more)


def tcp(src, dst, sport, dport, flags=0x10, data=b'', seq=1, **more):
    head = struct.pack('>HHIIBBHHH', sport, dport, seq, 1, 0x50, flags, 8192, 0, 0)
    sum_ = checksum(pseudo(src, dst, 6, 20 + len(data)) + head + data)
    return ip(src, dst, 6, head[:16] + struct.pack('>H', sum_) + head[18:] + data, **more)


def fragments(src, dst, proto, payload, ident, size=None, extension=b'', first=None, ecn=None):
    """The datagram in pieces of `size` bytes of payload. `extension`: IPv6 headers before the fragment
    header, the last of which names it (44); `first`: what the fixed header then names."""
    pieces = []
    size = size or (1440 if ':' in src else 1480)
    for n, at in enumerate(range(0, len(payload), size)):
        part, more = payload[at:at + size], at + size < len(payload)
        tos = ecn[n] if ecn else 0
        if ':' in src:
            frag = struct.pack('>BBHI', proto, 0, at | more, ident)
            pieces.append(ip6(src, dst, 44 if first is None else first, part, extension=extension + frag, tclass=tos))
        else:
            pieces.append(ip4(src, dst, proto, part, ident=ident, flags=1 if more else 0, offset=at,
                              tos=tos))
    return pieces


def pattern(length, seed=0):
    return bytes((i * 7 + i // 251 + seed) & 0xff for i in range(length))


# ---- links --------------------------------------------------------------------------------------

def is6(packet):
    return packet[0] >> 4 == 6


def ethernet(packet, out, **more):
    a, b = (PEER_MAC, HOST_MAC) if out else (HOST_MAC, PEER_MAC)
    return a + b + (b'\x86\xdd' if is6(packet) else b'\x08\x00') + packet


def cooked1(packet, out):
    return struct.pack('>HHH', 4 if out else 0, 1, 6) + (HOST_MAC if out else PEER_MAC) + b'\0\0' + \
        (b'\x86\xdd' if is6(packet) else b'\x08\x00') + packet


def cooked2(packet, out):
    return (b'\x86\xdd' if is6(packet) else b'\x08\x00') + struct.pack(
        '>HIHBB', 0, 2, 1, 4 if out else 0, 6) + (HOST_MAC if out else PEER_MAC) + b'\0\0' + packet


def family_header(order, six):
    return lambda packet, out: struct.pack(order + 'I', six if is6(packet) else 2) + packet


class Link:
    def __init__(self, name, linktype, frame, header, families=(4, 6)):
        self.name, self.type, self.frame, self.header = name, linktype, frame, header
        self.families = families


LINKS = [
    Link('ethernet', 1, ethernet, 14),
    Link('raw', 101, lambda p, out: p, 0),
    Link('raw4', 228, lambda p, out: p, 0, families=(4,)),
    Link('raw6', 229, lambda p, out: p, 0, families=(6,)),
    Link('null-le-darwin', 0, family_header('<', 30), 4),
    Link('null-be-freebsd', 0, family_header('>', 28), 4),
    Link('loop', 108, family_header('>', 24), 4),
    Link('sll', 113, cooked1, 16),
    Link('sll2', 276, cooked2, 20),
]
ETHERNET = LINKS[0]


def link_named(name):
    return next(link for link in LINKS if link.name == name)


# ---- captures -----------------------------------------------------------------------------------

class Frame:
    def __init__(self, time_ns, data, length=None):
        self.time_ns, self.data = time_ns, data
        self.length = len(data) if length is None else length

    def key(self, unit=1):
        return self.time_ns // unit * unit, self.data, self.length

    def __repr__(self):
        return 'Frame(%d, %d of %d bytes, %s)' % (self.time_ns, len(self.data), self.length,
                                                  self.data[:80].hex())


def pcap(frames, linktype=1, order='<', nano=False, snaplen=262144):
    out = struct.pack(order + 'IHHiIII', 0xa1b23c4d if nano else 0xa1b2c3d4, 2, 4, 0, 0, snaplen,
                      linktype)
    unit = 1 if nano else 1000
    return out + b''.join(struct.pack(order + 'IIII', f.time_ns // 10**9,
                                      f.time_ns % 10**9 // unit, len(f.data), f.length) + f.data
                          for f in frames)


def block(order, kind, body):
    body += b'\0' * (-len(body) % 4)
    return struct.pack(order + 'II', kind, len(body) + 12) + body + struct.pack(order + 'I', len(body) + 12)


def section(order='<'):
    return block(order, 0x0a0d0d0a, struct.pack(order + 'IHHq', 0x1a2b3c4d, 1, 0, -1))


def interface(linktype, order='<', snaplen=262144, resolution=None):
    options = b'' if resolution is None else struct.pack(order + 'HHB3xHH', 9, 1, resolution, 0, 0)
    return block(order, 1, struct.pack(order + 'HHI', linktype, 0, snaplen) + options)


def enhanced(frame, number=0, order='<', unit=1000):
    t = frame.time_ns // unit
    data = frame.data + b'\0' * (-len(frame.data) % 4)
    return block(order, 6, struct.pack(order + 'IIIII', number, t >> 32, t & 0xffffffff,
                                       len(frame.data), frame.length) + data)


def simple(frame, order='<'):
    return block(order, 3, struct.pack(order + 'I', frame.length) + frame.data)


def pcapng(frames, linktype=1, order='<', resolution=6, interfaces=1):
    out = section(order) + interface(linktype, order, resolution=resolution) * interfaces
    return out + b''.join(enhanced(f, i % interfaces, order, 10**(9 - resolution))
                          for i, f in enumerate(frames))


def parse(raw, name='capture'):
    """(frames, linktype) of a complete pcap file."""
    assert len(raw) >= 24, '%s: only %d bytes' % (name, len(raw))
    order = '<' if raw[:4] in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
    magic, _, _, _, _, _, linktype = struct.unpack(order + 'IHHiIII', raw[:24])
    assert magic in (0xa1b2c3d4, 0xa1b23c4d), name + ': no pcap file'
    unit = 1 if magic == 0xa1b23c4d else 1000
    frames, at = [], 24
    while at < len(raw):
        assert at + 16 <= len(raw), name + ': cut off in a header'
        sec, frac, caplen, length = struct.unpack(order + 'IIII', raw[at:at + 16])
        assert at + 16 + caplen <= len(raw), name + ': cut off in a frame'
        assert caplen <= length, name + ': more captured than there was'
        frames.append(Frame(sec * 10**9 + frac * unit, raw[at + 16:at + 16 + caplen], length))
        at += 16 + caplen
    return frames, linktype


def spaced(datas, start=START, step=1000000):
    return [Frame(start + i * step, d) for i, d in enumerate(datas)]


# ---- the tool -----------------------------------------------------------------------------------

class Result:
    def __init__(self, code, out, err, json_text, raw):
        self.code, self.out, self.err, self.raw = code, out, err, raw
        self.json = json.loads(json_text) if json_text else None

    @property
    def packets(self):
        return self.json['packets'] if self.json else dict.fromkeys(
            ('read', 'in', 'out', 'kept', 'changed', 'written'), -1)

    @property
    def filters(self):
        return self.json['filters'] if self.json else []

    @property
    def frames(self):
        return parse(self.raw)[0] if self.raw else []

    def complaints(self):
        """What the tool itself says on standard error (kexts' and the kernel's lines begin with the time)."""
        return [line for line in self.err.splitlines() if line.startswith('nke')]

    def said(self, kext):
        """Log lines of a kext, without time and name."""
        mark = ' %s: ' % kext
        return [line.split(mark, 1)[1] for line in self.err.splitlines() if mark in line]


class Test:
    """Runs nke, counts what is not as it should be."""

    def __init__(self, build, source):
        self.build, self.source = build, source
        self.nke = os.path.join(build, 'nke')
        self.kexts = os.path.join(build, 'tests/data/kexts')
        self.examples = os.path.join(build, 'examples')
        self.day = os.path.join(source, 'tests/data/host-day.pcap')
        self.dir = tempfile.mkdtemp(prefix='nke-replay-')
        self.failures = self.checks = 0

    def path(self, name):
        return os.path.join(self.dir, name)

    def kext(self, name):
        for folder in (self.kexts, self.examples):
            if os.path.isdir(os.path.join(folder, name + '.kext')):
                return os.path.join(folder, name + '.kext')
        raise FileNotFoundError(name + '.kext')

    def fail(self, *what):
        self.failures += 1
        print('FAILED:', *what)
        sys.stdout.flush()

    def check(self, good, *what):
        self.checks += 1
        if not good:
            self.fail(*what)
        return good

    def equal(self, got, want, *what):
        return self.check(got == want, *what, '- got %r, expected %r' % (got, want))

    def save(self, name, data):
        with open(self.path(name), 'wb') as f:
            f.write(data)
        return self.path(name)

    def tool(self, *args, stdin=None, timeout=60, stdout=subprocess.PIPE):
        try:
            p = subprocess.run([self.nke, *args], input=stdin, stdout=stdout, stderr=subprocess.PIPE,
                               timeout=timeout)
        except subprocess.TimeoutExpired:
            self.fail('hangs: nke', *args)
            return Result(-1, b'', '', None, b'')
        err = p.stderr.decode(errors='replace')
        if 'Sanitizer' in err or 'runtime error' in err:
            self.fail('sanitizer: nke %s\n%s' % (' '.join(args), err[:4000]))
        return Result(p.returncode, p.stdout, err, None, b'')

    def replay(self, data, *options, kexts=(), check=True, expect=0, what='replay', timeout=60):
        """Replays the bytes of a capture to a file, with a JSON report. `kexts` are names."""
        source = self.save('in.pcap', data) if isinstance(data, bytes) else data
        for name in ('out.pcap', 'out.json'):
            if os.path.exists(self.path(name)):
                os.remove(self.path(name))
        args = ['replay', '--quiet', '-w', self.path('out.pcap'), '--json', self.path('out.json')]
        for name in kexts:
            args += ['--kext', self.kext(name)]
        if check:
            args.append('--check')
        r = self.tool(*args, *options, source, timeout=timeout)
        for name, field in (('out.pcap', 'raw'), ('out.json', 'json')):
            if os.path.exists(self.path(name)):
                with open(self.path(name), 'rb') as f:
                    content = f.read()
                setattr(r, field, json.loads(content) if field == 'json' and content else content)
        if expect is not None:
            self.check(r.code == expect, what, '- exit %d, expected %d:\n%s' % (
                r.code, expect, r.err[-1500:]))
        if r.json:
            self.consistent(r.json, what)
        return r

    def consistent(self, report, what):
        p = report['packets']
        if report['exit'] == 4:
            return      # a panic in the middle: some were not decided
        self.equal(p['kept'] + p['changed'] + p['swallowed'] + p['dropped'] + p['no_memory'], p['read'],
                   what, '- sum of fates')
        self.equal(p['in'] + p['out'], p['read'], what, '- in and out')
        for f in report['filters']:
            self.equal(f['passed'] + f['changed'] + f['swallowed'] + f['dropped'],
                       f['seen_in'] + f['seen_out'], what, '- sums of filter', f['name'])

    def same_frames(self, got, want, *what, unit=1):
        self.checks += 1
        if isinstance(got, bytes):
            try:
                got = parse(got)[0]
            except AssertionError as e:
                return self.fail(*what, '-', e)
        got, want = [f.key(unit) for f in got], [f.key(unit) for f in want]
        if got == want:
            return True
        first = next((i for i, (a, b) in enumerate(zip(got, want)) if a != b), min(len(got), len(want)))

        def show(frames):
            if first >= len(frames):
                return 'nothing'
            t, data, length = frames[first]
            return '%d ns, %d of %d bytes, %s' % (t - START, len(data), length, data[:64].hex())
        self.fail(*what, '- %d frames, expected %d; first difference at %d:\n  got  %s\n  want %s' % (
            len(got), len(want), first + 1, show(got), show(want)))
        return False

    def one_complaint(self, r, *what, text=()):
        lines = r.complaints()
        self.check(len(lines) == 1, *what, '- expected one line, got %r' % r.err[-800:])
        for t in text:
            self.check(any(t in line for line in lines), *what, '- %r is not in %r' % (t, r.err[-800:]))


def main(test):
    """Runs test(Test) with the folders the command line names."""
    t = Test(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]))
    try:
        test(t)
    finally:
        shutil.rmtree(t.dir, ignore_errors=True)
    print('%d checks, %d failures' % (t.checks, t.failures))
    sys.exit(1 if t.failures else 0)
