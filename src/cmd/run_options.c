/* The command line of `nke run`. */
#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "src/cmd/control_wire.h"
#include "src/cmd/run.h"

static int
number(const char *option, const char *text, unsigned long min, unsigned long max, unsigned long *out)
{
	char *end;

	errno = 0;
	*out = strtoul(text, &end, 10);
	if (errno == 0 && *end == '\0' && text[0] >= '0' && text[0] <= '9' && *out >= min && *out <= max)
		return CMD_OK;
	return cmd_usage("run", "%s takes a whole number from %lu to %lu, not '%s'", option, min, max, text);
}

/* An address of either family, as text of `len` bytes. */
static bool
parse_address(const char *text, size_t len, struct run_address *out)
{
	struct sockaddr_in sin = {.sin_family = AF_INET};
	struct sockaddr_in6 sin6 = {.sin6_family = AF_INET6};
	char copy[INET6_ADDRSTRLEN];

	if (len >= sizeof copy)
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';
	memset(out, 0, sizeof *out);
	if (inet_pton(AF_INET, copy, &sin.sin_addr) == 1) {
		memcpy(&out->address, &sin, sizeof sin);
		out->len = sizeof sin;
		out->prefix = 32;
	} else if (inet_pton(AF_INET6, copy, &sin6.sin6_addr) == 1) {
		memcpy(&out->address, &sin6, sizeof sin6);
		out->len = sizeof sin6;
		out->prefix = 128;
	} else {
		return false;
	}
	return true;
}

static int
add_address(struct run_interface *i, const char *text)
{
	size_t len = strcspn(text, "/");
	struct run_address *a = &i->addresses[i->address_count];
	unsigned long prefix;
	char *end;

	if (i->address_count == RUN_ADDRESSES)
		return cmd_usage("run", "at most %d addresses of an interface", RUN_ADDRESSES);
	if (text[len] != '/' || !parse_address(text, len, a))
		return cmd_usage("run",
		    "--address: '%s': expected an address and the bits of its network, like "
		    "10.0.0.2/24 or fd00::2/64", text);
	prefix = strtoul(text + len + 1, &end, 10);
	if (text[len + 1] < '0' || text[len + 1] > '9' || *end != '\0' || prefix > a->prefix)
		return cmd_usage("run", "--address: '%s': expected 0 to %u bits", text, a->prefix);
	a->prefix = (unsigned)prefix;
	i->address_count++;
	return CMD_OK;
}

static int
add_gateway(struct run_interface *i, const char *text)
{
	struct run_address a;

	if (!parse_address(text, strlen(text), &a))
		return cmd_usage("run",
		    "--gateway: '%s': expected an address, like 10.0.0.1 or fd00::1", text);
	if (i->gateway_count == 2 || (i->gateway_count == 1 &&
	    i->gateways[0].address.ss_family == a.address.ss_family))
		return cmd_usage("run", "--gateway: an interface has one of each family");
	i->gateways[i->gateway_count++] = a;
	return CMD_OK;
}

static int
set_lladdr(struct run_interface *i, const char *text)
{
	unsigned b[6];
	int n = 0;

	if (strlen(text) > 17 || sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4],
	    &b[5], &n) != 6 || text[n] != '\0' || (b[0] & 1) != 0)
		return cmd_usage("run", "--lladdr: '%s': expected the link address of one station, like "
		    "02:00:00:00:00:01", text);
	for (unsigned k = 0; k < 6; k++)
		i->lladdr[k] = (uint8_t)b[k];
	return CMD_OK;
}

static int
add_interface(struct run *r, bool is_tap)
{
	struct run_interface *i = &r->interfaces[r->interface_count];

	if (r->interface_count == RUN_INTERFACES)
		return cmd_usage("run", "at most %d interfaces", RUN_INTERFACES);
	if (optarg[0] == '\0')
		return cmd_usage("run", "%s: which?", is_tap ? "--tap" : "--device");
	snprintf(i->name, sizeof i->name, "en%u", r->interface_count);
	i->device = optarg;
	i->is_tap = is_tap;
	r->interface_count++;
	return CMD_OK;
}

