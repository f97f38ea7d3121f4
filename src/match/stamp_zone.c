/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * stamp_zone - the table of zone abbreviations
 *
 * One row per offset, names between blanks; a row is found by looking through all of
 * them, which is fast enough for what stands in few logs and is remembered there.
 */

#include "match/stamp_zone.h"

#include <errno.h>

#include "base/cleanup.h"

static const struct zone_row {
	int minutes;
	const char *names;
} rows[] = {
    {0, "Z EGST GMT UTC WET WT"},
    {60, "A CET DFT WAT WEDT WEST"},
    {120, "B CAT CEDT CEST EET SAST WAST"},
    {180, "C EAT EEDT EEST IDT MSK"},
    {210, "IRST"},
    {240, "D AMT AZT GET GST KUYT MSD MUT RET SAMT SCT"},
    {270, "AFT IRDT"},
    {300, "E AMST AQTT AZST HMT MAWT MVT PKT TFT TJT TMT UZT YEKT"},
    {330, "SLT"},
    {345, "NPT"},
    {360, "F ALMT BIOT BTT IOT KGT NOVT OMST YEKST"},
    {390, "CCT MMT"},
    {420, "G CXT DAVT HOVT ICT KRAT NOVST OMSST THA WIB"},
    {480, "H ACT AWST BDT BNT CAST HKT IRKT KRAST MYT PHT SGT ULAT WITA WST"},
    {540, "I AWDT IRKST JST KST PWT TLT WDT WIT YAKT"},
    {570, "ACST"},
    {600, "K AEST PGT VLAT YAKST YAPT"},
    {630, "ACDT LHST"},
    {660, "L AEDT LHDT MAGT NCT PONT SBT VLAST VUT"},
    {690, "NFT"},
    {720, "M ANAST ANAT FJT GILT MAGST MHT NZST PETST PETT TVT WFT"},
    {780, "FJST NZDT"},
    {-60, "N AZOT CVT EGT"},
    {-120, "O BRST FNT PMDT UYST WGST"},
    {-150, "HAT NDT"},
    {-180, "P ADT ART BRT CLST FKST GFT HAA PMST PYST SRT UYT WGT"},
    {-210, "HNT NST NT"},
    {-240, "Q AST BOT CLT COST EDT FKT GYT HAE HNA PYT"},
    {-270, "HLV VET"},
    {-300, "R CDT COT EASST ECT EST ET HAC HNE PET"},
    {-360, "S CST EAST GALT HAR HNC MDT"},
    {-420, "T HAP HNR MST PDT"},
    {-480, "U AKDT CIST HAY HNP PST PT"},
    {-540, "V AKST GAMT GIT HADT HNY"},
    {-570, "MART MIT"},
    {-600, "W CKT HAST HST TAHT TKT"},
    {-660, "X NUT SST"},
    {-720, "Y"},
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static int name_minutes(struct span name, int *out)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct span rest = span_of(rows[i].names);
		struct span word;

		while (span_next_word(&rest, "", &word)) {
			if (span_eq(word, name)) {
				*out = rows[i].minutes;
				return 0;
			}
		}
	}
	return -EINVAL;
}

/* [+-][01]\d(:?\d\d)? and nothing behind it. */
static int offset_minutes(struct span s, int *out)
{
	int minutes;

	if (s.n < 3 || (s.p[0] != '+' && s.p[0] != '-') ||
	    (s.p[1] != '0' && s.p[1] != '1') || !is_digit(s.p[2]))
		return -EINVAL;
	minutes = ((s.p[1] - '0') * 10 + s.p[2] - '0') * 60;
	if (s.n > 3) {
		struct span rest = span_skip(s, s.p[3] == ':' ? 4 : 3);

		if (rest.n != 2 || !is_digit(rest.p[0]) || !is_digit(rest.p[1]))
			return -EINVAL;
		minutes += (rest.p[0] - '0') * 10 + rest.p[1] - '0';
	}
	*out = s.p[0] == '-' ? -minutes : minutes;
	return 0;
}

int stamp_zone_parse(struct span text, int *out_minutes)
{
	int of_name = 0, of_offset = 0;
	size_t n = 0;

	while (n < text.n && text.p[n] >= 'A' && text.p[n] <= 'Z')
		n++;
	/* One letter or three to five, as the directives have it: PT and WT exist in
	 * the table, but fail2ban never finds them. */
	if (text.n == 0 || n == 2 || n > 5)
		return -EINVAL;
	if (n > 0 && name_minutes((struct span){text.p, n}, &of_name) < 0)
		return -EINVAL;
	if (n < text.n && offset_minutes(span_skip(text, n), &of_offset) < 0)
		return -EINVAL;
	*out_minutes = of_name + of_offset;
	return 0;
}
