/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include <stdio.h>

#include "enforce/xdp.h"
#include "pipeline/setup_actions.h"

#include "config_folder.h"

/* The two configurations that must run word for word. */
static const char first_try[] = "[postfix]\n"
				"enabled = true\n"
				"filter = postfix\n"
				"action = hostsdeny\n"
				"logpath = /var/log/maillog\n"
				"maxretry = 3\n"
				"bantime = 900\n"
				"findtime = 900\n";
static const char in_use[] = "[postfix]\n"
			     "enabled = true\n"
			     "port = smtp,ssmtp\n"
			     "filter = postfix\n"
			     "logpath = /var/log/mail.log\n"
			     "bantime = 86400\n"
			     "maxretry = 3\n";
static const char filter[] =
    "[Definition]\n"
    "failregex = reject: RCPT from (.*)\\[<HOST>\\]: 554 5.7.1\n"
    "            reject: RCPT from unknown\\[<HOST>\\]: 450 4.7.1\n"
    "            reject: RCPT from (.*)\\[<HOST>\\]: 550 5.1.1\n";

static int make(void **state)
{
	static struct config_folder f;

	config_folder_make(&f);
	config_folder_write(&f, "filter.d/postfix.conf", filter);
	*state = &f;
	return 0;
}

static int unmake(void **state)
{
	config_folder_remove(*state);
	return 0;
}

static void the_first_configuration_writes_hosts_deny(void **state)
{
	config_folder_write(*state, "jail.conf", first_try);
	struct setup *s = config_folder_setup(*state, NULL);
	const struct setup_jail *j = &s->jails[0];

	assert_int_equal(s->n_jails, 1);
	assert_string_equal(j->name, "postfix");
	assert_int_equal(j->n_failregex, 3);
	assert_int_equal(j->maxretry, 3);
	assert_int_equal(j->bantime_sec, 900);
	assert_true(j->findtime_sec == 900);
	assert_int_equal(j->n_hosts_deny, 1);
	assert_string_equal(j->hosts_deny[0].path, "/etc/hosts.deny");
	assert_string_equal(j->hosts_deny[0].daemons, "ALL");
	assert_int_equal(j->n_targets, 0);
	assert_string_equal(s->sources[j->sources[0]].glob, "/var/log/maillog");
	assert_true(setup_uses_hosts_deny(s));
	setup_free(s);
}

static void the_one_in_use_closes_its_ports(void **state)
{
	config_folder_write(*state, "jail.conf", in_use);
	struct setup *s = config_folder_setup(*state, NULL);
	const struct setup_jail *j = &s->jails[0];

	assert_int_equal(j->bantime_sec, 86400);
	assert_int_equal(j->n_targets, 1);
	assert_string_equal(j->targets[0].name, "postfix");
	assert_int_equal(j->targets[0].protocol, IPPROTO_TCP);
	assert_int_equal(j->targets[0].n_ports, 2);
	assert_int_equal(j->targets[0].ports[0].from, 25);
	assert_int_equal(j->targets[0].ports[1].from, 465);
	assert_false(setup_uses_hosts_deny(s));
	setup_free(s);
}

static void logs_are_shared_by_jails(void **state)
{
	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "[one]\n[two]\nlogpath = /var/log/b\n  /var/log/a tail\n[off]\nenabled = "
	    "no\n");
	struct setup *s = config_folder_setup(*state, NULL);

	assert_int_equal(s->n_jails, 2);
	assert_int_equal(s->n_sources, 2);
	assert_int_equal(s->jails[0].sources[0], s->jails[1].sources[1]);
	assert_int_equal(setup_find_jail(s, SPAN("two")), 1);
	assert_int_equal(setup_find_jail(s, SPAN("off")), -1);
	setup_free(s);
}

static bool says(const struct diag *d, const char *text)
{
	for (size_t i = 0; i < d->n; i++) {
		if (strstr(d->items[i].text, text))
			return true;
	}
	return false;
}

