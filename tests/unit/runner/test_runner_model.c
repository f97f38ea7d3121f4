/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The runner's jails against a model of what their commands do: orders, reloads, ends
 * of commands, things that break, told again and stopped in random order. The model
 * knows nothing of how the runner decides; it holds what a user would complain about:
 *
 *  - nothing is run for an action that is not there: not before its actionstart was
 *    begun, not after its actionstop
 *  - an action that was begun to be started is stopped once, and its bans, those too
 *    that failed, are undone before
 *  - of two versions of an action one is there at a time
 *  - left alone, each action has each ban that is wanted, told once
 *  - all of it with a bounded number of commands
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "runner_fake.h"

#define N_JAILS 2
#define N_KINDS 6
#define N_VERSIONS 2
#define N_FAMILIES 2
#define N_IPS 8 /* even ones are IPv4 */
#define ROUNDS 1500
#define STEPS 120
#define MAX_COMMANDS 6000 /* of one round */

/* --- kinds of actions --------------------------------------------------------------
 */

struct kind {
	bool is_conditional, has_check, skips_restored;
	const char *options; /* <w> says whose the script is */
};

/* A command is "JAIL KIND VERSION verb where". */
#define W "<w> "
#define ONE                                                                      \
	"actionban=" W "ban <ip>\nactionunban=" W "unban <ip>\nactionprolong=" W \
	"prolong <ip>\n"
static const struct kind kinds[N_KINDS] = {
    {false, true, false,
	ONE "actionstart=" W "start -\nactionstop=" W "stop -\nactioncheck=" W
	    "check -\nactionreload=" W "reload -\n"},
    {false, false, true,
	ONE "actionstart=" W "start -\nactionstop=" W "stop -\nactionflush=" W
	    "flush -\nnorestored=1\n"},
    {true, true, false,
	ONE "actionstart=" W "start <family>\nactionstop=" W
	    "stop <family>\nactioncheck=" W "check <family>\nactionflush=" W
	    "flush <family>\nactionreload=" W "reload <family>\n"},
    {true, true, false,
	ONE "actionstart=" W "start -\nactionstop=" W "stop -\nactioncheck=" W
	    "check <family>\nactionflush=" W "flush -\n"},
    {true, true, false,
	ONE "actionstart=" W "start <family>\nactionstop=" W "stop -\nactioncheck=" W
	    "check <family>\nactionreban=" W
	    "ban <ip>\nactionstart_on_demand=0\nactionrepair_on_unban=1\n"},
    {false, true, false,
	ONE "actionstart=" W "start -\nactionstop=" W "stop -\nactioncheck=" W
	    "check -\nactionrepair=" W "repair -\nactionstart_on_demand=1\n"},
};

static const char *const ips[N_IPS] = {"192.0.2.1", "2001:db8::1", "192.0.2.2",
    "2001:db8::2", "192.0.2.3", "2001:db8::3", "192.0.2.4", "2001:db8::4"};

/* --- what is there -----------------------------------------------------------------
 */

struct family {
	bool is_up;     /* actionstart was begun */
	bool is_broken; /* bans and checks fail until it is repaired */
};

struct thing {
	struct family families[N_FAMILIES];
	bool is_tried[N_IPS]; /* a ban was begun and not undone */
	int n_told[N_IPS];    /* bans that worked since */
	bool is_retried;      /* a check has worked: the last command comes again */
	bool is_lost;         /* a check has failed: a repair comes */
};

static struct thing things[N_JAILS][N_KINDS][N_VERSIONS];

struct parsed {
	unsigned jail, kind, version;
	char verb[16], where[48];
	const struct kind *is;
	struct thing *thing;
	int ip;         /* or -1 */
	unsigned reach; /* bits of families */
};

static int find_ip(const char *text)
{
	for (int i = 0; i < N_IPS; i++) {
		if (!strcmp(ips[i], text))
			return i;
	}
	return -1;
}

static int family_of(int ip)
{
	return ip % N_FAMILIES;
}

static struct parsed parse(const char *script)
{
	struct parsed p = {0};
	int n = sscanf(script, "%u %u %u %15s %47s", &p.jail, &p.kind, &p.version,
	    p.verb, p.where);

	assert_int_equal(n, 5);
	p.is = &kinds[p.kind];
	p.thing = &things[p.jail][p.kind][p.version];
	p.ip = find_ip(p.where);
	if (p.ip >= 0)
		p.reach = p.is->is_conditional ? 1U << family_of(p.ip) : 3;
	else if (!strcmp(p.where, "inet4"))
		p.reach = 1;
	else if (!strcmp(p.where, "inet6"))
		p.reach = 2;
	else
		p.reach = 3;
	return p;
}

