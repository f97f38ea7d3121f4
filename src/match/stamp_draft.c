/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_draft - patterns into regexes
 *
 * A pattern goes through three steps: prefix or keyword is taken off, directives are
 * expanded (giving the name as well), boundaries are added. The number in {EPOCH} and
 * its kin gets a group name of its own, as users may have groups before it.
 */

#include "match/stamp_draft.h"

#include <errno.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "match/stamp_bounds.h"
#include "match/stamp_directive.h"

#define STAMP_VALUE_GROUP "_value"
#define EPOCH_REGEX "(?P<" STAMP_VALUE_GROUP ">[0-9]{10,11}\\b(?:\\.[0-9]{3,6})?)"
#define LONG_EPOCH_REGEX         \
	"(?P<" STAMP_VALUE_GROUP \
	">[0-9]{10,11}(?:[0-9]{3}(?:\\.[0-9]{1,6}|[0-9]{3})?)?)"
#define TAI64N_REGEX "(?P<" STAMP_VALUE_GROUP ">@[0-9a-f]{24})"
/* Where a bare epoch is believed: at the line's start, there in [ ], or in audit( ). */
#define EPOCH_PLACE "(?=[0-9])(?:^|(?<=[[(])(?:(?<=^\\[)|(?<=\\baudit\\()))"

/* 2005-01-23T21:59:59.981746+01:00, 2005/01/23 21:59:59, 2005.01.23 21:59:59 */
#define ISO_PATTERN \
	"%ExY(?P<_sep>[-/.])%m(?P=_sep)%d(?:T|  ?)%H:%M:%S(?:[.,]%f)?(?:\\s*%z)?"
/* Jan 23 21:59:59, Sun Jan 23 21:59:59.011 2005 */
#define SYSLOG_PATTERN "(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?"

const char *const stamp_defaults[STAMP_DEFAULTS] = {
    ISO_PATTERN,
    SYSLOG_PATTERN,
    /* Sun Jan 23 2005 21:59:59.011 */
    "(?:%a )?%b %d %ExY %k:%M:%S(?:\\.%f)?",
    /* 23/01/2005 21:59:59, 23-01-05 21:59:59 */
    "%d(?P<_sep>[-/])%m(?P=_sep)(?:%ExY|%Exy) %k:%M:%S",
    /* 31/Oct/2006:09:22:55 -0000, 26-Jul-2007 15:20:52.252 */
    "%d(?P<_sep>[-/])%b(?P=_sep)%ExY[ :]?%H:%M:%S(?:\\.%f)?(?: %z)?",
    /* 05/20/2008:01:57:39 */
    "%m/%d/%ExY:%H:%M:%S",
    /* 01-27-2012 16:22:44.252 */
    "%m-%d-%ExY %k:%M:%S(?:\\.%f)?",
    "EPOCH",
    /* 21:59:59 */
    "{^LN-BEG}%H:%M:%S",
    /* <09/16/08@05:03:30> */
    "^<%m/%d/%Exy@%H:%M:%S>",
    /* 130322 11:46:11 */
    "%Exy%Exm%Exd  ?%H:%M:%S",
    /* Jan 23, 2005 9:59:59 PM */
    "%b %d, %ExY %I:%M:%S %p",
    /* Apr-27-13 02:33:06 */
    "^%b-%d-%Exy %k:%M:%S",
    /* 20050123T215959, 20050123 215959, 20050123-21:59:59 */
    "%ExY%Exm%Exd(?:-|T|  ?)%ExH:?%ExM:?%ExS(?:[.,]%f)?(?:\\s*%z)?",
    /* PDT Apr 16 21:05:29 */
    "(?:%Z )?(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?",
    /* +00:00 Jan 23 21:59:59.011 2005 */
    "(?:%z )?(?:%a )?%b %d %k:%M:%S(?:\\.%f)?(?: %ExY)?",
    "TAI64N",
};

/* A pattern on its way to a template. */
struct draft {
	struct stamp_bounds bounds;
	enum stamp_kind kind;
	enum stamp_hand hand;
	struct buf regex;
	struct buf name;
	bool ignores_case;
	bool is_number;      /* EPOCH and its kin alone */
	struct span pattern; /* without its prefix */
};

static const struct keyword {
	const char *word; /* as a whole pattern, in any case */
	enum stamp_kind kind;
	const char *name;
	const char *free_regex;
	const char *anchored_regex;
} keywords[] = {
    {"EPOCH", STAMP_EPOCH, "Epoch", "(" EPOCH_PLACE EPOCH_REGEX ")",
	"(" EPOCH_REGEX ")"},
    {"LEPOCH", STAMP_LONG_EPOCH, "LongEpoch", "(" EPOCH_PLACE LONG_EPOCH_REGEX ")",
	"(" LONG_EPOCH_REGEX ")"},
    {"TAI64N", STAMP_TAI64N, "TAI64N", "(?<![0-9A-Za-z_])(" TAI64N_REGEX ")",
	"(" TAI64N_REGEX ")"},
    {"ISO8601", STAMP_DATE, NULL, NULL, NULL},
};

