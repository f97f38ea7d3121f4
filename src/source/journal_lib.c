/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal_lib.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

static const struct {
	const char *name;
	size_t offset;
} symbols[] = {
#define SYMBOL(x)                                                 \
	{                                                         \
		"sd_journal_" #x, offsetof(struct journal_lib, x) \
	}
    SYMBOL(open),
    SYMBOL(open_directory),
    SYMBOL(open_files),
    SYMBOL(close),
    SYMBOL(add_match),
    SYMBOL(add_disjunction),
    SYMBOL(seek_realtime_usec),
    SYMBOL(next),
    SYMBOL(get_data),
    SYMBOL(get_realtime_usec),
    SYMBOL(get_cursor),
    SYMBOL(get_fd),
    SYMBOL(process),
    SYMBOL(set_data_threshold),
#undef SYMBOL
};

static int load(struct journal_lib *lib, struct err *e)
{
	void *handle = dlopen("libsystemd.so.0", RTLD_NOW | RTLD_LOCAL);

	if (!handle)
		return err_set(e, -ENOSYS, "libsystemd is not installed");
	for (size_t i = 0; i < ARRAY_LEN(symbols); i++) {
		void *f = dlsym(handle, symbols[i].name);

		if (!f)
			return err_set(
			    e, -ENOSYS, "libsystemd has no %s", symbols[i].name);
		memcpy((char *)lib + symbols[i].offset, &f, sizeof(f));
	}
	return 0;
}

const struct journal_lib *journal_lib_get(struct err *e)
{
	/* A library that was loaded stays loaded: the one place where this is kept. */
	static struct journal_lib lib;
	static bool is_loaded;

	if (!is_loaded && load(&lib, e) < 0)
		return NULL;
	is_loaded = true;
	return &lib;
}
