/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * filter - a compiled fail2ban filter: line in, failure out
 *
 * Does what section 2 of fail2ban's semantics says: date cut out, prefregex with
 * <F-CONTENT>, failregex in order, ignoreregex, groups to failure id, sessions by
 * <F-MLFID>, maxlines. Keeps state from line to line, so one filter serves one jail and
 * sees its lines in order. No window and no counting: that is decide/.
 *
 * Three rules of ours. An ignoreregex is looked for where a failregex has matched, in
 * the text which that one saw and in the whole line (fail2ban looks in one of the two,
 * the number of regexes decides in which). What <F-NOFAIL> marks is no failure, also
 * outside of a session. And an address that inet_pton() does not take is none.
 */

#include "base/err.h"
#include "base/net.h"
#include "flow/line.h"
#include "match/literals.h"
#include "match/recent.h"

enum filter_usedns { FILTER_DNS_WARN, FILTER_DNS_YES, FILTER_DNS_NO, FILTER_DNS_RAW };

/* What the regexes of a section [Rule NAME] do beyond those of failregex. Fields are
 * named as filter_fields() does: "rcpt" for <F-RCPT>; NULL: none. */
struct filter_rule {
	const char *name; /* for messages */
	const char *regex;
	const char *distinct; /* field whose values are told apart: .value */
	const char *account;  /* field with the account: .account; NULL: <F-USER> */
	const char *bind;     /* field that stands for the address from now on */
	const char *via;      /* field that stands for the address, if there is none */
};

struct filter_options {
	const char *prefregex;        /* NULL: none */
	const char *const *failregex; /* tags like <HOST> still in them */
	size_t n_failregex;
	/* Tried behind the failregexes, in this order, and numbered on from them. */
	const struct filter_rule *rules;
	size_t n_rules;
	const char *const *ignoreregex;
	size_t n_ignoreregex;
	const char *datepattern;   /* NULL: the defaults */
	const char *timezone;      /* logtimezone or NULL */
	enum filter_usedns usedns; /* NO: <HOST> takes addresses only */
	unsigned int maxlines;     /* 0 is taken as 1; up to RING_LINES_MAX */
	bool no_date;              /* lines carry no date of their own (journal) */
};

struct filter;

enum {
	FILTER_MISS = 0,
	FILTER_FAILURE = 1, /* counts; *out is filled */
	FILTER_HELPED,      /* matched, but is no failure (nofail, gained, waits for an
			       address, or nothing is bound to what stands for it) */
	FILTER_IGNORED,     /* an ignoreregex matched */
	FILTER_NO_ADDRESS, /* matched, but what stands at <HOST> is no address (usedns =
			      no resolves nothing, 300.1.1.1 is refused); *out is filled
			    */
	FILTER_LIMIT,      /* a regex gave up on this line */
};

struct filter_field {
	const char *name;
	struct span value;
};

struct filter_failure {
	wall_t at;        /* WALL_NONE: no date to be had */
	struct span id;   /* the failure id: address text unless <F-ID> differs */
	struct span host; /* address or name as it stood in the line */
	bool has_net;
	struct net net; /* when has_net */
	bool is_id;     /* id is a text of its own, not that of an address; see
			   net_parse_id() whether it will do */
	bool is_name;   /* host is a DNS name, to be resolved by whoever may; never
			   with FILTER_DNS_RAW */
	uint16_t rule;  /* index of the failregex */
	/* In a filter with rules; keyed hashes of text in lower case, 0: none. */
	uint64_t value, account;
	uint32_t
	    attempts; /* lines that belong to this failure (sessions), at least 1 */
};

/* Return: NULL with @e: which regex ("failregex[2]: ...") or option is wrong, and why.
 */
struct filter *filter_new(const struct filter_options *o, struct err *e);
struct filter *filter_free(struct filter *f);
DEFINE_CLEANUP(struct filter *, filter_free)

/**
 * filter_feed()
 * @rules: bit i of word i / 64: failregex i may match this line; NULL: any may. Whoever
 *         leaves one out knows that a text which it cannot do without is missing in the
 *         line; the outcome is the same as with NULL. None at all: the line is fed only
 *         because filter_wants_next()
 * @now: settles the year of dates without one. For a line that is live it stands in for
 *       a missing date and says which sessions are over; for others the dates in the
 *       log do both, and @now only where none has been seen
 * @out: spans point into the line or into the filter and die at the next call
 *
 * Return: a FILTER_* outcome, or -ENOMEM.
 */
int filter_feed(struct filter *f, const struct line *l, const uint64_t *rules,
    wall_t now, struct filter_failure *out);