static void longer_bans_are_compiled_and_travel(void **state)
{
	struct buf b = BUF_INIT(1 << 16);
	struct setup *copy = NULL;
	double sec;

	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "bantime.increment = yes\n"
	    "[a]\nbantime.factor = 2 * 2\nbantime.maxtime = 5h\nbantime.rndtime =\n"
	    "[b]\nbantime.multipliers = 1 5 30\nbantime.overalljails = true\n"
	    "[c]\nbantime.increment = no\nbantime.formula = ban.Time\n");
	struct setup *s = config_folder_setup(*state, NULL);

	setup_encode(s, &b);
	setup_free(s);
	assert_int_equal(setup_decode(buf_span(&b), &copy), 0);
	assert_int_equal(copy->n_jails, 3);
	const struct setup_increment *x = &copy->jails[0].increment;

	assert_true(x->is_on && !x->overalljails && x->has_maxtime);
	assert_int_equal(escalate_sec(x->escalate, 600, 1, 0, &sec), 0);
	assert_true(sec == 4800);
	assert_int_equal(escalate_sec(x->escalate, 600, 9, 0, &sec), 0);
	assert_true(sec == 5 * 3600);
	x = &copy->jails[1].increment;
	assert_true(x->is_on && x->overalljails && !x->has_maxtime);
	assert_int_equal(escalate_sec(x->escalate, 600, 1, 0, &sec), 0);
	assert_true(sec == 3000);
	assert_false(copy->jails[2].increment.is_on);
	assert_null(copy->jails[2].increment.escalate);
	setup_free(copy);
	buf_deinit(&b);
}

/* The targets of @j that hold bans at @step, and how they answer. */
static void expect_targets(const struct setup_jail *j, uint8_t step, uint32_t want,
    enum nft_answer answer, size_t n_ports)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < j->n_targets; i++) {
		if (!nft_target_serves(&j->targets[i], step))
			continue;
		n++;
		assert_int_equal(j->targets[i].answer, answer);
		assert_int_equal(j->targets[i].n_ports, n_ports);
	}
	assert_int_equal(n, want);
}

static void steps_have_targets_of_their_own(void **state)
{
	struct buf b = BUF_INIT(1 << 20);
	struct setup *copy;

	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "[plain]\nport = 25\n"
	    "[a]\nport = 25,587\nrefusecode = 450\n"
	    "steps = refuse 1h, reject 6h,drop 1d , dropall -1\n"
	    "[words]\naction = sendmail\nsteps = refuse 10m\n"
	    "[none]\nport = 25\nsteps =\n");
	struct setup *s = config_folder_setup(*state, NULL);

	setup_encode(s, &b);
	setup_free(s);
	assert_int_equal(setup_decode(buf_span(&b), &copy), 0);
	assert_int_equal(copy->n_jails, 4);
	/* Whatever a ban was at before. */
	for (uint32_t i = 0; i <= 3; i += 3) {
		assert_int_equal(copy->jails[i].steps.n, 0);
		expect_targets(&copy->jails[i], 0, 1, NFT_DROP, 1);
		expect_targets(&copy->jails[i], 3, 1, NFT_DROP, 1);
	}
	const struct setup_jail *j = &copy->jails[1];

	assert_int_equal(j->steps.n, 4);
	assert_int_equal(j->steps.items[2].sec, 86400);
	assert_int_equal(j->steps.items[3].sec, -1);
	assert_int_equal(j->refuse_code, 450);
	expect_targets(j, 0, 1, NFT_DROP, 2);
	expect_targets(j, 1, 0, NFT_DROP, 0);
	expect_targets(j, 2, 1, NFT_RESET, 2);
	expect_targets(j, 3, 1, NFT_DROP, 2);
	expect_targets(j, 4, 1, NFT_DROP, 0);
	expect_targets(j, 8, 1, NFT_DROP, 0); /* there were more steps once */
	assert_true(setup_uses_policy(copy));
	assert_true(setup_only_refuses(copy, 1, 1));
	assert_false(setup_only_refuses(copy, 1, 2) || setup_only_refuses(copy, 0, 0));
	assert_int_equal(copy->jails[2].refuse_code, 421);
	setup_free(copy);
	buf_deinit(&b);
}

static void refusals_are_heard_where_the_mail_server_logs(void **state)
{
	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "[mail]\nsteps = refuse 1h\n"
	    "[same]\n"
	    "[web]\nlogpath = /var/log/web\n"
	    "[journal]\nbackend = systemd\nlogpath =\n");
	struct setup *s = config_folder_setup(*state, NULL);

	assert_int_equal(s->n_jails, 4);
	assert_true(setup_hears_refusals(s, 0) && setup_hears_refusals(s, 1));
	assert_false(setup_hears_refusals(s, 2));
	assert_true(setup_hears_refusals(s, 3));
	setup_free(s);
}

