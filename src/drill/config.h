/*
 * Settings of a run: from the command line, over them those of the script's own -- lines.
 *
 * All strings belong to whoever set them (the command line's argv, the script) and must outlive the config.
 */
#ifndef NKE_DRILL_CONFIG_H
#define NKE_DRILL_CONFIG_H

#include <netinet/in.h>
#include <sys/socket.h>

#include "src/drill/script.h"

enum drill_ip_version { DRILL_IPV4, DRILL_IPV6, DRILL_IPV4_MAPPED };

#define DRILL_KEXTS	16
#define DRILL_DEFINES	64
#define DRILL_NON_FATAL_PACKET	1u
#define DRILL_NON_FATAL_SYSCALL	2u

struct drill_config {
	/* packetdrill's own */
	enum drill_ip_version ip_version;
	/* As text; NULL: the family's usual ones (drill_config_addresses). */
	const char *local_ip, *remote_ip, *gateway_ip, *netmask_ip;
	const char *local_linux_fake_gateway;	/* accepted, nothing to do */
	uint16_t connect_port;		/* 8080: the remote's, that connect() goes to */
	uint16_t bind_port;		/* 8080: the local one, that bind() is given */
	uint64_t speed;			/* bits a second; 0: none */
	unsigned mtu;			/* 1500 */
	unsigned mss;			/* what packets in are joined of, as tcpi_rcv_mss tells; 0: are not */
	int64_t tolerance_us;		/* -1: nobody has said, see tolerance_us() */
	unsigned tolerance_percent;
	bool tcp_ts_ecr_scaled;		/* ecr of packets in is not moved */
	int64_t tcp_ts_tick_us;		/* 0: as it comes */
	unsigned non_fatal;		/* DRILL_NON_FATAL_...: told, and on */
	bool dry_run;			/* read only */
	bool send_omit_free;		/* accepted, nothing to do */
	bool strict_segments;
	bool strict_end;		/* ours: packets out that no event has are an error at the end, too */
	const char *init_scripts;	/* commands of a file, run first; NULL */
	const char *tcp_md5_secret;
	struct drill_define defines[DRILL_DEFINES];
	size_t define_count;
	/* ours */
	const char *kexts[DRILL_KEXTS];
	unsigned kext_count;
	const char *capture;		/* -w; NULL. Of one script; see cmd/drill.c for many */
	bool shell;			/* commands and code that we do not know are the host's shell's,
	    python's */
	unsigned verbose;		/* 1: every event; 2: log of the machine as well */
	bool check;			/* the machine's checked mode */
	uint64_t seed;
};

/* All as it is without options. */
void drill_config_init(struct drill_config *);
/*
 * One of packetdrill's options by its name, without --. 0; -1 with `error` (place is that given). `value`
 * NULL: there was none.
 */
int drill_config_option(struct drill_config *, const char *name, const char *value, struct drill_place,
    struct drill_error *);
/* Whether it is one of them, and whether it takes a value: 0 no, 1 yes, 2 may. -1: not one. */
int drill_config_takes_value(const char *name);
/* Their names, one after the other; NULL: there are no more. */
const char *drill_config_name(size_t i);
/* Those of a script. */
int drill_config_script(struct drill_config *, const struct drill_script *, struct drill_error *);

struct drill_addresses {
	struct sockaddr_storage local, remote, gateway;	/* without ports */
	unsigned prefix_len;
	bool v6;			/* what is on the wire */
	bool mapped;			/* sockets are AF_INET6 nevertheless */
};
/* The addresses that the settings make. -1: one of them is none. */
int drill_config_addresses(const struct drill_config *, struct drill_addresses *, struct drill_error *);

#endif
