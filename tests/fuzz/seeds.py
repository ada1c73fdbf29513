#!/usr/bin/env python3
"""Writes the good seeds of the fuzz targets' corpora: well-formed messages of every type and option.

usage: seeds.py CORPUS

CORPUS is the folder tests/fuzz/corpus. Files that fuzzers found (their names are not seed-*) stay. The form
of an input is told at the top of each target: fuzz_net.c, fuzz_rtmsg.c, fuzz_sockopt.c, fuzz_tcp_core.c,
fuzz_ctl.c, fuzz_device.c.
"""
import os
import socket
import struct
import sys

OTHER, FRAME, ODD, FLOOD, READ, SEND = 0x01, 0x02, 0x04, 0x20, 0x40, 0x80
AT_ONCE, SOON, LATER, MINUTE = 0x00, 0x08, 0x10, 0x18
ROUTER, AUTO, OLD, LAX, CHECKED = 0x01, 0x02, 0x04, 0x08, 0x10
HOP, ICMP, IGMP, UDP, FRAGMENT, ICMP6, NONE, DST, ROUTING = 0, 1, 2, 17, 44, 58, 59, 60, 43
LLADDR = bytes([2, 0, 0, 1, 0, 0])

# Indexes into the tables of addresses in fuzz_net.c.
TO4 = {'us': 0, 'us1': 1, 'net': 2, 'all': 3, 'hosts': 4, 'group': 5, 'ssm': 6, 'beyond': 7, 'neighbor': 8,
       'nowhere': 9, 'loop': 10, 'any': 11, 'igmp3': 12, 'bad': 13}
FROM4 = {'neighbor': 0, 'beyond': 1, 'second': 2, 'us': 3, 'any': 4, 'far': 5, 'loop': 6, 'group': 7, 'router': 10}
TO6 = {'us': 0, 'link': 1, 'nodes': 2, 'routers': 3, 'solicited': 4, 'group': 5, 'ssm': 6, 'beyond': 7,
       'neighbor': 8, 'nowhere': 9, 'loop': 10, 'any': 11, 'mld2': 12}
FROM6 = {'neighbor': 0, 'link': 1, 'beyond': 2, 'us': 3, 'any': 4, 'far': 5, 'loop': 6, 'group': 7, 'mapped': 9, 'router': 14}


def ip4(text):
    return socket.inet_pton(socket.AF_INET, text)


def ip6(text):
    return socket.inet_pton(socket.AF_INET6, text)


def record(data, to=0, source=0, mode=0):
    return struct.pack('<BBH', mode, to | source << 4, len(data)) + data


def machine(*records, how=ROUTER):
    return bytes([how]) + b''.join(records)


# ---- packets: checksums and addresses are the target's business -----------------------------------

def packet4(protocol, data, options=b'', offset=0, more=False, df=False, ident=7, ttl=64, tos=0):
    options += b'\0' * (-len(options) % 4)
    flags = (0x2000 if more else 0) | (0x4000 if df else 0) | offset // 8
    return struct.pack('>BBHHHBBH', 0x45 + len(options) // 4, tos, 20 + len(options) + len(data), ident, flags,
                       ttl, protocol, 0) + ip4('10.0.0.9') + ip4('10.0.0.1') + options + data


def packet6(protocol, data, hops=64, flow=0):
    return struct.pack('>IHBB', 0x60000000 | flow, len(data), protocol, hops) + ip6('2001:db8::9') + \
        ip6('2001:db8::1') + data


def udp(data=b'hello', source=7, to=1000):
    return struct.pack('>HHHH', source, to, 8 + len(data), 0) + data


def icmp(kind, code=0, rest=b'\0\0\0\0', data=b''):
    return struct.pack('>BBH', kind, code, 0) + rest + data


