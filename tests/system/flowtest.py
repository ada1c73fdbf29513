"""Captures of flows, for the tests of `nke replay --sockets`: TCP connections segment by segment, from
the viewpoint of the host that took the capture. Built on replaytest.py."""
import struct

from replaytest import HOST4, HOST6, PEER4, PEER6, START, Frame, checksum, ethernet, ip, pseudo, udp

FIN, SYN, RST, PSH, ACK = 1, 2, 4, 8, 16
MS = 10**6


def option_mss(n):
    return struct.pack('>BBH', 2, 4, n)


def option_stamps(value, echo):
    return struct.pack('>BBBBII', 1, 1, 8, 10, value, echo)


def option_sack(*blocks):
    return struct.pack('>BBBB', 1, 1, 5, 2 + 8 * len(blocks)) + \
        b''.join(struct.pack('>II', a & 0xffffffff, b & 0xffffffff) for a, b in blocks)


def segment(src, dst, sport, dport, seq, ack, flags, data=b'', window=65535, options=b'', bad_sum=False,
            urgent=0):
    options += b'\1' * (-len(options) % 4)
    head = struct.pack('>HHIIBBHHH', sport, dport, seq & 0xffffffff, ack & 0xffffffff,
                       (20 + len(options)) << 2, flags, window, 0, urgent) + options
    sum_ = checksum(pseudo(src, dst, 6, len(head) + len(data)) + head + data) ^ (0x55aa if bad_sum else 0)
    return ip(src, dst, 6, head[:16] + struct.pack('>H', sum_) + head[18:] + data)


class Capture:
    """Frames in order; `at` is the time of the next one, `step` later each."""

    def __init__(self, link=ethernet, step=MS):
        self.frames, self.at, self.step, self.link = [], START, step, link

    def add(self, packet, out, captured=True, snap=None):
        frame = self.link(packet, out)
        self.at += self.step
        if captured:
            self.frames.append(Frame(self.at, frame[:snap], len(frame)))

    def udp(self, out, lport, rport, data, local=HOST4, remote=PEER4, **more):
        src, dst, sport, dport = (local, remote, lport, rport) if out else (remote, local, rport, lport)
        self.add(udp(src, dst, sport, dport, data), out, **more)


class Tcp:
    """A connection in a capture. Sequence numbers are kept; `out` and `inn` say what crossed the wire in order."""

    def __init__(self, capture, lport, rport, six=False, server=False, lisn=1000, risn=500000, stamps=False,
                 scale=7, sack=True, local=None, remote=None):
        self.c, self.server, self.stamps, self.scale, self.sack = capture, server, stamps, scale, sack
        self.local, self.remote = local or (HOST6 if six else HOST4), remote or (PEER6 if six else PEER4)
        self.lport, self.rport = lport, rport
        self.seq = {True: lisn, False: risn}      # by direction: True is from the host
        self.sent, self.received = b'', b''

    def options(self, syn, out):
        o = b''
        if syn:
            o += option_mss(1440) + (b'\4\2\1\1' if self.sack else b'')
            if self.scale is not None:
                o += struct.pack('>BBBB', 1, 3, 3, self.scale)
        if self.stamps:
            now = (self.c.at - START) // MS
            o += option_stamps(1000000 + now if out else 77000000 + now,
                               0 if syn and out != self.server else 77000000 + now if out else 1000000 + now)
        return o

    def put(self, out, flags, data=b'', seq=None, ack=None, options=None, captured=True, snap=None, **more):
        """One segment as it is; does not move the sequence numbers on."""
        ends = (self.local, self.remote, self.lport, self.rport)
        src, dst, sport, dport = ends if out else (ends[1], ends[0], ends[3], ends[2])
        p = segment(src, dst, sport, dport, self.seq[out] if seq is None else seq,
                    (self.seq[not out] if ack is None else ack) if flags & ACK else 0, flags, data,
                    options=self.options(bool(flags & SYN), out) if options is None else options, **more)
        self.c.add(p, out, captured, snap)

    def syn(self, **more):
        first = not self.server
        self.put(first, SYN, **more)
        self.seq[first] += 1

    def syn_ack(self, **more):
        self.put(self.server, SYN | ACK, **more)
        self.seq[self.server] += 1

    def ack(self, out, **more):
        self.put(out, ACK, **more)

    def open(self, **more):
        self.syn(**more)
        self.syn_ack(**more)
        self.ack(not self.server, **more)
        return self

    def data(self, out, data, size=1400, **more):
        """In segments of `size`; the last one is pushed."""
        for at in range(0, len(data), size):
            part = data[at:at + size]
            self.put(out, ACK | (PSH if at + size >= len(data) else 0), part, **more)
            self.seq[out] += len(part)
        if out:
            self.sent += data
        else:
            self.received += data

    def out(self, data, **more):
        self.data(True, data, **more)

    def inn(self, data, **more):
        self.data(False, data, **more)

    def fin(self, out, **more):
        self.put(out, FIN | ACK, **more)
        self.seq[out] += 1

    def close(self, first=True):
        self.fin(first)
        self.ack(not first)
        self.fin(not first)
        self.ack(first)
