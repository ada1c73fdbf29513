#!/usr/bin/env python3
"""Reads Ethernet captures without help of any library, for the checks of the tests.

usage: pcaptool.py count FILE EXPRESSION          how many frames it is true for
       pcaptool.py filter IN OUT EXPRESSION       writes those
       pcaptool.py datagrams FILE EXPRESSION      how many whole datagrams it is true for
       pcaptool.py compare A B [data]             the same frames (at the same times)?
       pcaptool.py checksums FILE                 verifies every checksum, prints how many
       pcaptool.py headerlog FILE HOST-LLADDR     what examples/headerlog.c has to say
       pcaptool.py ipcount FILE HOST-LLADDR       what examples/ipcount.c has to say
       pcaptool.py cxxcount FILE HOST-LLADDR      what examples/cxxcount.cpp has to say
       pcaptool.py rewritten IN OUT               did examples/rewrite.c do its work?
       pcaptool.py delayed IN OUT MS              did examples/delay.c?
       pcaptool.py probes OUT                     writes a capture for examples/etherproto.c
       pcaptool.py answered OUT                   did etherproto answer it?

An expression is Python's, over the fields of Packet: 'udp and 53 in (sport, dport)'.
"""
import socket
import struct
import sys

EXTENSION_HEADERS = (0, 43, 60)


class Packet:
    """A frame. Fields that its headers do not have are None."""

    def __init__(self, time_us, data, length):
        self.time_us, self.data, self.length = time_us, data, length
        self.dst_mac, self.src_mac = data[0:6], data[6:12]
        self.type = struct.unpack('>H', data[12:14])[0] if len(data) >= 14 else None
        self.version = self.src = self.dst = self.proto = self.next_header = None
        self.sport = self.dport = self.icmp = self.payload = None
        self.fragment = False       # one of several
        self.offset = 0             # of the fragment, in bytes
        self.more = False
        self.key = None             # the same for all fragments of a datagram
        try:
            if self.type == 0x0800:
                self.parse4(data[14:])
            elif self.type == 0x86dd:
                self.parse6(data[14:])
        except (IndexError, struct.error):
            pass

    def parse4(self, ip):
        length, ident, frag = struct.unpack('>HHH', ip[2:8])
        self.version, self.proto = 4, ip[9]
        self.src, self.dst = socket.inet_ntop(socket.AF_INET, ip[12:16]), socket.inet_ntop(
            socket.AF_INET, ip[16:20])
        self.more, self.offset = bool(frag & 0x2000), (frag & 0x1fff) * 8
        self.fragment = self.more or self.offset > 0
        self.key = (self.src, self.dst, ident, self.proto)
        self.ip_header = ip[:(ip[0] & 15) * 4]
        self.payload = ip[len(self.ip_header):length]
        self.parse_transport()

    def parse6(self, ip):
        length, self.next_header = struct.unpack('>HB', ip[4:7])
        self.version, self.proto = 6, self.next_header
        self.src, self.dst = socket.inet_ntop(socket.AF_INET6, ip[8:24]), socket.inet_ntop(
            socket.AF_INET6, ip[24:40])
        off, end, ident = 40, 40 + length, 0
        while self.proto in EXTENSION_HEADERS:
            self.proto, off = ip[off], off + (ip[off + 1] + 1) * 8
        if self.proto == 44:
            self.proto, _, frag, ident = struct.unpack('>BBHI', ip[off:off + 8])
            self.more, self.offset, self.fragment = bool(frag & 1), frag & 0xfff8, True
            off += 8
        self.key = (self.src, self.dst, ident, self.proto)
        self.ip_header = ip[:40]
        self.payload = ip[off:end]
        self.parse_transport()

    def parse_transport(self):
        if self.offset > 0:
            return
        if self.proto in (6, 17) and len(self.payload) >= 4:
            self.sport, self.dport = struct.unpack('>HH', self.payload[:4])
        elif self.proto in (1, 58):
            self.icmp = self.payload[0]

    @property
    def tcp(self):
        return self.proto == 6

    @property
    def udp(self):
        return self.proto == 17

    @property
    def echo(self):
        return (self.proto == 1 and self.icmp in (0, 8)) or (
            self.proto == 58 and self.icmp in (128, 129))

    def fields(self):
        names = {n: getattr(self, n) for n in dir(self) if not n.startswith('__')}
        return names


