/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Bans in the kernel: times, order, bounds, and what somebody else flushed. */
#include "nft_fixture.h"

#include <time.h>

static const struct nft_target targets[] = {
    {.name = "sshd", .protocol = IPPROTO_TCP, .n_ports = 1, .ports = {{22, 22}}},
    {.name = "mail", .protocol = IPPROTO_TCP, .n_ports = 1, .ports = {{25, 25}}},
};

/* What kernels can do, from Debian 12's to this one's at most. */
static const unsigned int kernels[] = {
    0, NFT_CAN_DESTROY, NFT_CAN_DESTROY | NFT_CAN_UPDATE};

static int start_with_targets(void **state)
{
	struct fixture *f = *state;
	int r = start(state);

	if (r || !f->has_net)
		return r;
	return nft_setup(f->n, targets, ARRAY_LEN(targets), &f->e);
}

/* Do as an older kernel wants it. Return: false when this one is older still. */
static bool act_as(struct fixture *f, unsigned int abilities)
{
	if (f->n->abilities < abilities)
		return false;
	f->n->abilities = abilities;
	return true;
}

#define assert_expires(f, target, text, ms)                          \
	do {                                                         \
		struct nft_elem e_ = elem(f, target, text);          \
		assert_true(e_.expires_ms <= (uint64_t)(ms));        \
		assert_true(e_.expires_ms + 10000 > (uint64_t)(ms)); \
	} while (0)

static void times_are_set_anew(struct fixture *f, const char *text)
{
	ban(f, 0, text, HOUR_MS);
	assert_int_equal(elem(f, 0, text).timeout_ms, HOUR_MS);
	assert_expires(f, 0, text, HOUR_MS);
	ban(f, 0, text, 2 * HOUR_MS);
	assert_expires(f, 0, text, 2 * HOUR_MS);
	ban(f, 0, text, HOUR_MS / 2);
	assert_expires(f, 0, text, HOUR_MS / 2);
	ban(f, 0, text, 0);
	assert_int_equal(elem(f, 0, text).timeout_ms, 0);
	ban(f, 0, text, HOUR_MS);
	assert_expires(f, 0, text, HOUR_MS);
	assert_false(is_banned(f, 1, text));
	unban(f, 0, text);
	assert_false(is_banned(f, 0, text));
	unban(f, 0, text);
	ban(f, 0, text, HOUR_MS);
	assert_true(is_banned(f, 0, text));
	unban(f, 0, text);
}

static void bans_have_kernel_time(void **state)
{
	struct fixture *f = need_net(state);

	for (size_t i = 0; i < ARRAY_LEN(kernels); i++) {
		unsigned int real = f->n->abilities;

		if (!act_as(f, kernels[i]))
			break;
		times_are_set_anew(f, "192.0.2.1");
		times_are_set_anew(f, "255.255.255.255");
		times_are_set_anew(f, "2001:db8::1");
		times_are_set_anew(f, "192.0.2.0/24");
		times_are_set_anew(f, "255.255.255.254/31");
		times_are_set_anew(f, "128.0.0.0/1");
		times_are_set_anew(f, "2001:db8::/64");
		times_are_set_anew(f, "ffff:ffff:ffff:ffff::/65");
		f->n->abilities = real;
	}
	assert_int_equal(nft_intact(f->n), 1);
}

/* A second verdict with the same length must start the clock again. */
static void same_time_starts_again(void **state)
{
	const struct timespec tick = {0, 30000000};
	struct fixture *f = need_net(state);

	for (size_t i = 0; i < ARRAY_LEN(kernels); i++) {
		unsigned int real = f->n->abilities;
		uint64_t before;

		if (!act_as(f, kernels[i]))
			break;
		ban(f, 0, "192.0.2.1", HOUR_MS);
		(void)nanosleep(&tick, NULL);
		before = elem(f, 0, "192.0.2.1").expires_ms;
		ban(f, 0, "192.0.2.1", HOUR_MS);
		assert_true(elem(f, 0, "192.0.2.1").expires_ms > before);
		f->n->abilities = real;
	}
}

static void short_and_endless_times(void **state)
{
	struct fixture *f = need_net(state);

	ban(f, 0, "192.0.2.1", 1); /* zero ticks would be without end */
	assert_in_range(elem(f, 0, "192.0.2.1").timeout_ms, 1, 200);
	ban(f, 0, "192.0.2.2", INT64_MAX);
	assert_int_equal(elem(f, 0, "192.0.2.2").timeout_ms, 0);
	ban(f, 0, "192.0.2.3", INT64_C(50) * 365 * 24 * HOUR_MS);
	assert_true(elem(f, 0, "192.0.2.3").timeout_ms > 0);
}

