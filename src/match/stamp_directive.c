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
	{ "ExY", "(?P<Y>20[0-9][0-9])", "ExYear", "2" },
	{ "Exy", "(?P<y>[0-9]{2})", "ExYear2", "0-9" },
	{ "Exm", "(?P<m>0[1-9]|1[0-2])", "ExMonth", "01" },
	{ "Exd", "(?P<d>[1-2][0-9]|0[1-9]|3[0-1])", "ExDay", "0-3" },
	{ "ExH", "(?P<H>[0-1][0-9]|2[0-3])", "Ex24hour", "0-2" },
	{ "Exk", " ?(?P<H>[0-1]?[0-9]|2[0-3])", "Ex%k", "0-9 " },
	{ "Exl", " ?(?P<I>1[0-2]|[0-9])", "Ex%l", "0-9 " },
	{ "ExM", "(?P<M>[0-5][0-9])", "ExMinute", "0-5" },
	{ "ExS", "(?P<S>[0-5][0-9]|6[0-1])", "ExSecond", "0-6" },
	{ "ExZ", "(?P<Z>" ABBREVIATION ")", "ExZone name", "A-Z" },
	{ "Exz", "(?P<z>(?:" ABBREVIATION ")?" OFFSET "|" ABBREVIATION ")",
	  "ExZone offset", "A-Z+-" },
	{ "%", "%", "%", "%" },
	{ "Y", "(?P<Y>[0-9]{4})", "Year", "0-9" },
	{ "y", "(?P<y>[0-9][0-9])", "Year2", "0-9" },
	{ "m", "(?P<m>0?[1-9]|1[0-2])", "Month", "0-9" },
	{ "d", "(?P<d>[1-2][0-9]|[0 ]?[1-9]|3[0-1])", "Day", "0-9 " },
	{ "H", "(?P<H>[0-1]?[0-9]|2[0-3])", "24hour", "0-9" },
	{ "k", " ?(?P<H>[0-2]?[0-9])", "%k", "0-9 " },
	{ "I", "(?P<I>1[0-2]|0[1-9]|[1-9])", "12hour", "0-9" },
	{ "l", " ?(?P<I>1?[0-9])", "%l", "0-9 " },
	{ "M", "(?P<M>[0-5]?[0-9])", "Minute", "0-9" },
	{ "S", "(?P<S>[0-5]?[0-9]|6[0-1])", "Second", "0-9" },
	{ "f", "(?P<f>[0-9]{1,6})", "Microseconds", "0-9" },
	{ "p", "(?P<p>am|pm)", "AMPM", "ap", true },
	{ "b", "(?P<b>" MONTHS_SHORT ")", "MON", "jfmasond", true },
	{ "B", "(?P<B>" MONTHS_LONG ")", "MONTH", "jfmasond", true },
	{ "a", "(?P<a>" DAYS_SHORT ")", "DAY", "mtwfs", true },
	{ "A", "(?P<A>" DAYS_LONG ")", "DAYNAME", "mtwfs", true },
	{ "z", "(?P<z>Z|UTC|GMT|" OFFSET ")", "Zone offset", "ZUG+-" },
	{ "Z", "(?P<Z>Z|[A-Z]{3,5})", "Zone name", "A-Z" },
	{ "j", "(?P<j>36[0-6]|3[0-5][0-9]|[1-2][0-9][0-9]|0[1-9][0-9]|00[1-9]|"
	       "[1-9][0-9]|0[1-9]|[1-9])", "Yearday", "0-9" },
	{ "U", "(?P<U>" WEEK ")", "Yearweek", "0-9" },
	{ "W", "(?P<W>" WEEK ")", "Yearweek", "0-9" },
	{ "V", "(?P<V>5[0-3]|0[1-9]|[1-4][0-9]|[0-9])", "%V", "0-9" },
	{ "w", "(?P<w>[0-6])", "Weekday", "0-6" },
	{ "u", "(?P<u>[1-7])", "%u", "1-7" },
	{ "G", "(?P<G>[0-9][0-9][0-9][0-9])", "%G", "0-9" },
	{ "c", "(?P<a>" DAYS_SHORT ")\\s+(?P<b>" MONTHS_SHORT ")\\s+(?P<d>" OLD_DAY
	       ")\\s+" OLD_TIME "\\s+(?P<Y>[0-9]{4})", "%c", "mtwfs", true },
	{ "x", "(?P<m>1[0-2]|0[1-9]|[1-9])/(?P<d>" OLD_DAY ")/(?P<y>[0-9]{2})", "%x", "0-9" },
	{ "X", OLD_TIME, "%X", "0-9" },
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
