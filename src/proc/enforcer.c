/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The enforcer: CAP_NET_ADMIN, a netlink socket, and orders as fixed records. Every ban
 * passes the guard. It keeps no list of bans: the kernel has it, and the engine tells
 * all again after a restart or when somebody else flushed the rule set.
 *
 * In a dry run, or where nftables is not to be had, it answers as if and touches
 * nothing.
 */
#include <errno.h>

#include "base/log.h"
#include "enforce/guard.h"
#include "enforce/nft.h"
#include "proc/role.h"

#define CHECK_MS 5000 /* is our table still there? one small question */
#define GUARD_REFRESH_MS 60000
#define LATER_MS 100 /* bans over the rate cap are tried again */
#define LATER_MAX 100000

/* A jail's targets are neighbours in the list given to nft_setup(). */
struct enforcer {
	struct role *role;
	struct nft *nft; /* NULL: dry, or not to be had */
	struct guard *guard;
	struct nft_target *targets;
	size_t n_targets;
	uint32_t *first_target; /* by jail; one more entry at the end */
	struct loop_watch *check_timer;
	struct loop_watch *guard_timer;
	struct loop_watch *later_timer;
	uint32_t kernel_generation;
	bool is_told_missing; /* no nftables: said once */
	struct orders later;  /* over the rate cap */
};

struct batch {
	struct enforcer *e;
	const struct order *orders;
	uint32_t *order_of; /* by change */
	int64_t *error_of;  /* by order */
	const struct nft_change *changes;
};

static void on_failed(void *ctx, const struct nft_change *c, int error)
{
	struct batch *b = ctx;

	b->error_of[b->order_of[c - b->changes]] = error;
}

/* --- set-up ------------------------------------------------------------------------
 */

static int flatten_targets(struct enforcer *e)
{
	const struct setup *s = e->role->setup;
	size_t n = 0;

	for (uint32_t i = 0; i < s->n_jails; i++)
		n += s->jails[i].n_targets;
	free(e->targets);
	free(e->first_target);
	e->targets = calloc(n + 1, sizeof(*e->targets));
	e->first_target = calloc(s->n_jails + 1, sizeof(*e->first_target));
	e->n_targets = 0;
	if (!e->targets || !e->first_target)
		return -ENOMEM;
	for (uint32_t i = 0; i < s->n_jails; i++) {
		e->first_target[i] = (uint32_t)e->n_targets;
		for (uint32_t k = 0; k < s->jails[i].n_targets; k++)
			e->targets[e->n_targets++] = s->jails[i].targets[k];
	}
	e->first_target[s->n_jails] = (uint32_t)e->n_targets;
	return 0;
}

static int new_guard(struct enforcer *e)
{
	const struct setup *s = e->role->setup;
	struct guard_options o = {
	    .min_prefix_v4 = s->min_prefix_v4,
	    .min_prefix_v6 = s->min_prefix_v6,
	    .max_per_sec = s->max_bans_per_sec,
	    .ignore = s->never_ban,
	    .n_ignore = s->n_never_ban,
	};
	struct guard *g = guard_new(&o);

	if (!g)
		return -ENOMEM;
	guard_free(e->guard);
	e->guard = g;
	return 0;
}

static void refresh_guard(struct enforcer *e)
{
	const struct net *own;
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);
	int r = guard_refresh(e->guard);

	if (r < 0)
		log_warning(NULL,
		    "some of what must never be banned cannot be read: %s",
		    strerror(-r));
	size_t n = guard_own(e->guard, &own);

	if (n > 2000)
		n = 2000;
	pack_u32(&b, (uint32_t)n);
	for (size_t i = 0; i < n; i++)
		pack_net(&b, &own[i]);
	(void)role_send(e->role, ROLE_ENGINE, MSG_OWN, &b, -1);
	buf_deinit(&b);
}

static void tell_enforcing(struct enforcer *e)
{
	struct buf b = BUF_INIT(1);

	pack_bool(&b, e->nft != NULL);
	(void)role_send(e->role, ROLE_ENGINE, MSG_ENFORCING, &b, -1);
	buf_deinit(&b);
}