static void steps_have_mistakes_with_a_place(void **state)
{
	struct diag d = {0};

	config_folder_write(*state, "bandog.conf",
	    "[Definition]\npolicysocket = private/x\nrefusetext = s\xc3\xa4tze\n");
	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "[a]\nsteps = refuse 1h, shout 2h, drop, reject 3h\n"
	    "[b]\nsteps = drop 1h, refuse 2h\n"
	    "[c]\nsteps = refuse 1h, dropall 2h\naction = sendmail\n"
	    "[d]\nsteps = drop 1h\nrefusecode = 554\n");
	struct setup *s = config_folder_setup(*state, &d);

	assert_int_equal(s->n_jails, 0);
	assert_true(says(&d, "steps: 'shout 2h' is no step"));
	assert_true(says(&d, "steps: '' is no time"));
	assert_true(says(&d, "'refuse' is softer than 'drop' before it"));
	assert_true(says(&d, "steps: 'dropall' needs an action that bandog carries"));
	assert_true(says(&d, "refusecode: '554' is not possible"));
	assert_true(says(&d, "policysocket: 'private/x' must be an absolute path"));
	assert_true(says(&d, "refusetext: one line of plain ASCII is expected"));
	for (size_t i = 0; i < d.n; i++) {
		if (strstr(d.items[i].text, "shout"))
			assert_int_equal(d.items[i].at.col, 20);
	}
	setup_free(s);
	diag_deinit(&d);
}

static void formulas_have_mistakes_with_a_place(void **state)
{
	struct diag d = {0};

	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "bantime.increment = yes\n"
	    "[a]\nbantime.formula = ban.Time * sqrt(2)\n"
	    "[b]\nbantime.factor = ban.Count\n"
	    "[c]\nbantime.multipliers = 1 2 many\n"
	    "[d]\nbantime.formula = 600 / (ban.Count - 3)\n"
	    "[e]\nbantime.increment = no\nbantime.formula = (\n");
	struct setup *s = config_folder_setup(*state, &d);

	assert_int_equal(s->n_jails, 2);
	assert_string_equal(s->jails[0].name, "d");
	assert_int_equal(d.n_errors, 3);
	assert_true(says(&d, "bantime.formula: there is no 'sqrt' in a formula"));
	assert_int_equal(d.items[0].at.line, 7);
	assert_int_equal(d.items[0].at.col, 19 + 11);
	assert_true(says(&d, "bantime.factor: ban.Count has no value here"));
	assert_true(says(&d, "bantime.multipliers: expected whole numbers"));
	assert_true(says(&d, "after 3 bans it divides by zero"));
	assert_true(says(&d, "bantime.formula: ends too early"));
	setup_free(s);
	diag_deinit(&d);
}

static void reduced_values_of_commands_are_told(void **state)
{
	struct diag d = {0};

	config_folder_write(*state, "action.d/plain.conf",
	    "[Definition]\nactionban = printf %%s \"<matches>\" | mail -s x root\n");
	config_folder_write(*state, "action.d/word.conf",
	    "[Definition]\nactionban = notify <ip> <who>\n[Init]\nwho = <F-USER>\n");
	config_folder_write(*state, "action.d/inert.conf",
	    "[Definition]\nactionstart = eval x\n"
	    "actionunban = echo; eval \"<F-USER>\"\n");
	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "[a]\naction = plain\n word\n inert\n"
	    "[b]\naction = plain\nignorecommand = sh -c <F-USER>\n"
	    "[c]\naction = plain\nignorecommand = /usr/bin/known <ip>\n"
	    "[d]\naction = plain\nignorecommand = /usr/bin/known <ip>\n"
	    "failregex = ^<F-ID>\\w+</F-ID>$\n");
	struct setup *s = config_folder_setup(*state, &d);

	assert_int_equal(s->n_jails, 4);
	assert_int_equal(d.n_warnings, 4);
	assert_true(says(&d,
	    "jail a: action 'word': actionban: values from logs become words of "
	    "letters, digits, '.', '-' and '@': what this program makes of its "
	    "arguments is not known (at 'notify <ip> <F-USER>')"));
	assert_true(says(&d,
	    "jail a: action 'inert': actionunban: values from logs become '_' and "
	    "letters and digits: this program runs or interprets what it is told (at "
	    "'eval \"<F-USER>\"')"));
	assert_true(says(&d, "jail b: ignorecommand: values from logs become '_'"));
	/* Where an id is banned, <ip> is one too. */
	assert_true(says(&d, "jail d: ignorecommand: values from logs become words"));
	setup_free(s);
	diag_deinit(&d);
}

