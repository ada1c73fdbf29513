#!/usr/bin/env python3
"""nke replay --sockets: each flow of a capture is re-enacted, the host's end by a socket of the machine.

    capture:  [ host HOST4, HOST6 ]----- what was captured -----[ peer PEER4, PEER6 ]
    replay:   [ machine, same addresses, en0 ]----- the same peer, played from the capture

What is checked: what each flow delivered in both directions, how it ended, and what was on the wire (-w).
"""
import json
import os
import struct

import flowtest
from flowtest import ACK, FIN, PSH, RST, SYN, Capture, Tcp
from replaytest import (HOST4, HOST_MAC, LINKS, PEER4, PEER_MAC, START, Frame, checksum, fragments, ip, ip4, main,
                        parse, pattern, pcap, pseudo, spaced, udp, udp_segment)

HOST = '%s,%s,02:00:00:00:00:01' % (flowtest.HOST4, flowtest.HOST6)
REQUEST, RESPONSE = b'GET / HTTP/1.1\r\nHost: x\r\n\r\n', pattern(40000)


def play(t, capture, *options, what, kexts=(), expect=0, linktype=1, check=True, host=HOST):
    """The report's flows, and the frames that crossed the wire."""
    frames = capture.frames if isinstance(capture, Capture) else capture
    source = frames if isinstance(frames, str) else t.save(
        'in.pcap', pcap(frames, linktype) if isinstance(frames, list) else frames)
    args = ['replay', '--sockets', '--quiet', '-w', t.path('out.pcap'), '--json', t.path('out.json')]
    if host:
        args += ['--host', host]
    for name in kexts:
        args += ['--kext', t.kext(name)]
    r = t.tool(*args, *(['--check'] if check else []), *options, source)
    t.check(r.code == expect, what, '- exit %d, expected %d: %s' % (r.code, expect, r.err[-800:]))
    with open(t.path('out.json'), encoding='utf-8') as f:
        r.json = json.load(f)
    with open(t.path('out.pcap'), 'rb') as f:
        r.raw = f.read()
    r.flows = r.json['sockets']['flows']
    return r


def streams(frames, header=14):
    """Of each TCP flow in frames: (sport, dport) -> its octets, put in order."""
    begin, parts = {}, {}
    for f in frames:
        p = f.data[header:]
        if p[0] >> 4 == 4 and p[9] == 6:
            s = p[20:struct.unpack('>H', p[2:4])[0]]
        elif p[0] >> 4 == 6 and p[6] == 6:
            s = p[40:]
        else:
            continue
        ends, (seq,), flags = struct.unpack('>HH', s[:4]), struct.unpack('>I', s[4:8]), s[13]
        if flags & SYN:
            begin[ends] = seq + 1
        parts.setdefault(ends, []).append((seq, s[(s[12] >> 4) * 4:]))
    out = {}
    for ends, list_ in parts.items():
        data = bytearray()
        base = begin.get(ends, list_[0][0])
        for at, part in sorted(((seq - base) & 0xffffffff, d) for seq, d in list_ if d):
            data[at:at + len(part)] = part
        out[ends] = bytes(data)
    return out


def delivered(t, flow, out, inn, state, *what, captured=None, differ=(0, 0)):
    """A flow's counts: octets captured and delivered in both directions, and how it ended."""
    got = tuple((flow[d]['captured'], flow[d]['delivered'], flow[d]['differences']) for d in ('out', 'in'))
    t.equal(got, ((out, out, differ[0]), (inn, inn, differ[1])), *what, '- octets out and in')
    t.equal((flow['state'], flow['captured_state']), (state, captured or state), *what, '- state')


def http(c, lport=40000, response=RESPONSE, **more):
    """A request and its response, opened and closed by the client."""
    f = Tcp(c, lport, 80, **more)
    if f.server:
        f.lport, f.rport = 80, lport
    f.open()
    f.data(not f.server, REQUEST)
    f.ack(f.server)
    for at in range(0, len(response), 2800):
        f.data(f.server, response[at:at + 2800])
        f.ack(not f.server)
    f.close(first=f.server)
    return f


def one_flow(t, build, *what, state='closed', **more):
    """A capture of one connection: everything of it is delivered."""
    c = Capture()
    f = build(c)
    r = play(t, c, what=' '.join(what), **more)
    if t.equal(len(r.flows), 1, *what, '- flows'):
        delivered(t, r.flows[0], len(f.sent), len(f.received), state, *what)
    wire = streams(r.frames)
    t.check(wire.get((f.lport, f.rport), b'') == f.sent, *what, '- octets on the wire from the host')
    t.check(wire.get((f.rport, f.lport), b'') == f.received, *what, '- octets on the wire to the host')
    return r


# ---- whole flows --------------------------------------------------------------------------------

