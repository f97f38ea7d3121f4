/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>

#include "enforce/policy_wire.h"
#include "pipeline/pipeline_private.h"
#include "pipeline/setup_rules.h"

static void lane_deinit(struct lane *l)
{
	filter_free(l->filter);
	decoder_free(l->decoder);
}

static struct lane *lanes_free(struct lane *lanes, uint32_t n)
{
	for (uint32_t i = 0; lanes && i < n; i++)
		lane_deinit(&lanes[i]);
	free(lanes);
	return NULL;
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

static bool same_list(char *const *a, uint32_t n_a, char *const *b, uint32_t n_b)
{
	if (n_a != n_b)
		return false;
	for (uint32_t i = 0; i < n_a; i++) {
		if (strcmp(a[i], b[i]))
			return false;
	}
	return true;
}

static bool same_filter(const struct setup_jail *a, const struct setup_jail *b)
{
	return same_text(a->prefregex, b->prefregex) &&
	       same_list(a->failregex, a->n_failregex, b->failregex, b->n_failregex) &&
	       same_list(a->ignoreregex, a->n_ignoreregex, b->ignoreregex,
		   b->n_ignoreregex) &&
	       setup_same_rules(a, b) && same_text(a->datepattern, b->datepattern) &&
	       same_text(a->timezone, b->timezone) && a->usedns == b->usedns &&
	       a->maxlines == b->maxlines && a->no_date == b->no_date;
}

static struct engine_options engine_options_of(
    const struct setup *s, const struct engine_jail *jails)
{
	return (struct engine_options){
	    .jails = jails,
	    .n_jails = s->n_jails,
	    .max_tracked = ENGINE_MAX_TRACKED,
	    .max_bans = ENGINE_MAX_BANS,
	    .text_bytes = ENGINE_TEXT_BYTES,
	    .max_offenders = ENGINE_MAX_OFFENDERS,
	    .offenders_keep_sec = s->purge_sec,
	};
}

/* Fill the lanes that have no filter yet. */
static int lanes_compile(const struct setup *s, struct lane *lanes, struct err *e)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		const struct setup_jail *j = &s->jails[i];

		lanes[i].hears_refusals = setup_hears_refusals(s, i);
		if (j->encoding && !lanes[i].decoder)
			lanes[i].decoder = decoder_new(j->encoding, e);
		if (j->encoding && !lanes[i].decoder)
			return err_wrap(e, -EINVAL, "jail %s", j->name);
		if (lanes[i].filter || !setup_n_regexes(j))
			continue;
		struct filter_options o = setup_filter_options(j);

		lanes[i].filter = filter_new(&o, e);
		if (!lanes[i].filter)
			return err_wrap(e, -EINVAL, "jail %s", j->name);
	}
	return 0;
}

struct pipeline *pipeline_new(const struct setup *s, struct err *e)
{
	CLEANUP(pipeline_freep) struct pipeline *p = calloc(1, sizeof(*p));
	CLEANUP(freep) struct engine_jail *jails = setup_engine_jails(s);

