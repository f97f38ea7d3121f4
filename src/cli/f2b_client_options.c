/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The command line of fail2ban-client and fail2ban-server: options first, then the
 * command, whose words may begin with a '-' of their own.
 */
#include <getopt.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/f2b_client.h"
#include "cli/f2b_names.h"
#include "cli/f2b_repr.h"
#include "config.h"

#define TIMEOUT_SEC 30

enum {
	OPT_PNAME = 256,
	OPT_LEVEL,
	OPT_TARGET,
	OPT_SYSLOG,
	OPT_PRETTY,
	OPT_ASYNC,
	OPT_TIMEOUT,
	OPT_STR2SEC,
	OPT_VERSION,
};

static const struct option long_options[] = {
    {"conf", required_argument, NULL, 'c'},
    {"socket", required_argument, NULL, 's'},
    {"pidfile", required_argument, NULL, 'p'},
    {"pname", required_argument, NULL, OPT_PNAME},
    {"loglevel", required_argument, NULL, OPT_LEVEL},
    {"logtarget", required_argument, NULL, OPT_TARGET},
    {"syslogsocket", required_argument, NULL, OPT_SYSLOG},
    {"dp", no_argument, NULL, OPT_PRETTY},
    {"dump-pretty", no_argument, NULL, OPT_PRETTY},
    {"test", no_argument, NULL, 't'},
    {"async", no_argument, NULL, OPT_ASYNC},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"str2sec", required_argument, NULL, OPT_STR2SEC},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, OPT_VERSION},
    {NULL, 0, NULL, 0},
};

static const char help_options[] =
    "Options:\n"
    "    -c, --conf <DIR>        configuration folder\n"
    "    -s, --socket <FILE>     socket; what it starts then runs in that folder\n"
    "    -p, --pidfile <FILE>    accepted\n"
    "    --pname <NAME>          accepted\n"
    "    --loglevel <LEVEL>      logging level of what is started\n"
    "    --logtarget <TARGET>    accepted, the configuration says it\n"
    "    --syslogsocket auto|<FILE>  accepted\n"
    "    -d                      show the configuration as a list of commands\n"
    "    --dp, --dump-pretty     the same, long ones over several lines\n"
    "    -t, --test              test the configuration\n"
    "    -i                      read commands from standard input\n"
    "    -v                      say more\n"
    "    -q                      say less\n"
    "    -x                      accepted: a socket that nobody serves is replaced\n"
    "    -b                      start in the background (default)\n"
    "    -f                      start in the foreground\n"
    "    --async                 accepted\n"
    "    --timeout <TIME>        how long to wait for a start or a stop\n"
    "    --str2sec <STRING>      a time like 1d12h in seconds\n"
    "    -h, --help              this\n"
    "    -V, --version           the version; -V the number alone\n";

static const char help_commands[] =
    "\n"
    "Commands done here:\n"
    "    start                   start bandogd\n"
    "    restart                 stop it and start it again\n"
    "    restart [--unban] [--if-exists] <JAIL>\n"
    "    reload [--restart] [--unban] [--if-exists] [--all | <JAIL>]\n"
    "    ping [<TIMEOUT>]\n"
    "Commands of the server:\n"
    "    status [--all | <JAIL> [<FLAVOR>]], statistics, banned [<IP> ...], version\n"
    "    unban --all | <IP> ..., stop [<JAIL>], start <JAIL>, flushlogs, echo <WORD> "
    "...\n"
    "    add <JAIL> [<BACKEND>]\n"
    "    get <OPTION>, set <OPTION> <VALUE>: loglevel, logtarget, syslogsocket,\n"
    "        dbfile, dbmaxmatches, dbpurgeage, allowipv6\n"
    "    get <JAIL> <OPTION>, set <JAIL> <OPTION> <VALUE>: those of jail.conf, and\n"
    "        banned, banip, unbanip, attempt, idle,\n"
    "        addignoreip, delignoreip, addlogpath, dellogpath,\n"
    "        addjournalmatch, deljournalmatch, addfailregex, delfailregex,\n"
    "        addignoreregex, delignoreregex,\n"
    "        addaction, delaction, action, actions, actionproperties, actionmethods\n";

void f2b_client_help(const struct f2b_client_options *o)
{
	printf("Usage: %s [OPTIONS]%s\n\n", f2b_base_name(o->name),
	    o->is_server ? "" : " <COMMAND>");
	puts("Asks and steers bandogd in the words of fail2ban; see bandog(1).\n");
	fputs(help_options, stdout);
	if (!o->is_server)
		fputs(help_commands, stdout);
}