static void every_mistake_is_told_and_spoils_its_jail_only(void **state)
{
	struct diag d = {0};

	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "[ports]\nport = smtp,nonsense\n"
	    "[regex]\nfailregex = ^<HOST> (unclosed\n"
	    "[nohost]\nfailregex = ^nothing here$\n"
	    "[relative]\nlogpath = mail.log\n"
	    "[fine]\nignoreip = 192.0.2.0/24 example.org 192.0.2.300\n");
	struct setup *s = config_folder_setup(*state, &d);

	assert_int_equal(s->n_jails, 1);
	assert_string_equal(s->jails[0].name, "fine");
	assert_int_equal(s->jails[0].n_ignore, 1);
	assert_int_equal(s->jails[0].n_ignore_words, 1);
	assert_string_equal(s->jails[0].ignore_words[0], "example.org");
	assert_true(setup_uses_names(s));
	assert_true(says(&d, "'nonsense'"));
	assert_true(says(&d, "failregex"));
	assert_true(says(&d, "absolute"));
	assert_true(says(&d, "'192.0.2.300'"));
	assert_int_equal(d.n_errors, 4);
	assert_int_equal(d.n_fatal, 0);
	assert_int_equal(s->n_left_out, 4);
	assert_string_equal(s->left_out[3].name, "relative");
	assert_non_null(strstr(s->left_out[3].why, "jail.conf:12:11: error: logpath"));
	assert_int_equal(s->n_sources, 1);
	diag_deinit(&d);
	setup_free(s);
}

static bool says_at(const struct diag *d, unsigned int line, const char *text)
{
	for (size_t i = 0; i < d->n; i++) {
		if (d->items[i].at.line == line && strstr(d->items[i].text, text))
			return true;
	}
	return false;
}

static void a_mistake_does_not_hide_the_next_one(void **state)
{
	struct diag d = {0};

	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\n"
	    "banaction = nftables\n"
	    "action = %(banaction)s[port=\"%(port)s\"]\n"
	    "[mine]\n"
	    "enabled = true\n"
	    "maxretry = many\n"
	    "filter = postfix\n"
	    "failregex = ^<HOST> (unclosed\n"
	    "logpath = mail.log\n"
	    "ignoreip = 192.0.2.0/33\n"
	    "port = nonsense\n");
	struct setup *s = config_folder_setup(*state, &d);

	assert_int_equal(s->n_jails, 0);
	assert_true(says_at(&d, 6, "'many'"));
	assert_true(says_at(&d, 8, "failregex"));
	assert_true(says_at(&d, 9, "absolute"));
	assert_true(says_at(&d, 10, "192.0.2.0/33"));
	assert_true(says_at(&d, 11, "'nonsense'"));
	diag_deinit(&d);
	setup_free(s);
}