/* Options of an interface. */
static int
interface_option(struct run *r, int c, const char *name)
{
	struct run_interface *i;
	unsigned long n;
	int code;

	if (r->interface_count == 0)
		return cmd_usage("run", "--%s: of which interface? --tap or --device come before it", name);
	i = &r->interfaces[r->interface_count - 1];
	switch (c) {
	case 'a':
		return add_address(i, optarg);
	case 'g':
		return add_gateway(i, optarg);
	case 'l':
		return set_lladdr(i, optarg);
	case 'm':
		code = number("--mtu", optarg, 72, 65535, &n);
		i->mtu = (uint32_t)n;
		return code;
	case 'n':
		if (!i->is_tap)
			return cmd_usage("run", "--netns: is for TAP devices");
		i->netns = optarg;
		return CMD_OK;
	case 'o':
		i->offload = true;
		return CMD_OK;
	case 'd':
		i->dhcp = true;
		return CMD_OK;
	default:
		i->auto6 = true;
		return CMD_OK;
	}
}

static int
machine_option(struct run *r, int c, char **argv)
{
	struct sockaddr_un address;
	unsigned long n = 0;
	int code = CMD_OK;

	switch (c) {
	case 'k':
		if (r->kext_count == RUN_KEXTS)
			return cmd_usage("run", "at most %d kexts", RUN_KEXTS);
		r->kexts[r->kext_count++] = optarg;
		break;
	case 'f':
		r->forward = true;
		break;
	case 'e':
		code = number("--echo", optarg, 1, 65535, &n);
		r->echo_port = (unsigned)n;
		break;
	case 'C':
		if (!control_address(optarg, &address))
			return cmd_usage("run", "--control: '%s': expected a path of 1 to %zu bytes", optarg,
			    sizeof address.sun_path - 1);
		r->control_path = optarg;
		break;
	case 'w':
		r->capture = optarg;
		break;
	case 's':
		code = number("--for", optarg, 1, 1000000, &n);
		r->seconds = (unsigned)n;
		break;
	case 'S':
		code = number("--seed", optarg, 0, (unsigned long)-1, &n);
		r->seed = n;
		break;
	case 'c':
		r->check = true;
		break;
	case 'v':
		r->verbose = true;
		break;
	case 'q':
		r->quiet = true;
		break;
	default:
		code = cmd_bad_option("run", argv, c);
	}
	return code;
}

int
run_options(struct run *r, int argc, char **argv, const char *help)
{
	static const struct option options[] = {
	    {"tap", required_argument, NULL, 't'}, {"device", required_argument, NULL, 'D'},
	    {"address", required_argument, NULL, 'a'}, {"gateway", required_argument, NULL, 'g'},
	    {"dhcp", no_argument, NULL, 'd'}, {"auto6", no_argument, NULL, '6'},
	    {"lladdr", required_argument, NULL, 'l'}, {"mtu", required_argument, NULL, 'm'},
	    {"netns", required_argument, NULL, 'n'}, {"offload", no_argument, NULL, 'o'},
	    {"kext", required_argument, NULL, 'k'}, {"forward", no_argument, NULL, 'f'},
	    {"echo", required_argument, NULL, 'e'}, {"for", required_argument, NULL, 's'},
	    {"control", required_argument, NULL, 'C'},
	    {"seed", required_argument, NULL, 'S'}, {"check", no_argument, NULL, 'c'},
	    {"verbose", no_argument, NULL, 'v'}, {"quiet", no_argument, NULL, 'q'},
	    {"help", no_argument, NULL, 'H'}, {NULL, 0, NULL, 0}};
	int c, code = CMD_OK, index = 0;

	opterr = 0;
	while (getrandom(&r->seed, sizeof r->seed, 0) != sizeof r->seed)
		continue;
	while (code == CMD_OK && (c = getopt_long(argc, argv, ":w:", options, &index)) != -1) {
		if (c == 'H') {
			fputs(help, stdout);
			r->helped = true;
			return CMD_OK;
		}
		if (c == 't' || c == 'D')
			code = add_interface(r, c == 't');
		else if (c != '?' && c != ':' && strchr("agdlmno6", c) != NULL)
			code = interface_option(r, c, options[index].name);
		else
			code = machine_option(r, c, argv);
	}
	if (code != CMD_OK)
		return code;
	if (optind < argc)
		return cmd_usage("run", "there is nothing to do with '%s'", argv[optind]);
	if (r->interface_count == 0 && r->control_path == NULL)
		return cmd_usage("run",
		    "on which device? --tap NAME or --device NAME, or --control PATH for none");
	return CMD_OK;
}
