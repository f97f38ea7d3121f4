/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sums: booking them, making days of hours, telling them.
 *
 * A row is looked for first and made only when there is room for it in its hour. How
 * many rows an hour has is asked once and then counted along, for the last 64 hours
 * that came up; when anything goes wrong, or rows go, it is asked again.
 */
#include "record/db_sums.h"

#include <errno.h>
#include <string.h>

#include "record/db_private.h"

#define HOUR_US (3600 * US_PER_SEC)
#define DAY_US (24 * HOUR_US)
/* So that no sum of many overflows, whatever a counter says. */
#define MOST (INT64_C(1) << 48)

static int64_t floor_to(int64_t us, int64_t unit)
{
	int64_t rest = us % unit;

	return us - (rest < 0 ? rest + unit : rest);
}

void db_forget_hours(struct db *d)
{
	memset(d->sums_of, 0, sizeof(d->sums_of));
	memset(d->who_of, 0, sizeof(d->who_of));
}

/* --- booking -----------------------------------------------------------------------
 */

static int get_booked(struct db *d, int64_t *out_run, int64_t *out_batch)
{
	sqlite3_stmt *st = d->stmts[DB_GET_BOOKED];
	int rc = sqlite3_step(st), r = 0;

	*out_run = *out_batch = 0;
	if (rc == SQLITE_ROW) {
		*out_run = sqlite3_column_int64(st, 0);
		*out_batch = sqlite3_column_int64(st, 1);
	} else if (rc != SQLITE_DONE) {
		r = db_failed(d, rc);
	}
	sqlite3_reset(st);
	return r;
}

int db_sums_begin(struct db *d, uint64_t run, uint64_t batch)
{
	sqlite3_stmt *st = d->stmts[DB_PUT_BOOKED];
	int64_t was_run, was_batch;
	int r = db_may_write(d);

	if (!r)
		r = get_booked(d, &was_run, &was_batch);
	if (r)
		return r;
	/* The same bits travel as signed ones. */
	if (was_run == (int64_t)run && (uint64_t)was_batch >= batch)
		return DB_SUMS_BOOKED;
	sqlite3_bind_int64(st, 1, (int64_t)run);
	sqlite3_bind_int64(st, 2, (int64_t)batch);
	return db_stmt_run(d, st);
}

static int64_t bounded(int64_t v)
{
	return v > MOST ? MOST : v < -MOST ? -MOST : v;
}

static void bind_numbers(sqlite3_stmt *st, const struct db_numbers *n)
{
	sqlite3_bind_int64(st, 1, bounded(n->passed));
	sqlite3_bind_int64(st, 2, bounded(n->bans));
	sqlite3_bind_int64(st, 3, bounded(n->attempts));
	sqlite3_bind_int64(st, 4, bounded(n->packets));
	sqlite3_bind_int64(st, 5, bounded(n->bytes));
}

/* Return: rows of the hour, or negative errno. */
static int64_t rows_of(
    struct db *d, enum db_stmt count, int64_t at, struct db_hour **out)
{
	struct db_hour *table = count == DB_COUNT_WHO ? d->who_of : d->sums_of;
	struct db_hour *h = &table[(uint64_t)(at / HOUR_US) % DB_N_HOURS];
	sqlite3_stmt *st = d->stmts[count];
	int rc;

	*out = h;
	if (h->at == at && at)
		return h->n_rows;
	sqlite3_bind_int64(st, 1, at);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*h = (struct db_hour){at, sqlite3_column_int64(st, 0)};
	sqlite3_reset(st);
	return rc == SQLITE_ROW ? h->n_rows : db_failed(d, rc);
}

/* The same columns are bound to both. */
struct row {
	int64_t at;
	const char *jail;
	const struct db_numbers *n;
	const struct net *net; /* NULL: a sum */
	int rule;
	const char *reason;
};

static int run_row(struct db *d, enum db_stmt which, const struct row *w)
{
	sqlite3_stmt *st = d->stmts[which];

	bind_numbers(st, w->n);
	sqlite3_bind_int64(st, 6, w->at);
	sqlite3_bind_text(st, 7, w->jail, -1, SQLITE_STATIC);
	if (w->net) {
		db_bind_net(st, 8, w->net);
	} else {
		sqlite3_bind_int64(st, 8, w->rule);
		sqlite3_bind_text(st, 9, w->reason, -1, SQLITE_STATIC);
	}
	return db_stmt_run(d, st);
}

