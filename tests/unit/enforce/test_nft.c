/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Setting up, taking over, noticing what others do. */
#include "nft_fixture.h"

#include <linux/capability.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static const struct nft_target targets[] = {
    {.name = "sshd", .protocol = IPPROTO_TCP, .n_ports = 1, .ports = {{22, 22}}},
    {.name = "postfix",
	.protocol = IPPROTO_TCP,
	.n_ports = 3,
	.ports = {{587, 587}, {25, 25}, {465, 465}},
	.interface = "eth0"},
    {.name = "both",
	.n_ports = 4,
	.ports = {{60000, 65535}, {25, 30}, {465, 465}, {28, 31}}},
    {.name = "dns", .protocol = IPPROTO_UDP, .n_ports = 1, .ports = {{53, 60}}},
    {.name = "all"},
    {.name = "alltcp", .protocol = IPPROTO_TCP},
};

static void set_up(struct fixture *f)
{
	if (nft_setup(f->n, targets, ARRAY_LEN(targets), &f->e) < 0)
		fail_msg("%s", f->e.text);
	assert_int_equal(nft_intact(f->n), 1);
}

static void rules_read_well(void **state)
{
	struct fixture *f = need_net(state);

	set_up(f);
	assert_true(netns_has("hook prerouting priority raw - 10; policy accept;"));
	assert_true(netns_has("\t\ttcp dport 22 ip saddr @sshd-ipv4 counter"));
	assert_true(netns_has("\t\ttcp dport 22 ip6 saddr @sshd-ipv6 counter"));
	assert_true(netns_has("tcp dport { 25, 465, 587 } iifname \"eth0\" ip saddr "
			      "@postfix-ipv4 counter packets 0 bytes 0 drop"));
	assert_true(
	    netns_has("meta l4proto { tcp, udp } th dport "
		      "{ 25-31, 465, 60000-65535 } ip saddr @both-ipv4 counter"));
	assert_true(netns_has("udp dport 53-60 ip6 saddr @dns-ipv6 counter"));
	assert_true(netns_has("\t\tip saddr @all-ipv4 counter"));
	assert_true(netns_has("\t\tmeta l4proto tcp ip saddr @alltcp-ipv4 counter"));
	assert_true(netns_has("flags timeout\n\t\tcounter\n"));
}

/* What nft(8) prints it can read again: administrators save rule sets that way. */
static void listing_can_be_loaded(void **state)
{
	struct fixture *f = need_net(state);

	set_up(f);
	ban(f, 0, "192.0.2.7", HOUR_MS);
	ban(f, 1, "198.51.100.0/24", HOUR_MS);
	ban(f, 1, "2001:db8::/48", 0);
	assert_true(netns_has("ip saddr & 255.255.255.0 == @postfix-net4-24 counter"));
	assert_true(
	    netns_has("ip6 saddr & ffff:ffff:ffff:: == @postfix-net6-48 counter"));
	assert_int_equal(
	    netns_run("f=$(mktemp) && nft list ruleset >$f && "
		      "nft flush ruleset && nft -f $f; r=$?; rm $f; exit $r"),
	    0);
	assert_int_equal(nft_intact(f->n), 0);
	assert_true(is_banned(f, 0, "192.0.2.7"));
	set_up(f);
	assert_true(is_banned(f, 0, "192.0.2.7"));
	assert_true(is_banned(f, 1, "198.51.100.0/24"));
	assert_true(is_banned(f, 1, "2001:db8::/48"));
}

static void setup_again_keeps_bans(void **state)
{
	struct fixture *f = need_net(state);
	struct nft_target changed[2] = {targets[1], targets[0]};

	set_up(f);
	ban(f, 0, "192.0.2.7", HOUR_MS);
	ban(f, 0, "2001:db8::7", HOUR_MS);
	ban(f, 1, "198.51.100.0/24", HOUR_MS);
	set_up(f);
	assert_true(is_banned(f, 0, "192.0.2.7"));
	/* Other order, other ports; the other targets are gone, so are their sets. */
	changed[0].n_ports = 1;
	assert_int_equal(nft_setup(f->n, changed, 2, &f->e), 0);
	assert_true(is_banned(f, 1, "192.0.2.7"));
	assert_true(is_banned(f, 1, "2001:db8::7"));
	assert_true(is_banned(f, 0, "198.51.100.0/24"));
	assert_true(
	    netns_has("tcp dport 587 iifname \"eth0\" ip saddr & 255.255.255.0"));
	assert_int_equal(netns_run("nft list set inet bandog all-ipv4 2>/dev/null"), 1);
	assert_int_equal(
	    netns_run("test $(nft list ruleset | grep -c 'saddr') = 5"), 0);
	assert_int_equal(nft_setup(f->n, NULL, 0, &f->e), 0);
	assert_int_equal(netns_run("nft list ruleset | grep -q saddr"), 1);
	assert_int_equal(nft_intact(f->n), 1);
}

