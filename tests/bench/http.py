#!/usr/bin/env python3
"""Writes a capture of HTTP traffic as one host sees it: http.py CONNECTIONS OUT

Connections of 10.1.0.2 (02:00:00:00:00:01) to 200 web servers, 64 at a time: handshake, a request of 320
octets, a response of 1 to 20 segments of 1,448 octets, each second one acknowledged, and the FINs; all with
time stamps, window scale and SACK permitted, 24 packets on average. Every fourth is one that 10.1.0.2
serves itself. Right checksums. The same bytes on every run.
"""
import random
import socket
import struct
import sys

connections, out = int(sys.argv[1]), sys.argv[2]
rng = random.Random(1)
HOST, ROUTER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
FIN, SYN, PSH, ACK = 1, 2, 8, 16
AT_A_TIME = 64


def total(data):
    return sum(struct.unpack(f">{len(data) // 2}H", data))


def fold(s):
    s = (s & 0xFFFF) + (s >> 16)
    return ~((s & 0xFFFF) + (s >> 16)) & 0xFFFF


BODY = bytes(rng.randrange(256) for _ in range(1448))
REQUEST = (b"GET /index.html HTTP/1.1\r\nHost: www.example.com\r\nAccept: */*\r\nX-Fill: ".ljust(316, b"x") + b"\r\n\r\n")
SUMS = {b"": 0, BODY: total(BODY), REQUEST: total(REQUEST)}


class End:
    def __init__(self, mac, address, port, isn):
        self.mac, self.address, self.port, self.seq = mac, socket.inet_aton(address), port, isn
        self.stamp = 0


def packet(a, b, flags, data, now):
    """From a to b, whose numbers and stamps it knows."""
    a.stamp = now & 0xFFFFFFFF
    if flags & SYN:
        options = struct.pack(">BBHBBBBIIBBB", 2, 4, 1460, 4, 2, 8, 10, a.stamp, b.stamp, 1, 3, 3) + b"\7"
    else:
        options = struct.pack(">BBBBII", 1, 1, 8, 10, a.stamp, b.stamp)
    length = 20 + len(options) + len(data)
    tcp = struct.pack(">HHIIBBHHH", a.port, b.port, a.seq, b.seq if flags & ACK else 0, (20 + len(options)) << 2, flags,
                      64240, 0, 0) + options
    tcp = tcp[:16] + struct.pack(">H", fold(total(a.address) + total(b.address) + 6 + length + total(tcp) +
                                            SUMS[data])) + tcp[18:]
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + length, 1, 0x4000, 64, 6, 0) + a.address + b.address
    ip = ip[:10] + struct.pack(">H", fold(total(ip))) + ip[12:]
    a.seq = (a.seq + len(data) + bool(flags & (SYN | FIN))) & 0xFFFFFFFF
    return b.mac + a.mac + b"\x08\x00" + ip + tcp + data


def connection(n):
    """The packets of one, as functions of the time."""
    peer = f"10.2.0.{n % 200 + 1}"
    served = n % 4 == 3
    local = End(HOST, "10.1.0.2", 80 if served else 32768 + n % 28000, rng.getrandbits(32))
    remote = End(ROUTER, peer, 32768 + n % 28000 if served else 80, rng.getrandbits(32))
    c, s = (remote, local) if served else (local, remote)
    yield c, s, SYN, b""
    yield s, c, SYN | ACK, b""
    yield c, s, ACK, b""
    yield c, s, ACK | PSH, REQUEST
    yield s, c, ACK, b""
    segments = rng.randrange(1, 21)
    for i in range(segments):
        yield s, c, ACK | (PSH if i == segments - 1 else 0), BODY
        if i % 2 == 1 or i == segments - 1:
            yield c, s, ACK, b""
    yield s, c, FIN | ACK, b""
    yield c, s, FIN | ACK, b""
    yield s, c, ACK, b""


with open(out, "wb") as f:
    f.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    buffer = bytearray()
    going = []
    begun = us = 0
    while going or begun < connections:
        while len(going) < AT_A_TIME and begun < connections:
            going.append(connection(begun))
            begun += 1
        at = rng.randrange(len(going))
        step = next(going[at], None)
        if step is None:
            going.pop(at)
            continue
        us += 20
        data = packet(*step, us // 1000 + 1)
        buffer += struct.pack("<IIII", 1_700_000_000 + us // 1_000_000, us % 1_000_000, len(data), len(data)) + data
        if len(buffer) > 1 << 22:
            f.write(buffer)
            buffer.clear()
    f.write(buffer)