/* The last word on an address counts, in one call as in many. */
static void order_is_kept(void **state)
{
	struct fixture *f = need_net(state);
	struct nft_change c[] = {
	    change_add(0, "192.0.2.1", HOUR_MS),
	    change_add(0, "192.0.2.2", HOUR_MS),
	    change_add(0, "192.0.2.1", 2 * HOUR_MS),
	    change_add(0, "192.0.2.1", 3 * HOUR_MS),
	    change_remove(0, "192.0.2.2"),
	    change_remove(0, "192.0.2.3"),
	    change_add(1, "192.0.2.2", HOUR_MS),
	    change_add(0, "192.0.2.3", HOUR_MS),
	    change_add(0, "192.0.2.0/24", HOUR_MS),
	    change_remove(0, "192.0.2.0/24"),
	    change_add(0, "192.0.2.0/24", 2 * HOUR_MS),
	    change_remove(1, "192.0.2.0/24"),
	    change_remove(0, "192.0.2.4"),
	};

	for (size_t i = 0; i < ARRAY_LEN(kernels); i++) {
		unsigned int real = f->n->abilities;

		if (!act_as(f, kernels[i]))
			break;
		assert_int_equal(apply(f, c, ARRAY_LEN(c)), 0);
		assert_int_equal(f->n_failed, 0);
		assert_expires(f, 0, "192.0.2.1", 3 * HOUR_MS);
		assert_false(is_banned(f, 0, "192.0.2.2"));
		assert_true(is_banned(f, 1, "192.0.2.2"));
		assert_true(is_banned(f, 0, "192.0.2.3"));
		assert_expires(f, 0, "192.0.2.0/24", 2 * HOUR_MS);
		f->n->abilities = real;
	}
}

/* A network inside another one is a ban of its own. */
static void networks_may_overlap(void **state)
{
	struct fixture *f = need_net(state);
	struct nft_change c[] = {
	    change_add(0, "192.0.2.0/24", 3 * HOUR_MS),
	    change_add(0, "192.0.0.0/16", HOUR_MS),
	    change_add(0, "192.0.2.128/25", 2 * HOUR_MS),
	    change_add(0, "192.0.2.129", HOUR_MS),
	    change_add(0, "2001:db8::/32", HOUR_MS),
	    change_add(0, "2001:db8::/48", HOUR_MS),
	};

	assert_int_equal(apply(f, c, ARRAY_LEN(c)), 0);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(nft_intact(f->n), 1);
	unban(f, 0, "192.0.0.0/16");
	unban(f, 0, "2001:db8::/32");
	assert_expires(f, 0, "192.0.2.0/24", 3 * HOUR_MS);
	assert_expires(f, 0, "192.0.2.128/25", 2 * HOUR_MS);
	assert_true(is_banned(f, 0, "192.0.2.129"));
	assert_true(is_banned(f, 0, "2001:db8::/48"));
	assert_false(is_banned(f, 0, "192.0.0.0/16"));
}

/* Every prefix length of both families: more sets than one transaction makes. */
static void all_prefix_lengths(void **state)
{
	struct fixture *f = need_net(state);
	struct nft_change c[31 + 127];
	size_t n = 0;

	for (unsigned int bits = 1; bits < 32; bits++)
		c[n++] = (struct nft_change){
		    true, 0, net_mask(net("203.0.113.77"), bits), HOUR_MS};
	for (unsigned int bits = 1; bits < 128; bits++)
		c[n++] = (struct nft_change){
		    true, 0, net_mask(net("2001:db8::77"), bits), HOUR_MS};
	assert_int_equal(apply(f, c, n), 0);
	assert_int_equal(f->n_failed, 0);
	assert_int_equal(nft_intact(f->n), 1);
	assert_true(netns_has("ip saddr & 255.255.255.254 == @sshd-net4-31"));
	assert_true(netns_has("ip saddr & 128.0.0.0 == @sshd-net4-1"));
}

static void bad_changes_do_not_stop_good_ones(void **state)
{
	struct fixture *f = need_net(state);
	struct nft_change c[] = {
	    {true, 99, net("192.0.2.1"), HOUR_MS},
	    change_add(0, "192.0.2.2", HOUR_MS),
	    change_add(0, "0.0.0.0/0", HOUR_MS),
	    change_add(0, "192.0.2.3", -1),
	    change_add(0, "::/0", HOUR_MS),
	    change_add(0, "192.0.2.4", HOUR_MS),
	    change_remove(99, "192.0.2.4"),
	};

	assert_int_equal(apply(f, c, ARRAY_LEN(c)), 0);
	assert_int_equal(f->n_failed, 5);
	assert_int_equal(f->last_error, -EINVAL);
	assert_true(is_banned(f, 0, "192.0.2.2"));
	assert_true(is_banned(f, 0, "192.0.2.4"));
	assert_false(is_banned(f, 0, "192.0.2.3"));
	assert_int_equal(nft_apply(f->n, c, ARRAY_LEN(c), NULL, NULL, &f->e), 0);
}

