#!/usr/bin/env python3
"""nke replay --sockets: what is around the flows: VLAN tags, datagrams for everybody, very many peers.

    capture:  [ host HOST4 ]----- a link, maybe tagged, maybe a router behind it -----[ peers ]
    replay:   [ machine, the same address, en0 ]----- the same peers, played from the capture
"""
import struct

from flowtest import Capture, Tcp
from replay_sockets import REQUEST, delivered, http, play, streams
from replaytest import HOST4, HOST_MAC, PEER4, PEER_MAC, START, Frame, ethernet, main, pattern, pcap, udp


def tagged(*tags):
    """A link that puts these (type, VLAN) in front of Ethernet's own type."""
    def frame(packet, out):
        plain = ethernet(packet, out)
        return plain[:12] + b''.join(struct.pack('>HH', *tag) for tag in tags) + plain[12:]
    return frame


def vlans(t):
    """Tags are passed over: the flows are found and played, the host is found from what is behind them."""
    for name, tags in (('priority', [(0x8100, 0xe000)]), ('VLAN 7', [(0x8100, 7)]),
                       ('VLAN 7 in 5', [(0x88a8, 5), (0x8100, 7)])):
        for host in (HOST4, None):
            c = Capture(link=tagged(*tags))
            f = http(c, response=pattern(5000))
            c.udp(True, 50000, 53, b'question')
            c.udp(False, 50000, 53, b'answer')
            r = play(t, c, what=name, host=host)
            if t.equal(len(r.flows), 2, name, '- flows'):
                delivered(t, r.flows[0], len(f.sent), len(f.received), 'closed', name)
                delivered(t, r.flows[1], 8, 6, 'open', name)
            t.equal(streams(r.frames).get((40000, 80)), f.sent, name, '- on the wire, without tags')
    # a tag, and nothing behind it
    frames = [Frame(START, tagged((0x8100, 7))(b'\x45', True)[:n]) for n in range(12, 19)]
    r = play(t, frames, what='only tags')
    t.equal((len(r.flows), r.json['sockets']['other']), (0, len(frames)), 'only tags')


def broadcasts(t):
    """For everybody on the network, for everybody on the link; and datagrams to the same ports for the host."""
    frames, everybody = [], b'\xff' * 6

    def add(packet, to, sender):
        frames.append(Frame(START + len(frames) * 10**6, to + sender + b'\x08\x00' + packet))

    for n in range(3):
        for address in ('10.1.0.255', '255.255.255.255'):
            port = 137 if address[0] == '1' else 17500
            add(udp(PEER4, address, port, port, b'theirs %d' % n), everybody, PEER_MAC)
            add(udp(HOST4, address, port, port, b'mine %d' % n), everybody, HOST_MAC)
            add(udp(PEER4, HOST4, port, port, b'yours alone %d' % n), HOST_MAC, PEER_MAC)
        add(udp(PEER4, '255.255.255.255', 67, 68, b'an offer %d' % n), everybody, PEER_MAC)
    r = play(t, frames, what='broadcasts')
    t.equal((r.json['sockets']['failed'], r.json['sockets']['differing']), (0, 0), 'broadcasts')
    t.equal(sum(f['in']['datagrams_delivered'] for f in r.flows), 15, 'broadcasts - read')
    t.equal(sum(f['out']['datagrams_delivered'] for f in r.flows), 6, 'broadcasts - sent')


def very_many_peers(t):
    """More hosts talk with a server, through one router, than an interface has neighbours."""
    c = Capture(step=1000)
    flows = [Tcp(c, 80, 10000 + n, server=True, remote='10.9.%d.%d' % (n // 250, n % 250 + 1))
             for n in range(4000)]
    for f in flows:
        f.open()
        f.inn(REQUEST)
    for f in flows:
        f.out(b'answer')
        f.ack(False)
    for f in flows:
        f.close(False)
    r = play(t, c, what='very many peers', host=None, check=False)
    t.equal(r.json['host'], '02:00:00:00:00:01 ' + HOST4, 'very many peers - the host')
    t.equal(len(r.flows), len(flows), 'very many peers - flows')
    t.equal(r.json['sockets']['differing'], 0, 'very many peers')
    t.check(all(f['state'] == 'closed' for f in r.flows), 'very many peers - states')


def within(t):
    """A loopback interface has nothing that can be played, and the report says so."""
    c = Capture()
    for local, remote in (('127.0.0.1', '127.0.0.1'), (HOST4, '10.1.0.3')):
        http(c, local=local, remote=remote, response=b'no')
    r = play(t, c, what='within the host', host='127.0.0.1,%s,10.1.0.3' % HOST4)
    t.equal((r.flows, r.json['sockets']['within']), ([], len(c.frames)), 'within the host')
    r = t.tool('replay', '--sockets', '--host', '127.0.0.1,%s,10.1.0.3' % HOST4, t.path('in.pcap'))
    t.check('not played: %d packets' % len(c.frames) in r.out.decode(), 'within the host - %r' % r.out)


def nothing(t):
    """No flow at all: the report says what may be wrong."""
    c = Capture()
    c.udp(True, 50000, 53, b'question')
    path = t.save('in.pcap', pcap(c.frames))
    for options, hint in (['--host', '10.1.0.77'], True), ([], False):
        r = t.tool('replay', '--sockets', *options, path)
        t.equal(b'no flow is the host\'s' in r.out, hint, 'no flow', options)


def test(t):
    within(t)
    nothing(t)
    vlans(t)
    broadcasts(t)
    very_many_peers(t)


main(test)
