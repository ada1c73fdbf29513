#!/usr/bin/env python3
"""Measures what is promised about speed: bench.py BUILD WORK PACKETS

Both sides of a ratio run in turns on the same core, rounds times; the median of the rounds' ratios is
held against the promise. Times of replay and of the counting loop are those of the loop itself, times
of tools that write are whole processes. Exit status 1 when a promise is missed.
"""
import json, os, re, resource, shutil, statistics, subprocess, sys, time

build, work, packets = sys.argv[1], sys.argv[2], int(sys.argv[3])
nke, capture = f"{build}/nke", f"{work}/imix.pcap"
ROUNDS = int(os.environ.get("NKE_BENCH_ROUNDS", "7"))
CORES = sorted(os.sched_getaffinity(0))
ONE = {CORES[-1]}
missed = []


def run(args, cores=ONE):
    start = time.monotonic()
    p = subprocess.Popen(args, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         preexec_fn=lambda: os.sched_setaffinity(0, cores))
    out, err = p.communicate()
    if p.returncode != 0:
        sys.exit(f"bench: {' '.join(args)}: exit {p.returncode}\n{err}")
    return time.monotonic() - start, out


def replay(*options, cores=ONE):
    report = f"{work}/report.json"
    wall, _ = run([nke, "replay", "--quiet", "--json", report, *options, capture], cores)
    with open(report) as f:
        r = json.load(f)
    return {"loop": r["seconds"], "wall": wall, "report": r}


def count():
    _, out = run([f"{build}/pcap_count", capture])
    return float(re.search(r"([\d.]+) s", out)[1])


def in_turns(*what, rounds=ROUNDS):
    rows = [[f() for f in what] for _ in range(rounds + 1)]
    return list(zip(*rows[1:]))          # the first round warms up


def ratio(over, under):
    return statistics.median(a / b for a, b in zip(over, under))


def ns(seconds):
    return statistics.median(seconds) / packets * 1e9


def show(name, value, unit, at_least=None, at_most=None, detail=""):
    good = (at_least is None or value >= at_least) and (at_most is None or value <= at_most)
    limit = f"at least {at_least}" if at_least is not None else f"at most {at_most}" if at_most is not None else ""
    print(f"{'ok    ' if good else 'MISSED'} {name:58s} {value:8.2f} {unit:4s} {limit:14s} {detail}", flush=True)
    if not good:
        missed.append(name)


print(f"{packets} packets, median of {ROUNDS} rounds, {len(CORES)} cores\n")

bare, plain, nothing, wrote = in_turns(
    count,
    lambda: replay()["loop"],
    lambda: replay("--kext", f"{work}/nothing.kext")["loop"],
    lambda: replay("-w", f"{work}/out.pcap")["wall"])
show("replay, no kext / bare pcap_next_ex loop", ratio(bare, plain), "x", at_least=0.65,
     detail=f"{ns(plain):.0f} ns a packet against {ns(bare):.0f}")
show("replay, do-nothing interface and IP filters / bare loop", ratio(bare, nothing), "x", at_least=0.6,
     detail=f"{ns(nothing):.0f} ns a packet")

tcpdump, rewrite, wrote = in_turns(
    lambda: run(["tcpdump", "-r", capture, "-w", f"{work}/out.pcap"])[0],
    lambda: run(["tcprewrite", f"--infile={capture}", f"--outfile={work}/out.pcap"])[0],
    lambda: replay("-w", f"{work}/out.pcap")["wall"])
show("replay, writing everything / tcpdump -r -w", ratio(tcpdump, wrote), "x", at_least=0.8,
     detail=f"{ns(wrote):.0f} ns a packet against {ns(tcpdump):.0f}")
show("replay, writing everything / tcprewrite", ratio(rewrite, wrote), "x", at_least=1.5,
     detail=f"against {ns(rewrite):.0f} ns a packet")
os.unlink(f"{work}/out.pcap")

if len(CORES) >= 2:
    both = set(CORES[-2:])
    one, two = in_turns(lambda: replay("--kext", f"{work}/busy.kext", cores=both),
                        lambda: replay("-j", "2", "--kext", f"{work}/busy.kext", cores=both))
    cost = statistics.median(f["ns_per_call"] for r in one for f in r["report"]["filters"] if f["calls"])
    show("-j 2 / -j 1 on two cores, a filter that works", ratio([r["loop"] for r in one], [r["loop"] for r in two]),
         "x", at_least=1.6, detail=f"the filter takes {cost:.0f} ns a packet")
