/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * load_test - one folder, one configuration, freed behind each test
 */

#include "conf/conf.h"
#include "conf_test.h"

static struct conf *conf;
static struct diag diag;

static inline void unload(void)
{
	conf = conf_free(conf);
	diag_deinit(&diag);
}

static inline int setup(void **state)
{
	int r = setup_dir(state);

	put_file("filter.d/f.conf", "[Definition]\nfailregex = ^f <HOST>\n");
	return r;
}

static inline int done(void **state)
{
	unload();
	return remove_dir(state);
}

static inline void load_as(const char *jail_conf, unsigned int how)
{
	unload();
	put_file("jail.conf", jail_conf);
	conf = conf_load(test_dir, NULL, how, &diag);
	if (!conf)
		fail_msg("not loaded: %s", all_of(&diag));
}

static inline void load(const char *jail_conf)
{
	load_as(jail_conf, 0);
}

static inline const struct conf_jail *jail(const char *name)
{
	for (size_t i = 0; i < conf->n_jails; i++)
		if (strcmp(conf->jails[i].name, name) == 0)
			return &conf->jails[i];
	fail_msg("there is no jail %s", name);
	return NULL;
}

static inline void assert_items(
    const struct conf_values *v, size_t n, const char *first, const char *last)
{
	assert_int_equal(v->n, n);
	assert_string_equal(v->items[0].text, first);
	assert_string_equal(v->items[n - 1].text, last);
}