static bool is(const struct parsed *p, const char *verb)
{
	return !strcmp(p->verb, verb);
}

static bool any_up(const struct thing *t, unsigned reach)
{
	return (t->families[0].is_up && reach & 1) ||
	       (t->families[1].is_up && reach & 2);
}

static bool is_broken(const struct thing *t, unsigned reach)
{
	return (t->families[0].is_broken && reach & 1) ||
	       (t->families[1].is_broken && reach & 2);
}

static bool is_within(int ip, unsigned reach)
{
	return reach & 1U << family_of(ip);
}

static void forget(struct thing *t, unsigned reach)
{
	for (int i = 0; i < N_IPS; i++) {
		if (!is_within(i, reach))
			continue;
		t->is_tried[i] = false;
		t->n_told[i] = 0;
	}
}

static void complain(const struct parsed *p, const char *what)
{
	fail_msg("jail %u action %u.%u: %s %s: %s", p->jail, p->kind, p->version,
	    p->verb, p->where, what);
}

static void check_begin(const struct parsed *p)
{
	struct thing *t = p->thing;
	bool is_retried = t->is_retried;

	t->is_retried = false;
	if (is(p, "start")) {
		for (unsigned v = 0; v < N_VERSIONS; v++) {
			if (v != p->version && any_up(&things[p->jail][p->kind][v], 3))
				complain(p, "another version is still there");
		}
	} else if (!any_up(t, p->reach)) {
		complain(p, "nothing was started");
	}
	if (is(p, "ban") && t->is_tried[p->ip] && !is_retried)
		complain(p, "told twice");
	/* Who is not told of old bans is told of their end, as by fail2ban. */
	if (is(p, "unban") && !t->is_tried[p->ip] && !is_retried &&
	    !p->is->skips_restored)
		complain(p, "was not banned");
	if (is(p, "prolong") && !t->n_told[p->ip] && !is_retried &&
	    !p->is->skips_restored)
		complain(p, "is not banned");
	for (int i = 0; is(p, "stop") && !t->is_lost && i < N_IPS; i++) {
		if (t->is_tried[i] && is_within(i, p->reach))
			complain(p, "before all was undone");
	}
}

static void begin(const struct parsed *p)
{
	struct thing *t = p->thing;

	check_begin(p);
	for (int f = 0; f < N_FAMILIES; f++) {
		if (!(p->reach & 1U << f))
			continue;
		if (is(p, "start"))
			t->families[f].is_up = true;
		if (is(p, "stop"))
			t->families[f] = (struct family){false, false};
	}
	if (is(p, "stop"))
		forget(t, p->reach);
	if (is(p, "ban"))
		t->is_tried[p->ip] = true;
	if (is(p, "unban")) {
		t->is_tried[p->ip] = false;
		t->n_told[p->ip] = 0;
	}
	if (!is(p, "check"))
		t->is_lost = false;
}

/* Could it work? */
static bool can_work(const struct parsed *p)
{
	if (is(p, "start") || is(p, "stop") || is(p, "repair") || is(p, "reload"))
		return true;
	return !is_broken(p->thing, p->reach);
}

static void end(const struct parsed *p, bool ok)
{
	struct thing *t = p->thing;

	if (is(p, "ban") && ok)
		t->n_told[p->ip]++;
	if (is(p, "flush") && ok)
		forget(t, p->reach);
	if (is(p, "check")) {
		t->is_retried = ok;
		t->is_lost = !ok;
	}
	if (is(p, "repair") && ok) {
		forget(t, p->reach);
		t->families[0].is_broken = t->families[1].is_broken = false;
	}
}

/* --- what is wanted ----------------------------------------------------------------
 */

struct world {
	struct run_jails jails;
	bool is_idle, is_stopped;
	bool has_jail[N_JAILS];
	bool has_action[N_JAILS][N_KINDS];
	unsigned version[N_JAILS][N_KINDS];
	bool is_banned[N_JAILS][N_IPS];
	int64_t until;
	unsigned seed;
	size_t n_seen; /* commands whose beginning the model has noted */
	size_t n_first;
};

static unsigned roll(struct world *w, unsigned n)
{
	w->seed = w->seed * 1103515245 + 12345;
	return (w->seed >> 16) % n;
}

static void on_idle(void *ctx)
{
	((struct world *)ctx)->is_idle = true;
}