else:
    print("left  -j 2 / -j 1: needs two cores, this machine has one")

for kind in ("interface", "IP"):
    name = f"{work}/nothing_{kind.lower()}.kext"
    run([nke, "build", f"{os.path.dirname(os.path.abspath(__file__))}/nothing_{kind.lower()}.c", "-o", name])
    # a small difference of large numbers: it takes more rounds
    base, more = in_turns(lambda: replay()["loop"], lambda: replay("--kext", name)["loop"], rounds=4 * ROUNDS)
    show(f"a do-nothing {kind} filter adds", statistics.median((b - a) / packets * 1e9 for a, b in zip(base, more)),
         "ns", at_most=10)

_, out = run([f"{build}/bench_mbuf"])
for name, value in re.findall(r"^(.*?) +([\d.]+) ns$", out, re.M):
    if "free" in name:
        show(name, float(value), "ns", at_most=15)

p = subprocess.run([f"{build}/bench_tap", "50000", str(ROUNDS)], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                   preexec_fn=lambda: os.sched_setaffinity(0, ONE))
if p.returncode == 77:
    print("left  UDP over TAP from the kernel:", p.stderr.strip())
elif p.returncode != 0:
    sys.exit(f"bench: bench_tap: exit {p.returncode}\n{p.stderr}")
else:
    rows = [list(map(float, r)) for r in
            re.findall(r"bare (\d+) ns, machine (\d+) ns .*; receiving alone (\d+), (\d+)", p.stdout)]
    bare, through, alone, receiving = zip(*rows)
    show("UDP over TAP, kernel to socket / bare reader of the TAP", ratio(bare, through), "x", at_least=0.8,
         detail=f"{statistics.median(through):.0f} ns a datagram, sending included, against "
         f"{statistics.median(bare):.0f}; receiving alone {statistics.median(receiving):.0f} against "
         f"{statistics.median(alone):.0f}")


def peak(path):
    _, out = run([sys.executable, "-c", "import resource, subprocess, sys\n"
                  "subprocess.run(sys.argv[1:], check=True)\n"
                  "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)",
                  nke, "replay", "--quiet", "--kext", f"{work}/nothing.kext", path])
    return int(out) / 1024


small, large = peak(f"{work}/small.pcap"), peak(capture)
show(f"peak memory, {packets} packets / 1,000 packets", large / small, "x", at_most=1.1,
     detail=f"{large:.1f} MiB against {small:.1f}")

_, out = run([f"{build}/bench_net"])
net = {name: float(value) for name, value in re.findall(r"^(\w+) ([\d.]+)$", out, re.M)}
show("UDP from machine to machine / the kernel's loopback", net["loopback_ns"] / net["wire_ns"], "x", at_least=5,
     detail=f"{net['wire_ns']:.0f} ns a datagram against {net['loopback_ns']:.0f}")
show("the same with 100,000 more sockets / without", net["crowd_ns"] / net["wire_ns"], "x", at_most=1.5,
     detail=f"{net['crowd_ns']:.0f} ns a datagram")
show("creating and destroying a machine", net["machine_us"], "us", at_most=1000)
show("memory of an idle machine", net["machine_kib"], "KiB", at_most=1024)

def show_control():
    _, out = run([f"{build}/bench_ctl", f"{build}/tests/data/kexts/control.kext", "300000", str(ROUNDS)])
    got = {name: float(value) for name, value in re.findall(r"^(\w+) ([\d.]+)$", out, re.M)}
    for kind, words in (("dgram", "messages"), ("stream", "a stream")):
        show(f"kernel control, {words} to the kext and back / a socketpair's echo",
             got[f"pair_{kind}_ns"] / got[f"control_{kind}_ns"], "x", at_least=1,
             detail=f"{got[f'control_{kind}_ns']:.0f} ns a message against {got[f'pair_{kind}_ns']:.0f}")


show_control()

# ---- TCP ------------------------------------------------------------------------------------------------

def number(*args):
    _, out = run(list(args))
    return float(out.split()[-1])


