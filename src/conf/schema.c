/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schema - the table of options and the reading of typed values
 */

#include "conf/schema.h"

#include <errno.h>

#include "base/clock.h"
#include "conf/chars.h"

#define NAME_MAX_BYTES 40

#define G SCHEMA_GLOBAL
#define J SCHEMA_JAIL
#define M SCHEMA_MATERIAL
#define F SCHEMA_FILTER
#define A SCHEMA_ACTION
#define R SCHEMA_RULE
#define TEXT(name, where, initial, help)                            \
	{                                                           \
		name, where, SCHEMA_TEXT, NULL, initial, 0, 0, help \
	}
#define LIST(name, where, type, help)                     \
	{                                                 \
		name, where, type, NULL, NULL, 0, 0, help \
	}
#define BOOL(name, where, initial, help)                            \
	{                                                           \
		name, where, SCHEMA_BOOL, NULL, initial, 0, 0, help \
	}
#define COUNT(name, where, unit, initial, min, max, help)                \
	{                                                                \
		name, where, SCHEMA_COUNT, unit, initial, min, max, help \
	}
#define TIME(name, where, initial, help)                                     \
	{                                                                    \
		name, where, SCHEMA_DURATION, "seconds", initial, 0, 0, help \
	}

const struct schema_option schema_options[] = {
    /* bandog.conf */
    TEXT("loglevel", G, "INFO",
	"The least important messages that are logged: CRITICAL, ERROR, WARNING, "
	"NOTICE, INFO or DEBUG."),
    TEXT("logtarget", G, "SYSLOG",
	"Where messages go: SYSLOG, SYSTEMD-JOURNAL, STDERR, STDOUT, SYSOUT, or a "
	"file; "
	"with parameters: NAME[option=value]."),
    TEXT("logstyle", G, "auto", "The words of messages: bandog, fail2ban, or auto."),
    TEXT("syslogsocket", G, "auto", "The socket of syslog: auto, or a path."),
    TEXT("socket", G, NULL, "The control socket of fail2ban."),
    TEXT("pidfile", G, NULL, "A further file to write the number of the process to."),
    TEXT("user", G, "bandog", "The user that the processes without rights run as."),
    BOOL("dryrun", G, "no", "Decide and tell, but touch no firewall."),
    COUNT("minprefix4", G, "bits", "16", 0, 32,
	"No IPv4 network with a shorter prefix than this is ever banned."),
    COUNT("minprefix6", G, "bits", "32", 0, 128,
	"No IPv6 network with a shorter prefix than this is ever banned."),
    COUNT("maxbanrate", G, "bans per second", "10000", 1, 10000000,
	"More bans than this in one second have to wait."),
    TEXT("policysocket", G, "/var/spool/postfix/private/bandog",
	"The socket on which a mail server asks whom to refuse, for jails with steps."),
    TEXT("refusetext", G, NULL,
	"Said to those who are refused, behind the reason: whom to ask, where to "
	"read."),
    LIST("neverban", G, SCHEMA_WORDS,
	"Addresses and networks that are never banned, whatever a jail says."),
    BOOL("protectlogins", G, "yes",
	"Never ban an address that somebody is logged in from now."),
    TEXT("allowipv6", G, "auto",
	"Whether names may stand for IPv6 addresses: auto, yes or no."),
    TEXT("dbfile", G, NULL,
	"None or :memory: keep nothing beyond the end of the daemon."),
    COUNT("dbmaxmatches", G, "lines", "10", 0, 1000000,
	"So many matched lines are stored with each ban."),
    TIME("dbpurgeage", G, "30d", "How long a ban stays in the history after its end."),

    /* jails, in two steps: these three first */
    BOOL("enabled", J, "no", "Only enabled jails run."),
    TEXT("backend", J, "auto",
	"How logs are read: auto, inotify (or pyinotify), polling, systemd."),
    TEXT("filter", J, "",
	"The filter, with parameters: NAME[option=value]; read from filter.d."),

    LIST("logpath", J, SCHEMA_LINES,
	"The logs to read, one pattern a line; ' tail' behind it begins at its end."),
    BOOL("skip_if_nologs", J, "no", "Skip the jail while none of its logs exists."),
    BOOL("systemd_if_nologs", J, "yes",
	"With backend auto, read the journal while none of the logs exists."),
    COUNT("maxretry", J, "failures", "3", 0, 1000000,
	"So many failures within findtime lead to a ban."),
    TIME("findtime", J, "600", "The time within which failures are counted."),
    TIME("bantime", J, "600", "How long a ban lasts; negative: for good."),
    BOOL("adapt", J, NULL,
	"Lower maxretry while very many addresses offend; yes where the filter has "
	"rules."),
    COUNT("group", J, "addresses", NULL, 0, 16,
	"So many banned addresses of a network ban it whole; 0: never; 4 where the "
	"filter has rules."),
    COUNT("groupprefix4", J, "bits", "24", 8, 31,
	"IPv4 networks that group bans have a prefix that is no shorter."),
    COUNT("groupprefix6", J, "bits", "48", 32, 127,
	"IPv6 networks that group bans have a prefix that is no shorter."),
    COUNT("maxmatches", J, "lines", "5", 0, 1000000,
	"So many matched lines are kept for each address."),
    BOOL("bantime.increment", J, "no",
	"Longer bans, and fewer failures up to them, for those who come back."),
    TEXT("bantime.factor", J, "1",
	"Multiplies the longer bans; a number, or an expression without ban."),
    TEXT("bantime.formula", J, NULL,
	"The length of a longer ban, as an expression in Python."),
    TEXT("bantime.multipliers", J, NULL,
	"The longer bans as multiples of bantime, in place of the formula."),
    TIME("bantime.maxtime", J, NULL,
	"The longest of the longer bans; negative: the second is for good."),
    TIME("bantime.rndtime", J, NULL, "At most so much is added to a ban by chance."),
    BOOL("bantime.overalljails", J, "no", "Count the bans of all jails."),
    BOOL("ignoreself", J, "yes", "Never ban the machine's own addresses."),
    LIST("ignoreip", J, SCHEMA_WORDS,
	"Addresses, networks and names that this jail never bans; file:PATH reads "
	"them from a file."),
    TEXT("ignorecommand", J, NULL, "A command; if it succeeds, there is no ban."),
    TEXT("ignorecache", J, NULL, "How long the answers of ignorecommand are kept."),
    TEXT("usedns", J | F, "warn",
	"Whether host names in logs are looked up: yes, warn, no or raw."),
    TEXT("logencoding", J, "auto", "The character encoding of the logs."),
    TEXT("logtimezone", J, NULL,
	"The zone of times in logs that name none: UTC, CET, +0200."),
    TEXT("prefregex", J | F, NULL,
	"A regex that each line must match before the others are tried."),
    LIST("failregex", J | F, SCHEMA_LINES,
	"The regexes that find failures, one a line."),
    LIST("ignoreregex", J | F, SCHEMA_LINES,
	"Lines that match one of these regexes are no failures."),
    TEXT("datepattern", J | F, NULL, "How times look in the log."),
    COUNT("maxlines", J | F, "lines", "1", 1, 10000,
	"So many lines are matched together."),
    TEXT("journalmatch", J | F, NULL, "The entries of the journal that are read."),
    TEXT("action", J, "", "What a ban does: one or more NAME[option=value]."),
    BOOL("native", J, "yes",
	"Drop addresses by ourselves where an action's commands would do just that."),
    BOOL("sever", J, "yes",
	"End the connections that an address has open when it is banned."),
    TEXT("steps", J, NULL,
	"How the jail answers the first time, the second and so on, each with its "
	"time: "
	"refuse, reject, drop, dropall."),
    TEXT("refusecode", J, "421",
	"The reply code of a step that refuses: 421 ends the session, 450 does not."),
    BOOL("makeroom", J, "yes",
	"While a server is full, end silent connections of addresses that failed."),

    /* what jail.conf uses to build the options above */
    TEXT("port", M, NULL, "The ports that a ban closes: names, numbers, ranges."),
    TEXT("protocol", M, NULL, "The protocol of these ports: tcp or udp."),
    TEXT("chain", M, NULL, "The firewall chain, for actions that have one."),
    TEXT("mode", M, NULL, "The mode of the filter: normal, ddos, extra, aggressive."),
    TEXT("banaction", M, NULL, "The action that closes the jail's ports."),
    TEXT("banaction_allports", M, NULL, "The action that closes all ports."),
    TEXT("destemail", M, NULL, "Who gets mail."),
    TEXT("sender", M, NULL, "From whom mail comes."),
    TEXT("mta", M, NULL, "The program that sends mail."),
    TEXT("fail2ban_agent", M, NULL, "The name given to reporting services."),

    /* [Rule NAME] of filter.d; what a jail has of the same name is another option */
    BOOL("enabled", R, "yes", "Whether the rule is there at all."),
    LIST("regex", R, SCHEMA_LINES,
	"The regexes of the rule, one a line, like failregex."),
    TEXT("class", R, "abuse",
	"What a match says: abuse, misconfiguration, local-fault, neutral or good."),
    TEXT("weight", R, "1", "What a match weighs, in failures, to a hundredth."),
    TIME("bantime", R, NULL, "How long a ban lasts that this rule brings about."),
    TEXT("distinct", R, NULL, "The field of which each value counts once a day."),
    COUNT("free", R, "values", "0", 0, 10000,
	"So many distinct values of a day do not count."),
    TEXT("bind", R, NULL, "The field that stands for the line's address from now on."),
    TEXT("via", R, NULL, "The field that stands for the address the line is about."),
    TEXT("account", R, "user", "The field that names the account under attack."),
    BOOL("adapt", R, "yes",
	"Whether very many who do this lower its threshold to a quarter, not only a "
	"half."),
    LIST("mode", R, SCHEMA_WORDS, "The modes of the filter that have this rule."),

    /* action.d */
    TEXT("actionstart", A, NULL, "The command that prepares the firewall."),
    BOOL(
	"actionstart_on_demand", A, NULL, "Run actionstart before the first ban only."),
    TEXT("actionstop", A, NULL, "The command that undoes actionstart."),
    TEXT("actionflush", A, NULL, "The command that lifts all bans at once."),
    TEXT("actionreload", A, NULL, "The command for a reload."),
    TEXT("actioncheck", A, NULL, "The command that checks what actionstart made."),
    TEXT("actionrepair", A, NULL, "The command that mends it."),
    BOOL("actionrepair_on_unban", A, NULL, "Mend also when an unban fails."),
    TEXT("actionban", A, NULL, "The command that bans."),
    TEXT("actionprolong", A, NULL, "The command that prolongs a ban."),
    TEXT("actionreban", A, NULL, "The command that bans again after a repair."),
    TEXT("actionunban", A, NULL, "The command that lifts a ban."),
    BOOL("norestored", A, NULL, "Not for bans that were restored at a start."),
    TIME("timeout", A, "60", "How long a command may take."),
};