static uint32_t index_of(const struct world *w, unsigned jail)
{
	uint32_t at = 0;

	for (unsigned i = 0; i < jail; i++)
		at += w->has_jail[i];
	return at;
}

static void add_action(struct world *w, struct fake_setup *s, unsigned jail, unsigned k)
{
	char name[2] = {(char)('a' + k), '\0'};
	char options[2048];

	snprintf(options, sizeof(options), "%sw=%u %u %u\n%s", kinds[k].options, jail,
	    k, w->version[jail][k],
	    kinds[k].is_conditional ? "x?family=inet6=y\n" : "");
	fake_setup_action(s, name, options);
}

/* Commands that have begun since we looked. */
static void look(struct world *w)
{
	size_t n_new = fake_n_begun() - w->n_seen;

	for (size_t i = fake_n_running() - n_new; i < fake_n_running(); i++) {
		struct parsed p = parse(fake_running(i));

		begin(&p);
	}
	w->n_seen = fake_n_begun();
	assert_true(w->n_seen - w->n_first < MAX_COMMANDS);
}

static void turn(struct world *w)
{
	w->is_idle = false;
	run_jails_turn(&w->jails);
	look(w);
}

static void tell(struct world *w, unsigned jail, int ip, enum order_op op, bool again)
{
	struct order o = fake_order(op, index_of(w, jail), ips[ip], w->until);

	if (again)
		o.cause = ORDER_RESTORED;
	run_jails_order(&w->jails, &o, NULL);
}

static void resync(struct world *w)
{
	run_jails_sync_begin(&w->jails);
	for (unsigned j = 0; j < N_JAILS; j++) {
		for (int i = 0; i < N_IPS; i++) {
			if (w->has_jail[j] && w->is_banned[j][i])
				tell(w, j, i, ORDER_BAN, true);
		}
	}
	run_jails_sync_end(&w->jails);
	turn(w);
}

static void load(struct world *w)
{
	struct fake_setup s;

	fake_setup_init(&s);
	for (unsigned j = 0; j < N_JAILS; j++) {
		char name[8];

		snprintf(name, sizeof(name), "jail%u", j);
		if (!w->has_jail[j])
			continue;
		fake_setup_jail(&s, name);
		for (unsigned k = 0; k < N_KINDS; k++) {
			if (w->has_action[j][k])
				add_action(w, &s, j, k);
		}
	}
	assert_int_equal(run_jails_setup(&w->jails, &s.setup), 0);
	fake_setup_deinit(&s);
	turn(w);
}

/* --- what happens ------------------------------------------------------------------
 */

static void change_setup(struct world *w)
{
	for (unsigned n = roll(w, 3); n; n--) {
		unsigned j = roll(w, N_JAILS), k = roll(w, N_KINDS);

		switch (roll(w, 4)) {
		case 0:
			w->has_jail[j] = !w->has_jail[j];
			memset(w->is_banned[j], 0, sizeof(w->is_banned[j]));
			break;
		case 1:
			w->has_action[j][k] = !w->has_action[j][k];
			break;
		default:
			w->version[j][k] = !w->version[j][k];
		}
	}
	load(w);
	/* Mostly the engine is quick, but commands may be quicker. */
	if (roll(w, 2))
		resync(w);
}

static void change_ban(struct world *w)
{
	unsigned j = roll(w, N_JAILS);
	int i = (int)roll(w, N_IPS);

	if (!w->has_jail[j])
		return;
	w->until += roll(w, 2) * 100;
	if (w->is_banned[j][i] && roll(w, 3)) {
		tell(w, j, i, ORDER_UNBAN, false);
		w->is_banned[j][i] = false;
	} else {
		tell(w, j, i, w->is_banned[j][i] ? ORDER_PROLONG : ORDER_BAN, false);
		w->is_banned[j][i] = true;
	}
	turn(w);
}

static void break_something(struct world *w)
{
	unsigned j = roll(w, N_JAILS), k = roll(w, N_KINDS), f = roll(w, N_FAMILIES);
	struct thing *t = &things[j][k][w->version[j][k]];

	if (!kinds[k].has_check || !t->families[f].is_up)
		return;
	t->families[f].is_broken = true;
	if (!kinds[k].is_conditional)
		t->families[!f].is_broken = true;
}

static void end_one(struct world *w, bool is_calm)
{
	size_t i;

	if (!fake_n_running())
		return;
	i = roll(w, (unsigned)fake_n_running());
	struct parsed p = parse(fake_running(i));
	bool ok = can_work(&p) && (is_calm || roll(w, 5));

	end(&p, ok);
	w->is_idle = false;
	fake_end(i, ok ? FAKE_OK : roll(w, 2) ? FAKE_FAILS : FAKE_LATE);
	look(w);
}

