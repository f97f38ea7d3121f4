/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_front - any bytes as a request on the control socket: answered, or taken whole.
 */
#include <assert.h>

#include "flow/id.h"
#include "front/front.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct span s = {(const char *)data, size};
	struct front_request q;
	struct err e = {""};

	if (front_request_parse(s, &q, &e) < 0) {
		assert(e.text[0]);
		return 0;
	}
	struct unpack u = unpack_of(buf_span(&q.body));

	(void)unpack_u8(&u);
	free(unpack_str(&u));
	(void)unpack_i64(&u);
	(void)unpack_u32(&u);
	(void)unpack_u32(&u);
	struct ids who;

	assert(ids_unpack(&u, FRONT_MAX_NETS, &who) == 0);
	ids_deinit(&who);
	assert(unpack_end(&u) == 0);
	front_request_deinit(&q);
	return 0;
}
