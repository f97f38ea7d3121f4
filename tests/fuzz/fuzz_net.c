/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_net - any text as an address or network
 */

#include <assert.h>

#include "base/net.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span s = {(const char *)bytes, n};
	char text[NET_TEXT_BYTES];
	struct net a, b, wider;

	if (net_parse_addr(s, &a) == 0)
		assert(net_is_host(&a) && net_parse(s, &b) == 0 && net_eq(&a, &b));
	if (net_parse(s, &a) < 0)
		return 0;
	net_format(&a, text);
	assert(net_parse(span_of(text), &b) == 0);
	assert(net_eq(&a, &b) && net_cmp(&a, &b) == 0 && net_contains(&a, &b));
	for (unsigned int bits = 0; bits <= 128; bits++) {
		wider = net_mask(a, bits);
		assert(net_contains(&wider, &a));
		assert(net_is_v4(&wider) == net_is_v4(&a));
		assert(net_prefix_len(&wider) <= net_prefix_len(&a));
	}
	(void)net_is_special(&a);
	return 0;
}
