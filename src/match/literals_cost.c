/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * literals_cost - a table of words, and what length says about the others
 *
 * The shares are those of lines in mail, login and web logs, each kind of log counted
 * alone and the highest taken: a jail reads one kind. Words that stand nearly only
 * in failures are left to their length on purpose.
 */

#include "match/literals_cost.h"

#include "base/cleanup.h"

struct word {
	const char *text;
	uint8_t pct; /* of the lines */
};

static const struct word words[] = {
    /* syslog and daemons in general */
    {"Jan", 15},
    {"Feb", 15},
    {"Mar", 15},
    {"Apr", 15},
    {"May", 15},
    {"Jun", 15},
    {"Jul", 15},
    {"Aug", 15},
    {"Sep", 15},
    {"Oct", 15},
    {"Nov", 15},
    {"Dec", 15},
    {"kernel", 15},
    {"systemd", 20},
    {"CRON", 15},
    {"cron", 15},
    {"pam_unix", 25},
    {"session", 25},
    {"opened", 12},
    {"closed", 15},
    {"user", 40},
    {"root", 25},
    {"uid", 20},
    {"euid", 10},
    {"from", 60},
    {"for", 30},
    {"by", 20},
    {"to", 30},
    {"in", 20},
    {"on", 12},
    {"at", 12},
    {"of", 10},
    {"is", 10},
    {"id", 15},
    {"the", 10},
    {"and", 10},
    {"not", 12},
    {"no", 10},
    {"No", 20},
    {"or", 20},
    {"with", 10},
    {"as", 8},
    {"it", 8},
    {"was", 8},
    {"port", 40},
    {"host", 20},
    {"client", 40},
    {"server", 30},
    {"service", 12},
    {"error", 50},
    {"Error", 12},
    {"ERROR", 15},
    {"warning", 30},
    {"Warning", 8},
    {"WARNING", 8},
    {"WARN", 8},
    {"warn", 10},
    {"info", 20},
    {"INFO", 25},
    {"notice", 20},
    {"NOTICE", 20},
    {"debug", 12},
    {"DEBUG", 12},
    {"pid", 20},
    {"tid", 15},
    {"auth", 30},
    {"login", 25},
    {"Login", 15},
    {"Connection", 15},
    {"connection", 15},
    {"connect", 20},
    {"connected", 10},
    {"disconnect", 20},
    {"Disconnected", 12},
    {"disconnected", 8},
    {"message", 10},
    {"status", 25},
    {"name", 8},
    {"file", 20},
    {"IP", 10},
    {"ip", 10},
    {"local", 10},
    {"remote", 10},
    {"address", 10},
    {"request", 10},
    {"Request", 6},
    {"process", 6},
    {"log", 10},
    {"start", 5},
    {"started", 5},
    {"com", 40},
    {"net", 25},
    {"org", 20},
    {"example", 20},
    {"mail", 25},
    {"unknown", 30},
    {"hostname", 8},
    {"username", 6},
    {"password", 8},
    {"Password", 8},
    {"authentication", 15},
    {"failed", 15},
    {"failure", 8},
    {"Failed", 8},
    {"attempt", 3},
    {"attempts", 3},
    {"Authentication", 3},
    {"access", 5},
    {"Access", 3},
    {"denied", 3},
    {"invalid", 4},
    {"Invalid", 4},
    {"rejected", 4},
    {"refused", 3},
    {"lost", 6},
    {"after", 8},
    {"open", 10},
    {"directory", 10},
    /* sshd and others that let people in */
    {"sshd", 60},
    {"ssh", 20},
    {"ssh2", 25},
    {"preauth", 15},
    {"Accepted", 8},
    {"publickey", 10},
    {"sudo", 8},
    {"logname", 8},
    {"ruser", 8},
    {"rhost", 10},
    {"tty", 10},
    {"ldap", 5},
    {"admin", 5},
    /* mail */
    {"postfix", 100},
    {"smtpd", 62},
    {"smtp", 40},
    {"smtps", 8},
    {"qmgr", 37},
    {"cleanup", 12},
    {"anvil", 6},
    {"removed", 25},
    {"relay", 26},
    {"delay", 26},
    {"delays", 26},
    {"dsn", 26},
    {"sent", 25},
    {"queue", 12},
    {"active", 25},
    {"nrcpt", 12},
    {"size", 15},
    {"250", 22},
    {"OK", 10},
    {"SMTP", 8},
    {"ESMTP", 8},
    {"proto", 8},
    {"helo", 8},
    {"sasl_username", 6},
    {"sasl_method", 6},
    {"statistics", 6},
    {"SASL", 5},
    {"LOGIN", 8},
    {"PLAIN", 8},
    {"RCPT", 4},
    {"NOQUEUE", 3},
    {"reject", 3},
    {"dovecot", 80},
    {"imap", 45},
    {"pop3", 30},
    {"managesieve", 8},
    {"Info", 10},
    {"rip", 35},
    {"lip", 35},
    {"TLS", 30},
    {"mpid", 20},
    {"method", 25},
    {"secured", 12},
    {"bytes", 10},
    {"Logged", 10},
    {"out", 12},
    {"exim", 50},
    {"courier", 20},
    {"imapd", 20},
    {"pop3d", 20},
    {"LOGOUT", 10},
    {"ruleset", 4},
    {"arg1", 4},
    {"sendmail", 50},
    {"H", 30},
    {"F", 15},
    {"U", 10},
    {"P", 30},
    {"S", 20},
    {"R", 20},
    {"T", 20},
    /* the web, and other servers */
    {"GET", 70},
    {"POST", 15},
    {"HEAD", 4},
    {"HTTP", 90},
    {"http", 40},
    {"https", 40},
    {"Mozilla", 60},
    {"compatible", 10},
    {"Windows", 20},
    {"Linux", 20},
    {"200", 60},
    {"301", 10},
    {"302", 10},
    {"304", 10},
    {"404", 10},
    {"www", 20},
    {"php", 15},
    {"index", 8},
    {"html", 12},
    {"referer", 20},
    {"script", 6},
    {"does", 5},
    {"exist", 5},
    {"found", 6},
    {"named", 60},
    {"query", 30},
    {"chan_sip", 15},
    {"mysqld", 20},
    {"slapd", 60},
    {"conn", 50},
    {"op", 40},
    {"fd", 15},
    {"RESULT", 20},
    {"tag", 20},
    {"err", 25},
    {"text", 20},
    {"BIND", 10},
    {"ACCEPT", 8},
    {"dn", 12},
    {"proftpd", 60},
    {"vsftpd", 40},
    {"ftpd", 30},
    {"FTP", 20},
    {"pure", 20},
    {"CONNECT", 12},
    {"haproxy", 60},
    {"nginx", 20},
    {"apache", 15},
    {"apache2", 15},
    {"core", 10},
    {"auth_basic", 4},
    {"127", 20},
    {"192", 30},
    {"168", 15},
    {"10", 40},
    {"11", 40},
    {"12", 40},
    {"2013", 30},
    /* between words */
    {" ", 100},
    {":", 100},
    {".", 95},
    {"-", 60},
    {"/", 70},
    {",", 50},
    {"=", 60},
    {"[", 95},
    {"]", 95},
    {"(", 50},
    {")", 50},
    {"<", 40},
    {">", 40},
    {"\"", 60},
    {"'", 25},
    {"@", 45},
    {";", 20},
    {": ", 90},
    {"]: ", 95},
    {"]:", 95},
    {" [", 50},
    {"] ", 60},
    {", ", 50},
    {" (", 45},
    {") ", 40},
    {"): ", 30},
    {"=<", 35},
    {">, ", 30},
    {"> ", 10},
    {"; ", 15},
    {" - ", 40},
    {"\" ", 50},
    {" \"", 60},
    {"] \"", 50},
    {" '", 10},
    {"' ", 10},
    {"] [", 30},
    {" <", 15},
    {"= ", 12},
    {" /", 30},
    {"  ", 70},
    {"://", 40},
    {"//", 40},
    {" - - [", 60},
    {"\" \"", 40},
};