def tcp():
    """One round of bench_tcp: NAME to value."""
    _, out = run([f"{build}/bench_tcp", "256", "1", "1"])
    return {name: float(value) for name, value in re.findall(r"^(\w+) ([\d.]+)$", out, re.M)}


def loopback(large):
    """Gbit/s of the kernel's loopback between both ends of iperf3 on one core, in a namespace of its own."""
    script = "ip link set lo up && " + ("" if large else
             "ip link set lo mtu 1500 && ethtool -K lo tso off gso off gro off >/dev/null && ")
    _, out = run(["unshare", "-n", "sh", "-c", script + "{ iperf3 -s -p 5201 >/dev/null & } && "
                  "f=/dev/shm/nke-iperf.$$ && "
                  # with -J its status says nothing of success
                  "until iperf3 -J -c 127.0.0.1 -p 5201 -t 2 2>/dev/null >$f; grep -q sum_received $f; do sleep 0.1; done && "
                  "cat $f; rm -f $f; kill $!; wait"])
    return json.loads(out)["end"]["sum_received"]["bits_per_second"] / 1e9


def tcp_by_tap():
    """Octets to and from the kernel by a TAP device with offloads: (who, way) to seconds."""
    peer = [f"{build}/peer_lwip"] if os.path.exists(f"{build}/peer_lwip") else []
    p = subprocess.run([f"{build}/bench_tcp_tap", "256", str(ROUNDS), *peer], stdout=subprocess.PIPE,
                       stderr=subprocess.PIPE, text=True, preexec_fn=lambda: os.sched_setaffinity(0, ONE))
    if p.returncode == 77:
        print("left  TCP over TAP:", p.stderr.strip())
        return {}
    if p.returncode != 0:
        sys.exit(f"bench: bench_tcp_tap: exit {p.returncode}\n{p.stderr}")
    rows = {}
    for who, way, seconds in re.findall(r"^(\w+) (in|out) ([\d.]+)$", p.stdout, re.M):
        rows.setdefault((who, way), []).append(float(seconds))
    return rows


def show_tcp_filtered():
    """Bulk TCP with a socket filter that has every callback and does nothing, beside machines without it."""
    kext = f"{work}/nothing_socket.kext"
    run([nke, "build", f"{os.path.dirname(os.path.abspath(__file__))}/nothing_socket.c", "-o", kext])
    # Where a process has its code and data makes a difference of the same size: several of them.
    out = "".join(run([f"{build}/bench_tcp", "16", "7", "1", kext])[1] for _ in range(ROUNDS))
    rows = [tuple(map(float, r)) for r in re.findall(r"^round ([\d.]+) ([\d.]+)$", out, re.M)]
    plain, filtered = zip(*rows)
    show("bulk TCP with a do-nothing socket filter / without", ratio(plain, filtered), "x", at_least=0.95,
         detail=f"{statistics.median(filtered):.0f} ns a segment against {statistics.median(plain):.0f}")


