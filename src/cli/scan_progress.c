/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/scan_progress.h"

#include <inttypes.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/fd.h"

#define FIRST_US US_PER_SEC
#define EVERY_US (US_PER_SEC / 5)
#define COLUMNS 80

void scan_progress_init(struct scan_progress *p, bool is_wanted, mono_t now)
{
	*p = (struct scan_progress){.is_wanted = is_wanted && isatty(STDERR_FILENO),
	    .begun = now,
	    .shown = now};
}

static void add_bytes(struct buf *b, double n)
{
	static const char *const units[] = {"B", "KiB", "MiB", "GiB", "TiB"};
	size_t i = 0;

	while (n >= 1024 && i + 1 < ARRAY_LEN(units)) {
		n /= 1024;
		i++;
	}
	buf_printf(b, "%.*f %s", i > 0 && n < 100, n, units[i]);
}

static void add_left(struct buf *b, double sec)
{
	uint64_t s = sec < 360000 ? (uint64_t)sec : 360000;

	if (s >= 3600)
		buf_printf(
		    b, ", %" PRIu64 ":%02" PRIu64 " h left", s / 3600, s / 60 % 60);
	else
		buf_printf(b, ", %" PRIu64 ":%02" PRIu64 " left", s / 60, s % 60);
}

void scan_progress_format(struct buf *b, const struct inputs_progress *in, double sec)
{
	double done = (double)in->n_bytes, all = (double)in->n_bytes_all;

	/* A log that grows, or was begun again, must not be at 101 %. */
	if (all > 0 && done > all)
		done = all;
	if (all > 0)
		buf_printf(b, "%3.0f%%  ", 100 * done / all);
	add_bytes(b, done);
	if (all > 0) {
		buf_add_str(b, " of ");
		add_bytes(b, all);
	}
	if (sec > 0)
		buf_printf(b, ", %.0f lines/s", (double)in->n_lines / sec);
	if (all > 0 && done > 0)
		add_left(b, sec * (all - done) / done);
}

static size_t n_columns(void)
{
	struct winsize w;

	return ioctl(STDERR_FILENO, TIOCGWINSZ, &w) == 0 && w.ws_col ? w.ws_col
								     : COLUMNS;
}

/* A terminal that is not ours to be controlled by has no background. */
static bool is_in_background(void)
{
	pid_t group = tcgetpgrp(STDERR_FILENO);

	return group >= 0 && group != getpgrp();
}

void scan_progress_tick(
    struct scan_progress *p, const struct inputs_progress *in, mono_t now)
{
	struct buf b = BUF_INIT(512);

	if (!p->is_wanted || now.us - p->begun.us < FIRST_US ||
	    now.us - p->shown.us < EVERY_US)
		return;
	p->shown = now;
	if (is_in_background())
		return;
	buf_add_str(&b, "\r");
	scan_progress_format(&b, in, (double)(now.us - p->begun.us) / 1e6);
	/* One that is wider than the terminal could not be erased. */
	if (b.n > n_columns())
		b.n = n_columns();
	buf_add_str(&b, "\033[K");
	p->is_shown = fd_write_all(STDERR_FILENO, buf_str(&b), b.n) == 0;
	buf_deinit(&b);
}

void scan_progress_erase(struct scan_progress *p)
{
	if (!p->is_shown)
		return;
	p->is_shown = false;
	/* What cannot be written to the terminal is not there either. */
	(void)fd_write_all(STDERR_FILENO, "\r\033[K", 4);
}