static void actions_that_need_a_command_are_told(void **state)
{
	struct diag d = {0};

	config_folder_write(*state, "jail.conf",
	    "[a]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "action = iptables-multiport[name=x, port=\"smtp,587\", protocol=tcp]\n"
	    "         nftables-allports[protocol=udp]\n"
	    "         no-such-thing[dest=root]\n"
	    "         hostsdeny[file=/tmp/deny, daemon_list=\"smtpd\"]\n");
	struct setup *s = config_folder_setup(*state, &d);
	const struct setup_jail *j = &s->jails[0];

	assert_int_equal(d.n_errors, 0);
	assert_true(says(&d, "no-such-thing"));
	assert_int_equal(j->n_targets, 2);
	assert_int_equal(j->targets[0].n_ports, 2);
	assert_int_equal(j->targets[1].n_ports, 0);
	assert_int_equal(j->targets[1].protocol, IPPROTO_UDP);
	assert_string_not_equal(j->targets[0].name, j->targets[1].name);
	assert_string_equal(j->hosts_deny[0].daemons, "smtpd");
	diag_deinit(&d);
	setup_free(s);
}

static void xdp_names_its_interfaces(void **state)
{
	struct diag d = {0};

	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "protocol = tcp\nbanaction = xdp[interface=\"eth0, eth1\"]\n"
	    "banaction_allports = xdp[interface=eth0, type=allports]\n"
	    "action = %(banaction)s[port=\"%(port)s\", protocol=\"%(protocol)s\"]\n"
	    "[a]\nport = smtp,587\n"
	    "[b]\nport = 25\naction = %(banaction_allports)s[port=\"%(port)s\"]\n"
	    "[c]\nport = 25\naction = xdp\n"
	    "[d]\nport = 25\naction = xdp[interface=eth0, type=all]\n");
	struct setup *s = config_folder_setup(*state, &d);

	if (!xdp_is_built()) {
		assert_int_equal(s->n_left_out, 4);
		assert_true(says(&d, "built without XDP"));
		diag_deinit(&d);
		setup_free(s);
		return;
	}
	assert_int_equal(s->n_jails, 2);
	assert_int_equal(s->jails[0].n_targets, 2);
	assert_true(s->jails[0].targets[0].is_xdp && s->jails[0].targets[1].is_xdp);
	assert_string_equal(s->jails[0].targets[0].interface, "eth0");
	assert_string_equal(s->jails[0].targets[1].interface, "eth1");
	assert_int_equal(s->jails[0].targets[1].n_ports, 2);
	assert_string_not_equal(
	    s->jails[0].targets[0].name, s->jails[0].targets[1].name);
	assert_int_equal(s->jails[1].targets[0].n_ports, 0);
	assert_int_equal(s->jails[1].targets[0].protocol, 0);
	assert_true(setup_uses_xdp(s));
	CLEANUP(buf_deinit) struct buf wire = BUF_INIT(1 << 24);
	struct setup *again = NULL;

	setup_encode(s, &wire);
	assert_int_equal(setup_decode(buf_span(&wire), &again), 0);
	assert_true(again->jails[0].targets[1].is_xdp);
	assert_string_equal(again->jails[0].targets[1].interface, "eth1");
	setup_free(again);
	assert_int_equal(s->n_left_out, 2);
	assert_true(says_at(&d, 16, "xdp[interface=eth0]"));
	assert_true(says_at(&d, 19, "type 'all' is unknown"));
	diag_deinit(&d);
	setup_free(s);
}

static void xdp_is_bounded(void **state)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(1 << 16);
	struct diag d = {0};

	if (!xdp_is_built())
		return;
	buf_add_str(&text, "[DEFAULT]\nenabled = true\nfilter = postfix\n"
			   "logpath = /var/log/a\naction = xdp[interface=eth0]\n");
	for (int i = 0; i <= XDP_MAX_TARGETS; i++)
		buf_printf(&text, "[j%d]\n", i);
	config_folder_write(*state, "jail.conf", buf_str(&text));
	struct setup *s = config_folder_setup(*state, &d);

	assert_int_equal(s->n_jails, XDP_MAX_TARGETS);
	assert_int_equal(s->n_left_out, 1);
	assert_true(says(&d, "more than 64 actions 'xdp'"));
	diag_deinit(&d);
	setup_free(s);
}

/* Each in a table of its own, but that XDP has none and two jails share one. */
static void tables_are_bounded(void **state)
{
	struct nft_target targets[NFT_MAX_TABLES + 3] = {{.is_xdp = true}};
	struct setup_jail jails[ARRAY_LEN(targets)] = {{0}};
	const struct conf_jail c = {.name = "one more"};
	struct setup s = {.jails = jails};
	struct diag d = {0};

	(void)state;
	for (uint32_t i = 0; i < ARRAY_LEN(jails); i++) {
		struct setup_jail *j = &jails[i];

		*j = (struct setup_jail){.targets = &targets[i], .n_targets = 1};
		(void)snprintf(targets[i].place.table, sizeof(targets[i].place.table),
		    "t%u", i == 2 ? 1 : i);
		s.n_jails = i;
		assert_int_equal(
		    setup_check_tables(&s, &c, &d, j), i == ARRAY_LEN(jails) - 1);
	}
	assert_int_equal(d.n_errors, 1);
	assert_true(says(&d, "more than 16 tables"));
	diag_deinit(&d);
}