def extension(following, data):
    """A header of options, padded to a multiple of 8."""
    pad = -(len(data) + 2) % 8
    if pad == 1:
        data += b'\0'
    elif pad > 1:
        data += bytes([1, pad - 2]) + b'\0' * (pad - 2)
    return bytes([following, (len(data) + 2) // 8 - 1]) + data


def fragment6(following, data, offset=0, more=False, ident=7):
    return struct.pack('>BBHI', following, 0, offset | more, ident) + data


def lladdr_option(kind):
    return bytes([kind, 1]) + LLADDR


def ethernet(kind, data, to=b'\2\0\0\0\0\1'):
    return to + LLADDR + struct.pack('>H', kind) + data


# ---- the targets ----------------------------------------------------------------------------------

def seeds_ip4():
    big = bytes(range(256)) * 4
    echo = icmp(8, 0, b'\0\1\0\1', b'0123456789abcdef')
    yield 'echo', machine(record(packet4(ICMP, echo)), record(packet4(ICMP, echo), TO4['us1']))
    for name, options in [
            ('rr', b'\7\x0f\4' + b'\0' * 12), ('ts', b'\x44\x24\5\1' + b'\0' * 32),
            ('ts-given', b'\x44\x0c\5\3' + ip4('10.0.0.1') + b'\0' * 4),
            ('lsrr', b'\x83\7\4' + ip4('10.0.1.9')), ('ssrr', b'\x89\7\4' + ip4('10.0.0.9')),
            ('alert', b'\x94\4\0\0'), ('nops', b'\1' * 39 + b'\0'), ('security', b'\x82\x0b' + b'\0' * 9),
            ('full', b'\x83\x0b\4' + ip4('10.0.0.1') + ip4('10.0.1.9') + b'\7\x0b\4' + b'\0' * 8)]:
        yield 'option-' + name, machine(record(packet4(UDP, udp(), options)),
                                        record(packet4(ICMP, echo, options)),
                                        record(packet4(UDP, udp(), options), TO4['beyond'], mode=READ),
                                        how=ROUTER | LAX)
    first, second, third = big[:512], big[512:768], big[768:]
    yield 'fragments', machine(record(packet4(UDP, udp(big)[:520], more=True)),
                               record(packet4(UDP, udp(big)[520:], offset=520), mode=READ))
    yield 'fragments-backwards', machine(record(packet4(UDP, third, offset=776)),
                                         record(packet4(UDP, second, offset=520, more=True)),
                                         record(packet4(UDP, udp(first), more=True), mode=READ))
    yield 'fragments-overlap', machine(record(packet4(UDP, udp(first), more=True)),
                                       record(packet4(UDP, first, offset=256, more=True)),
                                       record(packet4(UDP, third, offset=512), mode=READ | MINUTE))
    yield 'fragments-never', machine(record(packet4(UDP, udp(first), more=True), mode=MINUTE))
    yield 'fragments-flood', machine(record(packet4(UDP, first, offset=512, more=True), mode=FLOOD | MINUTE))
    yield 'fragments-too-long', machine(record(packet4(UDP, first, offset=65528)))
    yield 'forward', machine(record(packet4(UDP, udp(big)), TO4['beyond']),
                             record(packet4(UDP, udp(), ttl=1), TO4['beyond'], mode=SOON),
                             record(packet4(UDP, udp(big + big[:300]), df=True), TO4['beyond']),
                             record(packet4(UDP, udp()), TO4['neighbor'], mode=LATER))
    yield 'addresses', machine(*[record(packet4(UDP, udp()), to, source % 8, SOON)
                                 for source, to in enumerate(list(range(16)) * 2)])
    yield 'protocols', machine(*[record(packet4(p, big[:64]), mode=READ) for p in (0, 2, 4, 6, 41, 50, 253)])
    yield 'in-ip', machine(record(packet4(4, packet4(UDP, udp()))))


def seeds_ip6():
    echo = icmp(128, 0, b'\0\1\0\1', b'0123456789abcdef')
    big = bytes(range(256)) * 4
    routing0 = b'\0\2' + b'\0\1' + b'\0' * 4 + ip6('2001:db8:0:1::9')
    yield 'echo', machine(record(packet6(ICMP6, echo)), record(packet6(ICMP6, echo), TO6['nodes'], FROM6['link']))
    for name, header, data in [
            ('hop-alert', HOP, b'\5\2\0\0'), ('hop-jumbo', HOP, b'\xc2\4\0\1\0\0'),
            ('hop-unknown', HOP, b'\x3e\1x'), ('hop-discard', HOP, b'\x7e\1x'), ('hop-told', HOP, b'\xbe\1x'),
            ('hop-not-group', HOP, b'\xfe\1x'), ('dst-home', DST, b'\xc9\x10' + ip6('2001:db8::a')),
            ('dst-pad', DST, b'\0\0\0\1\2\0\0')]:
        packet = packet6(header, extension(UDP, data) + udp())
        yield name, machine(record(packet), record(packet, TO6['group']), record(packet, TO6['beyond'], mode=READ))
    for kind, left in ((0, 0), (0, 1), (2, 1), (3, 0), (4, 0), (99, 1)):
        header = bytes([UDP, 2, kind, left]) + b'\0' * 4 + ip6('2001:db8:0:1::9')
        yield 'routing-%d-%d' % (kind, left), machine(record(packet6(ROUTING, header + udp()), mode=READ))
    chain = extension(DST, b'\1\2\0\0') + extension(ROUTING, b'') + bytes([FRAGMENT, 0, 0, 0, 0, 0, 0, 0]) + \
        fragment6(DST, extension(UDP, b'') + udp())
    yield 'chain', machine(record(packet6(HOP, chain), mode=READ))
    yield 'chain-long', machine(record(packet6(DST, extension(DST, b'') * 30 + extension(NONE, b''))))
    yield 'atomic', machine(record(packet6(FRAGMENT, fragment6(UDP, udp())), mode=READ))
    yield 'fragments', machine(record(packet6(FRAGMENT, fragment6(UDP, udp(big)[:520], 0, True))),
                               record(packet6(FRAGMENT, fragment6(UDP, udp(big)[520:], 520)), mode=READ))
    yield 'fragments-overlap', machine(record(packet6(FRAGMENT, fragment6(UDP, big[:520], 0, True))),
                                       record(packet6(FRAGMENT, fragment6(UDP, big[:520], 256, True))),
                                       record(packet6(FRAGMENT, fragment6(UDP, big, 520)), mode=READ | MINUTE))
    yield 'fragments-never', machine(record(packet6(FRAGMENT, fragment6(UDP, big[:520], 0, True)), mode=MINUTE))
    yield 'fragments-flood', machine(record(packet6(FRAGMENT, fragment6(UDP, big[:520], 512, True)),
                                            mode=FLOOD | MINUTE))
    yield 'fragments-too-long', machine(record(packet6(FRAGMENT, fragment6(UDP, big, 65528))),
                                        record(packet6(FRAGMENT, fragment6(UDP, big[:33], 0, True))))
    yield 'forward', machine(record(packet6(UDP, udp(big + big[:300])), TO6['beyond']),
                             record(packet6(UDP, udp(), hops=1), TO6['beyond'], mode=SOON),
                             record(packet6(UDP, udp()), TO6['nowhere']),
                             record(packet6(UDP, udp()), TO6['beyond'], FROM6['link']),
                             record(packet6(UDP, udp()), TO6['neighbor'], mode=LATER))
    yield 'addresses', machine(*[record(packet6(UDP, udp()), to, source % 8, SOON)
                                 for source, to in enumerate(list(range(16)) * 2)])
    yield 'protocols', machine(*[record(packet6(p, big[:64]), mode=READ) for p in (4, 6, 41, 50, 51, NONE, 135, 253)])
    assert len(routing0) == 24


def inner4(protocol=UDP, data=None):
    """A packet of ours that came back in an error."""
    data = udp(b'', 1002, 53) if data is None else data
    p = bytearray(packet4(protocol, data))
    p[12:16], p[16:20] = ip4('10.0.0.1'), ip4('10.9.9.9')
    return bytes(p)


def seeds_icmp():
    yield 'echo', machine(record(icmp(8, 0, b'\0\1\0\1', b'x' * 56)), record(icmp(0, 0, b'\0\1\0\1', b'x' * 56)),
                          record(icmp(8, 0, b'\0\1\0\1'), TO4['net']), record(icmp(8), TO4['hosts'], mode=READ),
                          how=ROUTER | LAX)
    for code in range(16):
        rest = struct.pack('>HH', 0, 1280 if code == 4 else 0)
        yield 'unreachable-%d' % code, machine(record(b'', mode=SEND | SOON),
                                               record(icmp(3, code, rest, inner4()), mode=READ | SEND))
    yield 'mtu', machine(*[record(icmp(3, 4, struct.pack('>HH', 0, mtu), inner4()), mode=SEND | MINUTE)
                           for mtu in (0, 1, 68, 552, 1499, 1500, 65535)])
    yield 'quench', machine(record(icmp(4, 0, data=inner4())))
    for code in range(4):
        yield 'redirect-%d' % code, machine(record(icmp(5, code, ip4('10.0.0.10'), inner4()), 0, FROM4['router'],
                                                   SEND | MINUTE), how=0)
    yield 'redirect-flood', machine(record(icmp(5, 1, ip4('10.0.0.10'), inner4()), 0, FROM4['router'],
                                            FLOOD | SEND | MINUTE), how=0)
    yield 'exceeded', machine(record(icmp(11, 0, data=inner4())), record(icmp(11, 1, data=inner4(ICMP, icmp(8)))))
    yield 'problem', machine(record(icmp(12, 0, b'\x14\0\0\0', inner4())), record(icmp(12, 1, data=inner4())))
    yield 'routers', machine(record(icmp(9, 0, b'\1\2\7\x08', ip4('10.0.0.9') + b'\0\0\0\1')), record(icmp(10)))
    yield 'timestamp', machine(record(icmp(13, 0, b'\0\1\0\1', b'\0' * 12)), record(icmp(14, data=b'\0' * 12)),
                               record(icmp(13, 0, data=b'\0' * 12), TO4['group']))
    yield 'mask', machine(record(icmp(17, 0, b'\0\1\0\1', b'\0' * 4)), record(icmp(18, data=b'\xff\xff\xff\0')),
                          record(icmp(17, data=b'\0' * 4), 0, FROM4['any']), how=LAX)
    yield 'info', machine(record(icmp(15)), record(icmp(16)), record(icmp(30)), record(icmp(255, 255)), mode_read())
    yield 'about-groups', machine(record(icmp(3, 1, data=inner4()), TO4['group']),
                                  record(icmp(3, 1, data=inner4(ICMP, icmp(3)))), record(icmp(3, 3, data=b'\x4f')))


def mode_read():
    return record(b'', mode=READ)


def inner6(following=UDP, data=None):
    p = bytearray(packet6(following, udp(b'', 1002, 53) if data is None else data))
    p[8:24], p[24:40] = ip6('2001:db8::1'), ip6('2001:db8:9::9')
    return bytes(p)


def prefix_option(prefix='2001:db8:7::', bits=64, flags=0xc0, valid=7200, preferred=3600):
    return struct.pack('>BBBBIII', 3, 4, bits, flags, valid, preferred, 0) + ip6(prefix)


def advertisement(options, lifetime=1800, flags=0, hops=64, reachable=0, retransmit=0):
    return icmp(134, 0, struct.pack('>BBH', hops, flags, lifetime), struct.pack('>II', reachable, retransmit) + options)


def seeds_icmp6():
    link = FROM6['link']
    ns = icmp(135, 0, b'\0' * 4, ip6('2001:db8::1') + lladdr_option(1))
    na = icmp(136, 0, b'\x60\0\0\0', ip6('2001:db8::9') + lladdr_option(2))
    yield 'echo', machine(record(icmp(128, 0, b'\0\1\0\1', b'x' * 56)), record(icmp(129, 0, b'\0\1\0\1')),
                          record(icmp(128), TO6['nodes'], link), record(icmp(128), TO6['group'], mode=READ | LATER))
    for kind in range(1, 5):
        for code in range(7 if kind == 1 else 3 if kind == 4 else 2):
            rest = struct.pack('>I', 1280 if kind == 2 else 6)
            yield 'error-%d-%d' % (kind, code), machine(record(b'', mode=SEND | SOON),
                                                        record(icmp(kind, code, rest, inner6()), mode=READ | SEND))
    yield 'mtu', machine(*[record(icmp(2, 0, struct.pack('>I', mtu), inner6()), mode=SEND | MINUTE)
                           for mtu in (0, 68, 1279, 1280, 1499, 65536, 0xffffffff)])
    yield 'solicit', machine(record(ns, TO6['us']), record(ns, TO6['solicited'], mode=MINUTE),
                             record(icmp(135, 0, b'\0' * 4, ip6('2001:db8::1')), TO6['solicited'], FROM6['any']),
                             record(icmp(135, 0, b'\0' * 4, ip6('fe80::1') + lladdr_option(1)), TO6['link'], link))
    yield 'solicit-flood', machine(record(ns, TO6['us'], mode=FLOOD | MINUTE))
    yield 'advertise', machine(record(b'', mode=SEND), record(na, mode=LATER | SEND),
                               *[record(icmp(136, 0, bytes([flags, 0, 0, 0]), ip6('2001:db8::9') + lladdr_option(2)),
                                        TO6['nodes'], mode=SEND) for flags in (0, 0x20, 0x40, 0x80, 0xe0)])
    yield 'duplicate', machine(record(icmp(136, 0, b'\x20\0\0\0', ip6('2001:db8::1') + lladdr_option(2)), TO6['nodes']))
    yield 'routers', machine(record(icmp(133, data=lladdr_option(1)), TO6['routers'], link),
                             record(advertisement(lladdr_option(1) + prefix_option() + b'\5\1\0\0\0\0\5\0'),
                                    TO6['nodes'], link, LATER | SEND),
                             record(advertisement(b'', 0), TO6['nodes'], link, MINUTE), how=AUTO)
    yield 'prefixes', machine(*[record(advertisement(prefix_option('2001:db8:%d::' % i, bits, flags, valid, preferred)),
                                       TO6['nodes'], link, SOON)
                                for i, (bits, flags, valid, preferred) in enumerate(
                                    [(64, 0xc0, 100, 50), (64, 0x40, 50, 100), (128, 0xc0, 9, 9), (0, 0xc0, 9, 9),
                                     (64, 0x80, 0xffffffff, 0xffffffff), (129, 0xc0, 9, 9), (64, 0xc0, 0, 0)])],
                              record(advertisement(prefix_option('2001:db8:0::', 64, 0xc0, 0, 0)), TO6['nodes'], link,
                                     MINUTE), how=AUTO)
    yield 'routers-flood', machine(record(advertisement(prefix_option()), TO6['nodes'], link, FLOOD | MINUTE), how=AUTO)
    rdnss = b'\x19\3\0\0\0\0\0\x1e' + ip6('2001:db8::53')
    dnssl = b'\x1f\2\0\0\0\0\0\x1e\3abc\0\0\0\0'
    info = b'\x18\2\x30\x08\0\0\0\x1e' + ip6('2001:db8:4::')[:8]
    yield 'router-options', machine(record(advertisement(rdnss + dnssl + info + b'\x0e\1\1\2\3\4\5\6', flags=0xc8, hops=1,
                                                         reachable=30000, retransmit=1000), TO6['nodes'], link), how=AUTO)
    redirect = icmp(137, 0, b'\0' * 4, ip6('fe80::a') + ip6('2001:db8:9::9') + lladdr_option(2) +
                    b'\4\7' + b'\0' * 6 + inner6())
    yield 'redirect', machine(record(redirect, TO6['us'], FROM6['router'], SEND | MINUTE),
                              record(icmp(137, 0, b'\0' * 4, ip6('2001:db8:9::9') * 2), TO6['us'],
                                     FROM6['router'], SEND), how=0)
    yield 'redirect-flood', machine(record(redirect, TO6['us'], FROM6['router'], FLOOD | MINUTE), how=0)
    yield 'option-zero', machine(record(icmp(135, 0, b'\0' * 4, ip6('2001:db8::1') + b'\1\0' + LLADDR)))
    yield 'names', machine(record(icmp(139, 0, data=b'\0' * 8 + ip6('2001:db8::1'))), record(icmp(140)), record(icmp(200)))


def arp(op, sender='10.0.0.9', target='10.0.0.1', lladdr=LLADDR, header=b'\0\1\x08\0\6\4'):
    return header + struct.pack('>H', op) + lladdr + ip4(sender) + b'\0' * 6 + ip4(target)


def seeds_arp():
    ask, answer = arp(1), arp(2)
    yield 'request', machine(record(ask, TO4['us']), record(ask, TO4['us'] | 1), record(ask, TO4['us1'], mode=OTHER),
                             record(ask, TO4['beyond']))
    yield 'reply', machine(record(b'', mode=SEND), record(answer, mode=SEND | MINUTE), record(answer, 1, mode=SEND))
    yield 'probe', machine(record(ask, TO4['us'], FROM4['any'], mode=LATER))
    yield 'conflict', machine(record(ask, TO4['us'], FROM4['us'], LATER), record(ask, TO4['us'], FROM4['us'], LATER),
                              record(answer, TO4['us'], FROM4['us'], MINUTE))
    yield 'announce', machine(record(arp(1, '10.0.0.9', '10.0.0.9'), TO4['neighbor'], mode=SEND))
    yield 'flood', machine(record(ask, mode=FLOOD | MINUTE | SEND))
    yield 'moves', machine(record(answer, mode=SEND), record(arp(2, lladdr=b'\2\0\0\1\0\7'), mode=ODD | SEND | MINUTE))
    yield 'odd', machine(record(arp(3), mode=ODD), record(arp(1, lladdr=b'\xff' * 6), mode=ODD),
                         record(arp(1, header=b'\0\6\x08\0\6\4'), mode=ODD), record(ask[:20]), record(b''),
                         record(arp(1, header=b'\0\1\x08\0\x10\4'), mode=ODD), record(ask + b'\0' * 18))
    yield 'from-all', machine(*[record(ask, TO4['us'], i, SOON) for i in range(16)])


def igmp3_query(group, sources=(), code=10, robust=2, interval=125):
    return struct.pack('>BBH4sBBH', 0x11, code, 0, ip4(group), robust, interval, len(sources)) + \
        b''.join(ip4(s) for s in sources)


def mld2_query(group, sources=(), delay=1000):
    return icmp(130, 0, struct.pack('>HH', delay, 0), ip6(group) + struct.pack('>BBH', 2, 125, len(sources)) +
                b''.join(ip6(s) for s in sources))


def seeds_igmp_mld():
    v6 = TO6['group'] | 1           # an odd argument: MLD
    link = FROM6['link']
    for how in (ROUTER, ROUTER | OLD):
        name = '-old' if how & OLD else ''
        yield 'igmp1' + name, machine(record(struct.pack('>BBH4s', 0x11, 0, 0, b'\0' * 4), TO4['hosts'], mode=MINUTE),
                                      record(struct.pack('>BBH4s', 0x12, 0, 0, ip4('239.1.2.3')), 4, mode=MINUTE), how=how)
        yield 'igmp2' + name, machine(*[record(struct.pack('>BBH4s', kind, 100, 0, ip4(group)), TO4['hosts'], mode=LATER)
                                        for kind in (0x11, 0x16, 0x17, 0x11)
                                        for group in ('0.0.0.0', '239.1.2.3', '232.1.2.3')], how=how)
        yield 'igmp3' + name, machine(record(igmp3_query('0.0.0.0'), TO4['hosts'], mode=MINUTE),
                                      record(igmp3_query('239.1.2.3', code=0xff), 4, mode=LATER),
                                      record(igmp3_query('239.1.2.3', ('10.0.0.9', '10.0.0.10')), 4, mode=LATER),
                                      record(igmp3_query('232.1.2.3', ('10.0.0.9',), 0), 4, mode=LATER), how=how)
        yield 'mld1' + name, machine(*[record(icmp(kind, 0, b'\3\xe8\0\0', ip6(group)), 5, link, LATER)
                                       for kind in (130, 131, 132) for group in ('::', 'ff02::1234', 'ff35::1234')], how=how)
        yield 'mld2' + name, machine(record(mld2_query('::'), 5, link, MINUTE),
                                     record(mld2_query('ff02::1234', delay=0xffff), v6, link, LATER),
                                     record(mld2_query('ff35::1234', ('2001:db8::9', '2001:db8::a')), 5, link, LATER),
                                     record(mld2_query('ff02::1234', ('2001:db8::9',), 0), 5, link, LATER), how=how)
    yield 'igmp3-many', machine(record(igmp3_query('239.1.2.3', ['10.0.%d.%d' % (i >> 8, i & 255) for i in range(360)]), 4,
                                       mode=LATER))
    yield 'mld2-many', machine(record(mld2_query('ff02::1234', ['2001:db8::%x' % i for i in range(80)]), 5, link, LATER))
    yield 'igmp3-report', machine(record(struct.pack('>BBHHH', 0x22, 0, 0, 0, 1) + b'\2\0\0\1' + ip4('239.1.2.3') +
                                         ip4('10.0.0.9'), 4))
    yield 'mld2-report', machine(record(struct.pack('>BBHHH', 143, 0, 0, 0, 1) + b'\2\0\0\1' + ip6('ff02::1234') +
                                        ip6('2001:db8::9'), 5, link))
    yield 'flood', machine(record(igmp3_query('0.0.0.0', code=0x7f), 4, mode=FLOOD | MINUTE),
                           record(mld2_query('::'), 5, link, FLOOD | MINUTE))
    yield 'no-alert', machine(record(igmp3_query('0.0.0.0'), 4, mode=ODD), record(mld2_query('::'), 5, link, ODD))
    yield 'lying', machine(record(igmp3_query('239.1.2.3', ('10.0.0.9',))[:-2], 4), record(mld2_query('::')[:27], 5, link),
                           record(igmp3_query('239.1.2.3')[:10] + b'\xff\xff', 4))


def seeds_udp():
    yield 'hello', machine(record(udp(), 0, mode=READ), record(udp(), 1, mode=READ))
    yield 'sizes', machine(*[record(udp(b'x' * n), to, mode=READ) for to in (0, 1) for n in (0, 1, 512, 1400)])
    yield 'groups', machine(*[record(udp(), to, mode=READ | SOON) for to in range(16)])
    yield 'sources', machine(*[record(udp(), to, source, READ | SOON) for to in (0, 1) for source in range(16)])
    yield 'closed', machine(*[record(udp(b'x', to=9), to, mode=ODD | LATER) for to in (0, 1, 3, 5)])
    yield 'no-checksum', machine(record(ethernet(0x800, packet4(UDP, udp())), mode=FRAME | READ),
                                 record(ethernet(0x86dd, packet6(UDP, udp())), mode=FRAME | READ))
    yield 'lengths', machine(*[record(struct.pack('>HHHH', 7, 1000, n, 0) + b'hello', to, mode=ODD)
                               for to in (0, 1) for n in (0, 7, 8, 12, 14, 65535)])
    yield 'flood', machine(record(udp(b'x' * 1000), 0, mode=FLOOD | READ), record(udp(b'x' * 1000), 1, mode=FLOOD | READ))
    yield 'dual', machine(record(udp(to=1001), 0, mode=ODD | READ), record(udp(to=1001), 1, mode=ODD | READ))
    yield 'connected', machine(record(udp(source=53, to=49152), mode=ODD), record(udp(source=53, to=65535), 1, mode=ODD))


def seeds_net():
    """A frame of each kind, as others send them: without checksums of use, but with everything in place."""
    frames = {
        'arp': ethernet(0x806, arp(1), b'\xff' * 6), 'ip4': ethernet(0x800, packet4(ICMP, icmp(8))),
        'ip6': ethernet(0x86dd, packet6(ICMP6, icmp(128))), 'group4': ethernet(0x800, packet4(UDP, udp()), b'\1\0\x5e\1\2\3'),
        'group6': ethernet(0x86dd, packet6(UDP, udp()), b'\x33\x33\0\0\x12\x34'),
        'vlan': ethernet(0x8100, b'\0\1\x08\0' + packet4(UDP, udp())), 'llc': ethernet(8, b'\xaa\xaa\3\0\0\0\x08\0'),
        'stp': ethernet(3, b'\x42\x42\3', b'\1\x80\xc2\0\0\0'), 'pause': ethernet(0x8808, b'\0\1\xff\xff'),
        'others': ethernet(0x800, packet4(UDP, udp()), b'\2\0\0\0\0\x77'), 'padded': ethernet(0x806, arp(1) + b'\0' * 18),
        'short': LLADDR * 2 + b'\x08', 'nothing': ethernet(0x800, b''), 'long': ethernet(0x800, packet4(UDP, b'x' * 1600)),
    }
    for name, frame in frames.items():
        yield name, machine(record(frame), record(frame, mode=OTHER | SOON), how=ROUTER | CHECKED)
    yield 'all', machine(*[record(f, mode=LATER) for f in frames.values()])


# ---- routing messages -----------------------------------------------------------------------------

(WRITE, WRITE_FIT, WRITE_BUILT, TABLE_READ, OPEN, OPTION, SHUTDOWN, TABLE, VARIABLE, UDP_SEND, WAIT, ROUTE_ADD,
 ROUTE_DELETE, ROUTE_CHANGE, ROUTE_GET, ROUTE_LIST, ADDRESS_ADD, ADDRESS_REMOVE, INTERFACE, NEIGHBOR) = range(20)
GATEWAY, HOST, REJECT, CLONING, STATIC, BLACKHOLE, SCOPED = 2, 4, 8, 0x100, 0x800, 0x1000, 0x1000000


def sin(text, length=16):
    return struct.pack('>BBH', length, 2, 0) + ip4(text) + b'\0' * 8


def sin6(text, scope=0):
    return struct.pack('>BBHI', 28, 30, 0, 0) + ip6(text) + struct.pack('<I', scope)


def sdl(index, name=b'', lladdr=b''):
    data = struct.pack('<BBHBBBB', 0, 18, index, 6, len(name), len(lladdr), 0) + name + lladdr
    data += b'\0' * (20 - len(data))
    return bytes([len(data)]) + data[1:]


def step(what, arg=0, data=b''):
    return struct.pack('BBB', what, arg, len(data)) + data


def message(kind, flags=0, dst=b'', gateway=b'', mask=b'', more=b'', addrs=0, index=0, inits=0):
    addrs |= (1 if dst else 0) | (2 if gateway else 0) | (4 if mask else 0)
    return step(WRITE_BUILT, kind, struct.pack('<IBB', flags, addrs, index << 5 | inits) + dst + gateway + mask + more)


def seeds_rtmsg():
    reads = step(TABLE_READ, 255)
    net, mask, hop = sin('10.7.0.0'), bytes([6, 2, 0, 0, 255, 255, 0, 0]), sin('10.0.0.9')
    net6, mask6, hop6 = sin6('2001:db8:7::'), bytes([16, 30]) + b'\0' * 6 + b'\xff' * 6 + b'\0' * 2, sin6('fe80::9', 2)
    for name, n, k, h in (('4', net, mask, hop), ('6', net6, mask6, hop6)):
        yield 'add-' + name, machine(message(1, GATEWAY | STATIC, n, h, k), message(4, 0, n, mask=k), message(4, 0, n),
                                     reads, message(3, GATEWAY, n, h, k, inits=1), message(2, 0, n, mask=k), reads)
        yield 'host-' + name, machine(message(1, HOST | GATEWAY, n, h), message(4, HOST, n), message(1, HOST, n, h),
                                      message(2, HOST, n), reads)
        yield 'refuse-' + name, machine(message(1, REJECT, n, h, k), message(1, BLACKHOLE | HOST, h, h), reads)
        yield 'link-' + name, machine(message(1, CLONING, n, sdl(2), k), message(1, 0, n, k, addrs=0x10, more=sdl(3, b'en1')),
                                      message(1, HOST | 0x400, h, sdl(2, b'', LLADDR)), message(4, HOST | 0x400, h),
                                      message(2, HOST | 0x400, h), reads)
        yield 'scoped-' + name, machine(message(1, SCOPED | GATEWAY, n, h, k, index=2), message(4, SCOPED, n, index=2),
                                        message(2, SCOPED, n, mask=k, index=2), reads)
        yield 'all-' + name, machine(message(4, 0, n, h, k, addrs=0xf8, more=n + sdl(2) + h + n + n), reads)
    yield 'default', machine(message(1, GATEWAY, bytes([16, 2]) + b'\0' * 14, hop, b'\0\0\0\0'),
                             step(UDP_SEND, 0, ip4('10.9.9.9')), step(WAIT, 20), step(TABLE, 200, b'\0\2\1\0'), reads,
                             message(2, 0, sin('0.0.0.0'), mask=b'\0\0\0\0'))
    yield 'kinds', machine(*[message(kind, GATEWAY, net, hop, mask) for kind in range(24)], reads)
    yield 'lengths', machine(*[step(WRITE_FIT, 0, b'\0\0\5\1' + b'\0' * n) for n in (0, 3, 87, 88, 89, 120, 250)],
                             step(WRITE, 0, b'\xff\xff\5\1' + b'\0' * 88), step(WRITE))
    yield 'tables', machine(*[step(TABLE, 254, bytes([0, family, what, 0, 0])) for family in (0, 2, 17, 18, 30)
                              for what in range(8)], step(TABLE, 1, b'\0\0\1\0'), step(TABLE, 2, b'\0\0\1\0'),
                            step(TABLE, 254, b'\0\0\2\0\1'), step(TABLE, 254, b'\0\0\2\0\2\3'))
    far, gateway = ip4('10.7.0.0'), ip4('10.0.0.9')
    plain = bytes([16]) + struct.pack('<I', 0) + bytes([100, 1, 1]) + far + gateway
    yield 'calls', machine(step(ROUTE_ADD, 0, plain), step(ROUTE_GET, 0, plain), step(ROUTE_LIST, 2, plain),
                           step(UDP_SEND, 0, ip4('10.7.0.1')), step(WAIT, 10), step(ROUTE_CHANGE, 0, plain),
                           step(ROUTE_DELETE, 0, plain), step(ROUTE_ADD, 0, b'\x21' + plain[1:]))
    plain6 = bytes([48]) + struct.pack('<I', 0) + bytes([0, 1, 1]) + ip6('2001:db8:7::') + ip6('fe80::9')
    yield 'calls-6', machine(*[step(what, 1, plain6) for what in (ROUTE_ADD, ROUTE_GET, ROUTE_LIST, ROUTE_CHANGE,
                                                                  ROUTE_DELETE)], step(UDP_SEND, 1, ip6('2001:db8:7::1')))
    yield 'addresses', machine(step(ADDRESS_ADD, 0, b'\x18' + ip4('10.0.5.1')), step(ADDRESS_ADD, 1, b'\x40' + ip6('2001:db8:5::1')),
                               step(WAIT, 30), step(UDP_SEND, 0, ip4('10.0.5.9')), step(NEIGHBOR, 0, b'\0' + ip4('10.0.5.9')),
                               step(ADDRESS_REMOVE, 0, b'\0' + ip4('10.0.5.1')), step(ADDRESS_REMOVE, 1, b'\0' + ip6('2001:db8:5::1')),
                               step(ADDRESS_REMOVE, 0, b'\0' + ip4('10.0.0.1')), reads)
    yield 'interfaces', machine(step(UDP_SEND, 0, ip4('10.0.0.9')), step(UDP_SEND, 1, ip6('2001:db8::9')), step(INTERFACE),
                                step(TABLE, 200, b'\0\0\3\0'), step(UDP_SEND, 0, ip4('10.0.0.9')), step(INTERFACE, 2), reads)
    yield 'sockets', machine(step(OPEN, 2), message(1, GATEWAY, net6, hop6, mask6), reads, step(OPTION, 2, b'\0\0\0\0'),
                             message(1, GATEWAY, net, hop, mask), reads, step(SHUTDOWN, 0), message(2, 0, net, mask=mask), reads)
    names = ('net.inet.ip.forwarding', 'net.inet.ip.ttl', 'net.inet6.ip6.hlim', 'net.inet.ip.rtexpire', 'net.link.ether.inet',
             'net.routetable', 'kern.ipc.somaxconn', 'net.inet.udp.checksum', 'net.inet.icmp.icmplim', 'a.b', '.', '')
    yield 'variables', machine(*[step(VARIABLE, 255, name.encode() + value) for name in names
                                 for value in (b'', b'\0\1\0\0\0', b'\0\xff\xff')])


# ---- socket calls ---------------------------------------------------------------------------------

(SOCKET, SOCKETPAIR, DUP, CLOSE, BIND, CONNECT, LISTEN, ACCEPT, STOP, NAMES, SENDTO, SENDMSG, RECVFROM, RECVMSG, SET, GET,
 SET_DARWIN, GET_DARWIN, NONBLOCKING, POLL, WATCH, SLEEP, IOCTL, SET_TRUE) = range(24)
LEVELS = {'socket': 0, 'ip': 1, 'ip6': 2, 'icmp6': 3, 'udp': 4, 'tcp': 5, 'icmp': 6, 'darwin': 7}
INET, INET6, LOCAL, ROUTE, SYSTEM = 0, 1, 2, 3, 4
DGRAM, STREAM, RAW, SEQ = 0, 1 << 3, 2 << 3, 6 << 3
FIRST = 3                       # descriptor that the first socket of a machine gets


def call(what, *args):
    return bytes([what]) + b''.join(a if isinstance(a, bytes) else bytes([a]) for a in args)


def fd(n):
    return bytes([n + 1])


def sized(data):
    return bytes([len(data)]) + data


def known(index, port=0):
    """Of the table in fuzz_sockopt.c; the port is 1000 and this."""
    return bytes([4 | port << 4, index])


def option(name):
    """A name as option_name() takes it."""
    return bytes([name]) if name < 0xc0 else b'\xff' + struct.pack('<I', name)


def seeds_sockopt():
    s, t = fd(FIRST), fd(FIRST + 1)
    for name, domain, here, there in (('4', INET, 0, 1), ('6', INET6, 8, 9)):
        yield 'udp-' + name, machine(call(SOCKET, domain), call(SOCKET, domain), call(BIND, s, known(here)),
                                     call(CONNECT, t, known(here)), call(SENDTO, t, b'\5\0', 0), call(RECVMSG, s, 0x81, 9, b'\0\1', 128, 200),
                                     call(SENDTO, s, b'\0\x20', 0x80, known(there)), call(RECVFROM, t, 0, b'\0\1'), call(NAMES, t),
                                     call(CONNECT, t, 0), call(STOP, s, 2), call(CLOSE, s), call(SLEEP, 9))
        yield 'raw-' + name, machine(call(SOCKET, domain | RAW | 0x40, 1 if domain == INET else 58), call(CONNECT, s, known(there)),
                                     call(SENDTO, s, b'\x20\0', 0), call(RECVFROM, s, 0, b'\0\1'), call(RECVMSG, s, 1, 99, b'\0\1', 128, 200))
    for name, domain, protocol, there in (('4', INET, 1, 1), ('6', INET6, 58, 9)):
        yield 'ping-' + name, machine(call(SOCKET, domain | 0x40, protocol), call(SENDMSG, s, 0x81, 8, b'\0\0', 0, known(there), 0),
                                      call(CONNECT, s, known(there)), call(SENDMSG, s, 1, 8, b'\0\0', 0, 0),
                                      call(RECVMSG, s, 0x81, 99, b'\0\1', 128, 200), call(STOP, s, 1))
    yield 'dual', machine(call(SOCKET, INET6), call(SOCKET, INET), call(SET_TRUE, s, LEVELS['ip6'], 26, 0), call(BIND, s, known(10)),
                          call(SENDTO, t, b'\5\0', 0x80, known(0)), call(RECVMSG, s, 0x81, 9, b'\0\1', 128, 200),
                          call(SENDTO, s, b'\5\0', 0x80, known(14)))
    for kind, value in (('stream', STREAM), ('dgram', DGRAM)):
        yield 'local-' + kind, machine(call(SOCKET, LOCAL | value), call(SOCKET, LOCAL | value), call(BIND, s, 3), call(LISTEN, s, 5),
                                       call(CONNECT, t, 3), call(ACCEPT, s), call(SENDTO, t, b'\0\x10', 0), call(RECVFROM, fd(FIRST + 2), 0, b'\0\x40'),
                                       call(STOP, t, 1), call(RECVFROM, fd(FIRST + 2), 0, b'\0\x40'), call(NAMES, s), call(CLOSE, s))
        rights = call(SENDMSG, s, 1, 5, b'\0\0', 0, 1, LEVELS['socket'], 1, sized(bytes([FIRST, 0, 0, 0, FIRST + 1, 0, 0, 0])))
        yield 'rights-' + kind, machine(call(SOCKETPAIR, value), rights, call(RECVMSG, t, 1, 99, b'\0\1', 128, 200), rights, rights,
                                        call(CLOSE, t), call(CLOSE, s), call(CLOSE, fd(FIRST + 2)), call(CLOSE, fd(FIRST + 3)))
        yield 'cycle-' + kind, machine(call(SOCKETPAIR, value), call(SOCKETPAIR, value), rights, call(CLOSE, s), call(CLOSE, t),
                                       call(SOCKETPAIR, value), call(CLOSE, s), call(CLOSE, t))
    yield 'peek', machine(call(SOCKETPAIR, STREAM), call(SENDTO, s, b'\5\0', 0), call(RECVMSG, t, 0x41, 9, b'\0\1', 0, 0),
                          call(RECVMSG, t, 0x11, 3, b'\0\0', 0, 0), call(SENDTO, s, b'\1\0', 1), call(RECVFROM, t, 1, b'\1\0'))
    for name, level in LEVELS.items():
        sockets = call(SOCKET, INET) + call(SOCKET, INET6) + call(SOCKETPAIR, STREAM)
        every = [call(SET_TRUE, fd(FIRST + i), level, n, 1) for i in range(3) for n in range(64)]
        yield 'set-' + name, machine(sockets, *every)
        yield 'get-' + name, machine(sockets, *[call(GET, fd(FIRST + i), level, option(n), 64) for i in range(3) for n in range(62)])
    numbers = list(range(0, 16)) + [0x1000 + n for n in range(1, 9)] + [0x1020, 0x1021, 0x1022, 0x1024, 0x1080, 0x1081, 0x1100]
    for name in ('darwin', 'ip', 'ip6'):
        level = LEVELS[name]
        yield 'darwin-' + name, machine(call(SOCKET, INET6), *[
            call(what, s, level, option(n), *args) for n in numbers
            for what, args in ((SET_DARWIN, (sized(b'\1\0\0\0'),)), (GET_DARWIN, (16,)))])
    group4 = struct.pack('<I4x', 2) + struct.pack('<HH', socket.AF_INET, 0) + ip4('239.1.2.3') + b'\0' * 120
    group6 = struct.pack('<I4x', 2) + struct.pack('<HHI', socket.AF_INET6, 0, 0) + ip6('ff02::1234') + b'\0' * 104
    join = [call(SET, s, LEVELS['ip'], option(n), sized(value)) for n, value in (
        (35, ip4('239.1.2.3') + ip4('10.0.0.1')), (35, ip4('239.1.2.3') + ip4('10.0.0.1')), (33, b'\1\0\0\0'),
        (38, ip4('239.1.2.3') + ip4('10.0.0.1') + ip4('10.0.0.9')), (39, ip4('232.1.2.3') + ip4('10.0.0.1') + ip4('10.0.0.9')),
        (40, ip4('232.1.2.3') + ip4('10.0.0.1') + ip4('10.0.0.9')), (42, group4), (45, group4), (36, ip4('239.1.2.3') + b'\0' * 4))]
    yield 'groups-4', machine(call(SOCKET, INET), call(BIND, s, known(2)), *join, call(SENDTO, s, b'\5\0', 0x80, known(5)), call(SLEEP, 99))
    join6 = [call(SET, t, LEVELS['ip6'], option(n), sized(value)) for n, value in (
        (20, ip6('ff02::1234') + struct.pack('<I', 2)), (42, group6), (45, group6), (17, b'\2\0\0\0'),
        (21, ip6('ff02::1234') + struct.pack('<I', 2)))]
    yield 'groups-6', machine(call(SOCKET, INET), call(SOCKET, INET6), call(BIND, t, known(10)), *join6,
                              call(SENDTO, t, b'\5\0', 0x80, known(13)), call(SLEEP, 99))
    for name, level, kind, value in (
            ('pktinfo-4', 'ip', 8, struct.pack('<I', 2) + ip4('10.0.0.1') + b'\0' * 4), ('ttl', 'ip', 2, b'\7\0\0\0'),
            ('pktinfo-6', 'ip6', 50, ip6('2001:db8::1') + b'\2\0\0\0'), ('hops', 'ip6', 52, b'\7\0\0\0'),
            ('hopopts', 'ip6', 54, b'\0\0\5\2\0\0\1\0'), ('dstopts', 'ip6', 59, b'\0\0\1\4\0\0\0\0'),
            ('rthdr', 'ip6', 57, bytes([0, 2, 0, 1]) + b'\0' * 4 + ip6('2001:db8::9')), ('tclass', 'ip6', 67, b'\7\0\0\0')):
        domain, to = (INET, 1) if level == 'ip' else (INET6, 9)
        yield 'send-' + name, machine(call(SOCKET, domain), call(SENDMSG, s, 0x81, 5, b'\0\0', 0, known(to), 1, LEVELS[level], kind, sized(value)),
                                      call(SET, s, LEVELS[level], option(kind), sized(value)), call(SENDTO, s, b'\5\0', 0x80, known(to)))
    yield 'poll', machine(call(SOCKETPAIR, DGRAM), call(WATCH, s, 5), call(SENDTO, t, b'\5\0', 0), call(WATCH, s, 5),
                          call(POLL, 3, 9, s, b'\5\0', t, b'\4\0', fd(20), b'\1\0'), call(POLL, 1, 255, s, b'\1\0'), call(DUP, s),
                          call(CLOSE, s), call(NONBLOCKING, t, 1), call(STOP, t, 0))
    yield 'ioctl', machine(call(SOCKET, INET), call(SOCKET, INET6), *[
        call(IOCTL, who, n, kind, struct.pack('<H', size), sized(sin('10.0.0.77') if who == s else sin6('2001:db8::77')))
        for who in (s, t) for n, kind, size in ((12, 0x19, 32), (33, 0x1b, 32), (17, 0x1b, 32), (16, 0x19, 32), (25, 0x19, 32),
                                                (26, 0x19, 64), (26, 0x19, 128), (37, 0x1b, 32), (49, 0x19, 32), (52, 0x19, 32),
                                                (7, 6, 4), (9, 6, 4), (51, 0x0b, 32))])


# ---- TCP: fuzz_tcp_core.c -----------------------------------------------------------------------

STARTS = ('listen', 'syn-sent', 'half-open', 'syn-received', 'established', 'accepted', 'close-wait', 'fin-wait-1',
          'fin-wait-2', 'closing', 'last-ack', 'time-wait')
(SEGMENT, _, _, _, DATA, ACK, TCP_WRITE, TCP_READ, SHUT, CLOSE_IT, TIME, CONNECT_TO, ANSWER, TCP_OPTION, SELECT, OTHER_STEP) = range(16)
V6, TS, SACK, SCALE, PENDING, ECN, INLINE, CLOSED = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20, 0x40, 0x80
FIN, SYN, RST, PSH, AK, URG = 0x01, 0x02, 0x04, 0x08, 0x10, 0x20
NEXT, RIGHT, UNACKED = 0, 1, 3


def fast(what):
    return [OTHER_STEP, 0x30 | what]


def connection(state, what, *steps, accurate=0):
    """`accurate`: 1 and more, with accurate ECN."""
    return bytes([STARTS.index(state) + accurate * len(STARTS), what]) + b''.join(bytes(s) for s in steps)


def segment(flags, seq=0, ack=0, win=65535, size=0, where=NEXT, acks=NEXT, urgent=None, options=None, tos=0, ae=False):
    """Numbers: `seq` from `where`, `ack` from what was sent last, unless `acks` says else."""
    extra = tos | (0x10 if ae else 0) | (0 if urgent is None else 4) | (0 if options is None else 8)
    return bytes([SEGMENT, flags, where | acks << 4]) + struct.pack('<hhHBB', seq, ack, win, size, extra) + \
        (b'' if urgent is None else bytes([urgent])) + (options or b'')


def sacks(*blocks):
    return bytes([4 | (len(blocks) - 1) << 3]) + b''.join(struct.pack('<hh', *b) for b in blocks)


def seeds_tcp_segment():
    kinds = {'ack': segment(AK), 'data': segment(AK | PSH, size=9), 'fin': segment(AK | FIN), 'rst': segment(RST),
             'rst-near': segment(RST, seq=5), 'syn': segment(SYN), 'syn-ack': segment(SYN | AK), 'old': segment(AK, seq=-99, size=3),
             'early': segment(AK, seq=200, size=9), 'too-much': segment(AK, ack=5000), 'right': segment(AK, where=RIGHT, size=5),
             'urgent': segment(AK | URG, size=9, urgent=3), 'nothing': segment(0, size=1), 'all': segment(0xff, size=1)}
    for state in STARTS:
        for what in (0, TS | SACK | SCALE | PENDING, V6 | TS | SACK | SCALE | PENDING | CLOSED, ECN | INLINE | PENDING):
            yield '%s-%02x' % (state, what), connection(state, what, *[
                part for name in ('old', 'early', 'too-much', 'right', 'rst-near', 'syn', 'urgent', 'nothing', 'data', 'ack', 'fin')
                for part in (kinds[name], [TCP_READ, 0, 200])], [TIME, 7], kinds['ack'])
        yield state + '-all', connection(state, TS | SACK | SCALE, kinds['all'], kinds['syn-ack'], kinds['rst'], [ANSWER, 0])


def seeds_tcp_peer():
    blocks = segment(AK, ack=-4000, options=sacks((2000, 3000), (3500, 4000)))
    for name, what in (('4', TS | SACK | SCALE), ('6', V6 | TS | SACK | SCALE), ('plain', 0)):
        open_it = ([OTHER_STEP, 0x80, 1, 0], [ANSWER, 0])
        yield 'served-' + name, connection('listen', what, *open_it, [TCP_WRITE, 0, 99], [DATA, 20], [TCP_READ, 0, 99], [ACK, 255, 0xf0], [TIME, 4],
                                           [DATA, 0x80 | 5], [SHUT, 0, 1], [ACK, 255, 0xf0], [TIME, 11], [CLOSE_IT, 0, 0])
        yield 'calls-' + name, connection('listen', what, [CONNECT_TO, 0], [SELECT, 3], [ANSWER, 0], [TCP_WRITE, 0, 255], [ACK, 128, 0xf0], [ACK, 0, 0xf5],
                                          [TIME, 6], [ACK, 255, 0xf0], [CLOSE_IT, 0, 0], [ACK, 255, 0xf0], [DATA, 0x80], [TIME, 11])
        yield 'crossing-' + name, connection('listen', what, [CONNECT_TO, 0], [SELECT, 3], [ANSWER, 1], [ACK, 255, 0xf0], [TCP_WRITE, 0, 50], [ACK, 255, 0])
        yield 'losses-' + name, connection('established', what, [TCP_WRITE, 0, 255], blocks, blocks, [TIME, 2], blocks, [TIME, 5], [ACK, 90, 0xf3], [TIME, 7],
                                           [ACK, 255, 0xf0])
        yield 'shut-window-' + name, connection('established', what, [TCP_WRITE, 0, 255], [ACK, 255, 0], [TIME, 9], [ACK, 255, 0], [TIME, 12], [ACK, 255, 0x10],
                                                [TIME, 14], [ACK, 255, 0xf0])
        yield 'errors-' + name, connection('established', what, [TCP_WRITE, 0, 255], [OTHER_STEP, 0xc4, 0, 2, 0, 0], [OTHER_STEP, 0xc4, 68, 0, 0, 0],
                                           [OTHER_STEP, 0xc1, 0, 0, 0, 0], [OTHER_STEP, 0xc3, 0, 0, 0, 0], [TIME, 10])
        yield 'fast-served-' + name, connection('listen', what, fast(0), [*fast(1), 1, 0, 0], [SELECT, 1], [*fast(2), 2, 0, 60], [TCP_READ, 0, 255], [TCP_WRITE, 0, 99],
                                                [ANSWER, 0], [DATA, 20], [TCP_READ, 0, 255], [ACK, 255, 0xf0], [CLOSE_IT, 0, 0], [DATA, 0x80], [TIME, 11])
        yield 'fast-wrong-' + name, connection('listen', what, fast(0), [*fast(3), 2, 0, 60], [ANSWER, 0], [DATA, 20], [TCP_READ, 0, 255], fast(6),
                                               [SELECT, 1], [*fast(3), 2, 0, 60], [TCP_READ, 0, 255], [TIME, 9], [CLOSE_IT, 0, 0], [TIME, 12])
        yield 'fast-empty-' + name, connection('listen', what, fast(0), [*fast(2), 2, 0, 0], [ANSWER, 0], [DATA, 20], [TCP_READ, 0, 255], [TIME, 11])
        for part in 0, 100, 255:
            yield 'fast-calls-%d-%s' % (part, name), connection('listen', what, [*fast(4), 0, 20], [SELECT, 3], [*fast(5), 0], [ACK, 255, 0xf0],
                                                                [*fast(4), 1, 60], [SELECT, 4], [*fast(5), part], [TIME, 5], [ACK, 255, 0xf0], [DATA, 9],
                                                                [TCP_READ, 1, 255], [*fast(4), 2, 60], [TIME, 12], fast(7), [*fast(4), 2, 60])
        yield 'all-errors-' + name, connection('established', what, [TCP_WRITE, 0, 255], *[
            part for kind in range(16) for part in ([OTHER_STEP, 0xc0 | kind, 0, 5, 0, 0], [OTHER_STEP, 0xd0 | kind, 0, 5, 0xff, 0xff], [TIME, 6],
                                                    [SELECT, 3 + kind % 3], [CONNECT_TO, kind % 3], [OTHER_STEP, 0xc0 | kind, 0, 5, 0, 0], [TIME, 9],
                                                    [OTHER_STEP, 0xc0 | kind, 0, 5, 0, 0], [SELECT, 0])])
        for how in range(4):
            yield 'refused-%d-%s' % (how, name), connection('established', what, [OTHER_STEP, 0x50 + how], [TCP_WRITE, 0, 255], [TIME, 7], [OTHER_STEP, 0x50], [TIME, 7],
                                                            [ACK, 255, 0xf0], [OTHER_STEP, 0x50 + how], [CLOSE_IT, 0, 0], [TIME, 12])
        yield 'no-memory-' + name, connection('established', what | PENDING, *[
            part for n in range(8) for part in ([OTHER_STEP, 0x54, n], [TCP_WRITE, 0, 40 + n], [OTHER_STEP, 0x54, n], segment(AK, seq=300, size=50),
                                                [OTHER_STEP, 0x54, n], [ACK, 100, 0xf0], [TIME, 6])])
    ECE, CWR = 0x40, 0x80
    for mode in range(1, 13):
        yield 'accecn-%d' % mode, connection('accepted', TS | SACK | ECN | (V6 if mode & 1 else 0), [ANSWER, 0], *[
            part for n in range(9) for part in ([TCP_WRITE, 0, 60], segment(AK | (ECE if n & 1 else 0) | (CWR if n & 2 else 0), size=n * 3, tos=n % 4, ae=n & 4 != 0),
                                                segment(AK | CWR, seq=300 * n, size=9, tos=3), [TIME, 2])],
            [ACK, 255, 0xf0], segment(SYN | AK | CWR, tos=3), [OTHER_STEP, 0x54, 1], [CLOSE_IT, 0, 0], [TIME, 11], accurate=mode)
    for n in range(16):
        yield 'without-%d' % n, connection('listen', TS | SACK | SCALE | ECN, [OTHER_STEP, n], [OTHER_STEP, 0x81, 1, 0], [ANSWER, 0], [TCP_WRITE, 0, 255], blocks,
                                           [TIME, 5], [ACK, 255, 0xf0], [DATA, 0x80], [CLOSE_IT, 0, 0], [TIME, 11])
        yield 'option-%d' % n, connection('established', TS | SACK, [TCP_OPTION, 0, n, 1], [TCP_OPTION, 0, n, 0x7f], [TCP_WRITE, 0, 200], [DATA, 9], [TIME, 12], [TCP_READ, 0, 9],
                                          [TCP_OPTION, 0, n, 0xff], [TCP_WRITE, 0, 99], [ACK, 255, 0xf0], [TIME, 13])
    yield 'flood', connection('listen', 0, *[[OTHER_STEP, n] for n in range(0x60, 0x80)], [OTHER_STEP, 0x81, 1, 0], [ANSWER, 0], [OTHER_STEP, 0x5c], [TIME, 12])


def seeds_tcp_options():
    stamp = struct.pack('>BBII', 8, 10, 1, 2)
    known = {'syn': b'\2\4\5\xb4\1\3\3\7\4\2' + stamp, 'stamp': b'\1\1' + stamp, 'sack': b'\1\1\5\x12' + bytes(range(16)), 'end': b'\0\0\0\0',
             'fastopen': b'\x22\x0a12345678\1\1', 'request': b'\x22\2\1\1', 'four': b'\1\1\5\x22' + bytes(range(32)), 'short': b'\2\4\5',
             'zero': b'\x63\0', 'long': b'\x63\xff1', 'accecn': b'\xae\x0b' + bytes(range(9)) + b'\1\xac\5\1\2\3', 'md5': b'\x13\x12' + bytes(16)}
    for name, data in known.items():
        for syn in (0, 1):
            yield '%s-%d' % (name, syn), bytes([syn]) + data


# ---- fuzz_device: calls of programs, and acts of the kext in what they write ---------------------------

DEVICE_CALLS = 'open path read write many ioctl flags dup close poll watch ready process time socket reload'.split()
DEVICE_ACTS = ('move skip resid wake record clear sleep wait remove add remove_name add_name answer process offset '
               'pieces').split()


def device(name, choice=0, *args):
    return bytes([DEVICE_CALLS.index(name), choice]) + b''.join(bytes([a]) if isinstance(a, int) else a for a in args)


def does(*pairs, later=False):
    """What a write has the kext do, or the calls that have no bytes."""
    data = bytearray(b''.join(bytes([DEVICE_ACTS.index(what), argument]) for what, argument in pairs))
    if later:
        data[0] |= 0x80
    return bytes([len(data)]) + bytes(data)


def seeds_device():
    both = device('open', 2 << 2)
    for how in (0, 1):
        for name, calls in {
                'read': [both, device('write', 0, does(('move', 9), ('skip', 3), ('resid', 200), later=True)), device('read', 0, 100), device('close')],
                'close': [both, device('dup', 0x50), both, device('close'), device('close', 1), device('close', 2), device('read', 0, 9)],
                'waits': [both, device('write', 0, does(('sleep', 0x1f), ('wait', 0), later=True)), device('read', 0, 9), device('poll', 0, 5, 1, 4, 2, 9)],
                'watch': [both, device('watch', 0, 5), device('write', 0, does(('wake', 1), ('wake', 0))), device('ready'), device('time', 9),
                          device('write', 0, does(('move', 1), ('clear', 1), later=True)), device('watch', 0, 1), device('ready'), device('close')],
                'away': [both, device('watch', 0, 1), device('write', 0, does(('remove', 0), ('remove_name', 0), ('add', 0), ('add_name', 0))),
                         device('read', 0, 5), device('poll', 0, 0, 1, 3), both, device('write', 1, does(('move', 1), ('remove', 0), later=True)),
                         device('open', 0), device('close')],
                'clone': [device('open', 2 | 2 << 2)] * 3 + [device('close', 1), device('write', 0, does(('answer', 5))), device('open', 2), device('write', 0,
                          does(('remove_name', 2), ('answer', 0)))],
                'users': [device('process', 0x67), device('open', 0), both, device('process', 0x60), both, device('write', 0, does(('process', 1), ('process', 14))),
                          device('process', 0x80), device('write', 0, does(('process', 200)))],
                'paths': [device('path', 0, 0, 9, b'/dev//net'), device('path', 0, 1, 8, b'net/dev0'), device('path', 0, 1, 255, b'a' * 250),
                          device('path', 0, 1, 10, b'net/dev0/x'), device('open', 3), device('open', 0xff)],
                'ioctls': [both] + [device('ioctl', 0, n, 4, b'\x07\x05\x03\x01') for n in range(0, 256, 9)] + [device('flags', 0x70)],
                'many': [both, device('many', 0, does(('pieces', 1), ('offset', 3)), 40), device('socket'), device('many', 1, 3, b'abc', 3), device('poll', 0, 19, 1, 1, 0)],
                'reload': [both, device('reload'), device('close'), device('reload'), both, device('read', 0, 1)],
        }.items():
            yield '%s-%d' % (name, how), bytes([how]) + b''.join(calls)


# ---- fuzz_ctl: calls of programs, and acts of the kext in what they send ------------------------------

CTL_CALLS = ('open name connect bind send receive set get ioctl shutdown close peer poll wait events filter buffer '
             'reload').split()
CTL_ACTS = ('put packet space connect send receive close retain release deregister register post later sleep answer '
            'length').split()


def ctl(name, choice=0, *args):
    return bytes([CTL_CALLS.index(name), choice]) + b''.join(bytes([a]) if isinstance(a, int) else a for a in args)


def acts(*pairs):
    data = b''.join(bytes([CTL_ACTS.index(what), argument]) for what, argument in pairs)
    return bytes([len(data)]) + data


def seeds_ctl():
    dgram, stream, events = ctl('name', 0), ctl('name', 1), ctl('events')
    for how in (0, 1):
        for name, calls in {
                'echo': [dgram, ctl('send', 0, acts(('put', 9), ('packet', 6), ('space', 0))), ctl('receive', 0, 99), ctl('poll', 0, 1, 5)],
                'stream': [stream, ctl('send', 0, acts(('put', 9), ('put', 200))), ctl('receive', 0, 5), ctl('receive', 0, 255)],
                'full': [dgram] + [ctl('send', 0, acts(*[('put', 250)] * 8))] * 3 + [ctl('receive', 0, 255)] * 9,
                'options': [dgram, ctl('set', 0, 0, 1, acts(('put', 3), ('answer', 0x85))), ctl('get', 0, 0, 1, acts(('length', 9), ('answer', 0))),
                            ctl('get', 0, 0, 0x81, 0), ctl('get', 0, 0xf1, 1, 4, b'abcd')],
                'addresses': [ctl('open', 2 << 2), ctl('connect', 0, 9), ctl('connect', 0, 1), ctl('peer'), ctl('open', 2 << 2), ctl('bind', 1, 0x49),
                              ctl('connect', 1, 0x80), ctl('open', 2 << 2 | 1), ctl('connect', 2, 2), ctl('open', 2 << 2), ctl('connect', 3, 0xf8)],
                'ioctls': [ctl('open', 2 << 2)] + [ctl('ioctl', 0, n, 8, b'dgram\0\0\0') for n in range(12)] + [events] +
                          [ctl('ioctl', 1, n, 16, b'\0' * 4 + b'org.example\0') for n in range(12)],
                'events': [events, dgram, ctl('send', 1, acts(('post', 1), ('post', 3), ('post', 210), ('register', 2), ('deregister', 2))),
                           ctl('receive', 0, 255), ctl('receive', 0, 10), ctl('filter', 0, 1), ctl('send', 1, acts(('deregister', 2))), ctl('receive', 0, 99)],
                'client': [dgram, ctl('send', 0, acts(('connect', 0x09), ('connect', 0x1d), ('send', 0x30), ('receive', 0), ('retain', 0), ('send', 0x01))),
                           ctl('wait', 9), ctl('send', 0, acts(('close', 0x80), ('connect', 0x21), ('close', 2), ('connect', 0xb0)))],
                'deep': [dgram, ctl('send', 0, acts(('connect', 0x01), ('send', 0x4e), ('send', 0x4e), ('close', 0)))],
                'ends': [dgram, ctl('send', 0, acts(('later', 40), ('sleep', 9))), ctl('close', 0), ctl('wait', 99), dgram, ctl('shutdown', 0x20), ctl('shutdown', 0),
                         ctl('send', 0, acts(('put', 1))), ctl('reload'), ctl('close'), ctl('reload'), dgram],
                'refused': [dgram, ctl('send', 0, acts(('answer', 0x8d))), dgram, ctl('connect', 1, 1), ctl('send', 0, acts(('answer', 0))), dgram],
                'buffers': [dgram, ctl('buffer', 0, 1), ctl('send', 0, acts(('put', 2), ('put', 1))), ctl('buffer', 0x80, 255), ctl('send', 0x80, 0)],
        }.items():
            yield '%s-%d' % (name, how), bytes([how]) + b''.join(calls)


# ---- fuzz_flows: captures --------------------------------------------------------------------------------

def seeds_flows():
    """Captures of flows, built as the tests of `nke replay --sockets` build theirs; a byte for fuzz_filters.c."""
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '..', 'system'))
    from flowtest import ACK, RST, Capture, Tcp, option_sack
    from replaytest import HOST4, PEER4, checksum, fragments, ip, pattern, pcap, udp_segment

    def whole(c, **more):
        f = Tcp(c, 40000, 80, stamps=True, **more).open()
        f.data(not f.server, b'question')
        f.data(f.server, pattern(3000))
        f.ack(not f.server)
        f.close()

    def loss(c):
        f = Tcp(c, 40000, 80).open()
        base = f.seq[True]
        for i in (0, 2, 3, 1):
            f.put(True, ACK, b'z' * 100, seq=base + i * 100)
        f.put(False, ACK, ack=base + 100, options=option_sack((base + 200, base + 400)))
        f.seq[True] = base + 400
        f.ack(False)
        f.put(False, RST | ACK)

    def begun_before(c):
        f = Tcp(c, 40000, 80)
        f.out(b'x' * 100)
        f.ack(False)
        f.inn(b'y' * 200, captured=False)
        f.ack(True)
        f.close()

    def again(c):
        f = Tcp(c, 40000, 80).open()
        f.out(b'q')
        f.put(True, RST | ACK)
        f = Tcp(c, 40000, 80, lisn=7, risn=9).open()
        f.inn(b'again', snap=60)
        f.close()

    def datagrams(c):
        c.udp(True, 50000, 53, b'question')
        c.udp(False, 50000, 53, b'answer')
        error = icmp(3, 3, data=c.frames[0].data[14:42])
        c.add(ip(PEER4, HOST4, ICMP, error[:2] + struct.pack('>H', checksum(error)) + error[4:]), False)
        for src, dst, out in (PEER4, HOST4, False), (HOST4, PEER4, True):
            for p in fragments(src, dst, 17, udp_segment(src, dst, 7000, 7000, pattern(2000)), ident=5):
                c.add(p, out)
        c.udp(False, 5353, 5353, b'group', local='224.0.0.251')

    for mode, (name, build) in enumerate((
            ('client', whole), ('server', lambda c: whole(c, server=True)), ('six', lambda c: whole(c, six=True)),
            ('loss', loss), ('begun-before', begun_before), ('again', again), ('datagrams', datagrams))):
        c = Capture()
        build(c)
        yield name, pcap(c.frames) + bytes([mode])