const size_t schema_n_options = ARRAY_LEN(schema_options);

const struct schema_option *schema_find(struct span name, unsigned int where)
{
	for (size_t i = 0; i < schema_n_options; i++)
		if ((schema_options[i].where & where) &&
		    span_eq(span_of(schema_options[i].name), name))
			return &schema_options[i];
	return NULL;
}

static unsigned int min3(unsigned int a, unsigned int b, unsigned int c)
{
	unsigned int m = a < b ? a : b;

	return m < c ? m : c;
}

/* Edits between two names: insert, delete, replace, swap neighbours. */
static unsigned int distance(struct span a, struct span b)
{
	unsigned int rows[3][NAME_MAX_BYTES + 1];
	unsigned int *older = rows[0], *old = rows[1], *now = rows[2];

	for (unsigned int j = 0; j <= b.n; j++)
		old[j] = j;
	for (unsigned int i = 1; i <= a.n; i++) {
		unsigned int *spare = older;

		now[0] = i;
		for (unsigned int j = 1; j <= b.n; j++) {
			unsigned int differs = a.p[i - 1] != b.p[j - 1];

			now[j] = min3(old[j] + 1, now[j - 1] + 1, old[j - 1] + differs);
			if (i > 1 && j > 1 && a.p[i - 1] == b.p[j - 2] &&
			    a.p[i - 2] == b.p[j - 1] && older[j - 2] + 1 < now[j])
				now[j] = older[j - 2] + 1;
		}
		older = old;
		old = now;
		now = spare;
	}
	return old[b.n];
}