def client_and_server(t):
    for six in (False, True):
        for stamps in (False, True):
            for server in (False, True):
                what = '%s over IPv%d%s' % ('server' if server else 'client', 6 if six else 4,
                                            ' with time stamps' if stamps else '')
                r = one_flow(t, lambda c: http(c, six=six, stamps=stamps, server=server), what)
                t.equal(r.flows[0]['role'], 'server' if server else 'client', what)
                t.equal(r.flows[0]['retransmitted'], 0, what, '- sent again')
    one_flow(t, lambda c: http(c, scale=None, sack=False), 'no options at all')


def wrap(t):
    """Sequence numbers of both sides pass 2^32, and 2^31, within the flow."""
    for lisn, risn in ((2**32 - 10, 2**32 - 20000), (2**31 - 10, 2**31 - 20000), (2**32 - 1, 2**32 - 1)):
        one_flow(t, lambda c: http(c, lisn=lisn, risn=risn), 'numbers from %#x and %#x' % (lisn, risn))


def upload(t):
    """More than the machine's first window: acknowledgements wait for it."""
    def build(c):
        f = Tcp(c, 40000, 80).open()
        f.out(pattern(300000, 3))
        f.ack(False)
        f.inn(b'thanks')
        f.ack(True)
        f.close()
        return f
    one_flow(t, build, 'upload acknowledged at once')


def both_close(t):
    """Both FINs cross; and the peer closes first with data still to come from the host."""
    def simultaneous(c):
        f = Tcp(c, 40000, 80).open()
        f.out(REQUEST)
        f.inn(RESPONSE[:1000])
        f.put(True, FIN | ACK)
        f.put(False, FIN | ACK)
        f.seq = {True: f.seq[True] + 1, False: f.seq[False] + 1}
        f.ack(True)
        f.ack(False)
        return f
    one_flow(t, simultaneous, 'simultaneous close')

    def half(c):
        f = Tcp(c, 40000, 80).open()
        f.out(REQUEST)
        f.fin(False)
        f.ack(True)
        f.out(pattern(5000))
        f.ack(False)
        f.fin(True)
        f.ack(False)
        return f
    one_flow(t, half, 'half closed by the peer')


def resets(t):
    def local(c):
        f = Tcp(c, 40000, 80).open()
        f.out(REQUEST)
        f.inn(RESPONSE[:1000])
        f.put(True, RST | ACK)
        return f
    one_flow(t, local, 'reset by the host', state='reset_local')

    def remote(c):
        f = Tcp(c, 40000, 80).open()
        f.out(REQUEST)
        f.inn(RESPONSE[:1000])
        f.put(False, RST | ACK)
        return f
    one_flow(t, remote, 'reset by the peer', state='reset_remote')

    def refused(c):
        f = Tcp(c, 40000, 80)
        f.syn()
        f.put(False, RST | ACK, seq=0)
        return f
    one_flow(t, refused, 'refused', state='refused')

    def silence(c):
        f = Tcp(c, 40000, 80)
        f.syn()
        f.seq[True] -= 1
        c.at += 1000 * flowtest.MS
        f.syn()
        return f
    one_flow(t, silence, 'unanswered', state='unanswered')

    def nobody_listens(c):
        f = Tcp(c, 80, 40000, server=True)
        f.syn()
        f.put(True, RST | ACK, seq=0)
        return f
    one_flow(t, nobody_listens, 'the host refuses', state='refused')

    def half_open(c):
        f = Tcp(c, 80, 40000, server=True)
        f.syn()
        f.syn_ack()
        return f
    one_flow(t, half_open, 'the peer does not go on', state='unanswered')

    def scan(c):
        f = half_open(c)
        f.put(False, RST)
        return f
    one_flow(t, scan, 'a scan for open ports', state='reset_remote')

    def still_open(c):
        f = Tcp(c, 40000, 80).open()
        f.out(REQUEST)
        f.ack(False)
        f.inn(RESPONSE[:1400])
        return f
    one_flow(t, still_open, 'open at the end', state='open')


# ---- what went wrong on the way ------------------------------------------------------------------

