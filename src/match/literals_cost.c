/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * literals_cost - a table of words, and what length says about the others
 *
 * The shares are those of lines in mail, login and web logs, each kind of log counted
 * alone and the highest taken: a jail reads one kind. Words that stand nearly only
 * in failures are left to their length on purpose.
 */

#include "match/literals_cost.h"

#include <assert.h>

#include "base/hash.h"
#include "match/literals.h"

/* How far words are taken to be independent of those beside them. */
#define WEIGHT 0.7

/* A line a share, each word between bars, the highest share first. */
static const char words[] =
    "|postfix| |:|\n"
    "|.|[|]|]: |]:|\n"
    "|HTTP|: |\n"
    "|dovecot|\n"
    "|GET|/|  |\n"
    "|from|sshd|smtpd|Mozilla|200|named|slapd|proftpd|haproxy|-|=|\"|"
    "] | \"| - - [|\n"
    "|error|exim|sendmail|conn|,|(|)| [|, |\" |] \"|\n"
    "|user|port|client|com|smtp|imap|http|https|op|vsftpd|10|11|12|<|>|"
    "@| (|) | - |://|//|\" \"|\n"
    "|for|to|server|auth|unknown|qmgr|pop3|rip|lip|TLS|H|P|"
    "query|ftpd|192|2013|): |=<|>, |] [| /|\n"
    "|pam_unix|session|root|INFO|login|status|net|mail|ssh2|removed|"
    "relay|delay|delays|dsn|sent|active|method|err|'|\n"
    "|warning|systemd|uid|by|in|No|or|host|info|notice|NOTICE|pid|connect|"
    "disconnect|file|org|example|ssh|250|mpid|courier|imapd|pop3d|S|R|"
    "T|Windows|Linux|www|referer|mysqld|RESULT|tag|text|FTP|pure|nginx|"
    "127|;|\n"
    "|Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec|kernel|CRON|cron|"
    "closed|id|ERROR|tid|Login|Connection|connection|authentication|"
    "failed|preauth|size|F|POST|php|chan_sip|fd|apache|apache2|168|; |"
    " <|\n"
    "|opened|on|at|not|service|Error|debug|DEBUG|Disconnected|cleanup|"
    "queue|nrcpt|secured|out|html|dn|CONNECT|= |\n"
    "|euid|of|is|the|and|no|with|warn|connected|message|IP|ip|local|"
    "remote|address|request|log|open|directory|publickey|rhost|tty|OK|"
    "Info|bytes|Logged|LOGOUT|U|compatible|301|302|304|404|BIND|core|"
    "> | '|' |\n"
    "|as|it|was|Warning|WARNING|WARN|disconnected|name|hostname|"
    "password|Password|failure|Failed|after|Accepted|sudo|logname|"
    "ruser|smtps|SMTP|ESMTP|proto|helo|LOGIN|PLAIN|managesieve|index|"
    "ACCEPT|\n"
    "|Request|process|username|lost|anvil|sasl_username|sasl_method|"
    "statistics|script|found|\n"
    "|start|started|access|ldap|admin|SASL|does|exist|\n"
    "|invalid|Invalid|rejected|RCPT|ruleset|arg1|HEAD|auth_basic|\n"
    "|attempt|attempts|Authentication|Access|denied|refused|NOQUEUE|"
    "reject|\n";

static const uint8_t pct_of_line[] = {
    100, 95, 90, 80, 70, 60, 50, 40, 30, 25, 20, 15, 12, 10, 8, 6, 5, 4, 3};

static bool is_word_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_number(struct span s)
{
	for (size_t i = 0; i < s.n; i++) {
		if (!is_digit(s.p[i]))
			return false;
	}
	return true;
}

/* What is longer than a table says is rarer yet: of two texts take the longer one. */
static double cost_by_length(struct span token)
{
	static const double of_letters[] = {
	    1, .6, .3, .08, .04, .025, .018, .014, .012};
	static const double of_digits[] = {1, .95, .8, .1, .03, .01};
	static const double of_others[] = {1, .3, .1, .04};
	const double *table = of_letters;
	size_t last = ARRAY_LEN(of_letters) - 1;

	if (is_number(token)) {
		table = of_digits;
		last = ARRAY_LEN(of_digits) - 1;
	} else if (!is_word_byte(token.p[0])) {
		table = of_others;
		last = ARRAY_LEN(of_others) - 1;
	}
	if (token.n <= last)
		return table[token.n];
	return table[last] * (double)last / (double)token.n;
}

static size_t n_lines_before(const char *at)
{
	const char *p = words;
	size_t n = 0;

	while ((p = memchr(p, '\n', (size_t)(at - p)))) {
		p++;
		n++;
	}
	return n;
}

/* What was looked up: regexes of one filter begin alike, and so do those of others. */
struct entry {
	bool is_nocase;
	/* A token, with bars at ends that are closed. */
	char text[LITERAL_BYTES_MAX + 3];
	double cost;
};

static struct entry *entry_of(const struct entry *wanted)
{
	static struct entry entries[512];
	uint64_t hash = hash_keyed(wanted->text, strlen(wanted->text));

	return &entries[(hash + wanted->is_nocase) % ARRAY_LEN(entries)];
}

/* The share of the most frequent word that @token may be, or be a part of; 0: none. */
static double cost_by_table(
    struct span token, bool is_open_left, bool is_open_right, bool is_nocase)
{
	struct entry e = {.is_nocase = is_nocase}, *known;
	const char *at;
	size_t n = 0;

	if (!is_open_left)
		e.text[n++] = '|';
	memcpy(e.text + n, token.p, token.n);
	n += token.n;
	if (!is_open_right)
		e.text[n++] = '|';
	known = entry_of(&e);
	if (known->is_nocase == is_nocase && !strcmp(known->text, e.text))
		return known->cost;
	at = is_nocase ? strcasestr(words, e.text) : strstr(words, e.text);
	e.cost = at ? pct_of_line[n_lines_before(at)] / 100.0 : 0;
	*known = e;
	return e.cost;
}

static double cost_of_token(
    struct span token, bool is_open_left, bool is_open_right, bool is_nocase)
{
	double known = cost_by_table(token, is_open_left, is_open_right, is_nocase);
	double guess = cost_by_length(token);

	/* A whole word is as rare as it is known to be; a part may be of others too. */
	if (known > 0 && !is_open_left && !is_open_right)
		return known;
	return known > guess ? known : guess;
}

/* The rarest token says most; each of the others takes a share of the rest away. */
double literals_cost(struct span text, bool is_nocase)
{
	double rarest = 1, all = 1;
	size_t i = 0;

	assert(text.n <= LITERAL_BYTES_MAX);
	while (i < text.n) {
		size_t from = i;
		double cost;

		while (
		    i < text.n && is_word_byte(text.p[i]) == is_word_byte(text.p[from]))
			i++;
		cost = cost_of_token((struct span){text.p + from, i - from}, from == 0,
		    i == text.n, is_nocase);
		all *= (1 - WEIGHT) + WEIGHT * cost;
		if (cost < rarest)
			rarest = cost;
	}
	return rarest * all / ((1 - WEIGHT) + WEIGHT * rarest);
}
