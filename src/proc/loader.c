/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/loader.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/pack.h"
#include "proc/overrides.h"
#include "proc/role.h"
#include "proc/sandbox.h"
#include "proc/spawn.h"

#define LOADER_RESULT_MAX (256u << 20)

static enum loader_verdict judge(const struct diag *d, const struct setup *s)
{
	if (!s || d->n_fatal || (!s->n_jails && d->n_errors))
		return LOADER_REFUSED;
	return d->n_errors ? LOADER_PARTLY : LOADER_CLEAN;
}

static int write_result(
    enum loader_verdict verdict, const struct buf *text, const struct setup *s)
{
	struct buf setup_bytes = BUF_INIT(LOADER_RESULT_MAX);
	struct buf all = BUF_INIT(LOADER_RESULT_MAX);

	if (verdict != LOADER_REFUSED)
		setup_encode(s, &setup_bytes);
	pack_u8(&all, (uint8_t)verdict);
	pack_span(&all, buf_span(text));
	pack_span(&all, buf_span(&setup_bytes));
	int r = all.failed || setup_bytes.failed
		    ? -ENOMEM
		    : fd_write_all(SPAWN_EXTRA_FD, all.p, all.n);

	buf_deinit(&all);
	buf_deinit(&setup_bytes);
	return r;
}

/* Map the whole file read-only; the caller unmaps. */
static int map(int fd, struct span *out)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > LOADER_RESULT_MAX)
		return -EBADMSG;
	void *p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);

	if (p == MAP_FAILED)
		return -errno;
	*out = (struct span){p, (size_t)st.st_size};
	return 0;
}

static void unmap(struct span s)
{
	(void)munmap((void *)(uintptr_t)s.p, s.n);
}

/* The memory file brings what was set at run time; the result takes its place. */
static int read_overrides(struct overrides *out)
{
	struct span all;
	int r = map(SPAWN_EXTRA_FD, &all);

	if (r == -EBADMSG) /* empty: nothing was */
		return 0;
	if (r < 0)
		return r;
	struct unpack u = unpack_of(all);

	r = overrides_decode(&u, out);
	unmap(all);
	if (ftruncate(SPAWN_EXTRA_FD, 0) < 0 || lseek(SPAWN_EXTRA_FD, 0, SEEK_SET) < 0)
		return -errno;
	return r;
}

int loader_main(const struct role_args *args)
{
	struct diag d = {0};
	struct buf text = BUF_INIT(1 << 20);
	struct err e = {""};
	struct overrides over = {0};
	CLEANUP(setup_freep) struct setup *s = NULL;

	if (sandbox_enter(ROLE_LOADER, args->user, NULL, -1, &e) < 0)
		buf_printf(&text, "cannot give up rights: %s\n", e.text);
	if (read_overrides(&over) < 0)
		buf_add_str(&text, "cannot read what was set at run time\n");
	CLEANUP(conf_freep)
	struct conf *c = conf_load_over(args->config_dir, over.items, over.n, &d);

	if (c && setup_build(c, &d, &s) < 0)
		buf_add_str(&text, "out of memory\n");
	if (s && args->dry_run)
		s->dry_run = true;
	for (size_t i = 0; i < d.n; i++) {
		diag_format(&d.items[i], &text);
		buf_add_char(&text, '\n');
	}
	int r = write_result(judge(&d, s), &text, s);

	buf_deinit(&text);
	diag_deinit(&d);
	overrides_deinit(&over);
	return r < 0;
}

int loader_read_verdict(int fd, enum loader_verdict *out, char **out_text)
{
	struct span all;
	int r = map(fd, &all);

	if (r < 0)
		return r;
	struct unpack u = unpack_of(all);
	uint8_t verdict = unpack_u8(&u);
	struct span text = unpack_span(&u);

	(void)unpack_span(&u);
	r = verdict > LOADER_CLEAN ? -EBADMSG : unpack_end(&u);
	if (!r) {
		char *copy = span_dup(text);

		r = copy ? 0 : -ENOMEM;
		if (copy) {
			*out_text = copy;
			*out = verdict;
		}
	}
	unmap(all);
	return r;
}

int loader_read_setup(int fd, struct setup **out)
{
	struct span all;
	int r = map(fd, &all);

	if (r < 0)
		return r;
	struct unpack u = unpack_of(all);
	uint8_t verdict = unpack_u8(&u);

	(void)unpack_span(&u);
	struct span bytes = unpack_span(&u);

	r = unpack_end(&u);
	if (!r)
		r = verdict == LOADER_REFUSED ? -ENODATA : setup_decode(bytes, out);
	unmap(all);
	return r;
}
