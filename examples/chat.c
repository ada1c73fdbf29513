/*
 * A chat by multicast: three machines on a switch, two of them members of the group 239.1.2.3.
 *
 *	[ anna 10.0.0.1 ]--+
 *	[ ben  10.0.0.2 ]--+ switch, every member hears every line, its own included
 *	[ cleo 10.0.0.3 ]--+ (not a member)
 *
 * It prints who heard what.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <nke/socket.h>
#include <nke/wire.h>

#define PORT	5000
#define GROUP	"239.1.2.3"

struct member {
	const char *name, *address;
	bool joins;
	nke_t *machine;
	int s;
};

static void
must(bool good, const char *what)
{
	if (good)
		return;
	perror(what);
	exit(1);
}

static struct sockaddr_in
ip4(const char *text, unsigned port)
{
	struct sockaddr_in sin = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

	inet_pton(AF_INET, text, &sin.sin_addr);
	return sin;
}

static void
come(struct member *m, nke_world_t *world, nke_wire_t **hub, uint8_t id)
{
	struct nke_config config = {.name = m->name, .world = world};
	struct nke_iface_config en0 = {.name = "en0", .lladdr = {2, 0, 0, 0, 0, id}};
	struct sockaddr_in own = ip4(m->address, 0), any = ip4("0.0.0.0", PORT);
	struct ip_mreq group = {.imr_interface = own.sin_addr};
	nke_iface_t *i;

	must(nke_create(&config, &m->machine) == 0, m->name);
	must(*hub != NULL || nke_switch_create(m->machine, NULL, 1, hub) == 0, "a switch");
	must(nke_iface_create(m->machine, &en0, &i) == 0 && nke_wire_plug(*hub, i) == 0 &&
	    nke_iface_add_address(i, (struct sockaddr *)&own, sizeof own, 24) == 0, "en0");
	m->s = nke_socket(m->machine, AF_INET, SOCK_DGRAM, 0);
	must(m->s >= 0 && nke_bind(m->machine, m->s, (struct sockaddr *)&any, sizeof any) == 0, "bind");
	must(nke_setsockopt(m->machine, m->s, IPPROTO_IP, IP_MULTICAST_IF, &own.sin_addr,
	    sizeof own.sin_addr) == 0, "IP_MULTICAST_IF");
	group.imr_multiaddr = ip4(GROUP, 0).sin_addr;
	must(!m->joins || nke_setsockopt(m->machine, m->s, IPPROTO_IP, IP_ADD_MEMBERSHIP, &group,
	    sizeof group) == 0, "IP_ADD_MEMBERSHIP");
}

static void
say(const struct member *m, const char *text)
{
	struct sockaddr_in to = ip4(GROUP, PORT);

	must(nke_sendto(m->machine, m->s, text, strlen(text), 0, (struct sockaddr *)&to, sizeof to) > 0,
	    "say");
	nke_run_for(m->machine, 1000000);
}

static void
listen_to_all(const struct member *m)
{
	struct sockaddr_in from;
	socklen_t len = sizeof from;
	char text[64], address[INET_ADDRSTRLEN];
	ssize_t n;

	while ((n = nke_recvfrom(m->machine, m->s, text, sizeof text - 1, MSG_DONTWAIT,
	    (struct sockaddr *)&from, &len)) > 0) {
		text[n] = '\0';
		printf("%s heard %s from %s\n", m->name, text,
		    inet_ntop(AF_INET, &from.sin_addr, address, sizeof address));
	}
}

int
main(void)
{
	struct member members[] = {
		{"anna", "10.0.0.1", true, NULL, -1},
		{"ben", "10.0.0.2", true, NULL, -1},
		{"cleo", "10.0.0.3", false, NULL, -1},
	};
	nke_wire_t *hub = NULL;
	nke_world_t *world;

	must(nke_world_create(NULL, &world) == 0, "a world");
	for (uint8_t i = 0; i < 3; i++)
		come(&members[i], world, &hub, (uint8_t)(i + 1));
	say(&members[0], "hello");
	say(&members[1], "good-morning");
	say(&members[2], "may-I-join");
	for (int i = 0; i < 3; i++)
		listen_to_all(&members[i]);
	nke_wire_destroy(hub);
	for (int i = 0; i < 3; i++)
		nke_destroy(members[i].machine);
	nke_world_destroy(world);
	return 0;
}
