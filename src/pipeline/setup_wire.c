/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The wire form of a set-up, from the loader to all roles. Both ways stand side by
 * side, field by field in the same order. */
#include <errno.h>

#include "base/pack.h"
#include "pipeline/setup_increment.h"
#include "pipeline/setup_rules.h"
#include "pipeline/setup_steps.h"

static void put_texts(struct buf *b, char *const *texts, uint32_t n)
{
	pack_u32(b, n);
	for (uint32_t i = 0; i < n; i++)
		pack_str(b, texts[i]);
}

static char **get_texts(struct unpack *u, uint32_t *n_out)
{
	uint32_t n = unpack_count(u, 4);
	char **texts = calloc(n + 1, sizeof(*texts));

	if (!texts) {
		u->bad = true;
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++) {
		texts[i] = unpack_str(u);
		*n_out = i + 1;
		if (!texts[i])
			u->bad = true;
	}
	return texts;
}

static void put_targets(struct buf *b, const struct nft_target *targets, uint32_t n)
{
	pack_u32(b, n);
	for (uint32_t i = 0; i < n; i++) {
		const struct nft_target *t = &targets[i];

		pack_str(b, t->name);
		pack_str(b, t->place.table);
		pack_str(b, t->place.chain);
		pack_u32(b, t->place.hook);
		pack_u32(b, (uint32_t)t->place.priority);
		pack_u8(b, (uint8_t)t->answer);
		pack_str(b, t->set4);
		pack_str(b, t->set6);
		pack_u8(b, t->protocol);
		pack_str(b, t->interface);
		pack_bool(b, t->is_xdp);
		pack_u16(b, t->steps);
		pack_bool(b, t->is_copy);
		pack_u32(b, (uint32_t)t->n_ports);
		for (size_t k = 0; k < t->n_ports; k++) {
			pack_u16(b, t->ports[k].from);
			pack_u16(b, t->ports[k].to);
		}
	}
}

static void get_text_into(struct unpack *u, char *out, size_t room)
{
	CLEANUP(freep) char *text = unpack_str(u);

	if (!text || strlen(text) >= room)
		u->bad = true;
	else
		memcpy(out, text, strlen(text) + 1);
}

static struct nft_target *get_targets(struct unpack *u, uint32_t *n_out)
{
	uint32_t n = unpack_count(u, 14);
	struct nft_target *targets = calloc(n + 1, sizeof(*targets));

	if (!targets) {
		u->bad = true;
		return NULL;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct nft_target *t = &targets[i];

		get_text_into(u, t->name, sizeof(t->name));
		get_text_into(u, t->place.table, sizeof(t->place.table));
		get_text_into(u, t->place.chain, sizeof(t->place.chain));
		t->place.hook = unpack_u32(u);
		t->place.priority = (int32_t)unpack_u32(u);
		uint8_t answer = unpack_u8(u);

		if (answer >= NFT_N_ANSWERS)
			u->bad = true;
		t->answer = (enum nft_answer)answer;
		get_text_into(u, t->set4, sizeof(t->set4));
		get_text_into(u, t->set6, sizeof(t->set6));
		t->protocol = unpack_u8(u);
		get_text_into(u, t->interface, sizeof(t->interface));
		t->is_xdp = unpack_bool(u);
		t->steps = unpack_u16(u);
		t->is_copy = unpack_bool(u);
		t->n_ports = unpack_count(u, 4);
		if (t->n_ports > NFT_MAX_PORT_RANGES) {
			t->n_ports = 0;
			u->bad = true;
		}
		for (size_t k = 0; k < t->n_ports; k++) {
			t->ports[k].from = unpack_u16(u);
			t->ports[k].to = unpack_u16(u);
		}
	}
	*n_out = n;
	return targets;
}

static void put_hosts_deny(struct buf *b, const struct setup_jail *j)
{
	pack_u32(b, j->n_hosts_deny);
	for (uint32_t i = 0; i < j->n_hosts_deny; i++) {
		pack_str(b, j->hosts_deny[i].path);
		pack_str(b, j->hosts_deny[i].daemons);
	}
}

