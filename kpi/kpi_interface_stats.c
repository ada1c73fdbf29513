/* net/kpi_interface.h, third part: counters. Each change of them touches lastchange. */
#include <net/kpi_interface.h>
#include <sys/time.h>

#include "src/net/if_private.h"

static errno_t
touch(struct ifnet *ifp)
{
	ifp->lastchange = machine_now(ifp->machine);
	return 0;
}

errno_t
ifnet_touch_lastchange(ifnet_t interface)
{
	return interface != NULL ? touch(interface) : EINVAL;
}

errno_t
ifnet_lastchange(ifnet_t interface, struct timeval *last_change)
{
	const struct world *w;
	uint64_t ns;

	if (interface == NULL)
		return EINVAL;
	w = interface->machine->world;
	ns = world_calendar_now(w) - (world_now(w) - interface->lastchange);
	last_change->tv_sec = (__typeof__(last_change->tv_sec))(ns / 1000000000u);
	last_change->tv_usec = (__typeof__(last_change->tv_usec))(ns % 1000000000u / 1000u);
	return 0;
}

errno_t
ifnet_stat_increment(ifnet_t interface, const struct ifnet_stat_increment_param *counts)
{
	struct ifnet_stats *s;

	if (interface == NULL)
		return EINVAL;
	s = &interface->stats;
	s->ipackets += counts->packets_in;
	s->ibytes += counts->bytes_in;
	s->ierrors += counts->errors_in;
	s->opackets += counts->packets_out;
	s->obytes += counts->bytes_out;
	s->oerrors += counts->errors_out;
	s->collisions += counts->collisions;
	s->iqdrops += counts->dropped;
	return touch(interface);
}

errno_t
ifnet_stat_increment_in(ifnet_t interface, u_int32_t packets_in, u_int32_t bytes_in,
    u_int32_t errors_in)
{
	if (interface == NULL)
		return EINVAL;
	interface->stats.ipackets += packets_in;
	interface->stats.ibytes += bytes_in;
	interface->stats.ierrors += errors_in;
	return touch(interface);
}

errno_t
ifnet_stat_increment_out(ifnet_t interface, u_int32_t packets_out, u_int32_t bytes_out,
    u_int32_t errors_out)
{
	if (interface == NULL)
		return EINVAL;
	interface->stats.opackets += packets_out;
	interface->stats.obytes += bytes_out;
	interface->stats.oerrors += errors_out;
	return touch(interface);
}

errno_t
ifnet_set_stat(ifnet_t interface, const struct ifnet_stats_param *stats)
{
	if (interface == NULL)
		return EINVAL;
	interface->stats = (struct ifnet_stats){
		.ipackets = stats->packets_in, .ibytes = stats->bytes_in,
		.imcasts = stats->multicasts_in, .ierrors = stats->errors_in,
		.opackets = stats->packets_out, .obytes = stats->bytes_out,
		.omcasts = stats->multicasts_out, .oerrors = stats->errors_out,
		.collisions = stats->collisions, .iqdrops = stats->dropped,
		.noproto = stats->no_protocol,
	};
	return touch(interface);
}

errno_t
ifnet_stat(ifnet_t interface, struct ifnet_stats_param *out)
{
	const struct ifnet_stats *s;

	if (interface == NULL)
		return EINVAL;
	s = &interface->stats;
	*out = (struct ifnet_stats_param){
		.packets_in = s->ipackets, .bytes_in = s->ibytes,
		.multicasts_in = s->imcasts, .errors_in = s->ierrors,
		.packets_out = s->opackets, .bytes_out = s->obytes,
		.multicasts_out = s->omcasts, .errors_out = s->oerrors,
		.collisions = s->collisions, .dropped = s->iqdrops,
		.no_protocol = s->noproto,
	};
	return 0;
}