/* A set that takes four only, as a former run may have made it. */
static void full_set_refuses_the_rest(void **state)
{
	struct fixture *f = need_net(state);
	struct nft_change c[40];
	size_t n = 0;
	char text[32];

	assert_int_equal(nft_remove(f->n, &f->e), 0);
	assert_int_equal(
	    netns_run("nft add table inet bandog && nft add set inet bandog "
		      "sshd-ipv4 '{ type ipv4_addr; flags timeout; size 4; "
		      "counter; }'"),
	    0);
	assert_int_equal(nft_setup(f->n, targets, ARRAY_LEN(targets), &f->e), 0);
	for (int i = 0; i < 20; i++) {
		(void)snprintf(text, sizeof(text), "192.0.2.%d", i);
		c[n++] = change_add(0, text, HOUR_MS);
		c[n++] = change_add(1, text, HOUR_MS);
	}
	assert_int_equal(apply(f, c, n), 0);
	assert_int_equal(f->n_failed, 16);
	assert_int_equal(f->last_error, -ENFILE);
	assert_true(is_banned(f, 0, "192.0.2.3"));
	assert_false(is_banned(f, 0, "192.0.2.4"));
	assert_true(is_banned(f, 1, "192.0.2.19"));
	f->n_failed = 0;
	unban(f, 0, "192.0.2.3");
	ban(f, 0, "192.0.2.4", HOUR_MS);
}

static void flushed_by_somebody(void **state)
{
	static const char *const ways[] = {"nft flush ruleset",
	    "nft delete table inet bandog",
	    ("nft flush chain inet bandog prerouting && "
	     "nft delete set inet bandog sshd-ipv4")};
	struct fixture *f = need_net(state);
	struct nft_change c[] = {
	    change_add(1, "192.0.2.1", HOUR_MS),
	    change_add(0, "192.0.2.1", HOUR_MS),
	    change_remove(0, "192.0.2.2"),
	    change_add(0, "192.0.2.0/24", HOUR_MS),
	};

	for (size_t i = 0; i < ARRAY_LEN(ways) * ARRAY_LEN(kernels); i++) {
		unsigned int real = f->n->abilities;

		if (!act_as(f, kernels[i / ARRAY_LEN(ways)]))
			break;
		assert_int_equal(netns_run("%s", ways[i % ARRAY_LEN(ways)]), 0);
		assert_int_equal(nft_intact(f->n), 0);
		assert_int_equal(apply(f, c, ARRAY_LEN(c)), -ENOENT);
		assert_int_equal(f->n_failed, 0);
		assert_int_equal(
		    nft_setup(f->n, targets, ARRAY_LEN(targets), &f->e), 0);
		assert_int_equal(apply(f, c, ARRAY_LEN(c)), 0);
		assert_int_equal(f->n_failed, 0);
		assert_true(is_banned(f, 0, "192.0.2.1"));
		assert_true(is_banned(f, 0, "192.0.2.0/24"));
		assert_int_equal(nft_intact(f->n), 1);
		f->n->abilities = real;
	}
}

/* Only the set of a prefix length is gone, with its rule. */
static void network_set_deleted(void **state)
{
	struct fixture *f = need_net(state);
	struct nft_change c = change_add(0, "192.0.2.0/24", HOUR_MS);

	assert_int_equal(apply(f, &c, 1), 0);
	assert_int_equal(netns_run("nft flush chain inet bandog prerouting && "
				   "nft delete set inet bandog sshd-net4-24"),
	    0);
	assert_int_equal(apply(f, &c, 1), -ENOENT);
	assert_int_equal(nft_setup(f->n, targets, ARRAY_LEN(targets), &f->e), 0);
	assert_int_equal(apply(f, &c, 1), 0);
	assert_true(is_banned(f, 0, "192.0.2.0/24"));
}