static void get_hosts_deny(struct unpack *u, struct setup_jail *j)
{
	uint32_t n = unpack_count(u, 8);

	j->hosts_deny = calloc(n + 1, sizeof(*j->hosts_deny));
	if (!j->hosts_deny) {
		u->bad = true;
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		struct setup_hosts_deny *h = &j->hosts_deny[i];

		j->n_hosts_deny = i + 1;
		h->path = unpack_str(u);
		h->daemons = unpack_str(u);
		if (!h->path || !h->daemons)
			u->bad = true;
	}
}

static void put_commands(struct buf *b, const struct setup_jail *j)
{
	pack_u32(b, j->n_commands);
	for (uint32_t i = 0; i < j->n_commands; i++) {
		const struct setup_command *c = &j->commands[i];

		pack_str(b, c->name);
		pack_str(b, c->file);
		pack_bool(b, c->is_mail);
		pack_u32(b, c->n_options);
		for (uint32_t k = 0; k < c->n_options; k++) {
			pack_str(b, c->options[k].name);
			pack_str(b, c->options[k].value);
		}
	}
}

static void get_command(struct unpack *u, struct setup_command *c)
{
	c->name = unpack_str(u);
	c->file = unpack_str(u);
	c->is_mail = unpack_bool(u);
	uint32_t n = unpack_count(u, 8);

	c->options = calloc(n + 1, sizeof(*c->options));
	if (!c->options || !c->name || !c->file) {
		u->bad = true;
		return;
	}
	for (; c->n_options < n && !u->bad; c->n_options++) {
		struct action_option *o = &c->options[c->n_options];

		o->name = unpack_str(u);
		o->value = unpack_str(u);
		if (!o->name || !o->value)
			u->bad = true;
	}
}

static void get_commands(struct unpack *u, struct setup_jail *j)
{
	uint32_t n = unpack_count(u, 13);

	j->commands = calloc(n + 1, sizeof(*j->commands));
	if (!j->commands || n > SETUP_MAX_COMMANDS) {
		u->bad = true;
		return;
	}
	for (; j->n_commands < n && !u->bad; j->n_commands++)
		get_command(u, &j->commands[j->n_commands]);
}

static void put_evidence(struct buf *b, const struct setup_evidence *v)
{
	pack_bool(b, v->has_adapt);
	pack_bool(b, v->adapt);
	pack_bool(b, v->has_group);
	pack_u8(b, v->group);
	pack_u8(b, v->groupprefix4);
	pack_u8(b, v->groupprefix6);
}

static void get_evidence(struct unpack *u, struct setup_evidence *v)
{
	v->has_adapt = unpack_bool(u);
	v->adapt = unpack_bool(u);
	v->has_group = unpack_bool(u);
	v->group = unpack_u8(u);
	v->groupprefix4 = unpack_u8(u);
	v->groupprefix6 = unpack_u8(u);
	if (v->groupprefix4 > 32 || v->groupprefix6 > 128)
		u->bad = true;
}

static void put_jail(struct buf *b, const struct setup_jail *j)
{
	pack_str(b, j->name);
	pack_str(b, j->filter_name);
	pack_str(b, j->port_text);
	pack_u32(b, j->n_sources);
	for (uint32_t i = 0; i < j->n_sources; i++)
		pack_u32(b, j->sources[i]);
	pack_str(b, j->prefregex);
	put_texts(b, j->failregex, j->n_failregex);
	put_texts(b, j->ignoreregex, j->n_ignoreregex);
	setup_put_rules(b, j);
	pack_str(b, j->datepattern);
	pack_str(b, j->timezone);
	pack_u8(b, (uint8_t)j->usedns);
	pack_str(b, j->encoding);
	pack_u32(b, j->maxlines);
	pack_bool(b, j->no_date);
	pack_f64(b, j->findtime_sec);
	pack_u32(b, j->maxretry);
	pack_i64(b, j->bantime_sec);
	setup_put_increment(b, &j->increment);
	pack_u32(b, j->maxmatches);
	put_evidence(b, &j->evidence);
	pack_str(b, j->ignorecommand);
	pack_str(b, j->ignorecache_key);
	pack_u32(b, j->ignorecache_count);
	pack_f64(b, j->ignorecache_sec);
	pack_bool(b, j->ignoreself);
	pack_nets(b, j->ignore, j->n_ignore);
	put_texts(b, j->ignore_words, j->n_ignore_words);
	put_targets(b, j->targets, j->n_targets);
	pack_bool(b, j->sever);
	pack_bool(b, j->makeroom);
	setup_put_steps(b, j);
	put_hosts_deny(b, j);
	put_commands(b, j);
	put_texts(b, j->options.items, j->options.n);
	pack_u32(b, j->n_actions);
	for (uint32_t i = 0; i < j->n_actions; i++)
		put_texts(b, j->actions[i].items, j->actions[i].n);
}

