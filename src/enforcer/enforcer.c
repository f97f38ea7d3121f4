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
#include "enforcer/enforcer_guard.h"
#include "enforcer/enforcer_later.h"
#include "enforcer/enforcer_sever.h"
#include "enforcer/enforcer_siege.h"
#include "enforcer/enforcer_watch.h"
#include "proc/role.h"
#include "proc/spawn.h"

#define CHECK_MS 30000          /* is our table still there? one small question */
#define CHECK_UNWATCHED_MS 1000 /* when nobody tells us */
#define CHECK_XDP_MS 5000       /* interfaces come and go, and nobody tells */
#define BULK_MIN 500            /* orders in a message */
#define COUNTED_MAX 50000       /* of bans that are told again: so many get counters */
/* The BPF directory: its own path leads through one that is root's alone. */
#define XDP_DIR "/proc/self/fd/" STRING(SPAWN_EXTRA_FD)
#define STRING(x) STRING_OF(x)
#define STRING_OF(x) #x

struct enforcer {
	struct role *role;
	struct enforcer_tables *tables;
	struct enforcer_sever *sever;
	struct enforcer_siege *siege;
	struct enforcer_watch *watch; /* NULL: not to be had, or a dry run */
	struct enforcer_guard *guard;
	struct loop_watch *check_timer;
	struct enforcer_later *later; /* over the rate cap */
	bool is_told_missing;         /* no nftables: said once */
	/* Bans are told again without a cap, but only when there is a reason to. */
	bool expects_resync, is_syncing;
	size_t n_synced;
};

/* --- set-up ------------------------------------------------------------------------
 */

static void tell_enforcing(struct enforcer *e)
{
	struct buf b = BUF_INIT(1);

	pack_bool(&b, enforcer_tables_stand(e->tables));
	(void)role_send(e->role, ROLE_ENGINE, MSG_ENFORCING, &b, -1);
	buf_deinit(&b);
}

static void say_result(struct enforcer *e, int r, const struct err *err)
{
	if (r == 0 && e->is_told_missing)
		log_notice(NULL, "nftables works again");
	if (r < 0 && !e->is_told_missing)
		log_err(NULL, "%s: %s; trying again",
		    enforcer_tables_any(e->tables) ? "not all bans are carried out"
						   : "nothing is blocked",
		    err->text);
	e->is_told_missing = r < 0;
}

static void apply_setup(struct enforcer *e)
{
	bool is_dry = e->role->setup->dry_run;
	struct err err = {""};
	int r = enforcer_tables_setup(e->tables, e->role->setup, is_dry, &err);

	enforcer_watch_tables(e->watch);
	if (!is_dry)
		say_result(e, r, &err);
	else if (r < 0)
		log_err(NULL, "the table could not be removed: %s", err.text);
	else
		log_notice(NULL, "dry run: the firewall is not touched");
	tell_enforcing(e);
}

static void ask_resync(struct enforcer *e)
{
	e->expects_resync = true;
	(void)role_send(e->role, ROLE_ENGINE, MSG_ASK_RESYNC, NULL, -1);
}

/* Put back what is missing; then all bans are wanted again. */
static void repair(struct enforcer *e)
{
	struct err err = {""};
	bool any = false;
	int r = enforcer_tables_repair(e->tables, &any, &err);

	enforcer_watch_tables(e->watch);
	say_result(e, r, &err);
	tell_enforcing(e);
	if (any)
		ask_resync(e);
}

static void repair_foreign(struct enforcer *e)
{
	log_warning(NULL, "our table was changed by somebody else; putting it back");
	repair(e);
}

static void on_check(void *ctx)
{
	struct enforcer *e = ctx;

	if (e->role->setup->dry_run)
		return;
	if (enforcer_tables_changed(e->tables))
		repair_foreign(e);
	else if (!enforcer_tables_stand(e->tables))
		repair(e);
}

