/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * ini - the text of one file into sections and options
 *
 * The language of Python's configparser in its strict form, as fail2ban uses it
 * (fail2ban-compat 1.2). Values stay raw: nothing is interpolated here. Every syntax
 * mistake of the file is reported; what can be read is read.
 */

#include "conf/text.h"

#define INI_FILE_MAX ((size_t)4 << 20)
#define INI_SECTIONS_MAX 10000
#define INI_OPTIONS_MAX 100000

struct ini_option {
	const char *name; /* lower case */
	struct text value;
	struct conf_place at;          /* of the name */
	bool is_default;               /* stands in [DEFAULT] */
	const struct ini_option *prev; /* what an earlier file said, see layers.h */
};

struct ini_section {
	const char *name;
	struct conf_place at;
	struct dict options; /* name -> struct ini_option */
	bool is_broken;      /* a mistake inside was reported */
};

struct ini {
	struct dict sections; /* name -> struct ini_section */
	struct ini_section defaults;
	bool is_broken;
};

/**
 * ini_parse() - read a file's text
 * @file: its name; must live as long as @a
 * @out:  filled also when there are mistakes (is_broken tells)
 *
 * Return: 0 or -ENOMEM.
 */
int ini_parse(struct arena *a, struct span content, const char *file, struct diag *d,
    struct ini *out);

void ini_init(struct ini *ini, struct arena *a);
const struct ini_section *ini_find_section(const struct ini *ini, struct span name);
/* Only what the section itself says. @s may be NULL. */
const struct ini_option *ini_find_option(const struct ini_section *s, struct span name);
/* The section of that name, made if there is none; NULL: out of memory. */
struct ini_section *ini_make_section(
    struct ini *ini, const char *name, struct conf_place at);
