#!/usr/bin/env python3
"""nke replay --sockets with filters: they see each flow as it was, and what they do to it is told.

tests/data/kexts/flowfilter.c is at every socket, logs, and acts by the server's port; interface and IP
filters (mangle.c) take packets of the machine's and of the peer's away.
"""
import flowtest
from flowtest import Capture, Tcp
from replay_sockets import delivered, http, play, streams
from replaytest import PEER4, main, pattern

LOG, FLIP, LONGER, SHORTER, REFUSE, SWALLOW, LATER = 8000, 8001, 8002, 8003, 8004, 8005, 8006
FIRST, ANSWER, SECOND = b'hello world\n' * 10, pattern(5000), b'more of it\n' * 10


def exchange(port, server):
    """Something asked, answered, and said after that; whoever began ends it."""
    c = Capture()
    f = Tcp(c, port if server else 40000, 40000 if server else port, server=server).open()
    f.data(not server, FIRST)
    f.ack(server)
    f.data(server, ANSWER)
    f.ack(not server)
    c.at += 30 * flowtest.MS
    f.data(not server, SECOND)
    f.ack(server)
    f.close(first=not server)
    return c, f


def filtered(t, port, server, seen=False):
    what = 'port %d as %s' % (port, 'server' if server else 'client')
    c, f = exchange(port, server)
    r = play(t, c, what=what, kexts=('flowfilter',))
    flow = r.flows[0]
    t.equal(flow['retransmitted'], 0, what, '- sent again')
    wire = streams(r.frames)
    told = tuple((x['name'], x['seen_in'], x['seen_out'], x['passed']) for x in r.filters
                 if x['kind'] == 'socket' and x['seen_in'])
    return (flow, wire.get((f.lport, f.rport), b''), r.said('flowfilter'), what) + ((told,) if seen else ())


def order(t):
    """Each callback comes when it would on the captured host."""
    flow, _, said, what, seen = filtered(t, LOG, False, True)
    delivered(t, flow, len(FIRST + SECOND), len(ANSWER), 'closed', what)
    t.equal(seen, (('flowfilter', 4, 2, 6),), what, '- the report on the filter')
    t.equal(said, ['1 ' + s for s in (
        'attach', 'bind 40000', 'bound', 'connect_out 8000', 'connecting', 'connected', 'out 120', 'in 1400',
        'in 1400', 'in 1400', 'in 800', 'out 110', 'shutdown', 'cantsendmore', 'disconnected', 'closing',
        'flush_read', 'detach')], what, '- callbacks')
    flow, _, said, what = filtered(t, LOG, True)
    delivered(t, flow, len(ANSWER), len(FIRST + SECOND), 'closed', what)
    t.equal([s for s in said if not s.endswith('disconnected')], [
        '1 attach', '1 bind 8000', '1 bound', '1 listen', '1 connect_in 40000', '2 attach', '2 connected',
        '2 accept 40000', '2 in 120', '2 out 1400', '2 out 1400', '2 out 1400', '2 out 800', '2 in 110',
        '2 cantrecvmore', '2 shutdown', '2 cantsendmore', '2 closing', '2 disconnecting', '2 flush_read',
        '2 detach', '1 closing', '1 flush_read', '1 detach'], what, '- callbacks')


def changed(t):
    """Other octets, more, fewer: the flow goes on, and what arrived is told apart from what was captured."""
    for server in (False, True):
        sent = ANSWER if server else FIRST + SECOND
        got = FIRST + SECOND if server else ANSWER
        flow, wire, _, what = filtered(t, FLIP, server)
        delivered(t, flow, len(sent), len(got), 'closed', what, differ=(len(sent), len(got)))
        t.equal((flow['out']['first_difference'], flow['in']['first_difference']), (0, 0), what)
        t.check(wire == bytes(b ^ 0x20 for b in sent), what, '- octets on the wire')
        writes = [ANSWER[i:i + 1400] for i in range(0, 5000, 1400)] if server else [FIRST, SECOND]
        for port, expect in (LONGER, b''.join(b'12345' + w for w in writes)), \
                (SHORTER, b''.join(w[5:] for w in writes)):
            flow, wire, _, what = filtered(t, port, server)
            t.check(wire == expect, what, '- octets on the wire')
            t.equal((flow['out']['captured'], flow['out']['delivered'], flow['state']),
                    (len(sent), len(expect), 'closed'), what, '- octets and state')
            t.check(flow['out']['differences'] > 100, what, '- differences')
            t.equal((flow['in']['delivered'], flow['in']['differences']), (len(got), 0), what, '- in')