static void actions_that_do_more_are_commands(void **state)
{
	config_folder_write(*state, "action.d/iptables.conf",
	    "[Definition]\nactionban = <iptables> -I f2b-<name> 1 -s <ip> -j "
	    "<blocktype>\n"
	    "[Init]\niptables = iptables -w\nblocktype = DROP\n"
	    "[Init?family=inet6]\niptables = ip6tables -w\n");
	config_folder_write(*state, "action.d/mine.conf",
	    "[Definition]\nactionban = iptables -I x -s <ip> -j DROP; logger <ip>\n");
	config_folder_write(*state, "jail.conf",
	    "[a]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "action = iptables[port=25]\n"
	    "         iptables[actname=own, native=no]\n"
	    "         mine\n"
	    "         smtp.py[dest=\"a@example.org\"]\n"
	    "[b]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "native = no\nsever = no\nmakeroom = no\nadapt = yes\ngroup = 8\n"
	    "groupprefix6 = 64\naction = iptables\n");
	struct setup *s = config_folder_setup(*state, NULL);
	const struct setup_jail *j = &s->jails[0];

	assert_int_equal(j->n_targets, 1);
	assert_int_equal(j->n_commands, 3);
	assert_string_equal(j->commands[0].name, "own");
	assert_string_equal(j->commands[1].name, "mine");
	assert_true(j->commands[2].is_mail);
	assert_int_equal(s->jails[1].n_targets, 0);
	assert_int_equal(s->jails[1].n_commands, 1);
	assert_true(j->sever && !s->jails[1].sever);
	assert_true(j->makeroom && !s->jails[1].makeroom);
	CLEANUP(freep) struct engine_jail *jails = setup_engine_jails(s);

	/* Without rules, and where nothing is said: as fail2ban. */
	assert_false(jails[0].adapt || jails[0].group);
	assert_true(jails[1].adapt);
	assert_int_equal(jails[1].group, 8);
	assert_int_equal(jails[1].groupprefix4, 24);
	assert_int_equal(jails[1].groupprefix6, 64);
	assert_true(setup_uses_commands(s));
	setup_free(s);
}

static void a_journal_is_a_source_per_place_and_match(void **state)
{
	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\nenabled = true\nfilter = postfix\nbackend = systemd\n"
	    "[a]\njournalmatch = _SYSTEMD_UNIT=a.service + _COMM=a\n"
	    "[b]\njournalmatch = _SYSTEMD_UNIT=a.service + _COMM=a\n"
	    "[c]\nbackend = systemd[journalpath=/var/log/j]\n");
	struct setup *s = config_folder_setup(*state, NULL);

	assert_int_equal(s->n_jails, 3);
	assert_int_equal(s->n_sources, 2);
	assert_int_equal(s->jails[0].sources[0], s->jails[1].sources[0]);
	assert_true(s->sources[0].is_journal && s->sources[1].is_journal);
	assert_string_equal(
	    s->sources[0].journal_match, "_SYSTEMD_UNIT=a.service + _COMM=a");
	assert_null(s->sources[0].journal_path);
	assert_string_equal(s->sources[1].journal_path, "/var/log/j");
	assert_true(setup_filter_options(&s->jails[0]).no_date);
	setup_free(s);
}

static void why_a_jail_is_left_out_is_its_first_mistake(void **state)
{
	struct diag d = {0};

	config_folder_write(*state, "filter.d/other.conf", "[Definition]\nno line\n");
	config_folder_write(*state, "jail.conf",
	    "[DEFAULT]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n"
	    "[a]\nmaxretry = many\nport = nonsense\n"
	    "[b]\nfilter = other\nlogpath = /var/log/b\n[c]\nfilter = other\n"
	    "[d]\nfilter = nowhere\n");
	struct setup *s = config_folder_setup(*state, &d);

	assert_int_equal(d.n_fatal, 0);
	assert_int_equal(s->n_jails, 0);
	assert_int_equal(s->n_sources, 0);
	assert_int_equal(s->n_left_out, 4);
	assert_non_null(strstr(s->left_out[0].why, "'many'"));
	assert_non_null(strstr(s->left_out[1].why, "other.conf:2"));
	assert_non_null(strstr(s->left_out[2].why, "has errors"));
	assert_non_null(strstr(s->left_out[3].why, "'nowhere'"));
	diag_deinit(&d);
	setup_free(s);
	/* What belongs to no jail spoils the whole. */
	config_folder_write(*state, "jail.conf", "[a]\nenabled = true\nno line\n");
	s = config_folder_setup(*state, &d);
	assert_int_equal(d.n_fatal, 1);
	diag_deinit(&d);
	setup_free(s);
}

