/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_ignore_list - each network of a list is one of its words, in order */

#include <assert.h>
#include <stdlib.h>

#include "fuzz.h"
#include "pipeline/ignore_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	/* Of exact size, so that reading beyond it is noticed. */
	char *copy = malloc(n + !n);
	struct ignore_flaws flaws;
	struct net *nets = NULL, word;
	uint32_t n_nets;

	assert(copy);
	memcpy(copy, bytes, n);
	assert(ignore_list_parse((struct span){copy, n}, &nets, &n_nets, &flaws) == 0);
	assert(nets && n_nets <= n && flaws.n_wrong <= n && !flaws.n_beyond);
	assert(!flaws.n_wrong == !flaws.first_line);
	for (uint32_t i = 0; i < n_nets; i++) {
		char text[NET_TEXT_BYTES];

		net_format(&nets[i], text);
		assert(ignore_kind_of(span_of(text), &word) == IGNORE_NET);
		assert(net_eq(&word, &nets[i]));
	}
	(void)ignore_kind_of((struct span){copy, n}, &word);
	free(nets);
	free(copy);
	return 0;
}