static bool is_word_byte(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') ||
	       (c >= 'A' && c <= 'Z') || c == '_';
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

static bool is_same(struct span a, struct span b, bool is_nocase)
{
	return is_nocase ? span_eq_nocase(a, b) : span_eq(a, b);
}

/* May @word be what the line has at @token, which goes on where it is open? */
static bool is_part(struct span token, struct span word, bool is_open_left,
    bool is_open_right, bool is_nocase)
{
	size_t last = word.n - token.n, from = 0;

	if (token.n > word.n)
		return false;
	if (!is_open_left)
		last = 0;
	if (!is_open_right)
		from = word.n - token.n;
	for (; from <= last; from++) {
		if (is_same((struct span){word.p + from, token.n}, token, is_nocase))
			return true;
	}
	return false;
}

static double cost_by_length(struct span token)
{
	static const double of_letters[] = {
	    1, .6, .3, .08, .04, .025, .018, .014, .012};
	static const double of_digits[] = {1, .95, .8, .1, .03, .01};
	static const double of_others[] = {1, .3, .1, .04};
	size_t n = token.n;

	for (size_t i = 0; i < token.n; i++) {
		if (!is_digit(token.p[i])) {
			n = 0;
			break;
		}
	}
	if (n > 0)
		return of_digits[n < 5 ? n : 5];
	if (!is_word_byte(token.p[0]))
		return of_others[token.n < 3 ? token.n : 3];
	return of_letters[token.n < 8 ? token.n : 8];
}

static double cost_of_token(
    struct span token, bool is_open_left, bool is_open_right, bool is_nocase)
{
	double cost = cost_by_length(token);

	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		double known = words[i].pct / 100.0;

		/* A whole word that is known is as rare as it is known to be. */
		if (!is_open_left && !is_open_right &&
		    is_same(token, span_of(words[i].text), is_nocase))
			return known;
		if (known > cost && is_part(token, span_of(words[i].text), is_open_left,
					is_open_right, is_nocase))
			cost = known;
	}
	return cost;
}

/* The rarest token says most; each of the others takes up to the half away. */
double literals_cost(struct span text, bool is_nocase)
{
	double rarest = 1, all = 1;
	size_t i = 0;

	while (i < text.n) {
		size_t from = i;
		double cost;

		while (
		    i < text.n && is_word_byte(text.p[i]) == is_word_byte(text.p[from]))
			i++;
		cost = cost_of_token((struct span){text.p + from, i - from}, from == 0,
		    i == text.n, is_nocase);
		all *= 0.5 + 0.5 * cost;
		if (cost < rarest)
			rarest = cost;
	}
	return rarest * all / (0.5 + 0.5 * rarest);
}