static const struct placeholder {
	const char *word; /* within a pattern, in any case */
	enum stamp_kind kind;
	const char *regex;
} placeholders[] = {
    {"{EPOCH}", STAMP_EPOCH, EPOCH_REGEX},
    {"{LEPOCH}", STAMP_LONG_EPOCH, LONG_EPOCH_REGEX},
    {"{TAI64N}", STAMP_TAI64N, TAI64N_REGEX},
};

static bool strip(struct span *s, struct span prefix)
{
	if (!span_starts(*s, prefix))
		return false;
	*s = span_skip(*s, prefix.n);
	return true;
}

static const struct placeholder *placeholder_at(struct span s, size_t i)
{
	struct span rest = span_skip(s, i);

	if (i > 0 && s.p[i - 1] == '\\')
		return NULL;
	for (size_t k = 0; k < ARRAY_LEN(placeholders); k++) {
		struct span word = span_of(placeholders[k].word);

		if (rest.n >= word.n &&
		    span_eq_nocase((struct span){rest.p, word.n}, word))
			return &placeholders[k];
	}
	return NULL;
}

static bool has_placeholder(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (s.p[i] == '{' && placeholder_at(s, i))
			return true;
	}
	return false;
}

static const struct keyword *keyword_find(struct span pattern, bool *out_anchored)
{
	struct span word = pattern;

	*out_anchored = strip(&word, SPAN("^"));
	if (word.n > 9 && span_eq_nocase((struct span){word.p, 9}, SPAN("{^LN-BEG}"))) {
		word = span_skip(word, 9);
		*out_anchored = true;
	}
	for (size_t i = 0; i < ARRAY_LEN(keywords); i++) {
		if (span_eq_nocase(word, span_of(keywords[i].word)))
			return &keywords[i];
	}
	return NULL;
}

static void draft_keyword(struct draft *d, const struct keyword *k, bool is_anchored)
{
	d->kind = k->kind;
	d->is_number = true;
	d->bounds.begin = is_anchored ? STAMP_BEGIN_LINE : STAMP_BEGIN_FREE;
	buf_add_str(&d->regex, is_anchored ? k->anchored_regex : k->free_regex);
	buf_add_str(&d->name, k->name);
}

/* All of it is cut out, and percent signs are only that. */
static void draft_placeholders(struct draft *d, struct span pattern)
{
	bool is_first = true;

	buf_add_char(&d->regex, '(');
	for (size_t i = 0; i < pattern.n; i++) {
		const struct placeholder *p =
		    is_first && pattern.p[i] == '{' ? placeholder_at(pattern, i) : NULL;

		if (p) {
			d->kind = p->kind;
			buf_add_str(&d->regex, p->regex);
			i += strlen(p->word) - 1;
			is_first = false;
		} else {
			buf_add_char(&d->regex, pattern.p[i]);
		}
	}
	buf_add_char(&d->regex, ')');
	buf_add_span(&d->name, pattern);
}

static int draft_directives(struct draft *d, struct span pattern, struct err *e)
{
	for (size_t i = 0; i < pattern.n; i++) {
		const struct stamp_directive *x;

		if (pattern.p[i] != '%') {
			buf_add_char(&d->regex, pattern.p[i]);
			buf_add_char(&d->name, pattern.p[i]);
			continue;
		}
		x = stamp_directive_find(span_skip(pattern, i + 1));
		if (!x) {
			size_t n = i + 1 < pattern.n ? 2 : 1;

			return err_set(e, -EINVAL,
			    "'" SPAN_FMT "' is no directive (a percent sign is %%%%)",
			    (int)n, pattern.p + i);
		}
		d->ignores_case |= x->is_word;
		buf_add_str(&d->regex, x->regex);
		buf_add_str(&d->name, x->word);
		i += strlen(x->key);
	}
	return 0;
}

static void draft_prefix(struct draft *d, struct span *pattern)
{
	if (strip(pattern, SPAN("{UNB}"))) {
		d->bounds.begin = STAMP_BEGIN_FREE;
		d->bounds.is_free_end = true;
		return;
	}
	if (!strip(pattern, SPAN("{^LN-BEG}")))
		return;
	d->bounds.begin = STAMP_BEGIN_LINE;
	if (span_eq(*pattern, SPAN(ISO_PATTERN)))
		d->hand = STAMP_BY_HAND_ISO;
	else if (span_eq(*pattern, SPAN(SYSLOG_PATTERN)))
		d->hand = STAMP_BY_HAND_SYSLOG;
}