def losses(t):
    """The capture has retransmissions, reordering and duplicates: all of it is delivered as it was."""
    def lost(c):
        f = Tcp(c, 40000, 80, stamps=True).open()
        f.out(REQUEST)
        base, s = f.seq[False], pattern(14000, 5)
        for i in range(10):
            if i != 3:
                f.put(False, ACK, s[i * 1400:(i + 1) * 1400], seq=base + i * 1400)
                f.ack(True, ack=base + (i + 1) * 1400 if i < 3 else base + 3 * 1400)
        c.at += 50 * flowtest.MS
        f.put(False, ACK, s[4200:5600], seq=base + 4200)
        f.seq[False] = base + 14000
        f.received = s
        f.ack(True)
        f.close()
        return f
    r = one_flow(t, lost, 'segment lost on the way to the host')
    sacks = [x for x in r.frames if x.data[6:12] == HOST_MAC and b'\x01\x01\x05\x0a' in x.data[54:]]
    t.check(len(sacks) > 3, 'loss - the machine tells by SACK what it has')

    def reordered(c):
        f = Tcp(c, 40000, 80).open()
        f.out(REQUEST)
        base, s = f.seq[False], pattern(9800, 6)
        for i in (1, 0, 2, 6, 5, 4, 3, 3, 0):
            f.put(False, ACK, s[i * 1400:(i + 1) * 1400], seq=base + i * 1400)
        f.seq[False] = base + 9800
        f.received = s
        f.ack(True)
        f.close()
        return f
    one_flow(t, reordered, 'reordered and duplicated on the way to the host')

    # more gaps at a time than the first reading keeps apart, all filled late; then one that never is
    c = Capture()
    f = Tcp(c, 40000, 80, scale=9).open()
    base, s = f.seq[False], pattern(200000, 8)
    for i in [*range(1999, 0, -2), *range(1998, -1, -2)]:
        f.put(False, ACK, s[i * 100:(i + 1) * 100], seq=base + i * 100)
    f.seq[False] = base + len(s)
    f.inn(bytes(1000), captured=False)
    f.inn(b'behind it')
    f.ack(True)
    f.close()
    r = play(t, c, what='many gaps')
    delivered(t, r.flows[0], 0, len(s) + 1009, 'closed', 'many gaps')
    t.equal(r.flows[0]['in']['zeros'], 1000, 'many gaps - not in the capture')

    def from_host(c):
        f = Tcp(c, 40000, 80, stamps=True).open()
        base, s = f.seq[True], pattern(14000, 7)
        for i in range(10):     # the third is lost behind the host: acknowledged late, with SACK
            f.put(True, ACK, s[i * 1400:(i + 1) * 1400], seq=base + i * 1400)
        for i in range(3, 10):
            stamps = f.options(False, False)
            f.put(False, ACK, ack=base + 2800, options=stamps + flowtest.option_sack(
                (base + 4200, base + (i + 1) * 1400)))
        c.at += 20 * flowtest.MS
        f.put(True, ACK, s[2800:4200], seq=base + 2800)
        f.seq[True] = base + 14000
        f.sent = s
        f.ack(False)
        f.close()
        return f
    r = one_flow(t, from_host, 'segment lost on the way from the host')
    t.check(1 <= r.flows[0]['retransmitted'] <= 3, 'loss behind the host - the machine sends %d again' %
            r.flows[0]['retransmitted'])


def damaged(t):
    """A segment that arrived damaged arrives damaged: the machine drops it, and gets it again."""
    def build(c):
        f = Tcp(c, 40000, 80).open()
        f.out(REQUEST)
        f.put(False, ACK, b'x' * 1000, bad_sum=True)
        f.inn(RESPONSE[:1000])
        f.ack(True)
        f.close()
        return f
    c = Capture()
    f = build(c)
    r = play(t, c, what='damaged')
    delivered(t, r.flows[0], len(REQUEST), 1000, 'closed', 'damaged')
    t.equal(r.json['sockets']['injected'], len([x for x in c.frames if x.data[6:12] != HOST_MAC]), 'damaged')
    c.frames = []
    c.udp(True, 5000, 53, b'question')
    c.udp(False, 5000, 53, b'answer')
    c.frames[-1].data = c.frames[-1].data[:-1] + b'!'
    c.udp(False, 5000, 53, b'another')
    r = play(t, c, what='damaged datagram')
    delivered(t, r.flows[0], 8, 7, 'open', 'damaged datagram')


def unsummed(t):
    """Checksums that were left to a device (only the pseudo header's sum is there), and long segments."""
    c = Capture()
    f = Tcp(c, 40000, 80).open()
    f.out(REQUEST)
    f.inn(RESPONSE[:1400])
    last = c.frames[-1]
    part = (~checksum(pseudo(PEER4, HOST4, 6, 1420))) & 0xffff
    last.data = last.data[:50] + struct.pack('>H', part) + last.data[52:]
    f.inn(RESPONSE[1400:30000], size=28600)
    c.frames[-1].data = c.frames[-1].data[:50] + b'\x12\x34' + c.frames[-1].data[52:]
    f.ack(True)
    f.close()
    r = play(t, c, what='left to the device')
    delivered(t, r.flows[0], len(REQUEST), 30000, 'closed', 'left to the device')


def both_open(t):
    """Both SYNs cross (RFC 9293 figure 7)."""
    def build(c):
        f = Tcp(c, 40000, 40001)
        f.put(True, SYN)
        f.put(False, SYN)
        f.seq = {True: f.seq[True] + 1, False: f.seq[False] + 1}
        for out in (True, False):
            f.put(out, SYN | ACK, seq=f.seq[out] - 1)
        f.out(REQUEST)
        f.inn(RESPONSE[:2000])
        f.ack(True)
        f.close()
        return f
    one_flow(t, build, 'simultaneous open')


