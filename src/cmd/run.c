/* nke run: a machine on TAP devices or devices of the host, with kexts, until a signal. */
#include <errno.h>
#include <getopt.h>
#include <nke/kext.h>
#include <nke/loop.h>
#include <nke/sysctl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "src/cmd/run.h"

static const char help[] =
"usage: nke run [options]\n"
"\n"
"Brings up a machine in real time whose interfaces en0, en1 ... are joined to TAP devices, whose other\n"
"end is the host's kernel, or share a device of the host, by libpcap. Runs until SIGINT or SIGTERM.\n"
"With --control it may have none.\n"
"\n"
"  --tap NAME         an interface on this TAP device, which is made unless it is there\n"
"  --device NAME      an interface that shares this device of the host\n"
"    of the interface named last before it:\n"
"  --address ADDR/N   gets this address; may be given several times, both families\n"
"  --gateway ADDR     sends there what is for no network of its own\n"
"  --dhcp             gets an address and gateway by DHCP\n"
"  --auto6            gets IPv6 addresses and gateways from routers that advertise\n"
"  --lladdr ADDR      has this link address (a random one)\n"
"  --mtu N            has this MTU (1500)\n"
"  --netns NAME       the TAP device is in this network namespace\n"
"  --offload          the host's kernel may leave checksums to the machine\n"
"    of the machine:\n"
"  --kext PATH        load this kext; may be given several times, loaded in that order\n"
"  --control PATH     let other processes in by this local socket (nke ctl, nke kext, nke sysctl)\n"
"  --forward          forward packets between the interfaces\n"
"  --echo PORT        send back what comes to this port, by UDP and TCP\n"
"  -w FILE            write all frames to a capture file; - for standard output\n"
"  --for SECONDS      end after that time\n"
"  --seed N           seed of the machine's random numbers (a random one)\n"
"  --check            checked mode: owners of packets, poisoned free memory, full backtraces;\n"
"                     memory that a kext forgets to free is an error\n"
"  --verbose          tell of addresses, links and what else happens\n"
"  --quiet            no summary; kexts still log\n"
"  --help             this text\n"
"\n"
"Kexts' log lines go to standard error with the machine's time in seconds.\n"
"Exit status: 0 done, 1 usage, 2 a device or file cannot be used, 3 a kext would not load or unload,\n"
"4 a panic.\n";

/* ---- stopping ----------------------------------------------------------------------------- */

/* For the signal handler, which has no other argument. */
static nke_loop_t *volatile stop_loop;

static void
stop(int signal)
{
	(void)signal;
	if (stop_loop != NULL)
		nke_loop_stop(stop_loop);
}

static void
catch_signals(nke_loop_t *l, unsigned seconds_to_run)
{
	struct sigaction sa = {.sa_handler = stop};
	struct itimerval timer = {.it_value = {.tv_sec = (time_t)seconds_to_run}};

	stop_loop = l;
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sigaction(SIGALRM, &sa, NULL);
	if (seconds_to_run != 0)
		setitimer(ITIMER_REAL, &timer, NULL);
}

/* ---- bringing up -------------------------------------------------------------------------- */

static int
complain(const struct run *r)
{
	cmd_lines("run", "", nke_error_text(r->machine));
	return nke_panicked(r->machine) ? CMD_PANIC : CMD_INPUT;
}

static int
configure(struct run *r, struct run_interface *i)
{
	nke_iface_t *iface = i->iface;

	for (unsigned a = 0; a < i->address_count; a++) {
		const struct run_address *address = &i->addresses[a];

		if (nke_iface_add_address(iface, (const struct sockaddr *)&address->address, address->len,
		    address->prefix) != 0)
			return complain(r);
	}
	for (unsigned g = 0; g < i->gateway_count; g++)
		if (nke_iface_set_gateway(iface, (const struct sockaddr *)&i->gateways[g].address,
		    i->gateways[g].len) != 0)
			return complain(r);
	if (i->auto6 && nke_iface_set_autoconf(iface, true) != 0)
		return complain(r);
	if (i->dhcp)
		return run_dhcp(r, i);
	return CMD_OK;
}

static int
open_interface(struct run *r, struct run_interface *i)
{
	struct nke_tap_config tap = {.device = i->device, .interface = i->name, .netns = i->netns,
	    .mtu = i->mtu, .offload = i->offload, .up = true};
	struct nke_device_config device = {.device = i->device, .interface = i->name, .mtu = i->mtu};
	int error;

	memcpy(tap.lladdr, i->lladdr, sizeof tap.lladdr);
	memcpy(device.lladdr, i->lladdr, sizeof device.lladdr);
	if (i->is_tap)
		error = nke_tap_open(r->machine, &tap, &i->tap);
	else
		error = nke_device_open(r->machine, &device, &i->shared);
	if (error != 0)
		return complain(r);
	i->iface = i->is_tap ? nke_tap_iface(i->tap) : nke_device_iface(i->shared);
	if (r->recorder != NULL && i->is_tap)
		nke_tap_record(i->tap, r->recorder);
	else if (r->recorder != NULL)
		nke_device_record(i->shared, r->recorder);
	error = i->is_tap ? nke_loop_add_tap(r->loop, i->tap) : nke_loop_add_device(r->loop, i->shared);
	if (error != 0)
		return complain(r);
	run_say(r, "%s: on %s %s", i->name, i->is_tap ? "TAP device" : "device",
	    i->is_tap ? nke_tap_device(i->tap) : nke_device_name(i->shared));
	return CMD_OK;
}