static void step(struct world *w)
{
	unsigned what = roll(w, 100);

	if (what < 50)
		end_one(w, false);
	else if (what < 85)
		change_ban(w);
	else if (what < 92)
		change_setup(w);
	else if (what < 97)
		break_something(w);
	else
		resync(w);
}

static void drain(struct world *w, bool is_calm)
{
	while (fake_n_running())
		end_one(w, is_calm);
	turn(w);
	assert_true(w->is_idle);
}

/* --- what must be so ---------------------------------------------------------------
 */

static void check_action(struct world *w, unsigned j, unsigned k)
{
	const struct thing *t = &things[j][k][w->version[j][k]];
	const struct thing *other = &things[j][k][!w->version[j][k]];
	bool is_wanted = w->has_jail[j] && w->has_action[j][k];

	assert_false(any_up(other, 3));
	if (!is_wanted)
		assert_false(any_up(t, 3));
	if (is_broken(t, 3))
		return; /* nobody has noticed yet */
	for (int i = 0; i < N_IPS; i++) {
		int wanted = is_wanted && w->is_banned[j][i];

		if (kinds[k].skips_restored && wanted)
			assert_true(t->n_told[i] <= 1);
		else if (t->n_told[i] != wanted)
			fail_msg("jail %u action %u.%u: %s is told %d times, not %d", j,
			    k, w->version[j][k], ips[i], t->n_told[i], wanted);
	}
}

static void check_actions(struct world *w)
{
	for (unsigned j = 0; j < N_JAILS; j++) {
		for (unsigned k = 0; k < N_KINDS; k++)
			check_action(w, j, k);
	}
}

static void unban_all(struct world *w)
{
	memset(w->is_banned, 0, sizeof(w->is_banned));
	resync(w);
	drain(w, true);
}

/* At least one of each family, so that what broke is found. */
static void ban_some(struct world *w)
{
	for (unsigned j = 0; j < N_JAILS; j++) {
		for (int i = 0; w->has_jail[j] && i < N_IPS; i++) {
			w->is_banned[j][i] = roll(w, 3) || i < N_FAMILIES;
			if (w->is_banned[j][i])
				tell(w, j, i, ORDER_BAN, false);
		}
	}
	turn(w);
	drain(w, true);
}

/* Left alone: what failed is tried again, and what broke is found. */
static void check_calm(struct world *w)
{
	drain(w, true);
	resync(w);
	drain(w, true);
	check_actions(w);
	unban_all(w);
	ban_some(w);
	for (unsigned j = 0; j < N_JAILS; j++) {
		for (unsigned k = 0; k < N_KINDS; k++)
			assert_false(is_broken(&things[j][k][w->version[j][k]], 3));
	}
	check_actions(w);
}

static void check_stopped(struct world *w)
{
	run_jails_stop(&w->jails);
	turn(w);
	drain(w, false);
	for (unsigned j = 0; j < N_JAILS; j++) {
		for (unsigned k = 0; k < N_KINDS; k++) {
			for (unsigned v = 0; v < N_VERSIONS; v++)
				assert_false(any_up(&things[j][k][v], 3));
		}
	}
	assert_true(TAILQ_EMPTY(&w->jails.jails));
	assert_int_equal(w->jails.n_tickets, 0);
}

static void play(unsigned seed)
{
	struct world w = {.seed = seed, .until = 2000};

	memset(things, 0, sizeof(things));
	w.n_seen = w.n_first = fake_n_begun();
	/* The loop is only handed on to the fake, which has no use for it. */
	run_jails_init(&w.jails, (struct loop *)&w);
	w.jails.idle = on_idle;
	w.jails.ctx = &w;
	for (unsigned j = 0; j < N_JAILS; j++) {
		w.has_jail[j] = true;
		for (unsigned k = 0; k < N_KINDS; k++)
			w.has_action[j][k] = roll(&w, 2);
	}
	load(&w);
	for (int i = 0; i < STEPS; i++)
		step(&w);
	if (seed % 2)
		check_calm(&w);
	check_stopped(&w);
	run_jails_deinit(&w.jails);
}

static void test_model(UNUSED void **state)
{
	for (unsigned seed = 1; seed <= ROUNDS; seed++) {
		print_message("# round %u\n", seed);
		play(seed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_model)};

	log_set_level(LOG_L_ERR);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