def show_tcp():
    sides = [tcp]
    names = ["ours"]
    if all(shutil.which(c, path=os.environ["PATH"] + ":/usr/sbin:/sbin") for c in ("iperf3", "ethtool", "unshare", "ip")):
        sides += [lambda: loopback(False), lambda: loopback(True),
                  lambda: 20000 / number("unshare", "-n", "sh", "-c", f"ip link set lo up; {build}/peer_kernel 20000")]
        names += ["small", "large", "rate"]
    else:
        print("left  TCP beside the kernel's loopback: iperf3, ethtool, unshare or ip is missing")
    if os.path.exists(f"{build}/peer_lwip"):
        sides.append(lambda: 3.2 / number(f"{build}/peer_lwip", "bulk", "400000000"))
        names.append("lwip")
    else:
        print("left  TCP beside lwIP: it was not there when this was built (liblwip-dev)")
    got = dict(zip(names, in_turns(*sides)))
    ours = {name: [r[name] for r in got["ours"]] for name in got["ours"][0]}
    if "small" in got:
        show("TCP, MTU 1500 / the kernel's loopback without large segments", ratio(ours["bulk_gbit"], got["small"]), "x",
             at_least=2, detail=f"{statistics.median(ours['bulk_gbit']):.1f} Gbit/s against "
             f"{statistics.median(got['small']):.1f}")
    if "lwip" in got:
        show("TCP, MTU 1500 / lwIP's socket API", ratio(ours["bulk_gbit"], got["lwip"]), "x", at_least=2,
             detail=f"against {statistics.median(got['lwip']):.1f} Gbit/s")
    if "large" in got:
        show("TCP, large segments / the kernel's default loopback", ratio(ours["offload_gbit"], got["large"]), "x",
             at_least=1, detail=f"{statistics.median(ours['offload_gbit']):.1f} Gbit/s against "
             f"{statistics.median(got['large']):.1f}")
        show("connect, accept, close / the kernel's loopback", ratio(ours["connections_per_s"], got["rate"]), "x",
             at_least=8, detail=f"{statistics.median(ours['connections_per_s']):.0f} a second against "
             f"{statistics.median(got['rate']):.0f}")
    _, out = run([f"{build}/bench_tcp", "256", "3", "100000"])
    one = {name: float(value) for name, value in re.findall(r"^(\w+) ([\d.]+)$", out, re.M)}
    show("a segment among 100,000 connections / alone", one["crowd_bulk_ns"] / one["bulk_ns"], "x", at_most=1.5,
         detail=f"{one['crowd_bulk_ns']:.0f} ns against {one['bulk_ns']:.0f}; going over all of them at random "
         f"{one['crowd_request_ns']:.0f} against {one['request_ns']:.0f}")
    show("an idle connection, at each end", one["idle_pair_octets"] / 2, "B", at_most=1200)
    rows = tcp_by_tap()
    for way, words in ("in", "from the kernel"), ("out", "to the kernel"):
        if ("machine", way) in rows:
            ours, bare = rows["machine", way], rows["bare", way]
            show(f"TCP over TAP {words} / a bare loop", ratio(bare, ours), "x", at_least=0.7,
                 detail=f"{2.147 / statistics.median(ours):.1f} Gbit/s against {2.147 / statistics.median(bare):.1f}")
            if ("lwip", way) in rows:
                show(f"TCP over TAP {words} / lwIP's TAP port", ratio(rows["lwip", way], ours), "x", at_least=4,
                     detail=f"against {2.147 / statistics.median(rows['lwip', way]):.1f} Gbit/s")


def sockets():
    """Packets a second of HTTP traffic re-enacted, both readings of the capture counted."""
    report = f"{work}/sockets.json"
    run([nke, "replay", "--quiet", "--sockets", "--json", report, f"{work}/http.pcap"])
    with open(report) as f:
        r = json.load(f)
    if r["sockets"]["differing"] or r["sockets"]["failed"]:
        sys.exit("bench: replay --sockets does not deliver what it was given")
    return r["packets"]["read"] / r["seconds"]


def scripts():
    """Seconds of 1,000 drill scripts: the project's own, as often as it takes."""
    folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "drill")
    paths = sorted(os.path.join(where, name) for where, _, names in os.walk(folder) for name in names)
    return run([nke, "drill", "--quiet", *(paths * (1000 // len(paths) + 1))[:1000]], set(CORES[-2:]))[0]


def rounds():
    """Milliseconds of loading a kext, attaching its filter to 1,000 sockets, and unloading it."""
    _, out = run([f"{build}/kext_rounds", f"{build}/tests/data/kexts/rounds.kext", "5", "1000"])
    return float(re.search(r"([\d.]+) ms", out)[1])


show_tcp()
show_tcp_filtered()
run([sys.executable, f"{os.path.dirname(os.path.abspath(__file__))}/http.py", str(packets // 100),
     f"{work}/http.pcap"])
show("replay --sockets, HTTP traffic", statistics.median(in_turns(sockets)[0]) / 1000, "k/s", at_least=300,
     detail="packets a second on one core")
os.unlink(f"{work}/http.pcap")
show("load, attach to 1,000 sockets, detach, unload", statistics.median(in_turns(rounds)[0]), "ms", at_most=50)
show("1,000 drill scripts, on two cores", statistics.median(in_turns(scripts)[0]), "s", at_most=10)

print(f"\n{'all promises kept' if not missed else 'missed: ' + '; '.join(missed)}")
sys.exit(1 if missed else 0)
