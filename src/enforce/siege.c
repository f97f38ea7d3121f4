/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/siege.h"

static bool is_among(const uint16_t *ports, size_t n, uint16_t port)
{
	for (size_t i = 0; i < n; i++) {
		if (ports[i] == port)
			return true;
	}
	return false;
}

static struct siege_port *find(struct siege *s, uint16_t port)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->ports[i].port == port)
			return &s->ports[i];
	}
	return NULL;
}

static void count(struct siege_port *p, bool is_waiting)
{
	p->n_full = is_waiting ? p->n_full + 1 : 0;
	p->n_calm = is_waiting ? 0 : p->n_calm + 1;
}

/* Those of which there is nothing to tell. */
static void drop_calm(struct siege *s)
{
	size_t kept = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->ports[i].n_full || s->ports[i].n_ended)
			s->ports[kept++] = s->ports[i];
	}
	s->n = kept;
}

void siege_look(struct siege *s, const uint16_t *waiting, size_t n, mono_t now)
{
	for (size_t i = 0; i < s->n; i++)
		count(&s->ports[i], is_among(waiting, n, s->ports[i].port));
	drop_calm(s);
	for (size_t i = 0; i < n && s->n < SIEGE_MAX_PORTS; i++) {
		if (!find(s, waiting[i]))
			s->ports[s->n++] = (struct siege_port){
			    .port = waiting[i], .n_full = 1, .since = now};
	}
}

struct siege_port *siege_full(struct siege *s, uint16_t port)
{
	struct siege_port *p = find(s, port);

	return p && p->n_full >= SIEGE_FULL_LOOKS ? p : NULL;
}

size_t siege_full_ports(const struct siege *s, uint16_t out[SIEGE_MAX_PORTS])
{
	size_t n = 0;

	for (size_t i = 0; i < s->n; i++) {
		if (s->ports[i].n_full >= SIEGE_FULL_LOOKS)
			out[n++] = s->ports[i].port;
	}
	return n;
}

bool siege_take_over(struct siege *s, struct siege_port *out)
{
	for (size_t i = 0; i < s->n; i++) {
		if (s->ports[i].n_calm < SIEGE_CALM_LOOKS)
			continue;
		*out = s->ports[i];
		s->ports[i] = s->ports[--s->n];
		return true;
	}
	return false;
}

bool siege_is_silent(const struct siege_connection *c)
{
	if (!c->is_held || !c->is_known)
		return false;
	if (!c->n_sent && !c->n_received)
		return c->received_ms > SIEGE_MUTE_MS;
	return c->sent_ms <= c->received_ms && c->sent_ms > SIEGE_SILENT_MS;
}