static struct setup *full_setup(void **state)
{
	config_folder_write(*state, "jail.conf",
	    "[a]\nenabled = true\nfilter = postfix\nlogpath = /var/log/a\n  /var/log/b "
	    "tail\n"
	    "action = nftables[port=\"25,1000:2000\"]\n  hostsdeny\n"
	    "  smtp.py[dest=root]\n"
	    "ignoreip = 192.0.2.0/24 2001:db8::/32 mx.example.org file:/x\nignoreregex "
	    "= fine\nbantime = -1\n"
	    "logtimezone = UTC\nbackend = polling\nlogencoding = utf-16be\n");
	config_folder_write(*state, "bandog.conf",
	    "[Definition]\nneverban = 198.51.100.1\nprotectlogins = no\n");
	return config_folder_setup(*state, NULL);
}

static void the_wire_form_keeps_everything(void **state)
{
	struct setup *s = full_setup(state), *t = NULL;
	struct buf a = BUF_INIT(1 << 20), b = BUF_INIT(1 << 20);

	s->generation = 7;
	setup_encode(s, &a);
	assert_int_equal(setup_decode(buf_span(&a), &t), 0);
	setup_encode(t, &b);
	assert_true(span_eq(buf_span(&a), buf_span(&b)));
	assert_int_equal(t->generation, 7);
	assert_int_equal(t->jails[0].bantime_sec, -1);
	assert_true(t->sources[1].tail && t->sources[1].poll);
	assert_int_equal(t->n_never_ban, 1);
	assert_false(t->protect_logins);
	setup_free(t);
	setup_free(s);
	buf_deinit(&a);
	buf_deinit(&b);
}

static void a_cut_wire_form_is_refused(void **state)
{
	struct setup *s = full_setup(state), *t = NULL;
	struct buf a = BUF_INIT(1 << 20);

	setup_encode(s, &a);
	for (size_t n = 0; n < a.n; n++)
		assert_int_equal(setup_decode((struct span){a.p, n}, &t), -EBADMSG);
	assert_null(t);
	setup_free(s);
	buf_deinit(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(
		the_first_configuration_writes_hosts_deny, make, unmake),
	    cmocka_unit_test_setup_teardown(
		the_one_in_use_closes_its_ports, make, unmake),
	    cmocka_unit_test_setup_teardown(logs_are_shared_by_jails, make, unmake),
	    cmocka_unit_test_setup_teardown(
		longer_bans_are_compiled_and_travel, make, unmake),
	    cmocka_unit_test_setup_teardown(
		steps_have_targets_of_their_own, make, unmake),
	    cmocka_unit_test_setup_teardown(
		refusals_are_heard_where_the_mail_server_logs, make, unmake),
	    cmocka_unit_test_setup_teardown(
		steps_have_mistakes_with_a_place, make, unmake),
	    cmocka_unit_test_setup_teardown(
		formulas_have_mistakes_with_a_place, make, unmake),
	    cmocka_unit_test_setup_teardown(
		reduced_values_of_commands_are_told, make, unmake),
	    cmocka_unit_test_setup_teardown(
		every_mistake_is_told_and_spoils_its_jail_only, make, unmake),
	    cmocka_unit_test_setup_teardown(
		why_a_jail_is_left_out_is_its_first_mistake, make, unmake),
	    cmocka_unit_test_setup_teardown(
		a_mistake_does_not_hide_the_next_one, make, unmake),
	    cmocka_unit_test_setup_teardown(
		actions_that_need_a_command_are_told, make, unmake),
	    cmocka_unit_test_setup_teardown(xdp_names_its_interfaces, make, unmake),
	    cmocka_unit_test_setup_teardown(xdp_is_bounded, make, unmake),
	    cmocka_unit_test_setup_teardown(tables_are_bounded, make, unmake),
	    cmocka_unit_test_setup_teardown(
		actions_that_do_more_are_commands, make, unmake),
	    cmocka_unit_test_setup_teardown(
		a_journal_is_a_source_per_place_and_match, make, unmake),
	    cmocka_unit_test_setup_teardown(
		the_wire_form_keeps_everything, make, unmake),
	    cmocka_unit_test_setup_teardown(a_cut_wire_form_is_refused, make, unmake),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