static int draft_pattern(struct draft *d, struct span pattern, struct err *e)
{
	bool is_anchored = false;
	const struct keyword *k = keyword_find(pattern, &is_anchored);
	int r;

	if (k && k->kind != STAMP_DATE) {
		draft_keyword(d, k, is_anchored);
		return 0;
	}
	if (k)
		pattern =
		    is_anchored ? SPAN("{^LN-BEG}" ISO_PATTERN) : SPAN(ISO_PATTERN);
	draft_prefix(d, &pattern);
	pattern = d->pattern = span_trim(pattern);
	if (has_placeholder(pattern)) {
		draft_placeholders(d, pattern);
		return 0;
	}
	r = draft_directives(d, pattern, e);
	d->bounds.first = stamp_first_of(pattern, d->ignores_case);
	return r;
}

/* Is the last character of whatever @s matches surely one of a word? */
static bool ends_in_word(struct span s)
{
	size_t depth = 0, i;
	struct span inner;

	if (s.n > 1 && s.p[s.n - 1] == '?' && s.p[s.n - 2] == ')') {
		s.n--; /* an optional group: with and without it */
		for (i = s.n; i-- > 0;) {
			depth += s.p[i] == ')';
			if (s.p[i] == '(' && --depth == 0)
				break;
		}
		inner = (struct span){s.p + i, s.n - 1 - i};
		return i < s.n && span_starts(inner, SPAN("(?:")) &&
		       span_index(inner, '|') < 0 && ends_in_word(inner) &&
		       ends_in_word((struct span){s.p, i});
	}
	for (i = s.n > 4 ? s.n - 4 : 0; i + 1 < s.n; i++) {
		const struct stamp_directive *d =
		    s.p[i] == '%' ? stamp_directive_find(span_skip(s, i + 1)) : NULL;

		/* Names of months, and what the locale says, may end as they like. */
		if (d && i + 1 + strlen(d->key) == s.n)
			return strchr("YymdHkIlMSfpjz", d->key[strlen(d->key) - 1]);
	}
	return false;
}

static bool keeps_words(
    const struct draft *d, const struct stamp_bounded *b, struct span pattern)
{
	if (b->has_groups && d->kind == STAMP_DATE)
		return false;
	if (span_starts(pattern, SPAN("^")))
		return true;
	if (!b->took_end)
		return false;
	if (d->is_number)
		return true;
	return d->kind == STAMP_DATE && ends_in_word(pattern) && b->took_begin &&
	       (d->bounds.begin == STAMP_BEGIN_LINE ||
		   stamp_first_kind(&d->bounds.first) != STAMP_FIRST_UNKNOWN);
}

static struct stamp_bounded draft_bound(struct draft *d, struct buf *out)
{
	struct buf folding = BUF_INIT(STAMP_PATTERN_MAX);
	struct stamp_bounded r;

	if (!d->ignores_case)
		return stamp_bounds_add(buf_span(&d->regex), &d->bounds, out);
	buf_add_str(&folding, "(?iu)");
	buf_add_span(&folding, buf_span(&d->regex));
	out->failed |= folding.failed;
	r = stamp_bounds_add(buf_span(&folding), &d->bounds, out);
	buf_deinit(&folding);
	return r;
}

static int draft_finish(struct draft *d, struct stamp_draft *out, struct err *e)
{
	CLEANUP(freep) char *regex_text = NULL, *name_text = NULL;
	struct buf regex = BUF_INIT(STAMP_PATTERN_MAX),
		   name = BUF_INIT(STAMP_PATTERN_MAX);
	struct stamp_bounded bounded;
	bool is_line_begin;

	regex.failed = d->regex.failed;
	name.failed = d->name.failed;
	bounded = draft_bound(d, &regex);
	is_line_begin = bounded.took_begin && d->bounds.begin == STAMP_BEGIN_LINE;
	if (is_line_begin)
		buf_add_str(&name, "{^LN-BEG}");
	buf_add_span(&name, buf_span(&d->name));
	regex_text = buf_take(&regex);
	name_text = buf_take(&name);
	if (!regex_text || !name_text)
		return err_set(e, -ENOMEM, "too long, or out of memory");
	*out = (struct stamp_draft){
	    .kind = d->kind,
	    .hand = d->hand,
	    .is_anchored = bounded.is_anchored,
	    .is_at_begin = bounded.is_at_begin,
	    .keeps_words = keeps_words(d, &bounded, d->pattern),
	    .first = is_line_begin ? d->bounds.first : (struct stamp_first){false},
	    .name = TAKE(name_text),
	    .regex = TAKE(regex_text),
	};
	return 0;
}

int stamp_draft_make(struct span pattern, struct stamp_draft *out, struct err *e)
{
	struct draft d = {
	    .regex = BUF_INIT(STAMP_PATTERN_MAX),
	    .name = BUF_INIT(STAMP_PATTERN_MAX),
	};
	int r = draft_pattern(&d, pattern, e);

	if (r == 0)
		r = draft_finish(&d, out, e);
	buf_deinit(&d.regex);
	buf_deinit(&d.name);
	return r;
}