const struct schema_option *schema_find_near(struct span name, unsigned int where)
{
	const struct schema_option *best = NULL;
	unsigned int best_distance = 0;

	if (name.n < 4 || name.n > NAME_MAX_BYTES)
		return NULL;
	for (size_t i = 0; i < schema_n_options; i++) {
		const struct schema_option *o = &schema_options[i];
		/* Short names are too close to each other for two edits. */
		unsigned int limit = strlen(o->name) < 7 ? 1 : 2;
		unsigned int n;

		if (!(o->where & where))
			continue;
		n = distance(name, span_of(o->name));
		if (n > 0 && n <= limit && (!best || n < best_distance)) {
			best = o;
			best_distance = n;
		}
	}
	return best;
}

static bool is_one_of(struct span s, const char *const *words, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (span_eq_nocase(s, span_of(words[i])))
			return true;
	return false;
}

void schema_read_bool(
    struct diag *d, const struct schema_option *o, const struct text *t, bool *out)
{
	static const char *const yes[] = {"1", "on", "true", "yes"};
	static const char *const no[] = {"0", "off", "false", "no"};
	struct span s = chars_trim(text_span(t));

	*out = is_one_of(s, yes, ARRAY_LEN(yes));
	if (!*out && !is_one_of(s, no, ARRAY_LEN(no)))
		diag_add(d, DIAG_WARNING, text_place(t, 0),
		    "%s: '%s' is neither yes nor no, and counts as no (try yes, true, "
		    "on, "
		    "1)",
		    o->name, chars_show(s).text);
}

int schema_read_count(
    struct diag *d, const struct schema_option *o, const struct text *t, int64_t *out)
{
	struct span s = chars_trim(text_span(t));
	int64_t v;
	int r = span_to_i64(s, &v);

	if (r == 0 && v >= o->min && v <= o->max) {
		*out = v;
		return 0;
	}
	if (r == -EINVAL)
		diag_add(d, DIAG_ERROR, text_place(t, 0),
		    "%s: '%s' is not a whole number (try %s)", o->name,
		    chars_show(s).text, o->initial);
	else
		diag_add(d, DIAG_ERROR, text_place(t, 0),
		    "%s: %s is out of range, expected %lld to %lld %s", o->name,
		    chars_show(s).text, (long long)o->min, (long long)o->max, o->unit);
	return -EINVAL;
}

int schema_read_duration(struct diag *d, const struct schema_option *o,
    const struct text *t, double *out_sec)
{
	struct span s = chars_trim(text_span(t));

	if (s.n && duration_parse(s, out_sec) == 0)
		return 0;
	diag_add(d, DIAG_ERROR, text_place(t, 0),
	    "%s: '%s' is not a duration (try 600, 10m, 1h30m)", o->name,
	    chars_show(s).text);
	return -EINVAL;
}
