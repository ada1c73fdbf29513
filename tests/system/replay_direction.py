"""Which way a frame goes, and whose capture it is: told with --host, or found."""
from replaytest import *


def exchange(link, host4=HOST4, host6=HOST6, peer4=PEER4, peer6=PEER6, opens=True):
    """Three packets from the host and two to it, in every family; `opens`: the host is the client."""
    datas = []
    for host, peer in ((host4, peer4), (host6, peer6)):
        if (6 if ':' in host else 4) not in link.families:
            continue
        flags = (2, 0x12) if opens else (0x12, 2)
        datas += [link.frame(tcp(host, peer, 40000, 80, flags=flags[0]), True),
                  link.frame(tcp(peer, host, 80, 40000, flags=flags[1]), False),
                  link.frame(tcp(host, peer, 40000, 80), True),
                  link.frame(udp(host, peer, 5353, 5353, b'hello'), True),
                  link.frame(udp(peer, host, 5353, 5353, b'hello'), False)]
    return spaced(datas)


def counts(t, r, link, into, out, what):
    """Frames each way, and what filters saw of them: interface and IP filters alike."""
    t.equal((r.packets['in'], r.packets['out']), (into, out), what, '- frames in and out')
    seen = {'interface': [0, 0], 'ipv4': [0, 0], 'ipv6': [0, 0]}
    for f in r.filters:
        seen[f['kind']][0] += f['seen_in']
        seen[f['kind']][1] += f['seen_out']
    t.equal(seen['interface'], [into, out], what, '- seen at the interface')
    n = len(link.families)
    for family in 4, 6:
        want = [into // n, out // n] if family in link.families else [0, 0]
        t.equal(seen['ipv%d' % family], want, what, '- seen by the IPv%d filter' % family)


def test_links(t):
    """Found and told, on every link type."""
    for link in LINKS:
        frames = exchange(link)
        n = len(link.families)
        hosts = [a for a in (HOST4, HOST6) if (6 if ':' in a else 4) in link.families]
        data = pcap(frames, link.type)
        r = t.replay(data, kexts=['nothing'], what=link.name)
        counts(t, r, link, 2 * n, 3 * n, link.name)
        t.check(r.json and r.json['host_found'] is True, link.name, '- host_found')
        for host in hosts:
            t.check(r.json and host in r.json['host'].split(), link.name, '- the host is not', host)
        r = t.replay(data, '--host', ','.join(hosts), kexts=['nothing'], what=link.name + ' --host')
        counts(t, r, link, 2 * n, 3 * n, link.name + ' --host')
        t.check(r.json and r.json['host_found'] is False, link.name, '--host - host_found')
        if link.name[:3] != 'sll':      # cooked captures say themselves which way
            peers = [a for a in (PEER4, PEER6) if (6 if ':' in a else 4) in link.families]
            r = t.replay(data, '--host', ','.join(peers), kexts=['nothing'], what=link.name + ' other host')
            counts(t, r, link, 3 * n, 2 * n, link.name + ' --host with the other one')


def test_ethernet_host(t):
    frames = exchange(ETHERNET)
    data = pcap(frames)
    mac = ':'.join('%02x' % b for b in HOST_MAC)
    for host in (mac, mac.upper(), HOST4, HOST6, '%s,%s' % (HOST4, HOST6), '%s,%s,%s' % (mac, HOST6, HOST4),
                 '192.0.2.77,' + HOST4):
        r = t.replay(data, '--host', host, kexts=['nothing'], what='--host ' + host)
        t.equal((r.packets['in'], r.packets['out']), (4, 6), '--host', host)
        t.check(r.json and mac in r.json['host'], '--host', host, '- link address is not reported')
    # with the link address alone, its IP addresses are found, also late ones
    late = frames + [Frame(f.time_ns + 10**9, f.data) for f in exchange(
        ETHERNET, host4='10.1.0.99', host6='fd00:1::99')]
    filler = [Frame(frames[-1].time_ns + 1000 * i, ethernet(tcp(HOST4, PEER4, 1, 2), True))
              for i in range(3000)]
    r = t.replay(pcap(frames + filler + late[len(frames):]), '--host', mac, kexts=['nothing'],
                 what='--host MAC, late addresses')
    t.equal(r.packets['refused'], 0, '--host MAC, late addresses - refused')
    # nobody's address: everything comes in
    r = t.replay(data, '--host', '192.0.2.77', kexts=['nothing'], what='--host of nobody')
    t.equal((r.packets['in'], r.packets['out']), (10, 0), '--host of nobody')
    t.check(r.raw == data, '--host of nobody - the output differs')
    r = t.replay(data, '--host', '02:00:00:00:00:77', kexts=['nothing'], what='--host of no one')
    t.equal((r.packets['in'], r.packets['out']), (10, 0), '--host with a link address of nobody')


def test_malformed_host(t):
    data = pcap(exchange(ETHERNET))
    for host in ('', 'x', '10.1.0', '10.1.0.2.3', '10.1.0.256', '10.1.0.2/24', 'fd00::1::2', '02:00:00:00:00',
                 '02:00:00:00:00:00:00', '10.1.0.2,', ',10.1.0.2', '10.1.0.2, fd00::2', '02-00-00-00-00-01',
                 '+2:00:00:00:00:01', '2: 0:0:0:0:1', 'x' * 5000):
        r = t.replay(data, '--host', host, expect=None, what='--host ' + host[:30])
        t.equal(r.code, 1, '--host', host[:30], '- exit')
        t.one_complaint(r, '--host', host[:30], text=['address'])
        t.check(len(r.err) < 1000, '--host', host[:30], '- a complaint of', len(r.err), 'characters')
    raw = pcap(exchange(link_named('raw')), 101)
    r = t.replay(raw, '--host', '02:00:00:00:00:01', expect=1, what='a link address for raw IP')
    t.one_complaint(r, 'a link address for raw IP', text=['--host'])


def test_found(t):
    """Who took it: the client of DHCP, of TCP, of DNS; the one in all conversations; of one-sided ones."""
    def found(datas, address, what, link=ETHERNET, mac=HOST_MAC):
        r = t.replay(pcap(spaced(datas), link.type), what=what)
        host = r.json['host'].split() if r.json else []
        if link is ETHERNET:
            t.check(':'.join('%02x' % b for b in mac) in host, what, '- host is', host)
        if address:
            t.check(address in host, what, '- host is', host)
        return r

    def to_all(packet):
        return b'\xff' * 6 + HOST_MAC + b'\x08\x00' + packet

    discover = to_all(udp('0.0.0.0', '255.255.255.255', 68, 67, b'\1' + bytes(300)))
    offer = ethernet(udp(PEER4, HOST4, 67, 68, b'\2' + bytes(300)), False)
    found([discover, offer, discover, offer], HOST4, 'DHCP')
    found([offer, discover], HOST4, 'DHCP, answer first')
    for link in ETHERNET, link_named('raw'), link_named('null-le-darwin'):
        name = ' on ' + link.name
        syn = link.frame(tcp(HOST4, PEER4, 40000, 80, flags=2), True)
        synack = link.frame(tcp(PEER4, HOST4, 80, 40000, flags=0x12), False)
        ack = link.frame(tcp(HOST4, PEER4, 40000, 80), True)
        found([syn, synack, ack], HOST4, 'TCP client' + name, link)
        found([synack, syn, ack], HOST4, 'TCP client, disordered' + name, link)
        found([syn] * 5, HOST4, 'only SYNs' + name, link)
        found([synack] * 5, HOST4, 'only what came in' + name, link)
        question = link.frame(udp(HOST4, PEER4, 5000, 53, b'q'), True)
        answer = link.frame(udp(PEER4, HOST4, 53, 5000, b'a'), False)
        found([answer, question], HOST4, 'DNS' + name, link)
        found([link.frame(udp(HOST4, '10.1.0.%d' % n, 9999, 9999, b'x'), True) for n in range(10, 40)],
              HOST4, 'only what went out' + name, link)
        found([link.frame(udp('10.1.0.%d' % n, HOST4, 9999, 9999, b'x'), False) for n in range(10, 40)],
              HOST4, 'many to one' + name, link)
    # a server with many clients has opened nothing
    clients = []
    for n in range(10, 40):
        mac = bytes([2, 0, 0, 0, 1, n])
        clients += [HOST_MAC + mac + b'\x08\x00' + tcp('10.1.0.%d' % n, HOST4, 1000 + n, 80, flags=2),
                    mac + HOST_MAC + b'\x08\x00' + tcp(HOST4, '10.1.0.%d' % n, 80, 1000 + n, flags=0x12)]
    found(clients, HOST4, 'a server')
    # behind one router there are many: whoever they talk with took it, on either side
    for server in True, False:
        datas = []
        for n in range(40):
            them = '192.0.2.%d' % (n + 1)
            a, b, way = (them, HOST4, False) if server else (HOST4, them, True)
            datas += [ethernet(tcp(a, b, 1000 + n, 80, flags=2), way),
                      ethernet(tcp(b, a, 80, 1000 + n, flags=0x12), not way)]
        r = found(datas, HOST4, 'one of many, behind a router')
        t.equal(r.json['host'].split()[1:], [HOST4], 'one of many, behind a router')
    # what has been forwarded, or filled up, arrived; whoever asked
    def question(**more):
        return [ethernet(tcp(PEER4, HOST4, 40000, 80, flags=2, **more), False),
                ethernet(tcp(HOST4, PEER4, 80, 40000, flags=0x12), True)]
    found(question(ttl=57), HOST4, 'a forwarded question')
    probes = []
    for n in range(1, 9):   # a traceroute over many hops, answered by routers of which only the first is near
        probe = udp(HOST4, '192.0.2.1', 40000, 33434 + n, b'x', ttl=n)
        answer = ip4(PEER4 if n == 1 else '10.9.0.%d' % n, HOST4, 1, bytes([11]) + bytes(7) + probe[:28], ttl=256 - n)
        probes += [ethernet(probe, True), ethernet(answer, False)]
    found(probes, HOST4, 'traceroute')
    datas = question()
    found([datas[0] + bytes(6), datas[1]], HOST4, 'a question that is filled up')
    tag = [d[:12] + b'\x81\x00\x00\x07' + d[12:] for d in reversed(question())]
    found(tag, PEER4, 'behind a VLAN tag', mac=PEER_MAC)
    # nothing to find: no crash, everything in
    r = t.replay(pcap(spaced([b'\xff' * 12 + b'\x12\x34' + bytes(46)] * 3)), what='only broadcasts')
    t.equal(r.packets['in'], 3, 'only broadcasts')
    t.equal(t.replay(pcap([]), what='no packets').packets['read'], 0, 'no packets')
    t.replay(pcap(spaced([b'\xf1\xf2\xf3'] * 3, 0), 101), what='raw, but no IP')


def test_printed(t):
    source = t.save('in.pcap', pcap(exchange(ETHERNET)))
    r = t.tool('replay', source)
    host = next((line for line in r.out.decode().splitlines() if line.startswith('host:')), '')
    t.check(HOST4 in host and HOST6 in host and 'found' in host, 'the host is not printed:', r.out.decode())
    t.check('4 to the host, 6 from it' in r.out.decode(), 'directions are not printed:', r.out.decode())


def test(t):
    test_links(t)
    test_ethernet_host(t)
    test_malformed_host(t)
    test_found(t)
    test_printed(t)


main(test)
