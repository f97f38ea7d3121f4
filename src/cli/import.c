/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bandog import: take over what fail2ban knows: bans that still last, history, and how
 * far each log has been read. Once, while bandogd is stopped: its database has one
 * owner.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/hash.h"
#include "cli/cli.h"
#include "cli/client.h"
#include "pipeline/setup.h"
#include "record/db.h"
#include "record/f2b_db.h"
#include "source/tail.h"

#define DEFAULT_DB "/var/lib/fail2ban/fail2ban.sqlite3"
#define MAX_WHY 32

enum { OPT_DB = CLI_OWN };

struct import {
	struct f2b_db *from;
	struct db *to;
	const struct setup
	    *setup; /* for the bantime where fail2ban has none; may be NULL */
	wall_t now;
	uint64_t n_bans, n_over, n_history, n_logs;
	uint64_t n_no_address; /* ids that are neither addresses nor can be ids */
	uint64_t
	    n_lost_logs; /* positions of logs that are not there, or are others now */
};

/* --- bans --------------------------------------------------------------------------
 */

static wall_t end_of(const struct import *im, const struct f2b_ban *b)
{
	int64_t sec = b->bantime_sec;
	int jail = im->setup ? setup_find_jail(im->setup, span_of(b->jail)) : -1;

	if (sec == F2B_BANTIME_UNKNOWN)
		sec = jail >= 0 ? im->setup->jails[jail].bantime_sec : 0;
	return sec < 0 ? WALL_NEVER : wall_add_sec(b->at, (double)sec);
}

