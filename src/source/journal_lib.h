/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* journal_lib - the functions of libsystemd that are used, loaded by name. */

#include <systemd/sd-journal.h>

#include "base/err.h"

struct journal_lib {
	__typeof__(sd_journal_open) *open;
	__typeof__(sd_journal_open_directory) *open_directory;
	__typeof__(sd_journal_open_files) *open_files;
	__typeof__(sd_journal_close) *close;
	__typeof__(sd_journal_add_match) *add_match;
	__typeof__(sd_journal_add_disjunction) *add_disjunction;
	__typeof__(sd_journal_seek_realtime_usec) *seek_realtime_usec;
	__typeof__(sd_journal_next) *next;
	__typeof__(sd_journal_get_data) *get_data;
	__typeof__(sd_journal_get_realtime_usec) *get_realtime_usec;
	__typeof__(sd_journal_get_cursor) *get_cursor;
	__typeof__(sd_journal_get_fd) *get_fd;
	__typeof__(sd_journal_process) *process;
	__typeof__(sd_journal_set_data_threshold) *set_data_threshold;
};

/* Loaded once per process; stays. Return: NULL with @e when it is not to be had. */
const struct journal_lib *journal_lib_get(struct err *e);