static int add_row(struct db *d, const struct row *w)
{
	struct db_hour *hour;
	int r = run_row(d, w->net ? DB_ADD_WHO : DB_ADD_SUM, w);

	if (r || sqlite3_changes(d->sql))
		return r;
	int64_t n = rows_of(d, w->net ? DB_COUNT_WHO : DB_COUNT_SUMS, w->at, &hour);

	if (n < 0)
		return (int)n;
	if (n >= (w->net ? DB_WHO_MAX_HOUR : DB_SUMS_MAX_HOUR))
		return 0;
	r = run_row(d, w->net ? DB_INSERT_WHO : DB_INSERT_SUM, w);
	hour->n_rows += !r;
	return r;
}

int db_add_sum(struct db *d, wall_t at, const char *jail, int rule, const char *reason,
    const struct db_numbers *n)
{
	struct row w = {.at = floor_to(at.us, HOUR_US),
	    .jail = jail,
	    .n = n,
	    .rule = rule,
	    .reason = reason ? reason : ""};
	int r = db_may_write(d);

	return r ? r : add_row(d, &w);
}

int db_add_who(struct db *d, wall_t at, const char *jail, const struct net *net,
    const struct db_numbers *n)
{
	struct row w = {
	    .at = floor_to(at.us, HOUR_US), .jail = jail, .n = n, .net = net};
	int r = db_may_write(d);

	return r ? r : add_row(d, &w);
}

/* --- hours become days, days go ----------------------------------------------------
 */

struct fold {
	enum db_stmt fold, drop, trim, purge;
	int64_t max_rows;
	int64_t hours_days, days;
};

static const struct fold folds[] = {
    {DB_FOLD_SUMS, DB_FOLD_SUMS_DROP, DB_FOLD_SUMS_TRIM, DB_PURGE_SUMS, DB_SUMS_MAX_DAY,
	DB_SUMS_HOURS_DAYS, DB_SUMS_DAYS},
    {DB_FOLD_WHO, DB_FOLD_WHO_DROP, DB_FOLD_WHO_TRIM, DB_PURGE_WHO, DB_WHO_MAX_DAY,
	DB_WHO_HOURS_DAYS, DB_WHO_DAYS},
};

static int run_two(struct db *d, enum db_stmt which, int64_t first, int64_t second)
{
	sqlite3_stmt *st = d->stmts[which];

	sqlite3_bind_int64(st, 1, first);
	sqlite3_bind_int64(st, 2, second);
	return db_stmt_run(d, st);
}

static int fold_day(struct db *d, const struct fold *f, int64_t day)
{
	int r = db_begin(d);

	if (!r)
		r = run_two(d, f->fold, day, day + DAY_US);
	if (!r && sqlite3_changes(d->sql)) {
		r = run_two(d, f->drop, day, day + DAY_US);
		if (!r)
			r = run_two(d, f->trim, day, f->max_rows);
	}
	if (!r)
		r = db_commit(d);
	if (r)
		db_rollback(d);
	return r;
}

/* Days up to here are whole: no hour of them is told by itself any more. */
static int64_t first_hour_kept(const struct fold *f, int64_t now)
{
	return floor_to(now - f->hours_days * DAY_US, DAY_US);
}

int db_fold_sums(struct db *d, wall_t now)
{
	int r = 0;

	for (size_t i = 0; !r && i < ARRAY_LEN(folds); i++) {
		const struct fold *f = &folds[i];
		int64_t first = floor_to(now.us - f->days * DAY_US, DAY_US);

		sqlite3_bind_int64(d->stmts[f->purge], 1, first);
		r = db_stmt_run(d, d->stmts[f->purge]);
		for (; !r && first < first_hour_kept(f, now.us); first += DAY_US)
			r = fold_day(d, f, first);
	}
	db_forget_hours(d);
	return r;
}

/* --- what was summed ---------------------------------------------------------------
 */

static bool is_of_who(enum db_sums_by by)
{
	return by == DB_BY_NETWORK || by == DB_BY_ADDRESS;
}

wall_t db_sums_from(enum db_sums_by by, wall_t since, wall_t now)
{
	const struct fold *f = &folds[is_of_who(by)];
	int64_t oldest = floor_to(now.us - f->days * DAY_US, DAY_US);

	if (since.us < oldest)
		return (wall_t){oldest};
	return (wall_t){floor_to(
	    since.us, since.us < first_hour_kept(f, now.us) ? DAY_US : HOUR_US)};
}