static void next_run_takes_over(void **state)
{
	struct fixture *f = need_net(state);

	set_up(f);
	ban(f, 0, "192.0.2.7", HOUR_MS);
	ban(f, 0, "198.51.0.0/17", HOUR_MS);
	nft_close(f->n);
	f->n = nft_open(&nft_own_place, &f->e);
	assert_non_null(f->n);
	assert_int_equal(nft_intact(f->n), 0);
	set_up(f);
	assert_true(is_banned(f, 0, "192.0.2.7"));
	assert_true(is_banned(f, 0, "198.51.0.0/17"));
	unban(f, 0, "198.51.0.0/17");
	assert_false(is_banned(f, 0, "198.51.0.0/17"));
	assert_true(netns_has("255.255.128.0 == @sshd-net4-17"));
}

static void foreign_kinds_are_replaced(void **state)
{
	struct fixture *f = need_net(state);

	assert_int_equal(
	    netns_run("nft -f - <<E\n"
		      "table inet bandog {\n"
		      " flags dormant;\n"
		      " set sshd-ipv4 { type ipv6_addr; flags timeout; }\n"
		      " set sshd-ipv6 { type ipv6_addr; flags interval; }\n"
		      " set sshd-net4-24 { type inet_service; }\n"
		      " set old-ipv4 { type ipv4_addr; flags timeout; }\n"
		      " chain prerouting { type filter hook input priority 0;\n"
		      "  ip6 saddr @sshd-ipv4 accept\n"
		      "  ip saddr @old-ipv4 tcp dport { 1, 2 } drop\n }\n"
		      "}\nE"),
	    0);
	set_up(f);
	ban(f, 0, "192.0.2.7", HOUR_MS);
	ban(f, 0, "192.0.2.0/24", HOUR_MS);
	assert_true(netns_has("hook prerouting priority raw - 10"));
	assert_int_equal(
	    netns_run("nft list ruleset | grep -qE 'old-|dormant|accept$'"), 1);
}

static void foreign_changes_are_seen(void **state)
{
	static const char *const meddling[] = {
	    "nft delete table inet bandog",
	    "nft flush ruleset",
	    "nft flush chain inet bandog prerouting",
	    "nft add rule inet bandog prerouting accept",
	    "nft insert rule inet bandog prerouting accept",
	    "nft delete rule inet bandog prerouting handle $(nft -a list chain inet "
	    "bandog "
	    "prerouting | sed -n 's/.*@all-ipv4.* handle //p')",
	    "nft replace rule inet bandog prerouting handle $(nft -a list chain inet "
	    "bandog "
	    "prerouting | sed -n 's/.*@all-ipv4.* handle //p') accept",
	    "nft add set inet bandog foo '{ type ipv4_addr; }'",
	    "nft add chain inet bandog foo",
	    "nft 'add table inet bandog { flags dormant; }'",
	    "nft 'chain inet bandog prerouting { policy drop; }'",
	};
	struct fixture *f = need_net(state);

	for (size_t i = 0; i < ARRAY_LEN(meddling); i++) {
		uint32_t before;

		set_up(f);
		assert_int_equal(netns_run("nft add table inet other"), 0);
		assert_int_equal(nft_intact(f->n), 1);
		before = nft_generation(f->n);
		assert_int_not_equal(before, 0);
		assert_int_equal(netns_run("%s", meddling[i]), 0);
		assert_int_not_equal(nft_generation(f->n), before);
		if (nft_intact(f->n) != 0)
			fail_msg("not seen: %s", meddling[i]);
		(void)netns_run("nft delete chain inet bandog foo 2>/dev/null");
	}
	set_up(f);
}

