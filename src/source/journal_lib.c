/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "source/journal_lib.h"

#include <stdbool.h>

#include "base/cleanup.h"
#include "base/dynlib.h"

static const struct dynlib_symbol symbols[] = {
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

static const char *const names[] = {"libsystemd.so.0", NULL};

const struct journal_lib *journal_lib_get(struct err *e)
{
	/* A library that was loaded stays loaded: the one place where this is kept. */
	static struct journal_lib lib;
	static bool is_loaded;

	if (!is_loaded && dynlib_load(names, symbols, ARRAY_LEN(symbols), &lib, e) < 0)
		return NULL;
	is_loaded = true;
	return &lib;
}