void f2b_client_say(
    const struct f2b_client_options *o, const char *level, const char *fmt, ...)
{
	int64_t now_us = wall_now().us;
	time_t sec = (time_t)(now_us / US_PER_SEC);
	char when[32] = "";
	struct tm tm;
	va_list ap;

	if (o->verbose < 1 && strcmp(level, "ERROR") != 0)
		return;
	(void)fflush(stdout);
	if (localtime_r(&sec, &tm))
		(void)strftime(when, sizeof(when), "%Y-%m-%d %H:%M:%S", &tm);
	fprintf(stderr, "%s,%03d %-24s[%d]: %-7s ", when,
	    (int)(now_us % US_PER_SEC / 1000), "fail2ban", (int)getpid(), level);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputc('\n', stderr);
}

/* Months and years are no whole numbers of seconds for fail2ban, fractions neither. */
static bool has_fraction(const char *text)
{
	bool in_word = false;

	for (const char *p = text; *p; p++) {
		bool is_letter = (*p | 0x20) >= 'a' && (*p | 0x20) <= 'z';

		if (*p == '.' || *p == '/' ||
		    (is_letter && !in_word && (*p | 0x20) == 'y'))
			return true;
		if (is_letter && !in_word && !strncasecmp(p, "mo", 2))
			return true;
		in_word = is_letter;
	}
	return false;
}

static int print_seconds(const char *text)
{
	struct buf b = BUF_INIT(100);
	double sec;

	if (duration_parse(span_of(text), &sec) < 0) {
		printf("ERROR: '%s' is no time\n", text);
		return F2B_BAD;
	}
	if (!has_fraction(text) && sec == trunc(sec) && fabs(sec) < 1e15)
		buf_printf(&b, "%.0f", sec);
	else
		f2b_repr_float(&b, sec);
	puts(buf_str(&b));
	buf_deinit(&b);
	return F2B_GOOD;
}

static int read_timeout(struct f2b_client_options *o, const char *text)
{
	double sec;

	if (duration_parse(span_of(text), &sec) < 0 || sec < 0 || sec > 1e6) {
		printf("ERROR: '%s' is no time\n", text);
		return F2B_BAD;
	}
	o->timeout_sec = (int)sec;
	return -1;
}

static int set_socket(struct f2b_client_options *o, const char *path)
{
	free(o->socket);
	o->socket = strdup(path);
	return o->socket ? -1 : F2B_BAD;
}

static int bad_usage(const struct f2b_client_options *o)
{
	f2b_client_help(o);
	(void)fflush(stdout);
	fputs("Init of command line failed\n", stderr);
	return F2B_BAD;
}

static int apply(struct f2b_client_options *o, int opt)
{
	switch (opt) {
	case 'c':
		o->config_dir = optarg;
		return -1;
	case 's':
		return set_socket(o, optarg);
	case 'd':
	case OPT_PRETTY:
		o->dump = true;
		o->dump_pretty = opt == OPT_PRETTY;
		return -1;
	case 't':
		o->test = true;
		return -1;
	case 'i':
		o->interactive = true;
		return -1;
	case 'v':
		o->verbose++;
		return -1;
	case 'q':
		o->verbose--;
		return -1;
	case 'b':
	case 'f':
		o->foreground = opt == 'f';
		return -1;
	case OPT_LEVEL:
		o->loglevel = optarg;
		return -1;
	case OPT_TARGET:
		o->logtarget = optarg;
		return -1;
	case OPT_TIMEOUT:
		return read_timeout(o, optarg);
	case OPT_STR2SEC:
		return print_seconds(optarg);
	case 'h':
		f2b_client_help(o);
		return F2B_GOOD;
	case 'V':
		puts(F2B_VERSION);
		return F2B_GOOD;
	case OPT_VERSION:
		puts("Fail2Ban v" F2B_VERSION " (bandog " BANDOG_VERSION ")");
		return F2B_GOOD;
	case 'p':
	case 'x':
	case OPT_PNAME:
	case OPT_SYSLOG:
	case OPT_ASYNC:
		return -1;
	default:
		return bad_usage(o);
	}
}

int f2b_client_parse(int argc, char **argv, struct f2b_client_options *o)
{
	int opt, code;

	*o = (struct f2b_client_options){
	    .name = argv[0],
	    .config_dir = f2b_config_dir(),
	    .verbose = 1,
	    .timeout_sec = TIMEOUT_SEC,
	    .is_server = !strcmp(f2b_base_name(argv[0]), "fail2ban-server"),
	};
	if (set_socket(o, BANDOG_RUN_DIR "/fail2ban.sock") >= 0)
		return F2B_BAD;
	opterr = 0;
	while ((opt = getopt_long(
		    argc, argv, "+hc:s:p:xfbdtviqV", long_options, NULL)) != -1) {
		code = apply(o, opt);
		if (code >= 0)
			return code;
	}
	o->words = argv + optind;
	o->n_words = argc - optind;
	return -1;
}