static void set_up_kernel(struct enforcer *e)
{
	struct err err = {""};

	if (e->role->setup->dry_run) {
		log_notice(NULL, "dry run: the firewall is not touched");
		/* By a reload: what stands there now is ours, and would go on dropping.
		 */
		if (e->nft && nft_remove(e->nft, &err) < 0)
			log_err(NULL, "the table could not be removed: %s", err.text);
		e->nft = nft_close(e->nft);
		return;
	}
	if (!e->nft)
		e->nft = nft_open(NFT_TABLE, &err);
	if (e->nft && nft_setup(e->nft, e->targets, e->n_targets, &err) < 0)
		e->nft = nft_close(e->nft);
	if (e->nft) {
		if (e->is_told_missing)
			log_notice(NULL, "nftables works again");
		e->is_told_missing = false;
		e->kernel_generation = nft_generation(e->nft);
		return;
	}
	if (!e->is_told_missing)
		log_err(NULL, "nothing is blocked: %s; trying again", err.text);
	e->is_told_missing = true;
}

static void apply_setup(struct enforcer *e)
{
	set_up_kernel(e);
	tell_enforcing(e);
}

static void ask_resync(struct enforcer *e)
{
	(void)role_send(e->role, ROLE_ENGINE, MSG_ASK_RESYNC, NULL, -1);
}

static void repair(struct enforcer *e)
{
	log_warning(NULL, "our table was changed by somebody else; putting it back");
	apply_setup(e);
	if (e->nft)
		ask_resync(e);
}

static void on_check(void *ctx)
{
	struct enforcer *e = ctx;

	if (e->role->setup->dry_run)
		return;
	if (!e->nft) {
		apply_setup(e);
		if (e->nft)
			ask_resync(e);
		return;
	}
	uint32_t generation = nft_generation(e->nft);

	if (generation && generation == e->kernel_generation)
		return;
	e->kernel_generation = generation;
	if (nft_intact(e->nft) == 0)
		repair(e);
}

static void on_guard(void *ctx)
{
	refresh_guard(ctx);
}

/* --- orders ------------------------------------------------------------------------
 */

static int64_t timeout_ms(const struct order *o, wall_t now)
{
	if (o->until.us == WALL_NEVER.us)
		return 0;
	int64_t ms = (o->until.us - now.us) / 1000;

	return ms > 0 ? ms : 1;
}

static void keep_for_later(struct enforcer *e, const struct order *o)
{
	struct order *kept = e->later.n < LATER_MAX ? orders_append(&e->later) : NULL;

	if (!kept) {
		log_err(NULL, "too many bans a second; one is lost");
		return;
	}
	*kept = *o;
	loop_arm(e->later_timer, LATER_MS, 0);
}

/* Orders to changes, one per target of the jail; those the guard refuses get a reason.
 */
static size_t plan(struct enforcer *e, const struct order *orders, uint32_t n,
    struct nft_change *changes, uint32_t *order_of, uint8_t *reasons)
{
	wall_t now = wall_now();
	mono_t mono = mono_now();
	size_t n_changes = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct order *o = &orders[i];

		if (o->jail >= e->role->setup->n_jails)
			continue;
		if (o->op != ORDER_UNBAN)
			reasons[i] = (uint8_t)guard_check(e->guard, &o->net, mono);
		if (reasons[i] == GUARD_TOO_FAST)
			keep_for_later(e, o);
		if (reasons[i] != GUARD_OK)
			continue;
		for (uint32_t t = e->first_target[o->jail];
		     t < e->first_target[o->jail + 1]; t++) {
			order_of[n_changes] = i;
			changes[n_changes++] = (struct nft_change){
			    .add = o->op != ORDER_UNBAN,
			    .target = t,
			    .net = o->net,
			    .timeout_ms = timeout_ms(o, now),
			};
		}
	}
	return n_changes;
}

static size_t max_changes(
    const struct enforcer *e, const struct order *orders, uint32_t n)
{
	size_t total = 0;

	for (uint32_t i = 0; i < n; i++) {
		if (orders[i].jail < e->role->setup->n_jails)
			total += e->first_target[orders[i].jail + 1] -
				 e->first_target[orders[i].jail];
	}
	return total;
}

