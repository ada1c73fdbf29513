/* What became of the flows that were re-enacted, as nke/replay.h tells it. Changes nothing. */
#include <errno.h>

#include <nke/replay.h>

#include "src/host/reenact_impl.h"

size_t
nke_replay_flows(const nke_replay_t *replay)
{
	return replay->reenact != NULL ? replay->reenact->flows.count : 0;
}

static enum nke_replay_flow_state
captured_state(const struct flow *f)
{
	if (f->key.protocol != PROTO_TCP)
		return NKE_FLOW_OPEN;
	if (f->answer == ANSWER_RESET)
		return NKE_FLOW_REFUSED;
	if (f->answer == ANSWER_NONE)
		return NKE_FLOW_UNANSWERED;
	if (f->track[SIDE_LOCAL].fin != NO_OFFSET && f->track[SIDE_REMOTE].fin != NO_OFFSET)
		return NKE_FLOW_CLOSED;
	if (f->reset[SIDE_LOCAL])
		return NKE_FLOW_RESET_LOCAL;
	if (f->reset[SIDE_REMOTE])
		return NKE_FLOW_RESET_REMOTE;
	return f->server && !f->established && !f->begun_before ? NKE_FLOW_UNANSWERED : NKE_FLOW_OPEN;
}

static struct nke_replay_direction
direction(const struct flow *f, unsigned side)
{
	const struct flow_count *c = &f->count[side];

	return (struct nke_replay_direction){
		.captured = c->captured, .delivered = c->delivered, .datagrams = c->datagrams,
		.datagrams_delivered = c->datagrams_delivered, .differences = c->differences,
		.first_difference = c->first_difference, .unchecked = c->unchecked, .zeros = c->zeros,
		.holes = f->track[side].hole_count,
	};
}

static const struct flow *
flow_of(const nke_replay_t *replay, size_t i)
{
	return i < nke_replay_flows(replay) ? flow_at(&replay->reenact->flows, (uint32_t)i) : NULL;
}

int
nke_replay_flow_get(const nke_replay_t *replay, size_t i, struct nke_replay_flow *out)
{
	const struct flow *f = flow_of(replay, i);

	if (f == NULL)
		return ENOENT;
	*out = (struct nke_replay_flow){
		.tcp = f->key.protocol == PROTO_TCP, .server = f->server, .begun_before = f->begun_before,
		.start_ns = f->start_ns, .frames = f->frames, .retransmitted = f->retransmitted,
		.out = direction(f, SIDE_LOCAL), .in = direction(f, SIDE_REMOTE),
		.captured_state = captured_state(f), .state = (enum nke_replay_flow_state)f->state,
		.error = f->error,
	};
	if (!f->started) {		/* something ended the replay before */
		out->state = NKE_FLOW_FAILED;
		out->error = ECANCELED;
	}
	(void)reenact_sockaddr(f->key.version, f->key.local, f->key.lport, &out->local);
	(void)reenact_sockaddr(f->key.version, f->key.remote, f->key.rport, &out->remote);
	return 0;
}

size_t
nke_replay_flow_holes(const nke_replay_t *replay, size_t i, struct nke_replay_hole *out, size_t max)
{
	const struct flow *f = flow_of(replay, i);
	size_t n = 0;

	for (unsigned side = 0; f != NULL && side < 2; side++) {
		const struct track *t = &f->track[side];

		for (uint32_t h = 0; h < t->hole_count; h++, n++)
			if (n < max)
				out[n] = (struct nke_replay_hole){side == SIDE_LOCAL, t->holes[h].from,
				    t->holes[h].to - t->holes[h].from};
	}
	return n;
}

void
nke_replay_sockets_statistics(const nke_replay_t *replay, struct nke_replay_sockets *out)
{
	struct nke_replay_flow f;

	memset(out, 0, sizeof *out);
	if (replay->reenact != NULL)
		*out = replay->reenact->totals;
	for (size_t i = 0; nke_replay_flow_get(replay, i, &f) == 0; i++) {
		out->tcp += f.tcp;
		out->udp += !f.tcp;
		out->differing += f.out.differences != 0 || f.out.delivered != f.out.captured ||
		    f.in.differences != 0 || f.in.delivered != f.in.captured;
		out->failed += f.state == NKE_FLOW_FAILED;
	}
}
