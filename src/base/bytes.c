/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/bytes.h"

size_t bytes_count(struct span s, char c)
{
	size_t n = 0;

	for (size_t i = 0; i < s.n; i++)
		n += s.p[i] == c;
	return n;
}