static void carry_out(struct enforcer *e, const struct order *orders, uint32_t n,
    uint8_t *reasons, int64_t *errors)
{
	size_t room = max_changes(e, orders, n) + 1;
	CLEANUP(freep) struct nft_change *changes = calloc(room, sizeof(*changes));
	CLEANUP(freep) uint32_t *order_of = calloc(room, sizeof(*order_of));
	struct batch b = {.e = e,
	    .orders = orders,
	    .order_of = order_of,
	    .error_of = errors,
	    .changes = changes};
	struct err err = {""};

	if (!changes || !order_of) {
		for (uint32_t i = 0; i < n; i++)
			errors[i] = -ENOMEM;
		return;
	}
	size_t n_changes = plan(e, orders, n, changes, order_of, reasons);

	if (!e->nft || !n_changes)
		return;
	int r = nft_apply(e->nft, changes, n_changes, on_failed, &b, &err);

	if (r == -ENOENT)
		repair(e);
	else if (r < 0)
		log_err(NULL, "the kernel did not take a batch: %s", err.text);
	e->kernel_generation = nft_generation(e->nft);
}

static void put_refused(struct buf *b, const struct order *orders, uint32_t n,
    const uint8_t *reasons, const int64_t *errors)
{
	uint32_t refused = 0;

	for (uint32_t i = 0; i < n; i++)
		refused += reasons[i] || errors[i];
	pack_u32(b, refused);
	for (uint32_t i = 0; i < n; i++) {
		if (!reasons[i] && !errors[i])
			continue;
		order_encode_record(b, &orders[i]);
		pack_u8(b, reasons[i]);
		pack_i64(b, errors[i]);
	}
}

/* Return: malloc'd orders, or NULL with the message marked bad. */
static struct order *read_orders(struct message *m, uint32_t *out_n)
{
	uint32_t n = unpack_count(&m->body, ORDER_RECORD_BYTES);
	struct order *orders = calloc(n + 1, sizeof(*orders));

	for (uint32_t i = 0; orders && i < n; i++) {
		if (order_decode_record(&m->body, &orders[i]) < 0)
			m->body.bad = true;
	}
	if (!orders || unpack_end(&m->body) < 0) {
		m->body.bad = true;
		free(orders);
		return NULL;
	}
	*out_n = n;
	return orders;
}

static void take_orders(struct enforcer *e, struct message *m)
{
	uint64_t generation = unpack_u64(&m->body);
	uint64_t seq = unpack_u64(&m->body);
	uint32_t n = 0;
	CLEANUP(freep) struct order *orders = read_orders(m, &n);
	CLEANUP(freep) uint8_t *reasons = calloc(n + 1, sizeof(*reasons));
	CLEANUP(freep) int64_t *errors = calloc(n + 1, sizeof(*errors));
	struct buf answer = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	/* Of another set-up: jail numbers mean something else, and a resync follows. */
	if (!orders || !reasons || !errors || generation != e->role->setup->generation)
		return;
	carry_out(e, orders, n, reasons, errors);
	pack_u64(&answer, generation);
	pack_u64(&answer, seq);
	put_refused(&answer, orders, n, reasons, errors);
	(void)role_send(e->role, ROLE_ENGINE, MSG_DONE, &answer, -1);
	buf_deinit(&answer);
}

static void on_later(void *ctx)
{
	struct enforcer *e = ctx;
	struct orders now = e->later;
	uint32_t n = (uint32_t)now.n;
	CLEANUP(freep) uint8_t *reasons = calloc(n + 1, sizeof(*reasons));
	CLEANUP(freep) int64_t *errors = calloc(n + 1, sizeof(*errors));

	e->later = (struct orders){0};
	if (reasons && errors)
		carry_out(e, now.items, n, reasons, errors);
	orders_deinit(&now);
}

/* What have these bans stopped? Summed over a jail's targets. */
static void take_count(struct enforcer *e, struct message *m)
{
	uint64_t generation = unpack_u64(&m->body);
	uint64_t seq = unpack_u64(&m->body);
	uint32_t n = 0;
	CLEANUP(freep) struct order *orders = read_orders(m, &n);
	struct buf answer = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	if (!orders || generation != e->role->setup->generation)
		return;
	pack_u64(&answer, seq);
	pack_u32(&answer, n);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t packets = 0, bytes = 0;
		uint32_t jail = orders[i].jail;
		bool known = e->nft && jail < e->role->setup->n_jails;

		for (uint32_t t = known ? e->first_target[jail] : 0;
		     known && t < e->first_target[jail + 1]; t++) {
			uint64_t p = 0, by = 0;

			if (nft_counter(e->nft, t, &orders[i].net, &p, &by) == 0) {
				packets += p;
				bytes += by;
			}
		}
		pack_u64(&answer, packets);
		pack_u64(&answer, bytes);
	}
	(void)role_send(e->role, ROLE_ENGINE, MSG_COUNTED, &answer, -1);
	buf_deinit(&answer);
}