# ---- fuzz_replay: pcapng files (pcap files are those of tests/data/hostile) -------------------------------

def seeds_replay():
    sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), '../system'))
    import replaytest as t

    frames = t.spaced([t.ethernet(t.udp(t.HOST4, t.PEER4, 5000, 53, b'question'), True),
                       t.ethernet(t.udp(t.PEER4, t.HOST4, 53, 5000, b'answer'), False)])
    other = t.block('<', 5, bytes(12)) + t.block('<', 0xbad, b'what?')
    old = b''.join(t.block('<', 2, struct.pack('<HHQII', 0, 0, 0, len(f.data), f.length) + f.data) for f in frames)
    stamps = struct.pack('<HHB3xHHqHH', 9, 1, 0x80 | 20, 14, 8, 86400, 0, 0)
    both = t.section() + t.interface(1, resolution=9) + t.interface(101) + t.interface(147) + b''.join(
        t.enhanced(f) + t.enhanced(t.Frame(f.time_ns, f.data[14:]), 1) + t.enhanced(f, 2) for f in frames)
    for mode, (name, data) in enumerate((
            ('ng', t.pcapng(frames)), ('ng-big', t.pcapng(frames, order='>', resolution=9)),
            ('ng-orders', t.pcapng(frames) + t.pcapng(frames, order='>')), ('ng-interfaces', both),
            ('ng-simple', t.section() + t.interface(1, snaplen=40) + other + b''.join(
                t.block('<', 3, struct.pack('<I', len(f.data)) + f.data[:40]) for f in frames)),
            ('ng-old', t.section() + t.interface(1) + old + other),
            ('ng-stamps', t.section() + t.block('<', 1, struct.pack('<HHI', 1, 0, 0) + stamps) + b''.join(
                t.enhanced(f) for f in frames)))):
        yield name, data + bytes([mode])


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    for name, target in sorted(globals().items()):
        if not name.startswith('seeds_'):
            continue
        folder = os.path.join(sys.argv[1], name.replace('seeds_', 'fuzz_'))
        os.makedirs(folder, exist_ok=True)
        for seed, data in target():
            with open(os.path.join(folder, 'seed-' + seed), 'wb') as f:
                f.write(data)


main()