def data_in_syn(t):
    """TCP Fast Open: data with the SYN, and with its answer."""
    for server in (False, True):
        def build(c):
            f = Tcp(c, 80 if server else 40000, 40000 if server else 80, server=server)
            f.put(not server, SYN, REQUEST)
            f.seq[not server] += 1 + len(REQUEST)
            f.put(server, SYN | ACK)
            f.seq[server] += 1
            f.sent, f.received = (b'', REQUEST) if server else (REQUEST, b'')
            f.data(server, RESPONSE[:3000])
            f.ack(not server)
            f.data(not server, b'more')
            f.ack(server)
            f.close()
            return f
        c = Capture()
        f = build(c)
        r = play(t, c, what='data in a SYN')
        delivered(t, r.flows[0], len(f.sent), len(f.received), 'closed', 'data in a SYN', server)


def urgent(t):
    """An urgent octet is read where it is in the stream."""
    def build(c):
        f = Tcp(c, 40000, 80).open()
        f.out(REQUEST)
        f.put(False, ACK | PSH | 0x20, b'abc!', urgent=4)
        f.seq[False] += 4
        f.received = b'abc!'
        f.inn(b'more')
        f.ack(True)
        f.close()
        return f
    one_flow(t, build, 'urgent data')


def windows(t):
    """The peer closes its window and opens it later; both sides probe; keep-alives go both ways."""
    def build(c):
        f = Tcp(c, 40000, 80, scale=None).open()
        f.out(pattern(4000))
        f.put(False, ACK, ack=f.seq[True] - 4000, window=0)
        f.ack(False, window=0)
        c.at += 300 * flowtest.MS
        f.out(b'!')                                     # a probe
        f.put(False, ACK, ack=f.seq[True] - 1, window=0)
        c.at += 3000 * flowtest.MS
        f.ack(False, window=60000)
        f.out(pattern(9000, 1))
        f.ack(False)
        for out in (True, False):
            f.put(out, ACK, seq=f.seq[out] - 1)
            f.ack(not out)
        f.close()
        return f
    one_flow(t, build, 'windows')


def beyond_the_machine(t):
    """What the machine cannot keep while it waits for a gap to be filled arrives again, as the peer's host had it."""
    for options in ((), ('--memory', '1')):
        c = Capture(step=10000)
        f = Tcp(c, 40000, 80).open()
        base, s = f.seq[False], pattern(1400 * 1500, 4)
        pieces = [(i * 1400, (i + 1) * 1400) for i in range(1500)]
        for a, b in pieces[1::2] + pieces[:1] + pieces[2::2]:
            f.put(False, ACK, s[a:b], seq=base + a)
        f.seq[False] = base + len(s)
        f.received = s
        c.at += 50 * flowtest.MS
        f.ack(True)
        f.inn(b'end')
        c.at += 50 * flowtest.MS
        f.ack(True)
        f.close()
        what = 'beyond the machine ' + ' '.join(options)
        r = play(t, c, *options, what=what)
        delivered(t, r.flows[0], 0, len(s) + 3, 'closed', what)


def on_the_link(t):
    """Addresses that are good on one link only."""
    local, remote = 'fe80::ff:fe00:1', 'fe80::ff:fe00:fe'
    c = Capture()
    f = Tcp(c, 40000, 80, local=local, remote=remote).open()
    f.out(REQUEST)
    f.inn(RESPONSE)
    f.ack(True)
    f.close()
    g = Tcp(c, 80, 40001, local=local, remote=remote, server=True).open()
    g.inn(REQUEST)
    g.out(RESPONSE[:1000])
    g.close(first=False)
    c.udp(True, 5000, 5001, b'hello', local=local, remote=remote)
    c.udp(False, 5000, 5001, b'hi', local=local, remote=remote)
    c.udp(False, 5353, 5353, b'group', local='ff02::fb', remote=remote)
    r = play(t, c, what='on the link', host=local + ',02:00:00:00:00:01')
    delivered(t, r.flows[0], len(f.sent), len(f.received), 'closed', 'on the link')
    delivered(t, r.flows[1], len(g.sent), len(g.received), 'closed', 'on the link, server')
    delivered(t, r.flows[2], 5, 2, 'open', 'on the link, datagrams')
    delivered(t, r.flows[3], 0, 5, 'open', 'on the link, a group')