static void get_shown(struct unpack *u, struct setup_jail *j)
{
	j->options.items = get_texts(u, &j->options.n);
	uint32_t n = unpack_count(u, 4);

	j->actions = calloc(n + 1, sizeof(*j->actions));
	if (!j->actions) {
		u->bad = true;
		return;
	}
	for (uint32_t i = 0; i < n; i++) {
		j->actions[i].items = get_texts(u, &j->actions[i].n);
		j->n_actions = i + 1;
		/* A name and a file at least, and all in pairs. */
		if (j->actions[i].n < 2 || j->actions[i].n % 2)
			u->bad = true;
	}
	if (j->options.n % 2)
		u->bad = true;
}

static void get_jail(struct unpack *u, uint32_t n_sources, struct setup_jail *j)
{
	j->name = unpack_str(u);
	j->filter_name = unpack_str(u);
	j->port_text = unpack_str(u);
	uint32_t n = unpack_count(u, 4);

	j->sources = calloc(n + 1, sizeof(*j->sources));
	if (!j->sources || !j->name) {
		u->bad = true;
		return;
	}
	j->n_sources = n;
	for (uint32_t i = 0; i < n; i++) {
		j->sources[i] = unpack_u32(u);
		if (j->sources[i] >= n_sources)
			u->bad = true;
	}
	j->prefregex = unpack_str(u);
	j->failregex = get_texts(u, &j->n_failregex);
	j->ignoreregex = get_texts(u, &j->n_ignoreregex);
	setup_get_rules(u, j);
	j->datepattern = unpack_str(u);
	j->timezone = unpack_str(u);
	j->usedns = unpack_u8(u);
	j->encoding = unpack_str(u);
	j->maxlines = unpack_u32(u);
	j->no_date = unpack_bool(u);
	j->findtime_sec = unpack_f64(u);
	j->maxretry = unpack_u32(u);
	j->bantime_sec = unpack_i64(u);
	setup_get_increment(u, &j->increment);
	j->maxmatches = unpack_u32(u);
	get_evidence(u, &j->evidence);
	j->ignorecommand = unpack_str(u);
	j->ignorecache_key = unpack_str(u);
	j->ignorecache_count = unpack_u32(u);
	j->ignorecache_sec = unpack_f64(u);
	if (j->ignorecache_key && !j->ignorecache_count)
		u->bad = true;
	j->ignoreself = unpack_bool(u);
	j->ignore = unpack_nets(u, UINT32_MAX, &j->n_ignore);
	j->ignore_words = get_texts(u, &j->n_ignore_words);
	j->targets = get_targets(u, &j->n_targets);
	j->sever = unpack_bool(u);
	j->makeroom = unpack_bool(u);
	setup_get_steps(u, j);
	get_hosts_deny(u, j);
	get_commands(u, j);
	get_shown(u, j);
}