/**
 * filter_fields() - what else the line says that filter_feed() gave a failure for
 *
 * All named groups that took part, by the names that fail2ban's ticket has (<F-USER> is
 * "user", also ip4, ip6, dns, fid, cidr), merged over prefregex, failregex and session.
 * Not: content, nofail, mlfid, mlfforget, mlfgained, skiplinesN. When a session saw
 * more than one user, "users" has them all, one on a line. They die at the next call.
 */
size_t filter_fields(struct filter *f, const struct filter_field **out);

/* What a filter made of a line, for another of the same options: see
 * filter_feed_known(). As plain bytes it may come from another process. */
struct filter_known {
	uint32_t cut_start, cut_n; /* the date that was cut out */
	int cut_by;                /* stamp_found_by(), of a date of its own; else -1 */
	bool is_cut_fresh;         /* by what was known before any line matched */
	int outcome;
	uint16_t rule;
	bool in_session; /* what becomes of it depends on other lines */
	bool has_net;
	struct net net;
};

/* Of the line that was fed last, with what came of it. */
void filter_tell(const struct filter *f, int outcome,
    const struct filter_failure *failure, struct filter_known *out);

/* Can it be what filter_tell() said? To be asked of what comes from elsewhere. */
bool filter_is_plausible(const struct filter *f, const struct filter_known *k);

/* Is it sure without a look at the line that it matches nothing here either? It may be
 * skipped then. */
bool filter_is_sure_miss(const struct filter *f, const struct filter_known *k);

/**
 * filter_feed_known() - as filter_feed(), for a line that another filter has searched
 * @k: what that one made of it, whatever lines it had seen before
 *
 * What a line leads to depends on lines before by its date, which says what is cut out,
 * and by its session. The date is looked for again, and only if something else is cut
 * out the line is searched again; so the outcome, and what is learnt, are exactly those
 * of filter_feed(). Spans of @out and filter_fields() may be missing, and a name is not
 * told from nothing: FILTER_NO_ADDRESS and FILTER_FAILURE say what counts. Not for a
 * filter that has memory.
 */
int filter_feed_known(struct filter *f, const struct line *l,
    const struct filter_known *k, wall_t now, struct filter_failure *out);

/**
 * filter_skip() - the lines before the next, of which it is known that none matches
 * @lines: whole lines, each with its line end; directly behind those of a call before,
 *         and behind lines fed since with an .end. They must stay readable until
 *         filter_settle() or filter_carry(), and so must lines that are fed with an
 * .end
 * @l, @now: as for filter_feed(), without a text
 *
 * What they mean for later lines (a date for those that have none, lines for maxlines)
 * is looked at only when it is needed: skipping costs nothing.
 */
void filter_skip(struct filter *f, struct span lines, const struct line *l, wall_t now);
int filter_settle(struct filter *f); /* Return: 0 or -ENOMEM. */

/**
 * filter_carry() - the bytes of the block are about to go
 * @recent: to which the block was added; it must outlive the filter, or the next
 *          filter_settle()
 *
 * What was skipped at the end of the block is looked for there, should it be needed.
 *
 * Return: 0 or -ENOMEM.
 */
int filter_carry(struct filter *f, const struct recent *recent);

/* Must the next line be fed in any case? Only with maxlines. */
bool filter_wants_next(const struct filter *f);
bool filter_has_memory(const struct filter *f); /* may it ever? */

/* What a line must have for failregex @rule to match in it; none: nothing is known. */
const struct literal_set *filter_literals(const struct filter *f, size_t rule);

/* Lines that were about somebody by an id that nothing was bound to. */
uint64_t filter_n_unbound(const struct filter *f);

size_t filter_n_rules(const struct filter *f); /* all regexes, failregexes first */
uint64_t filter_n_hits(const struct filter *f, size_t rule); /* lines it matched */
/* Times it gave up; @rule = filter_n_rules() is the prefregex. */
uint64_t filter_n_limits(const struct filter *f, size_t rule);

/* Would filter_new() take this regex? For configuration errors with a place. */
int filter_check_failregex(
    const char *regex, const char *prefregex, enum filter_usedns d, struct err *e);
int filter_check_regex(const char *regex, enum filter_usedns d, struct err *e);

/* What may be wrong with a rule, each with a place of its own. */
enum filter_rule_part {
	FILTER_RULE_REGEX,
	FILTER_RULE_DISTINCT,
	FILTER_RULE_ACCOUNT,
	FILTER_RULE_BIND,
	FILTER_RULE_VIA,
};
#define FILTER_RULE_N_PARTS (FILTER_RULE_VIA + 1)
/* As filter_check_failregex(); of the other parts it is only seen whether the regex has
 * the field, and none that does not compile. */
int filter_check_rule(const struct filter_rule *rule, enum filter_rule_part part,
    const char *prefregex, enum filter_usedns d, struct err *e);