def sack_beyond(t):
    """The peer has got what the machine has not sent yet: it says nothing of that, and nothing wrong."""
    def build(c):
        c.step = 100000
        f = Tcp(c, 40000, 80).open()
        base, s = f.seq[True], pattern(140000, 8)
        for i in range(100):
            f.put(True, ACK, s[i * 1400:(i + 1) * 1400], seq=base + i * 1400)
        for i in range(5):
            f.put(False, ACK, ack=base + 2800, options=flowtest.option_sack(
                (base + 4200, base + 5600 + i * 1400), (base + 70000, base + 140000)))
        f.put(False, ACK, ack=base + 2800, options=flowtest.option_sack((base + 70000, base + 140000)))
        c.at += 100 * flowtest.MS
        f.put(True, ACK, s[2800:4200], seq=base + 2800)
        f.seq[True], f.sent = base + 140000, s
        f.ack(False)
        f.close()
        return f
    r = one_flow(t, build, 'SACK beyond')
    blocks = 0
    for f in r.frames:
        tcp = f.data[34:]
        at = tcp.find(b'\1\1\5', 20, (tcp[12] >> 4) * 4)
        if f.data[6:12] == HOST_MAC or at < 0:
            continue
        (ack,) = struct.unpack('>I', tcp[8:12])
        for left, right in struct.iter_unpack('>II', tcp[at + 4:at + 2 + tcp[at + 3]]):
            t.check(left - ack & 0xffffffff < 2**31 and right - left & 0xffffffff < 2**31, 'SACK beyond - a block')
            blocks += 1
    t.check(blocks >= 5, 'SACK beyond - %d blocks' % blocks)


# ---- what the capture lacks ----------------------------------------------------------------------

def holes(t):
    """Segments that were delivered and not captured: zeros, by flow and offset."""
    c = Capture()
    f = Tcp(c, 40000, 80).open()
    f.out(b'a' * 100)
    f.out(b'b' * 100, captured=False)
    f.out(b'c' * 100)
    f.ack(False)
    f.inn(b'd' * 1000)
    f.inn(b'e' * 1000, captured=False)
    f.ack(True)
    f.inn(b'f' * 500)
    f.ack(True)
    f.inn(b'g' * 500, captured=False)
    f.ack(True)
    f.close()
    r = play(t, c, what='holes')
    flow = r.flows[0]
    delivered(t, flow, 300, 3000, 'closed', 'holes')
    t.equal(flow['out']['holes'], [{'offset': 100, 'length': 100}], 'holes - from the host')
    t.equal(flow['in']['holes'], [{'offset': 1000, 'length': 1000}, {'offset': 2500, 'length': 500}],
            'holes - to the host')
    t.equal((flow['out']['zeros'], flow['in']['zeros']), (100, 1500), 'holes - octets')
    wire = streams(r.frames)
    t.equal(wire[40000, 80], b'a' * 100 + b'\0' * 100 + b'c' * 100, 'holes - what the machine wrote')


def order_of_capture(t):
    """Frames that the capture has in another order than they were in are no holes."""
    c = Capture()
    f = Tcp(c, 40000, 80).open()
    f.out(b'a' * 100)
    f.out(b'b' * 100)
    f.ack(False)
    f.inn(b'd' * 1000)
    f.ack(True)
    f.close()
    c.frames[3].data, c.frames[4].data = c.frames[4].data, c.frames[3].data
    c.frames[6].data, c.frames[7].data = c.frames[7].data, c.frames[6].data
    r = play(t, c, what='order of the capture')
    delivered(t, r.flows[0], 200, 1000, 'closed', 'order of the capture')
    t.equal(r.flows[0]['out']['zeros'] + r.flows[0]['in']['zeros'], 0, 'order of the capture - zeros')


def handshake_missing(t):
    """Parts of the handshake were not captured, or written down late: the flow is as it was."""
    for stamps in (False, True):
        for missing in ((1,), (2,), (1, 2), (0,), (0, 1)):
            for server in (False, True):
                what = 'handshake without %r as %s%s' % (missing, 'server' if server else 'client',
                                                        ', time stamps' if stamps else '')
                c = Capture()
                f = http(c, server=server, stamps=stamps)
                c.frames = [x for i, x in enumerate(c.frames) if i not in missing]
                r = play(t, c, what=what)
                if t.equal(len(r.flows), 1, what, '- flows'):
                    delivered(t, r.flows[0], len(f.sent), len(f.received), 'closed', what)
    c = Capture()
    f = Tcp(c, 40000, 80).open()
    f.inn(RESPONSE[:1000])
    f.out(REQUEST)
    f.close()
    for a, b in ((1, 3), (5, 4)):               # data before the SYN-ACK, a FIN before the data
        c.frames[a], c.frames[b] = c.frames[b], c.frames[a]
    r = play(t, c, what='handshake late')
    delivered(t, r.flows[0], len(f.sent), len(f.received), 'closed', 'handshake late')
    for server in (False, True):
        for at in range(1, 9):                  # the SYN is written down that late
            what = 'SYN as frame %d of a %s' % (at + 1, 'server' if server else 'client')
            c = Capture()
            f = http(c, server=server, stamps=True, response=RESPONSE[:6000])
            c.frames.insert(at, c.frames.pop(0))
            r = play(t, c, what=what)
            if t.equal(len(r.flows), 1, what, '- flows'):
                delivered(t, r.flows[0], len(f.sent), len(f.received), 'closed', what)
                t.equal(r.flows[0]['begun_before'], False, what)