/* Somebody's rule holds a set that we want to be rid of: said, and nothing changed. */
static void refusal_is_explained(void **state)
{
	struct fixture *f = need_net(state);

	set_up(f);
	ban(f, 0, "192.0.2.7", HOUR_MS);
	assert_int_equal(netns_run("nft add chain inet bandog foo && nft add rule inet "
				   "bandog foo ip saddr @all-ipv4 accept"),
	    0);
	assert_int_equal(nft_setup(f->n, targets, 1, &f->e), -EBUSY);
	assert_non_null(strstr(f->e.text, "removing a set"));
	assert_true(netns_has("udp dport 53-60 ip saddr @dns-ipv4"));
	assert_true(is_banned(f, 0, "192.0.2.7"));
}

static void bad_targets_change_nothing(void **state)
{
	struct fixture *f = need_net(state);
	struct nft_target two[2] = {targets[0], targets[0]};

	assert_int_equal(nft_setup(f->n, two, 2, &f->e), -EINVAL);
	assert_string_equal(f->e.text, "firewall target 'sshd' is there twice");
	two[1].name[0] = '\0';
	assert_int_equal(nft_setup(f->n, two, 2, &f->e), -EINVAL);
	assert_int_equal(nft_setup(f->n, two, NFT_MAX_TARGETS + 1, &f->e), -E2BIG);
	assert_int_equal(netns_run("test -z \"$(nft list ruleset)\""), 0);
}

/* More than a send buffer takes by default, in one transaction. */
static void many_targets_fit(void **state)
{
	enum { N = 300 };
	struct fixture *f = need_net(state);
	CLEANUP(freep) struct nft_target *many = calloc(N, sizeof(*many));

	assert_non_null(many);
	for (unsigned int i = 0; i < N; i++) {
		(void)snprintf(many[i].name, sizeof(many[i].name), "jail%u", i);
		many[i].protocol = IPPROTO_TCP;
		many[i].n_ports = NFT_MAX_PORT_RANGES;
		for (unsigned int k = 0; k < NFT_MAX_PORT_RANGES; k++)
			many[i].ports[k] = (struct nft_ports){
			    (uint16_t)(100 * k + i), (uint16_t)(100 * k + i + k)};
	}
	if (nft_setup(f->n, many, N, &f->e) < 0)
		fail_msg("%s", f->e.text);
	assert_int_equal(nft_intact(f->n), 1);
	ban(f, N - 1, "192.0.2.7", HOUR_MS);
	assert_true(is_banned(f, N - 1, "192.0.2.7"));
}

static void removed_is_gone(void **state)
{
	struct fixture *f = need_net(state);
	struct nft_change c = change_add(0, "192.0.2.0/24", HOUR_MS);

	assert_int_equal(netns_run("nft add table inet other"), 0);
	set_up(f);
	assert_int_equal(nft_remove(f->n, &f->e), 0);
	assert_int_equal(
	    netns_run("test \"$(nft list tables)\" = 'table inet other'"), 0);
	assert_int_equal(nft_remove(f->n, &f->e), 0);
	assert_int_equal(nft_intact(f->n), 0);
	assert_int_equal(apply(f, &c, 1), -ENOENT);
	set_up(f);
}

/* The probe's own table is not left behind. */
static void opening_leaves_nothing(void **state)
{
	struct fixture *f = need_net(state);

	assert_int_equal(netns_run("test -z \"$(nft list ruleset)\""), 0);
	assert_int_equal(nft_intact(f->n), 0);
	assert_int_equal(nft_setup(f->n, NULL, 0, &f->e), 0);
}

static void without_right_it_says_so(void **state)
{
	struct __user_cap_header_struct h = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct none[2] = {0};
	struct err e = {0};
	int status;
	pid_t pid;

	(void)need_net(state);
	pid = fork();
	if (pid == 0) {
		if (syscall(SYS_capset, &h, none) < 0)
			_exit(2);
		if (nft_open(&nft_own_place, &e))
			_exit(3);
		_exit(strstr(e.text, "CAP_NET_ADMIN") ? 0 : 4);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, start, stop)

int main(void)
{
	const struct CMUnitTest tests[] = {
	    TEST(opening_leaves_nothing),
	    TEST(rules_read_well),
	    TEST(listing_can_be_loaded),
	    TEST(setup_again_keeps_bans),
	    TEST(next_run_takes_over),
	    TEST(foreign_kinds_are_replaced),
	    TEST(foreign_changes_are_seen),
	    TEST(refusal_is_explained),
	    TEST(bad_targets_change_nothing),
	    TEST(many_targets_fit),
	    TEST(removed_is_gone),
	    TEST(without_right_it_says_so),
	};

	if (!netns_is_to_be_had())
		return 0;
	return cmocka_run_group_tests(tests, enter, NULL);
}
