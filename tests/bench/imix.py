#!/usr/bin/env python3
"""Writes a capture of simple-IMIX traffic as one host sees it: imix.py PACKETS OUT

7 parts of 64, 4 of 594 and 1 of 1518 bytes on the wire, TCP and UDP over IPv4 (nine of ten) and IPv6,
between 10.1.0.2 / fd00:1::2 (02:00:00:00:00:01) and 250 peers, half each way. Valid header checksums.
The same bytes on every run.
"""
import random, socket, struct, sys

count, out = int(sys.argv[1]), sys.argv[2]
rng = random.Random(1)
HOST, ROUTER = bytes.fromhex("020000000001"), bytes.fromhex("020000000002")
SIZES = [60] * 7 + [590] * 4 + [1514]


def checksum(data):
    s = sum(struct.unpack(f">{len(data) // 2}H", data))
    s = (s & 0xFFFF) + (s >> 16)
    return ~((s & 0xFFFF) + (s >> 16)) & 0xFFFF


def frame(size, peer, outbound, tcp, v6, sport):
    size = max(size, 74) if v6 else size
    transport = size - 14 - (40 if v6 else 20)
    ports = (sport, 443) if outbound else (443, sport)
    if tcp:
        l4 = struct.pack(">HHIIBBHHH", *ports, 1, 1, 0x50, 0x10, 8192, 0, 0)
    else:
        l4 = struct.pack(">HHHH", *ports, transport, 0)
    l4 += bytes(transport - len(l4))
    if v6:
        ends = [socket.inet_pton(socket.AF_INET6, "fd00:1::2"), socket.inet_pton(socket.AF_INET6, f"fd00:2::{peer:x}")]
    else:
        ends = [socket.inet_aton("10.1.0.2"), socket.inet_aton(f"10.2.0.{peer}")]
    if not outbound:
        ends.reverse()
    proto = 6 if tcp else 17
    if v6:
        ip = struct.pack(">IHBB", 6 << 28, transport, proto, 64) + ends[0] + ends[1]
    else:
        ip = struct.pack(">BBHHHBBH", 0x45, 0, size - 14, 1, 0x4000, 64, proto, 0) + ends[0] + ends[1]
        ip = ip[:10] + struct.pack(">H", checksum(ip)) + ip[12:]
    macs = ROUTER + HOST if outbound else HOST + ROUTER
    return macs + (b"\x86\xdd" if v6 else b"\x08\x00") + ip + l4


variants = [frame(rng.choice(SIZES), rng.randrange(1, 251), rng.random() < 0.5, rng.random() < 0.8,
                  rng.random() < 0.1, rng.randrange(49152, 65536)) for _ in range(12000)]
with open(out, "wb") as f:
    f.write(struct.pack("<IHHIIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1))
    buffer = bytearray()
    for i in range(count):
        data = variants[i % len(variants)]
        us = i * 3
        buffer += struct.pack("<IIII", 1_700_000_000 + us // 1_000_000, us % 1_000_000, len(data), len(data)) + data
        if len(buffer) > 1 << 22:
            f.write(buffer)
            buffer.clear()
    f.write(buffer)