def begun_before(t):
    """The capture begins in the middle of a flow: the handshake is made up; who is client, by the ports."""
    for lport, rport, role in ((40000, 80, 'client'), (80, 40000, 'server')):
        for stamps in (False, True):
            for first in (False, True):
                what = 'begun before as %s, the %s first%s' % (role, 'host' if first else 'peer',
                                                               ', time stamps' if stamps else '')
                c = Capture()
                f = Tcp(c, lport, rport, server=role == 'server', lisn=2**32 - 50, stamps=stamps)
                f.data(first, pattern(3000, 1))
                f.ack(not first)
                f.data(not first, pattern(20000, 2))
                f.ack(first)
                f.close()
                r = play(t, c, what=what)
                flow = r.flows[0]
                delivered(t, flow, len(f.sent), len(f.received), 'closed', what)
                t.equal((flow['role'], flow['begun_before']), (role, True), what)


def snapped(t):
    """Captured short: what is missing is zeros, and the lengths are as they were."""
    c = Capture()
    f = Tcp(c, 40000, 80).open()
    f.out(b'a' * 500, snap=14 + 40 + 100)
    f.inn(b'b' * 1400, snap=14 + 40 + 50)
    f.ack(True)
    f.close()
    c.udp(True, 5000, 53, b'q' * 300, snap=14 + 28 + 10)
    c.udp(False, 5000, 53, b'r' * 400, snap=14 + 28 + 20)
    r = play(t, c, what='snapped')
    delivered(t, r.flows[0], 500, 1400, 'closed', 'snapped')
    t.equal((r.flows[0]['out']['zeros'], r.flows[0]['in']['zeros']), (400, 1350), 'snapped - zeros')
    delivered(t, r.flows[1], 300, 400, 'open', 'snapped datagrams')
    t.equal((r.flows[1]['out']['zeros'], r.flows[1]['in']['zeros']), (290, 380), 'snapped datagrams - zeros')


# ---- several flows --------------------------------------------------------------------------------

def same_ends(t):
    """The same four numbers again, after the first connection ended, and after it was left open."""
    for six in False, True:     # at once: nobody waited for old segments
        c = Capture()
        for n in range(3):
            http(c, six=six, lisn=1000 + n * 100000, risn=500000 + n * 100000)
        r = play(t, c, what='same ends at once')
        t.equal([f['state'] for f in r.flows], ['closed'] * 3, 'same ends at once')
        t.equal(r.json['sockets']['differing'], 0, 'same ends at once')
    c = Capture()
    http(c)
    c.at += 2000 * flowtest.MS
    http(c, lisn=90000, risn=7)
    f = Tcp(c, 40000, 80, lisn=5, risn=6).open()
    f.out(b'left open')
    f = http(c, lisn=123456789, risn=987654321)
    r = play(t, c, what='same ends')
    if t.equal(len(r.flows), 4, 'same ends - flows'):
        for i, state in enumerate(('closed', 'closed', 'open', 'closed')):
            t.equal(r.flows[i]['state'], state, 'same ends - flow', i)
            t.equal(r.flows[i]['in']['delivered'], r.flows[i]['in']['captured'], 'same ends - flow', i)


def many(t):
    """Clients and servers, IPv4 and IPv6, at the same time, in one port each."""
    c = Capture(step=20000)
    flows = [Tcp(c, 40000 + i, 80, six=i % 3 == 0) if i % 2 else
             Tcp(c, 8080, 50000 + i, six=i % 3 == 0, server=True) for i in range(60)]
    for f in flows:
        f.open()
    for f in flows:
        f.data(not f.server, REQUEST)
    for f in flows:
        f.data(f.server, RESPONSE[:4200])
        f.ack(not f.server)
    for f in flows:
        f.close(first=f.server)
    r = play(t, c, what='many')
    t.equal(len(r.flows), len(flows), 'many - flows')
    for flow, f in zip(r.flows, flows):
        delivered(t, flow, len(f.sent), len(f.received), 'closed', 'many', flow['local'])


# ---- datagrams -------------------------------------------------------------------------------------

