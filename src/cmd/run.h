/* What the files of `nke run` share: what was asked for, and what came of it. */
#ifndef NKE_CMD_RUN_H
#define NKE_CMD_RUN_H

#include <netinet/in.h>
#include <nke/dhcp.h>
#include <nke/loop.h>
#include <nke/route.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "src/cmd/cmd.h"

#define RUN_INTERFACES	16
#define RUN_ADDRESSES	16
#define RUN_KEXTS	64
#define RUN_KNOWN	64

struct run_address {
	struct sockaddr_storage address;
	socklen_t len;
	unsigned prefix;
};

struct run_interface {
	char name[16];			/* "en0" */
	const char *device;		/* the host's */
	bool is_tap;
	const char *netns;
	uint8_t lladdr[6];
	uint32_t mtu;
	bool offload, dhcp, auto6;
	struct run_address addresses[RUN_ADDRESSES];
	unsigned address_count;
	struct run_address gateways[2];	/* one of each family */
	unsigned gateway_count;

	nke_tap_t *tap;			/* one of these two */
	nke_device_t *shared;
	nke_iface_t *iface;
	bool link_up;			/* as was told */
	nke_dhcp_t *client;
	const struct run *run;
};

struct run {
	struct run_interface interfaces[RUN_INTERFACES];
	unsigned interface_count;
	const char *kexts[RUN_KEXTS];
	unsigned kext_count;
	const char *capture;
	const char *control_path;	/* NULL: nobody asks for anything */
	bool forward, check, verbose, quiet, helped;
	unsigned echo_port, seconds;
	uint64_t seed;

	nke_t *machine;
	nke_loop_t *loop;
	nke_recorder_t *recorder;
	nke_event_t *watch_event;	/* routing messages */
	int watch_socket;
	struct nke_address known[RUN_KNOWN];	/* as was told */
	size_t known_count;
	nke_event_t *echo_events[2];
	int echo_sockets[2];		/* IPv4, IPv6 */
	uint64_t echoed;
	nke_event_t *listener_events[2];	/* the same for TCP */
	int listeners[2];
	struct run_stream *streams;		/* connections, run_echo_tcp.c */
	uint64_t echoed_streams, echoed_bytes;
	struct run_control *control;		/* run_control.c */
};

/* run_options.c: CMD_OK or CMD_USAGE; `helped`: the help was all that was asked for. */
int run_options(struct run *, int argc, char **argv, const char *help);

/* run_watch.c: with --verbose, a line on standard error with the machine's time. */
void run_say(const struct run *, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void run_watch_start(struct run *);
void run_watch_stop(struct run *);
void run_summary(const struct run *);

/* run_echo.c */
int run_echo_start(struct run *);
void run_echo_stop(struct run *);
/* run_echo_tcp.c */
int run_echo_tcp_start(struct run *);
void run_echo_tcp_stop(struct run *);

/* run_control.c */
int run_control_start(struct run *);
void run_control_stop(struct run *);

/* run_dhcp.c */
int run_dhcp(struct run *, struct run_interface *);
void run_dhcp_stop(struct run *);

#endif