def read(path):
    """The packets of a capture; fragments know the ports of their datagram."""
    raw = open(path, 'rb').read()
    magic = raw[:4]
    order = '<' if magic in (b'\xd4\xc3\xb2\xa1', b'\x4d\x3c\xb2\xa1') else '>'
    assert struct.unpack(order + 'I', magic)[0] in (0xa1b2c3d4, 0xa1b23c4d), path + ': no pcap file'
    unit = 1000 if struct.unpack(order + 'I', magic)[0] == 0xa1b23c4d else 1
    packets, at, first = [], 24, {}
    while at < len(raw):
        assert at + 16 <= len(raw), path + ': cut off in a header'
        sec, frac, caplen, length = struct.unpack(order + 'IIII', raw[at:at + 16])
        assert at + 16 + caplen <= len(raw), path + ': cut off in a frame'
        p = Packet(sec * 1000000 + frac // unit, raw[at + 16:at + 16 + caplen], length)
        packets.append(p)
        if p.fragment and p.offset == 0:
            first[p.key] = p
        elif p.fragment and p.key in first:
            f = first[p.key]
            p.sport, p.dport, p.icmp = f.sport, f.dport, f.icmp
        at += 16 + caplen
    return packets


def write(path, packets):
    with open(path, 'wb') as f:
        f.write(struct.pack('<IHHiIII', 0xa1b2c3d4, 2, 4, 0, 0, 262144, 1))
        for p in packets:
            f.write(struct.pack('<IIII', p.time_us // 1000000, p.time_us % 1000000, len(p.data),
                                p.length) + p.data)


def matching(packets, expression):
    code = compile(expression, 'expression', 'eval')
    return [p for p in packets if eval(code, {}, p.fields())]


# ---- checksums ----------------------------------------------------------------------------------

def ones_sum(data):
    if len(data) % 2:
        data += b'\0'
    total = sum(struct.unpack('>%dH' % (len(data) // 2), data))
    while total >> 16:
        total = (total & 0xffff) + (total >> 16)
    return total


def datagrams(packets):
    """(packets, payload) of every datagram that is there as a whole, in order of its last piece."""
    open_ones, whole = {}, []
    for p in packets:
        if p.version is None or p.payload is None:
            continue
        if not p.fragment:
            whole.append(([p], p.payload))
            continue
        pieces = open_ones.setdefault(p.key, [])
        pieces.append(p)
        by_offset = {q.offset: q for q in pieces}
        at, payload, last = 0, b'', None
        while at in by_offset and last is None:
            q = by_offset[at]
            payload += q.payload
            at += len(q.payload)
            last = None if q.more else q
        if last is not None:
            whole.append((pieces, payload))
            del open_ones[p.key]
    return whole


def transport_checksum_good(p, payload):
    """None: there is none."""
    if p.proto == 1:
        return ones_sum(payload) == 0xffff
    if p.proto not in (6, 17, 58):
        return None
    if p.proto == 17 and payload[6:8] == b'\0\0':
        return None if p.version == 4 else False
    if p.version == 4:
        pseudo = p.ip_header[12:20] + struct.pack('>BBH', 0, p.proto, len(payload))
    else:
        pseudo = p.ip_header[8:40] + struct.pack('>IHBB', len(payload), 0, 0, p.proto)
    return ones_sum(pseudo + payload) == 0xffff


def verify_checksums(packets):
    """(number verified, list of complaints)"""
    count, bad = 0, []
    for i, p in enumerate(packets, 1):
        if p.version == 4:
            count += 1
            if ones_sum(p.ip_header) != 0xffff:
                bad.append('frame %d: IPv4 header checksum is wrong' % i)
    numbers = {id(p): i for i, p in enumerate(packets, 1)}
    for pieces, payload in datagrams(packets):
        good = transport_checksum_good(pieces[0], payload)
        count += good is not None
        if good is False:
            bad.append('frame %d: checksum of protocol %d is wrong' % (
                numbers[id(pieces[0])], pieces[0].proto))
    return count, bad


# ---- what the examples have to do ---------------------------------------------------------------

def mac(b):
    return ':'.join('%02x' % x for x in b)


def headerlog(packets, host):
    for i, p in enumerate(packets, 1):
        way = 'out' if mac(p.src_mac) == host else 'in'
        line = 'en0 %s %d: %s > %s 0x%04x' % (way, i, mac(p.src_mac), mac(p.dst_mac), p.type)
        if p.version is not None:
            proto = p.proto if p.version == 4 else p.next_header
            src, dst = (p.src, p.dst) if p.version == 4 else ('[%s]' % p.src, '[%s]' % p.dst)
            if proto in (6, 17) and p.offset == 0:
                src, dst = '%s:%d' % (src, p.sport), '%s:%d' % (dst, p.dport)
            line += ' %s > %s %s' % (src, dst, {6: 'TCP', 17: 'UDP'}.get(proto, 'protocol %d' % proto))
        print('%s, %d bytes' % (line, len(p.data)))


def ipcount(packets, host):
    names = {1: 'ICMP', 2: 'IGMP', 6: 'TCP', 17: 'UDP', 58: 'ICMPv6'}
    counts = {}
    for pieces, _ in datagrams(packets):
        p = pieces[0]
        pair = counts.setdefault((p.version, p.proto), [0, 0])
        pair[mac(p.src_mac) == host] += 1
    for (version, proto), (into, out) in sorted(counts.items()):
        print('IPv%d %s %d: %d in, %d out' % (version, names.get(proto, 'protocol'), proto, into, out))


def cxxcount(packets, host):
    totals = {False: [0, 0], True: [0, 0]}
    for pieces, payload in datagrams(packets):
        if pieces[0].version == 4:
            pair = totals[mac(pieces[0].src_mac) == host]
            pair[0] += 1
            pair[1] += len(pieces[0].ip_header) + len(payload)
    for name, (count, size) in zip(('in', 'out'), (totals[False], totals[True])):
        print('%s: %d packets, %d bytes' % (name, count, size))


NAMES = {'10.1.0.1': '192.0.2.1', '192.0.2.1': '10.1.0.1'}


def rewritten(before, after):
    """Complaints about what is not as examples/rewrite.c should leave it, and how many it changed."""
    bad, changed = [], 0
    if len(before) != len(after):
        return ['%d frames became %d' % (len(before), len(after))], 0
    bad_before, bad_after = verify_checksums(before)[1], verify_checksums(after)[1]
    if bad_before != bad_after:
        bad += [b for b in bad_after if b not in bad_before]
    whole_since = {}    # a datagram that is cut anew leaves when its first piece came
    for i, (b, a) in enumerate(zip(before, after), 1):
        since = whole_since.setdefault(b.key, b.time_us) if b.fragment else b.time_us
        if a.time_us not in (b.time_us, since):
            bad.append('frame %d: another time' % i)
        if b.version != 4:
            if b.data != a.data:
                bad.append('frame %d: is not IPv4 and was changed' % i)
            continue
        want = NAMES.get(b.src, b.src), NAMES.get(b.dst, b.dst)
        changed += b.data != a.data
        if (a.src, a.dst) != want:
            bad.append('frame %d: %s > %s instead of %s > %s' % ((i, a.src, a.dst) + want))
        if a.data[:14] != b.data[:14]:
            bad.append('frame %d: link header changed' % i)
        if a.proto == 1 and a.icmp == 3:
            inner = [socket.inet_ntop(socket.AF_INET, a.payload[n:n + 4]) for n in (20, 24)]
            if '10.1.0.1' in inner or ones_sum(a.payload[8:28]) != 0xffff:
                bad.append('frame %d: the quoted header was forgotten' % i)
    return bad, changed


def content(p):
    """What of a datagram must survive, however it is cut: addresses, protocol and payload."""
    pieces, payload = p
    return pieces[0].src, pieces[0].dst, pieces[0].proto, payload


def delayed(before, after, ms):
    """Every datagram is there, once, so many milliseconds after its last piece; the rest at once."""
    bad = []

    def due(pieces):
        return pieces[-1].time_us + (0 if pieces[0].src == '0.0.0.0' else ms * 1000)

    others_before = [(p.time_us, p.data) for p in before if p.version is None]
    others_after = [(p.time_us, p.data) for p in after if p.version is None]
    if others_before != others_after:
        bad.append('frames that are not IP have changed')
    want = sorted((due(pieces), content((pieces, payload)))
                  for pieces, payload in datagrams(before))
    got = sorted((pieces[-1].time_us, content((pieces, payload)))
                 for pieces, payload in datagrams(after))
    if len(want) != len(got):
        bad.append('%d datagrams instead of %d' % (len(got), len(want)))
    missing = [w for w in want if w not in set(got)]
    for time_us, (src, dst, proto, payload) in missing[:10]:
        bad.append('missing at %d.%06d: %s > %s, protocol %d, %d bytes' % (
            time_us // 1000000, time_us % 1000000, src, dst, proto, len(payload)))
    if [p.time_us for p in after] != sorted(p.time_us for p in after):
        bad.append('not in the order of time')
    return bad, len(got)


HOST, PEER = bytes.fromhex('020000000001'), bytes.fromhex('020000000002')


def probe(dst, src, op, seq, time_us, extra=b''):
    data = dst + src + struct.pack('>HHH', 0x88b5, op, seq) + extra
    return Packet(time_us, data, len(data))


def probes():
    start = 1700000000000000
    frames = [probe(HOST, PEER, 1, seq, start + seq * 1000, b'x' * 42) for seq in range(1, 6)]
    cut = HOST + PEER + struct.pack('>HH', 0x88b5, 1)       # half a probe
    frames.append(Packet(start + 6000, cut, len(cut)))
    other = HOST + PEER + struct.pack('>HHH', 0x88b6, 1, 7)  # another protocol's
    frames.append(Packet(start + 7000, other, len(other)))
    frames.append(probe(HOST, PEER, 2, 8, start + 8000))     # an answer: to nobody's question
    return frames


def answered(packets):
    answers = [p for p in packets if p.src_mac == HOST]
    want = [probe(PEER, HOST, 2, seq, 0).data for seq in range(1, 6)]
    return [] if [p.data[:18] for p in answers] == want else [
        'answers: %s' % [p.data.hex() for p in answers]]


def complain(bad, count, what):
    for line in bad[:20]:
        print(line)
    print('%d %s, %d complaints' % (count, what, len(bad)))
    return 1 if bad else 0


def main(args):
    if len(args) < 2:
        print(__doc__, file=sys.stderr)
        return 2
    command, path, rest = args[0], args[1], args[2:]
    if command == 'count':
        print(len(matching(read(path), rest[0])))
    elif command == 'datagrams':
        whole = [pieces[0] for pieces, _ in datagrams(read(path))]
        print(len(matching(whole, rest[0])))
    elif command == 'filter':
        write(rest[0], matching(read(path), rest[1]))
    elif command == 'compare':
        untimed = len(rest) > 1
        a, b = ([(0 if untimed else p.time_us, p.data, p.length) for p in read(f)]
                for f in (path, rest[0]))
        return complain([] if a == b else ['frames differ'], len(a), 'frames')
    elif command == 'checksums':
        count, bad = verify_checksums(read(path))
        return complain(bad, count, 'checksums')
    elif command == 'headerlog':
        headerlog(read(path), rest[0])
    elif command == 'ipcount':
        ipcount(read(path), rest[0])
    elif command == 'cxxcount':
        cxxcount(read(path), rest[0])
    elif command == 'rewritten':
        bad, changed = rewritten(read(path), read(rest[0]))
        return complain(bad, changed, 'frames rewritten')
    elif command == 'delayed':
        bad, count = delayed(read(path), read(rest[0]), int(rest[1]))
        return complain(bad, count, 'datagrams')
    elif command == 'probes':
        write(path, probes())
    elif command == 'answered':
        return complain(answered(read(path)), 5, 'answers')
    else:
        print(__doc__, file=sys.stderr)
        return 2
    return 0


if __name__ == '__main__':
    sys.exit(main(sys.argv[1:]))