def asks_many(t):
    """One port asks more hosts than wait at a time, and few answer."""
    c = Capture(step=1000)
    for n in range(1500):
        f = Tcp(c, 40000, 80, remote='10.2.%d.%d' % (n // 250, n % 250 + 1))
        f.syn()
        if n % 100 == 0:
            f.put(False, RST | ACK, seq=0)
    r = play(t, c, what='many hosts')
    states = [f['state'] for f in r.flows]
    t.equal((states.count('refused'), states.count('unanswered')), (15, 1485), 'many hosts')
    t.check(all(f['state'] == f['captured_state'] for f in r.flows), 'many hosts - states')


def datagrams(t):
    c = Capture()
    for n in range(3):
        c.udp(True, 50000 + n, 53, b'question %d' % n)
        c.udp(False, 50000 + n, 53, b'the answer to %d' % n)
    c.udp(False, 514, 40000, b'log line')                           # a server that never answers
    c.udp(False, 123, 40001, b'time?')                              # one that does
    c.udp(True, 123, 40001, b'now')
    c.udp(True, 6000, 6000, b'peer one')                            # one socket, two peers
    c.udp(True, 6000, 6000, b'peer two', remote='10.1.0.77')
    c.udp(False, 6000, 6000, b'from two', remote='10.1.0.77')
    c.udp(True, 50100, 53, b'', )                                   # nothing in it
    c.udp(True, 5353, 5353, b'to a group', remote='224.0.0.251')
    c.udp(False, 5353, 5353, b'from a group', local='224.0.0.251')
    c.udp(True, 50101, 547, b'six', local=flowtest.HOST6, remote=flowtest.PEER6)
    c.udp(False, 50101, 547, b'and back', local=flowtest.HOST6, remote=flowtest.PEER6)
    r = play(t, c, what='datagrams')
    for flow in r.flows:
        what = ('datagrams', flow['local'], flow['remote'])
        for d in ('out', 'in'):
            x = flow[d]
            t.equal((x['delivered'], x['datagrams_delivered'], x['differences'], x['unchecked']),
                    (x['captured'], x['datagrams'], 0, 0), *what, d)
    t.equal(sum(f['in']['datagrams'] for f in r.flows), 8, 'datagrams - in')
    t.equal(sum(f['out']['datagrams'] for f in r.flows), 10 - 1, 'datagrams - out')
    t.equal({f['remote']: f['role'] for f in r.flows}.get(PEER4 + ':40001'), 'server', 'datagrams - role')


def refused_datagram(t):
    """Nobody has a socket: the machine says so itself; the peer's "port unreachable" reaches the socket."""
    c = Capture()
    c.udp(False, 9, 40000, b'anybody?')
    question = c.frames[-1].data[14:]
    icmp = b'\3\3\0\0\0\0\0\0' + question[:28]
    c.add(ip(HOST4, PEER4, 1, icmp[:2] + struct.pack('>H', checksum(icmp)) + icmp[4:]), True)
    c.udp(True, 40002, 7, b'echo?')
    icmp = b'\3\3\0\0\0\0\0\0' + c.frames[-1].data[14:][:28]
    c.add(ip(PEER4, HOST4, 1, icmp[:2] + struct.pack('>H', checksum(icmp)) + icmp[4:]), False)
    r = play(t, c, what='refused datagram')
    sent = [f.data for f in r.frames if f.data[6:12] == HOST_MAC]
    t.equal([d[23] for d in sent], [1, 17], 'refused datagram - ICMP and the question')
    t.equal(r.flows[0]['in']['delivered'], 0, 'refused datagram - no socket had it')


def in_fragments(t):
    """Datagrams longer than the link carries, both ways; one whose end was lost."""
    c = Capture()
    for out, a, b in ((True, HOST4, PEER4), (False, PEER4, HOST4),
                      (True, flowtest.HOST6, flowtest.PEER6), (False, flowtest.PEER6, flowtest.HOST6)):
        for p in fragments(a, b, 17, udp_segment(a, b, 7000, 7000, pattern(5000)), ident=77):
            c.add(p, out)
    for p in fragments(PEER4, HOST4, 17, udp_segment(PEER4, HOST4, 7000, 7000, pattern(5000)), ident=78)[:-1]:
        c.add(p, False)
    s = pattern(2900, 9)
    f = Tcp(c, 40000, 80).open()
    for out in (True, False):
        seg = flowtest.segment(*((HOST4, PEER4, 40000, 80) if out else (PEER4, HOST4, 80, 40000)),
                               f.seq[out], f.seq[not out], ACK | PSH, s)[20:]
        for p in fragments(*((HOST4, PEER4) if out else (PEER4, HOST4)), 6, seg, ident=79):
            c.add(p, out)
        f.seq[out] += len(s)
    f.close()
    r = play(t, c, what='fragments')
    for flow in r.flows[:2]:
        delivered(t, flow, 5000, 5000, 'open', 'fragments', flow['local'])
    delivered(t, r.flows[2], 2900, 2900, 'closed', 'fragments of TCP')
    t.equal(r.json['sockets']['broken'], 3, 'fragments - those of a datagram that is not whole')


# ---- other things ------------------------------------------------------------------------------------

def links(t):
    """Every link type; what is written has the same one."""
    for link in LINKS:
        c = Capture(link=link.frame)
        six = link.families == (6,)
        f = http(c, six=six)
        what = 'link ' + link.name
        host = flowtest.HOST6 if six else HOST4
        r = play(t, c, what=what, linktype=link.type, host=host)
        delivered(t, r.flows[0], len(f.sent), len(f.received), 'closed', what)
        frames, linktype = parse(r.raw)
        t.equal(linktype, link.type, what, '- of the output')
        wire = streams(frames, link.header)
        t.check(wire.get((40000, 80)) == f.sent and wire.get((80, 40000)) == f.received, what, '- written')
        again = play(t, pcap(frames, linktype), what=what + ' again', linktype=link.type, host=host)
        delivered(t, again.flows[0], len(f.sent), len(f.received), 'closed', what, 'again')


def other_traffic(t):
    """ARP, others' packets and malformed ones are counted, and nothing else."""
    c = Capture()
    c.frames.append(Frame(START, PEER_MAC + HOST_MAC + b'\x08\x06' + b'\0' * 28))
    c.add(udp('10.1.0.8', '10.1.0.9', 1, 2, b'others'), False)
    c.add(ip4(PEER4, HOST4, 6, b'\0' * 7), False)
    c.add(ip4(PEER4, HOST4, 17, b'\0' * 3), False)
    c.add(ip4(PEER4, HOST4, 89, b'\0' * 30), False)
    http(c, response=RESPONSE[:100])
    r = play(t, c, what='other traffic')
    t.equal((r.json['sockets']['other'], len(r.flows)), (5, 1), 'other traffic')


def same_bytes(t):
    """The same capture gives the same bytes; the day of a host is delivered whole."""
    first = play(t, open(t.day, 'rb').read(), what='day', host=None)
    second = play(t, open(t.day, 'rb').read(), what='day again', host=None)
    t.check(first.raw == second.raw, 'two runs write the same')
    t.check(first.flows == second.flows, 'two runs report the same')
    t.equal((first.json['sockets']['differing'], first.json['sockets']['failed']), (0, 0), 'day')
    t.check(all(f['state'] == f['captured_state'] for f in first.flows), 'day - states')


def offloads(t):
    """A host whose device cuts segments and puts them together, on a link that loses."""
    path = os.path.join(t.source, 'tests/data/host-offload.pcap')
    r = play(t, path, what='offloads', host='10.77.0.1,fd77::1')
    t.equal(len(r.flows), 6, 'offloads - flows')
    for flow in r.flows:
        delivered(t, flow, flow['out']['captured'], flow['in']['captured'], 'closed', 'offloads', flow['local'])
    t.equal(sum(f['out']['captured'] + f['in']['captured'] for f in r.flows), 312082, 'offloads - octets')


def kexts(t):
    """Interface and IP filters see the traffic; what they take away is not delivered."""
    c = Capture()
    f = http(c)
    r = play(t, c, what='kexts that do nothing', kexts=('nothing', 'ipcount'))
    delivered(t, r.flows[0], len(f.sent), len(f.received), 'closed', 'kexts that do nothing')
    t.check(all(x['passed'] > 20 and x['passed'] == x['seen_in'] + x['seen_out']
                for x in r.filters if x['kind'] != 'ipv6'), 'kexts - what they saw: %r' % r.filters)


def usage(t):
    source = t.save('in.pcap', pcap(spaced([])))
    r = t.tool('replay', '--sockets', '-j', '2', source)
    t.equal(r.code, 1, '-j 2')
    t.one_complaint(r, '-j 2', text=('-j',))
    with open(source, 'rb') as f:
        r = t.tool('replay', '--sockets', '-', stdin=f.read())
    t.equal(r.code, 1, 'a pipe')
    t.check('not a pipe' in r.err, 'a pipe - %r' % r.err)
    r = t.tool('replay', '--sockets', source)
    t.equal(r.code, 0, 'an empty capture')
    with open(t.day, 'rb') as f:
        cut = t.save('cut.pcap', f.read()[:100000])
    r = t.tool('replay', '--sockets', '--quiet', '--json', t.path('cut.json'), cut)
    t.equal(r.code, 2, 'cut off')
    t.one_complaint(r, 'cut off', text=('packet',))
    with open(t.path('cut.json'), encoding='utf-8') as f:
        t.check(len(json.load(f)['sockets']['flows']) > 3, 'cut off - what was before is played')


TESTS = (client_and_server, wrap, upload, both_close, resets, losses, damaged, unsummed, both_open,
         data_in_syn, urgent, windows, sack_beyond, beyond_the_machine, on_the_link, holes,
         order_of_capture, handshake_missing, begun_before, snapped, same_ends, many, asks_many, datagrams,
         refused_datagram, in_fragments, links, other_traffic, same_bytes, offloads, kexts, usage)


def test(t):
    only = os.environ.get('ONLY')
    for one in TESTS:
        if only in (None, one.__name__):
            one(t)


if __name__ == '__main__':
    main(test)