void setup_encode(const struct setup *s, struct buf *b)
{
	pack_u64(b, s->generation);
	pack_u8(b, (uint8_t)s->log_level);
	pack_str(b, s->log_target);
	pack_str(b, s->log_how);
	pack_str(b, s->pid_path);
	pack_bool(b, s->is_volatile);
	pack_bool(b, s->allow_ipv6);
	pack_u32(b, s->db_max_matches);
	pack_str(b, s->policy_path);
	pack_str(b, s->refuse_text);
	pack_str(b, s->user);
	pack_bool(b, s->dry_run);
	pack_u32(b, s->min_prefix_v4);
	pack_u32(b, s->min_prefix_v6);
	pack_u32(b, s->max_bans_per_sec);
	pack_nets(b, s->never_ban, s->n_never_ban);
	pack_bool(b, s->protect_logins);
	pack_f64(b, s->purge_sec);
	pack_u32(b, s->n_sources);
	for (uint32_t i = 0; i < s->n_sources; i++) {
		pack_str(b, s->sources[i].glob);
		pack_bool(b, s->sources[i].tail);
		pack_bool(b, s->sources[i].poll);
		pack_u8(b, (uint8_t)s->sources[i].unit);
		pack_bool(b, s->sources[i].is_journal);
		pack_str(b, s->sources[i].journal_match);
		pack_str(b, s->sources[i].journal_path);
	}
	pack_u32(b, s->n_jails);
	for (uint32_t i = 0; i < s->n_jails; i++)
		put_jail(b, &s->jails[i]);
	pack_u32(b, s->n_left_out);
	for (uint32_t i = 0; i < s->n_left_out; i++) {
		pack_str(b, s->left_out[i].name);
		pack_str(b, s->left_out[i].why);
	}
}

static void get_left_out(struct unpack *u, struct setup *s)
{
	uint32_t n = unpack_count(u, 8);

	s->left_out = calloc(n + 1, sizeof(*s->left_out));
	if (!s->left_out) {
		u->bad = true;
		return;
	}
	s->n_left_out = n;
	for (uint32_t i = 0; i < n; i++) {
		s->left_out[i].name = unpack_str(u);
		s->left_out[i].why = unpack_str(u);
		if (!s->left_out[i].name || !s->left_out[i].why)
			u->bad = true;
	}
}

static void get_sources(struct unpack *u, struct setup *s)
{
	uint32_t n = unpack_count(u, 6);

	s->sources = calloc(n + 1, sizeof(*s->sources));
	if (!s->sources) {
		u->bad = true;
		return;
	}
	s->n_sources = n;
	for (uint32_t i = 0; i < n; i++) {
		s->sources[i].glob = unpack_str(u);
		s->sources[i].tail = unpack_bool(u);
		s->sources[i].poll = unpack_bool(u);
		s->sources[i].unit = unpack_u8(u);
		s->sources[i].is_journal = unpack_bool(u);
		s->sources[i].journal_match = unpack_str(u);
		s->sources[i].journal_path = unpack_str(u);
		if (!s->sources[i].glob)
			u->bad = true;
	}
}

int setup_decode(struct span bytes, struct setup **out)
{
	CLEANUP(setup_freep) struct setup *s = calloc(1, sizeof(*s));
	struct unpack unpack = unpack_of(bytes), *u = &unpack;

	if (!s)
		return -ENOMEM;
	s->generation = unpack_u64(u);
	s->log_level = unpack_u8(u);
	s->log_target = unpack_str(u);
	s->log_how = unpack_str(u);
	s->pid_path = unpack_str(u);
	s->is_volatile = unpack_bool(u);
	s->allow_ipv6 = unpack_bool(u);
	s->db_max_matches = unpack_u32(u);
	s->policy_path = unpack_str(u);
	s->refuse_text = unpack_str(u);
	s->user = unpack_str(u);
	s->dry_run = unpack_bool(u);
	s->min_prefix_v4 = unpack_u32(u);
	s->min_prefix_v6 = unpack_u32(u);
	s->max_bans_per_sec = unpack_u32(u);
	s->never_ban = unpack_nets(u, UINT32_MAX, &s->n_never_ban);
	s->protect_logins = unpack_bool(u);
	s->purge_sec = unpack_f64(u);
	get_sources(u, s);
	uint32_t n = unpack_count(u, 60);

	s->jails = calloc(n + 1, sizeof(*s->jails));
	if (!s->jails)
		return -ENOMEM;
	s->n_jails = n;
	for (uint32_t i = 0; i < n && !u->bad; i++)
		get_jail(u, s->n_sources, &s->jails[i]);
	get_left_out(u, s);
	if (!s->log_target || !s->log_how || !s->user)
		u->bad = true;
	int r = unpack_end(u);

	if (!r)
		*out = TAKE(s);
	return r;
}