def refused(t):
    for server in (False, True):
        flow, wire, said, what = filtered(t, REFUSE, server)
        t.equal((flow['state'], flow['captured_state']), ('filtered', 'closed'), what, '- state')
        t.equal((wire, flow['in']['delivered']), (b'', 0), what, '- nothing goes through')
        t.check(not any(' in ' in s or ' out ' in s for s in said), what, '- data: %r' % said)


def swallowed(t):
    for server in (False, True):
        got = len(FIRST + SECOND) if server else len(ANSWER)
        flow, _, _, what = filtered(t, SWALLOW, server)
        t.equal((flow['in']['captured'], flow['in']['delivered'], flow['state']), (got, 0, 'closed'), what)
        flow, _, _, what = filtered(t, LATER, server)
        # What is said last is given back after the end of the stream.
        t.equal((flow['in']['delivered'], flow['in']['differences'], flow['state']),
                (len(FIRST) if server else got, 0, 'closed'), what)


def datagrams(t):
    c = Capture()
    for i, port in enumerate((LOG, FLIP, SWALLOW, LATER, REFUSE)):
        c.udp(True, 50000 + i, port, b'question')
        c.udp(False, 50000 + i, port, b'an answer')
        c.at += 30 * flowtest.MS
        c.udp(True, 50000 + i, port, b'thanks')
    r = play(t, c, what='datagrams', kexts=('flowfilter',))
    got = {int(f['remote'].split(':')[1]): (f['out']['delivered'], f['out']['differences'], f['in']['delivered'],
                                           f['in']['differences'], f['state']) for f in r.flows}
    t.equal(got, {LOG: (14, 0, 9, 0, 'open'), FLIP: (14, 14, 9, 9, 'open'), SWALLOW: (14, 0, 0, 0, 'open'),
                  LATER: (14, 0, 9, 0, 'open'), REFUSE: (0, 0, 0, 0, 'filtered')}, 'datagrams')
    t.equal([s for s in r.said('flowfilter') if s.startswith('1 ')],
            ['1 attach', '1 bind 50000', '1 bound', '1 connect_out 8000', '1 connected', '1 out 8', '1 in 9',
             '1 out 6', '1 closing', '1 disconnected', '1 flush_read', '1 detach'], 'datagrams - callbacks')


def packets_taken(t):
    """Filters below take packets away, changed or not: TCP of the machine makes up for it, as far as it can."""
    for kext in ('swallow3', 'drop3'):
        c = Capture(step=10 * flowtest.MS)
        f = Tcp(c, 40000, 80).open()
        for i in range(20):
            f.out(pattern(1000, i))
            f.ack(False)
        c.at += 20000 * flowtest.MS
        f.ack(False)
        r = play(t, c, what=kext, kexts=(kext,))
        flow = r.flows[0]
        t.equal(flow['out']['differences'], 0, kext, '- differences')
        t.check(flow['retransmitted'] > 0 or flow['out']['delivered'] < 20000, kext, '- nothing was lost')
    c = Capture()
    http(c)
    r = play(t, c, what='changed below TCP', kexts=('flip2',))
    t.check(r.flows[0]['in']['delivered'] == 0, 'changed below TCP - checksums are wrong, nothing arrives')


TESTS = order, changed, refused, swallowed, datagrams, packets_taken


def test(t):
    for one in TESTS:
        one(t)


if __name__ == '__main__':
    main(test)