/* --- plumbing ----------------------------------------------------------------------
 */

static int configure(struct enforcer *e, struct err *err)
{
	if (flatten_targets(e) < 0 || new_guard(e) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	refresh_guard(e);
	apply_setup(e);
	return 0;
}

static int enforcer_start(struct role *r, struct err *err)
{
	struct enforcer *e = r->ctx;

	e->role = r;
	e->check_timer = loop_add_timer(r->loop, on_check, e);
	e->guard_timer = loop_add_timer(r->loop, on_guard, e);
	e->later_timer = loop_add_timer(r->loop, on_later, e);
	if (!e->check_timer || !e->guard_timer || !e->later_timer)
		return err_set(err, -ENOMEM, "out of memory");
	int result = configure(e, err);

	if (result < 0)
		return result;
	loop_arm(e->check_timer, CHECK_MS, CHECK_MS);
	loop_arm(e->guard_timer, GUARD_REFRESH_MS, GUARD_REFRESH_MS);
	role_ready(r);
	return 0;
}

static void enforcer_reload(struct role *r, UNUSED const struct setup *old)
{
	struct enforcer *e = r->ctx;
	struct err err = {""};

	orders_clear(&e->later);
	if (configure(e, &err) < 0) {
		log_err(NULL, "%s; starting anew", err.text);
		loop_stop(r->loop);
		return;
	}
	/* The engine may have sent its bans before we had the new set-up. */
	ask_resync(e);
}

static void enforcer_peer(struct role *r, UNUSED enum role_id who)
{
	refresh_guard(r->ctx);
	tell_enforcing(r->ctx);
}

static void enforcer_peer_gone(UNUSED struct role *r, UNUSED enum role_id who)
{
	/* Bans stay in the kernel; a new engine tells them all again. */
}

static void enforcer_message(
    struct role *r, UNUSED enum role_id from, struct message *m)
{
	struct enforcer *e = r->ctx;

	switch (m->type) {
	case MSG_ORDERS:
		take_orders(e, m);
		return;
	case MSG_COUNT:
		take_count(e, m);
		return;
	default: /* MSG_RESYNC, MSG_RESYNCED: adding again what is there does no harm */
		(void)unpack_u64(&m->body);
	}
}

static void enforcer_stop(struct role *r)
{
	struct enforcer *e = r->ctx;
	struct err err = {""};

	/* Who stops bandog wants its drops gone; they come back with the next start. */
	if (e->nft && nft_remove(e->nft, &err) < 0)
		log_err(NULL, "the table could not be removed: %s", err.text);
	role_stopped(r);
}

static void enforcer_deinit(struct role *r)
{
	struct enforcer *e = r->ctx;

	loop_watch_free(e->check_timer);
	loop_watch_free(e->guard_timer);
	loop_watch_free(e->later_timer);
	nft_close(e->nft);
	guard_free(e->guard);
	orders_deinit(&e->later);
	free(e->targets);
	free(e->first_target);
}

int enforcer_main(const struct role_args *args)
{
	static const struct role_permit permits[] = {
	    {ROLE_ENGINE, MSG_ORDERS},
	    {ROLE_ENGINE, MSG_COUNT},
	    {ROLE_ENGINE, MSG_RESYNC},
	    {ROLE_ENGINE, MSG_RESYNCED},
	    {0, 0},
	};
	static const struct role_fns fns = {
	    .permits = permits,
	    .start = enforcer_start,
	    .reload = enforcer_reload,
	    .peer = enforcer_peer,
	    .peer_gone = enforcer_peer_gone,
	    .message = enforcer_message,
	    .stop = enforcer_stop,
	    .deinit = enforcer_deinit,
	};
	struct enforcer e = {0};

	return role_run(args, &fns, &e);
}