static int add_line(struct order *o, struct span line)
{
	struct evidence *more = realloc(o->why, (o->n_why + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	o->why = more;
	more[o->n_why] =
	    (struct evidence){.at = o->at, .weight = 1, .text = span_dup(line)};
	o->n_why++;
	return 0;
}

static int take_lines(struct order *o, const char *matches)
{
	struct span rest = span_of(matches), line;
	int r = 0;

	while (!r && o->n_why < MAX_WHY && matches && span_next_line(&rest, &line)) {
		if (line.n)
			r = add_line(o, line);
	}
	return r;
}

/* Return: as order_of(). */
static int take_id(struct order *o, const struct f2b_ban *b)
{
	if (net_parse_id(span_of(b->ip), &o->net) < 0)
		return 1;
	if (b->address)
		(void)net_parse_addr(span_of(b->address), &o->ip); /* or none */
	o->id = strdup(b->ip);
	return o->id ? 0 : -ENOMEM;
}

/* Return: 0, 1 if its id only looks like an address, or is too long, -ENOMEM. */
static int order_of(const struct import *im, const struct f2b_ban *b, struct order *out)
{
	struct order o = {.op = ORDER_BAN,
	    .cause = ORDER_BY_RULE,
	    .at = b->at,
	    .until = end_of(im, b),
	    .failures = b->failures,
	    .ban_count = b->ban_count};

	int r = net_parse(span_of(b->ip), &o.net) < 0 ? take_id(&o, b) : 0;

	if (r)
		return r;
	if (take_lines(&o, b->matches) < 0) {
		order_deinit(&o);
		return -ENOMEM;
	}
	*out = o;
	return 0;
}

static int put_ended(struct import *im, const char *jail, struct order *o)
{
	o->op = ORDER_UNBAN;
	o->cause = ORDER_EXPIRED;
	o->at = o->until;
	return db_put_unban(im->to, jail, o);
}

static int put(
    struct import *im, const struct f2b_ban *b, uint64_t *n_lasting, uint64_t *n_over)
{
	struct order o;
	int r = order_of(im, b, &o);

	if (r) {
		im->n_no_address += r > 0;
		return r < 0 ? r : 0;
	}
	bool is_over = o.until.us <= im->now.us;
	/* Of all rows of an address the newest stays. */
	const struct offender known = {.net = o.net,
	    .count = o.ban_count ? o.ban_count : 1,
	    .at = o.at,
	    .until = o.until};

	r = db_put_ban(im->to, b->jail, &o);
	if (!r && is_over)
		r = put_ended(im, b->jail, &o);
	if (!r)
		r = db_put_offender(im->to, b->jail, &known);
	if (!r)
		(*(is_over ? n_over : n_lasting))++;
	order_deinit(&o);
	return r;
}

/* A ban of the past has ended, whatever its length was; what lasts comes from the other
 * list. */
static int on_history(void *ctx, const struct f2b_ban *b)
{
	struct import *im = ctx;

	return put(im, b, &im->n_history, &im->n_history);
}

static int on_current(void *ctx, const struct f2b_ban *b)
{
	struct import *im = ctx;

	return put(im, b, &im->n_bans, &im->n_over);
}

/* --- positions ---------------------------------------------------------------------
 */

/* Which file is this? See flow/cursor.h. */
static int describe(int fd, uint64_t offset, struct cursor *out)
{
	char head[CURSOR_HEAD_MAX];
	size_t n = offset < sizeof(head) ? (size_t)offset : sizeof(head);
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || offset > (uint64_t)st.st_size ||
	    pread(fd, head, n, 0) != (ssize_t)n)
		return -ESTALE;
	*out = (struct cursor){
	    .dev = st.st_dev,
	    .ino = st.st_ino,
	    .offset = offset,
	    .head_bytes = (uint32_t)n,
	    .head_hash = n ? hash_stable(head, n) : 0,
	};
	return 0;
}

/* The file that fail2ban read, as far as that can be told: long enough, and a line ends
 * at the position. */
static int on_log(void *ctx, const struct f2b_log *l)
{
	struct import *im = ctx;
	CLEANUP(fd_closep)
	int fd = l->path[0] == '/'
		     ? open(l->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)
		     : -1;
	struct cursor c;

	if (fd < 0 || describe(fd, (uint64_t)l->position, &c) < 0) {
		im->n_lost_logs++;
		return 0;
	}
	CLEANUP(tail_freep) struct tail *t = tail_new(TAKE_FD(fd), NULL, false);

	if (!t || !tail_fits(t, &c)) {
		im->n_lost_logs++;
		return 0;
	}
	im->n_logs++;
	return db_put_cursor(im->to, l->path, &c);
}

/* --- the whole ---------------------------------------------------------------------
 */

static int import_all(struct import *im)
{
	int r = db_begin(im->to);

	if (!r)
		r = f2b_db_each_history(im->from, on_history, im);
	if (!r)
		r = f2b_db_each_current(im->from, on_current, im);
	if (!r)
		r = f2b_db_each_log(im->from, on_log, im);
	return r ? r : db_commit(im->to);
}

static void print(const struct import *im, const char *path, bool json)
{
	if (json) {
		printf("{\"schema\":%d,\"bans\":%" PRIu64 ",\"over\":%" PRIu64
		       ",\"history\":%" PRIu64 ",\"logs\":%" PRIu64
		       ",\"lost_logs\":%" PRIu64 ",\"no_address\":%" PRIu64 "}\n",
		    f2b_db_version(im->from), im->n_bans, im->n_over, im->n_history,
		    im->n_logs, im->n_lost_logs, im->n_no_address);
		return;
	}
	printf("%s (schema %d)\n", path, f2b_db_version(im->from));
	printf("%8" PRIu64 " bans that last\n%8" PRIu64
	       " bans that are over by now\n%8" PRIu64 " entries of history\n%8" PRIu64
	       " positions in logs\n",
	    im->n_bans, im->n_over, im->n_history, im->n_logs);
	if (im->n_lost_logs)
		printf("%8" PRIu64
		       " positions left out: the log is gone or another one now\n",
		    im->n_lost_logs);
	if (im->n_no_address)
		printf("%8" PRIu64 " entries left out: what was banned is no address "
		       "and cannot be an id\n",
		    im->n_no_address);
}

static struct db *open_target(const struct cli_options *o)
{
	CLEANUP(freep) char *path = NULL;
	struct err e = {""};

	(void)mkdir(o->state_dir, 0700);
	if (asprintf(&path, "%s/bandog.db", o->state_dir) < 0)
		return NULL;
	struct db *to = db_open(path, &e);

	if (e.text[0])
		fprintf(stderr, "bandog import: %s: %s\n", path, e.text);
	return to;
}

static int import_from(const struct cli_options *o, const char *path)
{
	struct err e = {""};
	struct diag d = {0};
	CLEANUP(f2b_db_closep) struct f2b_db *from = f2b_db_open(path, &e);
	CLEANUP(setup_freep) struct setup *setup = NULL;

	if (!from) {
		fprintf(stderr, "bandog import: %s: %s\n", path, e.text);
		return CLI_FAILED;
	}
	CLEANUP(db_closep) struct db *to = open_target(o);

	if (!to)
		return CLI_FAILED;
	CLEANUP(conf_freep)
	struct conf *conf = conf_load(o->config_dir, NULL, 0, &d);

	if (conf)
		(void)setup_build(conf, &d, &setup);
	diag_deinit(&d); /* `bandog check` says what is wrong with it */
	struct import im = {.from = from, .to = to, .setup = setup, .now = wall_now()};
	int r = import_all(&im);

	if (r < 0) {
		db_rollback(to);
		fprintf(stderr, "bandog import: nothing was taken over: %s\n",
		    *db_error(to) ? db_error(to) : strerror(-r));
		return CLI_FAILED;
	}
	print(&im, path, o->json);
	return CLI_OK;
}

static int run(const struct cli_verb *v, int argc, char **argv)
{
	static const struct option options[] = {CLI_COMMON_OPTIONS,
	    {"fail2ban-db", required_argument, NULL, OPT_DB}, {NULL, 0, NULL, 0}};
	struct cli_options o = cli_defaults();
	const char *path = DEFAULT_DB;
	int c, code;

	while ((c = getopt_long(argc, argv, "h", options, NULL)) != -1) {
		if (c == OPT_DB)
			path = optarg;
		else if ((code = cli_common(v, c, &o)) >= 0)
			return code;
	}
	if (optind < argc)
		return cli_usage(v, "unexpected argument '%s'", argv[optind]);
	if (client_is_running(&o)) {
		fputs(
		    "bandog import: bandogd is running; stop it first (bandog stop)\n",
		    stderr);
		return CLI_FAILED;
	}
	return import_from(&o, path);
}

const struct cli_verb cli_import = {
    .name = "import",
    .synopsis = "[--fail2ban-db FILE] [--json]",
    .summary = "Take over bans, history and log positions from fail2ban",
    .help = "  --fail2ban-db FILE   (" DEFAULT_DB "), schemas 1 to 4\n"
	    "To be run once, while neither fail2ban nor bandogd runs. Running it again "
	    "adds\n"
	    "nothing twice. Exit: 0 taken over, 2 it could not be done.\n",
    .run = run,
};
