/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * conf-dump DIR - every jail of a folder as JSON, for tests/compat/conf_oracle.py
 *
 * Mistakes go to descriptor 2. Exit 1 when there are errors. With a second argument it
 * dumps that filter alone; "-t" in front gives the text form.
 */

#include <stdio.h>
#include <string.h>

#include "conf/conf.h"

static void print_diag(const struct diag *d)
{
	for (size_t i = 0; i < d->n; i++) {
		CLEANUP(buf_deinit) struct buf b = BUF_INIT(65536);

		diag_format(&d->items[i], &b);
		(void)fprintf(stderr, "%s\n", buf_str(&b)); /* nobody is left to tell */
	}
}

int main(int argc, char **argv)
{
	bool json = argc < 2 || strcmp(argv[1], "-t") != 0;
	int first = json ? 1 : 2;
	CLEANUP(conf_freep) struct conf *c = NULL;
	CLEANUP(diag_deinit) struct diag d = {0};
	CLEANUP(buf_deinit) struct buf out = BUF_INIT((size_t)256 << 20);

	if (argc <= first) {
		(void)fprintf(stderr, "usage: conf-dump [-t] DIR [FILTER]\n");
		return 2;
	}
	if (argc > first + 1)
		c = conf_load_filter(argv[first], argv[first + 1], &d);
	else
		c = conf_load(argv[first], NULL, CONF_ALL, &d);
	print_diag(&d);
	if (c)
		conf_dump(c, json, &out);
	if (out.failed || (out.n && fwrite(out.p, out.n, 1, stdout) != 1))
		return 1;
	return !c || d.n_errors ? 1 : 0;
}