	if (!p || !jails) {
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	p->setup = s;
	p->replayed = WALL_NONE;
	p->found = recent_new();
	pipeline_set_window(p, WALL_NONE, WALL_NEVER);
	p->lanes = calloc(s->n_jails + 1, sizeof(*p->lanes));
	p->n_lanes = s->n_jails;
	struct engine_options o = engine_options_of(s, jails);

	p->engine = engine_new(&o);
	if (!p->lanes || !p->engine || !p->found) {
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	if (lanes_compile(s, p->lanes, e) < 0)
		return NULL;
	return TAKE(p);
}

struct pipeline *pipeline_free(struct pipeline *p)
{
	if (!p)
		return NULL;
	pipeline_forget_lenses(p);
	lanes_free(p->lanes, p->n_lanes);
	recent_free(p->found);
	engine_free(p->engine);
	free(p);
	return NULL;
}

void pipeline_set_window(struct pipeline *p, wall_t since, wall_t until)
{
	p->since = since;
	p->until = until;
}

/* Nothing is wanted any more of lines that filters have skipped. */
static void settle(struct pipeline *p)
{
	for (uint32_t i = 0; i < p->n_lanes; i++) {
		if (p->lanes[i].filter)
			(void)filter_settle(p->lanes[i].filter);
	}
}

int pipeline_reload(struct pipeline *p, const struct setup *s, wall_t now,
    struct orders *out, struct err *e)
{
	CLEANUP(freep) struct engine_jail *jails = setup_engine_jails(s);
	struct lane *lanes = calloc(s->n_jails + 1, sizeof(*lanes));
	uint32_t *old_of = calloc(s->n_jails + 1, sizeof(*old_of));
	int r = !jails || !lanes || !old_of ? err_set(e, -ENOMEM, "out of memory") : 0;

	/* Borrow the filters that stay; given back if anything fails below. */
	for (uint32_t i = 0; !r && i < s->n_jails; i++) {
		int old = setup_find_jail(p->setup, span_of(s->jails[i].name));

		old_of[i] = UINT32_MAX;
		if (old < 0)
			continue;
		lanes[i].counts = p->lanes[old].counts;
		lanes[i].is_idle = p->lanes[old].is_idle;
		if (same_filter(&s->jails[i], &p->setup->jails[old])) {
			lanes[i].filter = TAKE(p->lanes[old].filter);
			old_of[i] = (uint32_t)old;
		}
	}
	if (!r)
		r = lanes_compile(s, lanes, e);
	if (!r) {
		struct engine_options o = engine_options_of(s, jails);

		r = engine_reload(p->engine, &o, now, out);
		if (r < 0)
			err_set(e, r, "out of memory");
	}
	if (r < 0) {
		for (uint32_t i = 0; lanes && old_of && i < s->n_jails; i++) {
			if (old_of[i] != UINT32_MAX && lanes[i].filter)
				p->lanes[old_of[i]].filter = TAKE(lanes[i].filter);
		}
		lanes_free(lanes, s->n_jails);
	} else {
		struct lane *old = p->lanes;
		uint32_t n_old = p->n_lanes;

		p->lanes = lanes;
		p->n_lanes = s->n_jails;
		settle(p); /* short of memory, a line without a date gets none */
		pipeline_forget_lenses(p);
		lanes_free(old, n_old);
		p->setup = s;
	}
	free(old_of);
	return r;
}

/* The time that counts: see PIPELINE_MAX_SKEW_SEC. */
static wall_t time_of(struct lane *lane, const struct line *l, wall_t at, wall_t now)
{
	if (at.us == WALL_NONE.us)
		return now;
	int64_t off_us = at.us - now.us; /* both are within the calendar */
	bool is_far = off_us > PIPELINE_MAX_SKEW_SEC * US_PER_SEC ||
		      off_us < -PIPELINE_MAX_SKEW_SEC * US_PER_SEC;

	if (l->live && is_far) {
		lane->counts.skewed++;
		return now;
	}
	return off_us > 0 ? now : at;
}

/* In a replay time comes with the failures. When it stands still nothing ends. */
static int replay_to(struct pipeline *p, wall_t at, struct orders *out)
{
	if (at.us <= p->replayed.us)
		return 0;
	int r = engine_tick(p->engine, at, out);

	if (!r)
		p->replayed = at;
	return r;
}

/* Weigh one failure; in a replay the clock is moved first. */
HOT static int weigh(
    struct pipeline *p, const struct hit *h, wall_t now, struct orders *out)
{
	if (h->at.us < p->since.us || h->at.us > p->until.us)
		return 0;
	if (now.us == WALL_NONE.us) {
		int r = replay_to(p, h->at, out);

		if (r < 0)
			return r;
		now = p->replayed;
	}
	if (p->on_hit && !p->on_hit(p->on_hit_ctx, h))
		return 0;
	if (h->class == HIT_ABUSE)
		p->lanes[h->jail].counts.failures++;
	else
		p->lanes[h->jail].counts.others++;
	int r = engine_feed(p->engine, h, now, out);

	if (p->on_verdict && r >= 0)
		p->on_verdict(p->on_verdict_ctx, h, r);
	return r < 0 ? r : 0;
}

HOT int pipeline_weigh_gathered(struct pipeline *p, wall_t now, struct orders *out)
{
	int result = 0;

	for (size_t i = 0; i < p->n_gathered; i++) {
		if (i % ENGINE_EXPECT_MAX == 0)
			engine_expect(p->engine, &p->gathered[i], p->n_gathered - i);
		int r = weigh(p, &p->gathered[i], now, out);

		result = r < 0 ? r : result;
	}
	p->n_gathered = 0;
	return result;
}

/* What the regex says of who it matched. */
static void set_rule(const struct pipeline *p, struct hit *h)
{
	const struct setup_jail *j = &p->setup->jails[h->jail];
	const struct engine_rule *rule;

	/* What was asked about may come back behind a reload: then the rule is gone. */
	if (!j->engine_rules || h->rule >= setup_n_regexes(j))
		return;
	rule = &j->engine_rules[h->rule];
	h->class = (uint8_t)rule->class;
	h->weight = rule->weight;
}

static bool is_wanted_name(
    const struct pipeline *p, uint32_t jail, const struct filter_failure *f)
{
	enum filter_usedns d = p->setup->jails[jail].usedns;

	return f->is_name && p->on_name &&
	       (d == FILTER_DNS_YES || d == FILTER_DNS_WARN);
}

void pipeline_on_verdict(struct pipeline *p, pipeline_verdict_fn fn, void *ctx)
{
	p->on_verdict = fn;
	p->on_verdict_ctx = ctx;
}

void pipeline_on_hit(struct pipeline *p, pipeline_hit_fn fn, void *ctx)
{
	p->on_hit = fn;
	p->on_hit_ctx = ctx;
}

void pipeline_on_name(struct pipeline *p, pipeline_name_fn fn, void *ctx)
{
	p->on_name = fn;
	p->on_name_ctx = ctx;
}

/* What the line that decided says, for the commands of actions. Short of memory they
 * find less in it. */
static void add_fields(const struct pipeline_name *n, struct orders *out, size_t first)
{
	for (; first < out->n; first++) {
		struct order *o = &out->items[first];

		if (o->op == ORDER_UNBAN || o->jail != n->jail)
			continue;
		for (size_t i = 0; i < n->n_fields; i++)
			(void)order_add_field(o, n->fields[i].name, n->fields[i].value);
	}
}

int pipeline_feed_asked(struct pipeline *p, const struct pipeline_name *n,
    const struct net *net, wall_t now, struct orders *out)
{
	struct hit h = {
	    .jail = n->jail,
	    .net = *net,
	    .id = n->id,
	    .ip = n->ip,
	    .rule = n->rule,
	    .weight = 1,
	    .value = n->value,
	    .account = n->account,
	    .at = n->at,
	    .text = n->text,
	};
	bool has_commands = p->setup->jails[n->jail].n_commands;
	int r = 0;

	set_rule(p, &h);
	r = pipeline_weigh_gathered(p, now, out);
	size_t first = out->n;
	int r_of_this = weigh(p, &h, now, out);

	if (!r_of_this && has_commands)
		add_fields(n, out, first);
	return r < 0 ? r : r_of_this;
}

void pipeline_on_useless_id(struct pipeline *p, pipeline_useless_fn fn, void *ctx)
{
	p->on_useless = fn;
	p->on_useless_ctx = ctx;
}

/* What counts, when it is not the address: NULL: nothing does. */
static const char *id_of(
    struct pipeline *p, const struct filter_failure *f, struct net *out)
{
	if (!f->is_id || net_parse_id(f->id, out) < 0)
		return NULL;
	memcpy(p->id, f->id.p, f->id.n);
	p->id[f->id.n] = '\0';
	return p->id;
}

static int feed_id(struct pipeline *p, struct pipeline_name *n, const struct net *net,
    wall_t now, struct orders *out)
{
	struct lane *lane = &p->lanes[n->jail];

	if (setup_jail_takes_ids(&p->setup->jails[n->jail]))
		return pipeline_feed_name(p, n, net, now, out);
	lane->counts.no_address++;
	if (p->on_useless && !lane->is_told_useless)
		p->on_useless(p->on_useless_ctx, n->jail);
	lane->is_told_useless = true;
	return 0;
}

/* Return: 0, or -ENOMEM; *@l is UTF-8 until the next line of the lane. */
static int decode(struct lane *lane, struct line *l)
{
	size_t n_replaced;
	int r = decoder_run(lane->decoder, l->text, &l->text, &n_replaced);

	if (!r && n_replaced)
		lane->counts.undecoded++;
	return r;
}

/* What commands want to know of the line lives until the next one only. */
static bool wants_fields(const struct setup_jail *j)
{
	return j->n_commands || j->ignorecommand;
}

/* An address that nothing else is to be known of: it is weighed with others. */
static int gather(struct pipeline *p, uint32_t jail, const struct line *l,
    const struct filter_failure *failure, wall_t now, struct orders *out)
{
	struct hit *h = &p->gathered[p->n_gathered++];

	*h = (struct hit){
	    .jail = jail,
	    .net = failure->net,
	    .rule = failure->rule,
	    .weight = 1,
	    .value = failure->value,
	    .account = failure->account,
	    .at = time_of(&p->lanes[jail], l, failure->at, l->read_at),
	    .text = l->text,
	};
	set_rule(p, h);
	return p->n_gathered < ARRAY_LEN(p->gathered)
		   ? 0
		   : pipeline_weigh_gathered(p, now, out);
}

HOT int pipeline_conclude(struct pipeline *p, uint32_t jail, const struct line *l,
    int r, const struct filter_failure *failure, wall_t now, struct orders *out)
{
	struct lane *lane = &p->lanes[jail];

	switch (r) {
	case FILTER_FAILURE:
		break;
	case FILTER_HELPED:
		lane->counts.helped++;
		return 0;
	case FILTER_IGNORED:
		lane->counts.ignored++;
		return 0;
	case FILTER_NO_ADDRESS:
		lane->counts.no_address++;
		return 0;
	case FILTER_LIMIT:
		lane->counts.limits++;
		return 0;
	default:
		return r;
	}
	/* Or who retries as he was told would be banned for it. */
	if (lane->hears_refusals && policy_is_own_refusal(l->text)) {
		lane->counts.helped++;
		return 0;
	}
	bool has_fields = wants_fields(&p->setup->jails[jail]);

	if (p->gathers && failure->has_net && !failure->is_id && !has_fields)
		return gather(p, jail, l, failure, now, out);
	struct pipeline_name n = {
	    .jail = jail,
	    .rule = failure->rule,
	    .value = failure->value,
	    .account = failure->account,
	    .at = time_of(lane, l, failure->at, l->read_at),
	    .name = failure->host,
	    .text = l->text,
	};

	if (has_fields)
		n.n_fields = filter_fields(lane->filter, &n.fields);

	struct net id_net;
	const char *id = id_of(p, failure, &id_net);

	/* A firewall alone wants the address, if there is one. */
	if (id && (!failure->has_net || setup_jail_takes_ids(&p->setup->jails[jail]))) {
		n.id = id;
		if (failure->has_net)
			n.ip = failure->net;
		return feed_id(p, &n, &id_net, now, out);
	}
	if (failure->has_net)
		return pipeline_feed_name(p, &n, &failure->net, now, out);
	r = pipeline_weigh_gathered(p, now, out);
	if (!is_wanted_name(p, jail, failure) || !p->on_name(p->on_name_ctx, &n))
		lane->counts.no_address++;
	return r;
}

HOT int pipeline_feed_rules(struct pipeline *p, uint32_t jail, const struct line *l,
    const uint64_t *rules, wall_t now, struct orders *out)
{
	struct filter_failure failure;
	int r = filter_feed(p->lanes[jail].filter, l, rules, l->read_at, &failure);

	return pipeline_conclude(p, jail, l, r, &failure, now, out);
}

void pipeline_set_idle(struct pipeline *p, uint32_t jail, bool is_idle)
{
	p->lanes[jail].is_idle = is_idle;
}

bool pipeline_is_idle(const struct pipeline *p, uint32_t jail)
{
	return p->lanes[jail].is_idle;
}

void pipeline_on_ask(struct pipeline *p, pipeline_ask_fn fn, void *ctx)
{
	p->on_ask = fn;
	p->on_ask_ctx = ctx;
}

int pipeline_feed_name(struct pipeline *p, const struct pipeline_name *n,
    const struct net *net, wall_t now, struct orders *out)
{
	if (p->on_ask && p->setup->jails[n->jail].ignorecommand &&
	    !engine_is_ignored(p->engine, n->jail, net, NULL) &&
	    p->on_ask(p->on_ask_ctx, n, net))
		return 0;
	return pipeline_feed_asked(p, n, net, now, out);
}

int pipeline_feed(struct pipeline *p, uint32_t jail, const struct line *l, wall_t now,
    struct orders *out)
{
	struct lane *lane = &p->lanes[jail];
	struct line decoded = *l;
	int r = lane->decoder ? decode(lane, &decoded) : 0;

	if (r < 0 || !lane->filter || lane->is_idle)
		return r;
	lane->counts.lines++;
	return pipeline_feed_rules(p, jail, &decoded, NULL, now, out);
}

struct engine *pipeline_engine(struct pipeline *p)
{
	return p->engine;
}

const struct filter *pipeline_filter(const struct pipeline *p, uint32_t jail)
{
	return p->lanes[jail].filter;
}

void pipeline_counts(
    const struct pipeline *p, uint32_t jail, struct pipeline_counts *out)
{
	*out = p->lanes[jail].counts;
}
