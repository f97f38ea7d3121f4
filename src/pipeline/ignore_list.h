/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * ignore_list - what may stand in ignoreip, and in the files it names
 *
 * A file holds addresses and networks between blanks and commas; '#' and ';' at the
 * beginning of a word begin a comment. Names are not looked up in it: a list is long,
 * and the DNS would decide whom it exempts.
 */

#include "base/net.h"

#define IGNORE_LIST_MAX_BYTES (4u << 20)
#define IGNORE_LIST_MAX_NETS 100000 /* of one file; more are counted */

enum ignore_kind {
	IGNORE_NET,
	IGNORE_FILE,  /* "file:/absolute/path" */
	IGNORE_NAME,  /* to be asked for: example.org */
	IGNORE_WRONG, /* none of them */
};

/* @out is set for IGNORE_NET. */
enum ignore_kind ignore_kind_of(struct span word, struct net *out);
/* The path behind "file:"; @word must be of that kind. */
const char *ignore_path_of(const char *word);

struct ignore_flaws {
	uint32_t n_wrong;    /* words that are no address or network */
	uint32_t n_beyond;   /* did not fit any more */
	uint32_t first_line; /* of the first wrong word, from 1 */
};

/**
 * ignore_list_parse() - the text of a list
 * @out: malloc'd array, may be empty but not NULL
 *
 * Return: 0 or -ENOMEM.
 */
int ignore_list_parse(
    struct span text, struct net **out, uint32_t *out_n, struct ignore_flaws *flaws);