/* Return: false: no such row is there. */
static bool read_net(sqlite3_stmt *st, enum db_sums_by by, struct net *out)
{
	const void *p = sqlite3_column_blob(st, 4);
	struct unpack u =
	    unpack_of((struct span){p ? p : "", (size_t)sqlite3_column_bytes(st, 4)});

	*out = unpack_net(&u);
	if (unpack_end(&u) < 0)
		return false;
	if (by == DB_BY_NETWORK && !net_is_id(out))
		*out = net_mask(*out, net_is_v4(out) ? 24 : 64);
	return true;
}

static struct db_numbers read_numbers(sqlite3_stmt *st, int first)
{
	return (struct db_numbers){
	    .passed = sqlite3_column_int64(st, first),
	    .bans = sqlite3_column_int64(st, first + 1),
	    .attempts = sqlite3_column_int64(st, first + 2),
	    .packets = sqlite3_column_int64(st, first + 3),
	    .bytes = sqlite3_column_int64(st, first + 4),
	};
}

static bool read_row(sqlite3_stmt *st, enum db_sums_by by, struct db_sums_row *out)
{
	*out = (struct db_sums_row){
	    .at = {sqlite3_column_int64(st, 0)},
	    .jail = (const char *)sqlite3_column_text(st, 1),
	    .rule = sqlite3_column_int64(st, 2),
	    .reason = (const char *)sqlite3_column_text(st, 3),
	    .blocked = sqlite3_column_int64(st, 5),
	    .n = read_numbers(st, 6),
	};
	return !is_of_who(by) || read_net(st, by, &out->net);
}

int db_each_sum(struct db *d, enum db_sums_by by, wall_t since, wall_t now, size_t max,
    db_sums_fn fn, void *ctx)
{
	enum db_stmt which = (enum db_stmt)(DB_SUMS_BY_ALL + (int)by);
	sqlite3_stmt *st = db_stmt_get(d, which);
	struct db_sums_row row;
	int rc, r = 0;

	if (!st)
		return -EBUSY;
	sqlite3_bind_int64(st, 1, db_sums_from(by, since, now).us);
	sqlite3_bind_int64(st, 2, max < INT64_MAX ? (int64_t)max : INT64_MAX);
	if (by == DB_BY_ALL)
		sqlite3_bind_int64(st, 3, db_sums_from(DB_BY_ADDRESS, since, now).us);
	while (!r && (rc = sqlite3_step(st)) == SQLITE_ROW) {
		if (read_row(st, by, &row))
			r = fn(ctx, &row);
	}
	if (!r && rc != SQLITE_DONE)
		r = db_failed(d, rc);
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return r;
}

static int add_hour(
    struct db *d, int64_t at, const struct net *net, struct db_numbers *io)
{
	sqlite3_stmt *st = d->stmts[DB_SUM_OF_WHO];
	int rc, r = 0;

	sqlite3_bind_int64(st, 1, at);
	db_bind_net(st, 2, net);
	rc = sqlite3_step(st);
	if (rc == SQLITE_ROW) {
		struct db_numbers n = read_numbers(st, 0);

		io->passed += n.passed;
		io->bans += n.bans;
		io->attempts += n.attempts;
		io->packets += n.packets;
		io->bytes += n.bytes;
	} else {
		r = db_failed(d, rc);
	}
	sqlite3_reset(st);
	sqlite3_clear_bindings(st);
	return r;
}

/* The time leads the key, so each hour and day is asked by itself: some hundred at
 * most, and no index more. Days that are not one row yet have their hours. */
int db_sum_of_who(
    struct db *d, const struct net *net, wall_t now, struct db_numbers *out)
{
	int64_t at = db_sums_from(DB_BY_ADDRESS, WALL_NONE, now).us;
	int64_t hours_from =
	    floor_to(now.us - (DB_WHO_HOURS_DAYS + 1) * DAY_US, DAY_US);
	struct db_numbers sum = {0};
	int r = 0;

	while (!r && at <= now.us) {
		r = add_hour(d, at, net, &sum);
		at += at < hours_from ? DAY_US : HOUR_US;
	}
	if (!r)
		*out = sum;
	return r;
}