/* More was changed than the kernel could tell: nothing is known about single bans. */
static void on_missed(void *ctx)
{
	struct enforcer *e = ctx;

	on_check(e);
	ask_resync(e);
}

static int check_ms(const struct enforcer *e)
{
	if (!e->watch)
		return CHECK_UNWATCHED_MS;
	return e->role->args->uses_xdp ? CHECK_XDP_MS : CHECK_MS;
}

static void start_watch(struct enforcer *e)
{
	const struct enforcer_watch_fns fns = {e, on_check, on_missed};
	struct err err = {""};

	if (e->role->setup->dry_run)
		return;
	e->watch = enforcer_watch_new(e->role, e->tables, &fns, &err);
	if (!e->watch)
		log_warning(NULL, "%s; looking each second", err.text);
	enforcer_watch_tables(e->watch);
	loop_arm(e->check_timer, (uint64_t)check_ms(e), (uint64_t)check_ms(e));
}

/* --- orders ------------------------------------------------------------------------
 */

static int64_t timeout_ms(const struct order *o, wall_t now)
{
	if (o->until.us == WALL_NEVER.us)
		return 0;
	/* Compared first: the engine may say any number. */
	int64_t ms = o->until.us > now.us ? (o->until.us - now.us) / 1000 : 0;

	return ms > 0 ? ms : 1;
}

static enum enforcer_guard_how how_to_ask(
    const struct enforcer *e, const struct order *o)
{
	if (e->is_syncing && o->cause == ORDER_RESTORED)
		return ENFORCER_GUARD_AGAIN;
	return enforcer_later_any(e->later) ? ENFORCER_GUARD_LATE : ENFORCER_GUARD_NEW;
}

/* What the guard says of each. What comes while others wait has to wait, too. */
static void judge(
    struct enforcer *e, const struct order *orders, uint32_t n, uint8_t *reasons)
{
	mono_t now = mono_now();

	for (uint32_t i = 0; i < n; i++) {
		const struct order *o = &orders[i];
		bool is_unban = o->op == ORDER_UNBAN;

		if (o->jail >= e->role->setup->n_jails)
			continue;
		if (!is_unban)
			reasons[i] = (uint8_t)enforcer_guard_check(
			    e->guard, &o->net, how_to_ask(e, o), now);
		if (reasons[i] == GUARD_TOO_FAST ||
		    (is_unban && enforcer_later_any(e->later)))
			enforcer_later_add(e->later, o);
	}
}

/* The same of those that have waited. Return: how many may go now. */
static uint32_t judge_late(
    struct enforcer *e, const struct order *orders, uint32_t n, uint8_t *reasons)
{
	mono_t now = mono_now();

	for (uint32_t i = 0; i < n; i++) {
		if (orders[i].op == ORDER_UNBAN)
			continue;
		reasons[i] = (uint8_t)enforcer_guard_check(
		    e->guard, &orders[i].net, ENFORCER_GUARD_NEW, now);
		if (reasons[i] == GUARD_TOO_FAST)
			return i;
	}
	return n;
}

/* Is the target to hold this ban? One of another step of the jail is not. */
static bool wants(const struct enforcer *e, const struct order *o, uint32_t k)
{
	return o->op != ORDER_UNBAN &&
	       nft_target_serves(&e->role->setup->jails[o->jail].targets[k], o->step);
}

/* May it hold the ban though it should not? A new ban is nowhere yet. */
static bool may_hold(const struct order *o)
{
	return o->op != ORDER_BAN || o->cause != ORDER_BY_RULE;
}

/* Orders that the guard let through to changes, one per target of the jail. */
static size_t plan(struct enforcer *e, const struct order *orders, uint32_t n,
    struct nft_change *changes, uint32_t *order_of, const uint8_t *reasons)
{
	wall_t now = wall_now();
	size_t n_changes = 0;

