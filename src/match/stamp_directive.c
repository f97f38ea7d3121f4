/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_directive - the table
 *
 * Regexes and words are fail2ban's interface: order and greed of the alternatives
 * decide what is cut out of a line, so they are not to be tidied up.
 */

#include "match/stamp_directive.h"

#include "base/cleanup.h"

#define MONTHS_SHORT "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
#define MONTHS_LONG                                                                \
	"september|february|november|december|january|october|august|march|april|" \
	"june|"                                                                    \
	"july|may"
#define DAYS_SHORT "mon|tue|wed|thu|fri|sat|sun"
#define DAYS_LONG "wednesday|thursday|saturday|tuesday|monday|friday|sunday"
#define ABBREVIATION "[A-Z](?:[A-Z]{2,4})?"
#define OFFSET "[+-][01][0-9](?::?[0-9]{2})?"
#define WEEK "5[0-3]|[0-4][0-9]|[0-9]"

#define OLD_DAY "3[0-1]|[1-2][0-9]|0[1-9]|[1-9]| [1-9]"
#define OLD_TIME                                                  \
	"(?P<H>2[0-3]|[0-1][0-9]|[0-9]):(?P<M>[0-5][0-9]|[0-9]):" \
	"(?P<S>6[0-1]|[0-5][0-9]|[0-9])"

/* clang-format off */
static const struct stamp_directive directives[] = {
	/* Longer keys first: the first that fits is taken. */
	{ "ExY", "(?P<Y>20[0-9][0-9])", "ExYear" },
	{ "Exy", "(?P<y>[0-9]{2})", "ExYear2" },
	{ "Exm", "(?P<m>0[1-9]|1[0-2])", "ExMonth" },
	{ "Exd", "(?P<d>[1-2][0-9]|0[1-9]|3[0-1])", "ExDay" },
	{ "ExH", "(?P<H>[0-1][0-9]|2[0-3])", "Ex24hour" },
	{ "Exk", " ?(?P<H>[0-1]?[0-9]|2[0-3])", "Ex%k" },
	{ "Exl", " ?(?P<I>1[0-2]|[0-9])", "Ex%l" },
	{ "ExM", "(?P<M>[0-5][0-9])", "ExMinute" },
	{ "ExS", "(?P<S>[0-5][0-9]|6[0-1])", "ExSecond" },
	{ "ExZ", "(?P<Z>" ABBREVIATION ")", "ExZone name" },
	{ "Exz", "(?P<z>(?:" ABBREVIATION ")?" OFFSET "|" ABBREVIATION ")",
	  "ExZone offset" },
	{ "%", "%", "%" },
	{ "Y", "(?P<Y>[0-9]{4})", "Year" },
	{ "y", "(?P<y>[0-9][0-9])", "Year2" },
	{ "m", "(?P<m>0?[1-9]|1[0-2])", "Month" },
	{ "d", "(?P<d>[1-2][0-9]|[0 ]?[1-9]|3[0-1])", "Day" },
	{ "H", "(?P<H>[0-1]?[0-9]|2[0-3])", "24hour" },
	{ "k", " ?(?P<H>[0-2]?[0-9])", "%k" },
	{ "I", "(?P<I>1[0-2]|0[1-9]|[1-9])", "12hour" },
	{ "l", " ?(?P<I>1?[0-9])", "%l" },
	{ "M", "(?P<M>[0-5]?[0-9])", "Minute" },
	{ "S", "(?P<S>[0-5]?[0-9]|6[0-1])", "Second" },
	{ "f", "(?P<f>[0-9]{1,6})", "Microseconds" },
	{ "p", "(?P<p>am|pm)", "AMPM", true },
	{ "b", "(?P<b>" MONTHS_SHORT ")", "MON", true },
	{ "B", "(?P<B>" MONTHS_LONG ")", "MONTH", true },
	{ "a", "(?P<a>" DAYS_SHORT ")", "DAY", true },
	{ "A", "(?P<A>" DAYS_LONG ")", "DAYNAME", true },
	{ "z", "(?P<z>Z|UTC|GMT|" OFFSET ")", "Zone offset" },
	{ "Z", "(?P<Z>Z|[A-Z]{3,5})", "Zone name" },
	{ "j", "(?P<j>36[0-6]|3[0-5][0-9]|[1-2][0-9][0-9]|0[1-9][0-9]|00[1-9]|"
	       "[1-9][0-9]|0[1-9]|[1-9])", "Yearday" },
	{ "U", "(?P<U>" WEEK ")", "Yearweek" },
	{ "W", "(?P<W>" WEEK ")", "Yearweek" },
	{ "V", "(?P<V>5[0-3]|0[1-9]|[1-4][0-9]|[0-9])", "%V" },
	{ "w", "(?P<w>[0-6])", "Weekday" },
	{ "u", "(?P<u>[1-7])", "%u" },
	{ "G", "(?P<G>[0-9][0-9][0-9][0-9])", "%G" },
	{ "c", "(?P<a>" DAYS_SHORT ")\\s+(?P<b>" MONTHS_SHORT ")\\s+(?P<d>" OLD_DAY
	       ")\\s+" OLD_TIME "\\s+(?P<Y>[0-9]{4})", "%c", true },
	{ "x", "(?P<m>1[0-2]|0[1-9]|[1-9])/(?P<d>" OLD_DAY ")/(?P<y>[0-9]{2})", "%x" },
	{ "X", OLD_TIME, "%X" },
};
/* clang-format on */

const struct stamp_directive *stamp_directive_find(struct span rest)
{
	for (size_t i = 0; i < ARRAY_LEN(directives); i++) {
		if (span_starts(rest, span_of(directives[i].key)))
			return &directives[i];
	}
	return NULL;
}
