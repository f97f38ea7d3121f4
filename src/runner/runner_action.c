/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "flow/id.h"
#include "runner/runner.h"

#define TIMEOUT_SEC 60 /* fail2ban's default */
#define TIMEOUT_MAX_SEC 3600

const char *runner_family_name(int family)
{
	static const char *const names[FAMILY_N] = {"", "inet4", "inet6"};

	return names[family];
}

const struct net *ticket_address(const struct ticket *t)
{
	if (!t->id)
		return &t->net;
	return id_has_ip(&t->ip) ? &t->ip : NULL;
}

struct ticket_words *ticket_words_free(struct ticket_words *w)
{
	if (!w)
		return NULL;
	order_fields_free(w->fields, w->n_fields);
	free(w->matches);
	free(w->ip_matches);
	free(w->jail_matches);
	free(w);
	return NULL;
}

void ticket_words_get_fields(struct ticket_words *w, struct unpack *u)
{
	uint32_t n = unpack_count(u, 8);

	w->fields = calloc(n + 1, sizeof(*w->fields));
	for (uint32_t i = 0; w->fields && i < n && !u->bad; i++) {
		w->fields[i].name = unpack_str(u);
		w->fields[i].value = unpack_str(u);
		w->n_fields = i + 1;
		if (!w->fields[i].name || !w->fields[i].value)
			u->bad = true;
	}
}

static uint64_t timeout_of(const struct action_options *o)
{
	const char *text = action_option(o, "timeout", "");
	double sec = TIMEOUT_SEC;

	if (!text || duration_parse(span_of(text), &sec) < 0 || sec <= 0)
		sec = TIMEOUT_SEC;
	if (sec > TIMEOUT_MAX_SEC)
		sec = TIMEOUT_MAX_SEC;
	return (uint64_t)(sec * 1000);
}

static int copy_options(struct run_action *a, const struct setup_command *c)
{
	a->items = calloc(c->n_options + 1, sizeof(*a->items));
	if (!a->items)
		return -ENOMEM;
	a->options.items = a->items;
	for (; a->options.n < c->n_options; a->options.n++) {
		struct action_option *o = &a->items[a->options.n];

		o->name = strdup(c->options[a->options.n].name);
		o->value = strdup(c->options[a->options.n].value);
		if (!o->name || !o->value) {
			a->options.n++;
			return -ENOMEM;
		}
	}
	return 0;
}

struct run_action *run_action_new(const struct setup_command *c, uint64_t bit)
{
	struct run_action *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->name = strdup(c->name);
	a->is_mail = c->is_mail;
	a->bit = bit;
	a->is_wanted = true;
	if (!a->name || copy_options(a, c) < 0)
		return run_action_free(a);
	a->is_conditional = action_is_conditional(&a->options);
	a->is_on_demand = action_option_is_true(
	    &a->options, "actionstart_on_demand", a->is_conditional);
	a->skips_restored =
	    a->is_mail || action_option_is_true(&a->options, "norestored", false);
	a->repairs_on_unban =
	    action_option_is_true(&a->options, "actionrepair_on_unban", false);
	a->timeout_ms = timeout_of(&a->options);
	return a;
}

struct run_action *run_action_free(struct run_action *a)
{
	if (!a)
		return NULL;
	for (size_t i = 0; i < a->options.n; i++) {
		free((void *)(uintptr_t)a->items[i].name);
		free((void *)(uintptr_t)a->items[i].value);
	}
	free(a->items);
	free(a->name);
	free(a);
	return NULL;
}

bool run_action_is_same(const struct run_action *a, const struct setup_command *c)
{
	if (strcmp(a->name, c->name) != 0 || a->is_mail != c->is_mail ||
	    a->options.n != c->n_options)
		return false;
	for (size_t i = 0; i < a->options.n; i++) {
		if (strcmp(a->items[i].name, c->options[i].name) != 0 ||
		    strcmp(a->items[i].value, c->options[i].value) != 0)
			return false;
	}
	return true;
}

int run_action_family(const struct run_action *a, const struct ticket *t)
{
	const struct net *n = ticket_address(t);

	if (!a->is_conditional || !n)
		return FAMILY_ANY;
	return net_is_v4(n) ? FAMILY_4 : FAMILY_6;
}

bool run_action_has(const struct run_action *a, const char *name)
{
	const char *text = action_option(&a->options, name, "");

	if (!text)
		text = action_option(&a->options, name, "inet6");
	if (a->is_mail)
		return !strcmp(name, "actionstart") || !strcmp(name, "actionstop") ||
		       !strcmp(name, "actionban");
	return text && span_trim(span_of(text)).n > 0;
}

static bool is_shared(const struct run_action *a, const char *name)
{
	CLEANUP(buf_deinit) struct buf v4 = BUF_INIT(ACTION_TEXT_MAX);
	CLEANUP(buf_deinit) struct buf v6 = BUF_INIT(ACTION_TEXT_MAX);

	if (action_text(&a->options, name, "inet4", &v4) < 0 ||
	    action_text(&a->options, name, "inet6", &v6) < 0)
		return false;
	return span_eq(buf_span(&v4), buf_span(&v6)) &&
	       span_find(buf_span(&v4), SPAN("<family>")) < 0;
}

unsigned run_action_reach(const struct run_action *a, const char *name, int family)
{
	if (family != FAMILY_ANY && is_shared(a, name))
		return 1U << FAMILY_4 | 1U << FAMILY_6;
	return 1U << family;
}