	for (uint32_t i = 0; i < n; i++) {
		const struct order *o = &orders[i];

		if (o->jail >= e->role->setup->n_jails)
			continue;
		if (reasons[i] != GUARD_OK)
			continue;
		uint32_t first = enforcer_tables_first(e->tables, o->jail);
		uint32_t n_targets = enforcer_tables_n(e->tables, o->jail);
		bool is_bulk = e->is_syncing && o->cause == ORDER_RESTORED &&
			       ++e->n_synced > COUNTED_MAX;

		for (uint32_t k = 0; k < n_targets; k++) {
			bool add = wants(e, o, k);

			if (!add && !may_hold(o))
				continue;
			order_of[n_changes] = i;
			changes[n_changes++] = (struct nft_change){
			    .add = add,
			    .is_bulk = is_bulk,
			    .target = first + k,
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
		total += enforcer_tables_n(e->tables, orders[i].jail);
	}
	return total;
}

/* A jail with steps prolongs a ban when the next one begins; and who is only refused
 * may end his session as he likes. */
static bool is_new_to_kernel(const struct enforcer *e, const struct order *o)
{
	if (setup_only_refuses(e->role->setup, o->jail, o->step))
		return false;
	return (o->op == ORDER_BAN && o->cause != ORDER_RESTORED) ||
	       (o->op == ORDER_PROLONG && o->step);
}

/* The drop comes first: what is cut cannot come back. Bans that are told again were new
 * once, and what they shut out has been cut then. */
static void cut_connections(struct enforcer *e, const struct order *orders, uint32_t n,
    const uint8_t *reasons, const int64_t *errors)
{
	for (uint32_t i = 0; i < n; i++) {
		if (reasons[i] != GUARD_OK || errors[i])
			continue;
		/* Who is only refused may still hold places. */
		if (orders[i].op == ORDER_UNBAN ||
		    !setup_only_refuses(e->role->setup, orders[i].jail, orders[i].step))
			enforcer_siege_forget(e->siege, orders[i].jail, &orders[i].net);
		if (is_new_to_kernel(e, &orders[i]))
			enforcer_sever_add(e->sever, &orders[i]);
	}
}

static void carry_out(struct enforcer *e, const struct order *orders, uint32_t n,
    const uint8_t *reasons, int64_t *errors)
{
	size_t room = max_changes(e, orders, n) + 1;
	CLEANUP(freep) struct nft_change *changes = calloc(room, sizeof(*changes));
	CLEANUP(freep) uint32_t *order_of = calloc(room, sizeof(*order_of));
	CLEANUP(freep) int *results = calloc(room, sizeof(*results));
	struct err err = {""};

	if (!changes || !order_of || !results) {
		for (uint32_t i = 0; i < n; i++)
			errors[i] = -ENOMEM;
		return;
	}
	size_t n_changes = plan(e, orders, n, changes, order_of, reasons);

	if (!n_changes)
		return;
	int r = enforcer_tables_apply(e->tables, changes, n_changes, results, &err);

	for (size_t i = 0; i < n_changes; i++) {
		if (results[i])
			errors[order_of[i]] = results[i];
	}
	if (r == -ENOENT)
		repair_foreign(e);
	else if (r < 0)
		log_err(NULL, "the kernel did not take a batch: %s", err.text);
	cut_connections(e, orders, n, reasons, errors);
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

static void tell_done(struct enforcer *e, uint64_t seq, const struct order *orders,
    uint32_t n, const uint8_t *reasons, const int64_t *errors)
{
	struct buf answer = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	pack_u64(&answer, e->role->setup->generation);
	pack_u64(&answer, seq);
	put_refused(&answer, orders, n, reasons, errors);
	(void)role_send(e->role, ROLE_ENGINE, MSG_DONE, &answer, -1);
	buf_deinit(&answer);
}

static void take_orders(struct enforcer *e, struct message *m)
{
	uint64_t generation = unpack_u64(&m->body);
	uint64_t seq = unpack_u64(&m->body);
	uint32_t n = 0;
	CLEANUP(freep) struct order *orders = order_decode_records(&m->body, &n);
	CLEANUP(freep) uint8_t *reasons = calloc(n + 1, sizeof(*reasons));
	CLEANUP(freep) int64_t *errors = calloc(n + 1, sizeof(*errors));

	/* Of another set-up: jail numbers mean something else, and a resync follows. */
	if (!orders || !reasons || !errors || generation != e->role->setup->generation)
		return;
	if (n >= BULK_MIN)
		enforcer_watch_pause(e->watch);
	judge(e, orders, n, reasons);
	carry_out(e, orders, n, reasons, errors);
	tell_done(e, seq, orders, n, reasons, errors);
}

static void take_lift(struct enforcer *e, struct message *m)
{
	uint64_t generation = unpack_u64(&m->body);
	uint64_t seq = unpack_u64(&m->body);
	uint32_t jail = unpack_u32(&m->body);
	struct err err = {""};

	if (unpack_end(&m->body) < 0 || generation != e->role->setup->generation)
		return;
	if (jail == UINT32_MAX)
		enforcer_later_clear(e->later);
	else
		enforcer_later_forget(e->later, jail);
	/* Behind sets that are made anew what others did to them could not be seen. */
	bool is_changed = enforcer_tables_changed(e->tables);

	enforcer_watch_pause(e->watch);
	int r = enforcer_tables_empty(e->tables, jail, &err);

	/* Answered first, or it were to be done again with the bans that are asked for.
	 */
	tell_done(e, seq, NULL, 0, NULL, NULL);
	if (r < 0) {
		log_err(NULL, "bans could not be lifted at once: %s", err.text);
		repair(e);
	} else if (is_changed) {
		repair_foreign(e);
	}
}

static uint32_t on_later(void *ctx, const struct order *orders, uint32_t n)
{
	struct enforcer *e = ctx;
	CLEANUP(freep) uint8_t *reasons = calloc(n + 1, sizeof(*reasons));
	CLEANUP(freep) int64_t *errors = calloc(n + 1, sizeof(*errors));

	if (!reasons || !errors)
		return 0;
	n = judge_late(e, orders, n, reasons);
	carry_out(e, orders, n, reasons, errors);
	tell_done(e, 0, orders, n, reasons, errors);
	return n;
}

/* What has this ban stopped? Summed over the targets that hold it. Return: false: it
 * cannot be told. */
static bool count(
    const struct enforcer *e, const struct order *o, uint64_t *packets, uint64_t *bytes)
{
	const struct setup_jail *j = &e->role->setup->jails[o->jail];
	uint32_t first = enforcer_tables_first(e->tables, o->jail);
	uint32_t n_targets = enforcer_tables_n(e->tables, o->jail);
	bool is_known = n_targets > 0;

	for (uint32_t k = 0; k < n_targets; k++) {
		uint64_t p = 0, by = 0;

		if (!nft_target_serves(&j->targets[k], o->step))
			continue;
		is_known &= enforcer_tables_counter(
				e->tables, first + k, &o->net, &p, &by) == 0;
		*packets += p;
		*bytes += by;
	}
	return is_known;
}

static void take_count(struct enforcer *e, struct message *m)
{
	uint64_t generation = unpack_u64(&m->body);
	uint64_t seq = unpack_u64(&m->body);
	uint32_t n = 0;
	CLEANUP(freep) struct order *orders = order_decode_records(&m->body, &n);
	struct buf answer = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	if (!orders || generation != e->role->setup->generation)
		return;
	pack_u64(&answer, seq);
	pack_u32(&answer, n);
	for (uint32_t i = 0; i < n; i++) {
		uint64_t packets = 0, bytes = 0;
		bool is_known = orders[i].jail < e->role->setup->n_jails &&
				count(e, &orders[i], &packets, &bytes);

		pack_u64(&answer, is_known ? packets : MESSAGE_NOT_KNOWN);
		pack_u64(&answer, is_known ? bytes : MESSAGE_NOT_KNOWN);
	}
	(void)role_send(e->role, ROLE_ENGINE, MSG_COUNTED, &answer, -1);
	buf_deinit(&answer);
}

/* --- plumbing ----------------------------------------------------------------------
 */

static int configure(struct enforcer *e, struct err *err)
{
	if (enforcer_guard_setup(e->guard) < 0)
		return err_set(err, -ENOMEM, "out of memory");
	apply_setup(e);
	return 0;
}

static int enforcer_start(struct role *r, struct err *err)
{
	struct enforcer *e = r->ctx;

	e->role = r;
	e->tables = enforcer_tables_new(r->args->uses_xdp ? XDP_DIR : NULL);
	if (e->tables) {
		e->sever = enforcer_sever_new(r, e->tables);
		e->guard = enforcer_guard_new(r, e->tables);
		e->siege = enforcer_siege_new(r, e->guard);
	}
	e->check_timer = loop_add_timer(r->loop, on_check, e);
	e->later = enforcer_later_new(r->loop, on_later, e);
	if (!e->tables || !e->sever || !e->guard || !e->siege || !e->later ||
	    !e->check_timer)
		return err_set(err, -ENOMEM, "out of memory");
	int result = configure(e, err);

	if (result < 0)
		return result;
	start_watch(e);
	role_ready(r);
	return 0;
}

static void enforcer_reload(struct role *r, UNUSED const struct setup *old)
{
	struct enforcer *e = r->ctx;
	struct err err = {""};

	enforcer_later_clear(e->later);
	enforcer_sever_reload(e->sever);
	enforcer_siege_reload(e->siege);
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
	struct enforcer *e = r->ctx;

	e->expects_resync = true; /* a new engine tells all its bans */
	enforcer_guard_tell(e->guard);
	tell_enforcing(e);
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
	case MSG_LIFT:
		take_lift(e, m);
		return;
	case MSG_COUNT:
		take_count(e, m);
		return;
	case MSG_SUSPECTS:
		enforcer_siege_message(e->siege, m);
		return;
	case MSG_RESYNC: /* those that wait are told again, too */
		if (unpack_u64(&m->body) == r->setup->generation)
			enforcer_later_clear(e->later);
		if (e->expects_resync)
			e->n_synced = 0;
		/* Asked for again meanwhile, it comes again. */
		e->is_syncing |= e->expects_resync;
		e->expects_resync = false;
		return;
	default: /* MSG_RESYNCED; adding again what is there does no harm */
		(void)unpack_u64(&m->body);
		e->is_syncing = false;
	}
}

static void enforcer_stop(struct role *r)
{
	struct enforcer *e = r->ctx;
	struct err err = {""};

	/* Who stops bandog wants its drops gone; they come back with the next start. */
	if (enforcer_tables_remove(e->tables, &err) < 0)
		log_err(NULL, "the table could not be removed: %s", err.text);
	role_stopped(r);
}

static void enforcer_deinit(struct role *r)
{
	struct enforcer *e = r->ctx;

	loop_watch_free(e->check_timer);
	enforcer_later_free(e->later);
	enforcer_watch_free(e->watch);
	enforcer_sever_free(e->sever);
	enforcer_siege_free(e->siege);
	enforcer_guard_free(e->guard);
	enforcer_tables_free(e->tables);
}

int enforcer_main(const struct role_args *args)
{
	static const struct role_permit permits[] = {
	    {ROLE_ENGINE, MSG_ORDERS},
	    {ROLE_ENGINE, MSG_LIFT},
	    {ROLE_ENGINE, MSG_COUNT},
	    {ROLE_ENGINE, MSG_SUSPECTS},
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