/* Meddling before a set is made on demand is still seen after it. */
static void demand_hides_no_meddling(void **state)
{
	struct fixture *f = need_net(state);

	assert_int_equal(
	    netns_run("nft replace rule inet bandog prerouting handle $(nft -a "
		      "list chain inet bandog prerouting | sed -n "
		      "'s/.*@sshd-ipv4.* handle //p') accept"),
	    0);
	ban(f, 0, "192.0.2.0/24", HOUR_MS);
	assert_int_equal(nft_intact(f->n), 0);
}

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void storm(struct fixture *f, size_t n)
{
	CLEANUP(freep) struct nft_change *c = calloc(n, sizeof(*c));
	uint64_t packets, bytes;
	int64_t start_ms;

	assert_non_null(c);
	for (size_t i = 0; i < n; i++) {
		c[i] = (struct nft_change){
		    true, (uint32_t)(i % 7 == 0), net("10.0.0.0"), HOUR_MS};
		c[i].net.addr[13] = (uint8_t)(i >> 16);
		c[i].net.addr[14] = (uint8_t)(i >> 8);
		c[i].net.addr[15] = (uint8_t)i;
	}
	start_ms = now_ms();
	assert_int_equal(apply(f, c, n), 0);
	assert_int_equal(f->n_failed, 0);
	printf("# %zu bans in %d ms, abilities %u\n", n, (int)(now_ms() - start_ms),
	    f->n->abilities);
	/* A second is plenty for 100,000 here; others may use the machine too. */
	assert_true(now_ms() - start_ms < 10000);
	for (size_t i = 0; i < n; i += n / 100)
		assert_int_equal(
		    nft_counter(f->n, c[i].target, &c[i].net, &packets, &bytes), 0);
	for (size_t i = 0; i < n; i++)
		c[i].add = false;
	assert_int_equal(apply(f, c, n), 0);
	for (size_t i = 0; i < n; i += n / 100)
		assert_int_equal(
		    nft_counter(f->n, c[i].target, &c[i].net, &packets, &bytes),
		    -ENOENT);
}

static void hundred_thousand_bans(void **state)
{
	storm(need_net(state), 100000);
}

static void many_bans_on_old_kernels(void **state)
{
	struct fixture *f = need_net(state);

	f->n->abilities = 0;
	storm(f, 10000);
}

static void counter_of_nothing(void **state)
{
	struct fixture *f = need_net(state);
	struct net n = net("192.0.2.1");
	uint64_t packets = 1, bytes = 2;

	assert_int_equal(nft_counter(f->n, 0, &n, &packets, &bytes), -ENOENT);
	assert_int_equal(nft_counter(f->n, 2, &n, &packets, &bytes), -EINVAL);
	n = net("192.0.2.0/24");
	assert_int_equal(nft_counter(f->n, 0, &n, &packets, &bytes), -ENOENT);
	assert_true(packets == 1 && bytes == 2);
	ban(f, 0, "192.0.2.0/24", HOUR_MS);
	assert_int_equal(nft_counter(f->n, 0, &n, &packets, &bytes), 0);
	assert_true(packets == 0 && bytes == 0);
	assert_int_equal(apply(f, NULL, 0), 0);
}

/* What comes in bulk has no counter, stands in a set of its own, and goes like others.
 */
static void bulk_has_no_counters(void **state)
{
	static const char *const who[] = {"192.0.2.1", "2001:db8::1", "192.0.2.0/24"};
	struct fixture *f = need_net(state);
	struct nft_change add[ARRAY_LEN(who)], remove[ARRAY_LEN(who)];

	for (size_t i = 0; i < ARRAY_LEN(who); i++) {
		add[i] = change_add(0, who[i], HOUR_MS);
		add[i].is_bulk = true;
		remove[i] = change_remove(0, who[i]);
	}
	for (int round = 0; round < 2; round++) {
		assert_int_equal(apply(f, add, ARRAY_LEN(add)), 0);
		assert_int_equal(nft_intact(f->n), 1);
		for (size_t i = 0; i < ARRAY_LEN(who); i++)
			assert_true(is_banned(f, 0, who[i]));
		/* The network has one; of the others the first set knows nothing. */
		assert_expires(f, 0, who[2], HOUR_MS);
		assert_true(
		    f->n->targets[0].has_bulk[0] && f->n->targets[0].has_bulk[1]);
		ban(f, 0, who[0], HOUR_MS); /* prolonged: now in both */
		/* Set up anew, or by who comes after us: it is found again. */
		assert_int_equal(
		    nft_setup(f->n, targets, ARRAY_LEN(targets), &f->e), 0);
		assert_true(is_banned(f, 0, who[1]));
		assert_int_equal(apply(f, remove, ARRAY_LEN(remove)), 0);
		for (size_t i = 0; i < ARRAY_LEN(who); i++)
			assert_false(is_banned(f, 0, who[i]));
	}
	assert_int_equal(f->n_failed, 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start_with_targets, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(bulk_has_no_counters),
	    TEST(bans_have_kernel_time),
	    TEST(same_time_starts_again),
	    TEST(short_and_endless_times),
	    TEST(order_is_kept),
	    TEST(networks_may_overlap),
	    TEST(all_prefix_lengths),
	    TEST(bad_changes_do_not_stop_good_ones),
	    TEST(full_set_refuses_the_rest),
	    TEST(flushed_by_somebody),
	    TEST(network_set_deleted),
	    TEST(demand_hides_no_meddling),
	    TEST(hundred_thousand_bans),
	    TEST(many_bans_on_old_kernels),
	    TEST(counter_of_nothing),
	};

	if (!netns_is_to_be_had())
		return 0;
	return cmocka_run_group_tests(tests, enter, NULL);
}