static int
load_kexts(struct run *r)
{
	for (unsigned k = 0; k < r->kext_count; k++) {
		if (nke_kext_load(r->machine, r->kexts[k], NULL) != 0) {
			complain(r);
			return nke_panicked(r->machine) ? CMD_PANIC : CMD_KEXT;
		}
		run_say(r, "kext %s loaded", r->kexts[k]);
	}
	return CMD_OK;
}

/* The interfaces come first, so that kexts find them; addresses come when kexts can hear of them. */
static int
bring_up(struct run *r)
{
	char text[512];
	int code = CMD_OK;

	if (r->capture != NULL && nke_recorder_open(r->capture, NKE_MEDIA_ETHERNET, &r->recorder, text,
	    sizeof text) != 0) {
		cmd_error("run", "%s", text);
		return CMD_INPUT;
	}
	if (nke_loop_create(r->machine, NULL, &r->loop) != 0)
		return complain(r);
	if (r->verbose)
		run_watch_start(r);
	for (unsigned i = 0; i < r->interface_count && code == CMD_OK; i++)
		code = open_interface(r, &r->interfaces[i]);
	if (code == CMD_OK)
		code = load_kexts(r);
	if (code == CMD_OK && r->forward && (nke_sysctl_set_int(r->machine, "net.inet.ip.forwarding",
	    1) != 0 ||
	    nke_sysctl_set_int(r->machine, "net.inet6.ip6.forwarding", 1) != 0))
		code = complain(r);
	for (unsigned i = 0; i < r->interface_count && code == CMD_OK; i++)
		code = configure(r, &r->interfaces[i]);
	if (code == CMD_OK && r->echo_port != 0)
		code = run_echo_start(r);
	if (code == CMD_OK && r->echo_port != 0)
		code = run_echo_tcp_start(r);
	if (code == CMD_OK && r->control_path != NULL)
		code = run_control_start(r);
	return code;
}

/* ---- taking down -------------------------------------------------------------------------- */

/* Last loaded first. A panicked machine's kexts are beyond that. */
static int
unload_kexts(struct run *r)
{
	int code = CMD_OK;

	while (!nke_panicked(r->machine)) {
		nke_kext_t *last = NULL;
		unsigned leaks = 0;

		for (nke_kext_t *k = nke_kext_first(r->machine); k != NULL; k = nke_kext_next(k))
			last = k;
		if (last == NULL)
			break;
		if (nke_kext_unload(r->machine, last, &leaks) != 0) {
			complain(r);
			return nke_panicked(r->machine) ? CMD_PANIC : CMD_KEXT;
		}
		if (leaks != 0 && r->check)	/* the log names them */
			code = CMD_KEXT;
	}
	return code;
}

static int
take_down(struct run *r)
{
	char text[512];
	int code;

	run_dhcp_stop(r);
	run_control_stop(r);		/* its clients hold kernel controls */
	code = unload_kexts(r);
	if (!r->quiet)
		run_summary(r);
	run_watch_stop(r);
	run_echo_stop(r);
	run_echo_tcp_stop(r);
	for (unsigned i = 0; i < r->interface_count; i++) {
		nke_tap_close(r->interfaces[i].tap);
		nke_device_close(r->interfaces[i].shared);
	}
	nke_loop_destroy(r->loop);
	stop_loop = NULL;
	if (nke_recorder_close(r->recorder, text, sizeof text) != 0) {
		cmd_error("run", "%s: the file is not complete", text);
		if (code == CMD_OK)
			code = CMD_INPUT;
	}
	return code;
}

/* ---- the run ------------------------------------------------------------------------------ */

static void
print_log(void *ctx, const struct nke_log_record *r)
{
	(void)ctx;
	fprintf(stderr, "%12.6f %s: %s\n", (double)r->uptime_ns / 1e9,
	    r->kext[0] != '\0' ? r->kext : "kernel", r->text);
}

static int
run(struct run *r)
{
	struct nke_config config = {.time = NKE_TIME_REAL, .seed = r->seed, .checked = r->check,
	    .log = print_log};
	int code, error;

	error = nke_create(&config, &r->machine);
	if (error != 0) {
		cmd_error("run", "no machine: %s", strerror(error));
		return CMD_INPUT;
	}
	code = bring_up(r);
	if (code == CMD_OK) {
		catch_signals(r->loop, r->seconds);
		error = nke_loop_run(r->loop);
		if (error != 0)
			code = complain(r);
	}
	error = take_down(r);
	if (code == CMD_OK)
		code = error;
	nke_destroy(r->machine);
	return code;
}

int
cmd_run(int argc, char **argv)
{
	static struct run r;
	int code;

	memset(&r, 0, sizeof r);
	code = run_options(&r, argc, argv, help);
	if (code != CMD_OK || r.helped)
		return code;
	code = nke_catch_faults();
	if (code != 0)
		fprintf(stderr, "nke: faults of kexts will not be caught: %s\n", strerror(code));
	/* A capture on standard output that nobody reads any more is an error of writing. */
	signal(SIGPIPE, SIG_IGN);
	return run(&r);
}
