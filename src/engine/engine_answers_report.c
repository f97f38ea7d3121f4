/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The engine's half of a report: what the kernel has counted until now is asked for and
 * stored; then the keeper tells all.
 */
#include "engine/engine_answers_private.h"

void answers_report(struct engine_answers *a, const struct request *q)
{
	struct answer *w = answers_new(q);

	if (!w) {
		answers_reply_error(a, q->id, "%s", "out of memory");
		return;
	}
	w->first_seq = w->last_seq = engine_count_now(a->er->count);
	if (!w->last_seq)
		w->store_seq = engine_store_now(a->er->store);
	answers_wait_or_give(a, w);
}

void engine_answers_sampled(struct engine_answers *a, uint64_t seq)
{
	struct answer *w = TAILQ_FIRST(&a->waiting);

	while (w) {
		if (w->verb != REQUEST_REPORT || !w->last_seq || w->last_seq > seq) {
			w = TAILQ_NEXT(w, link);
			continue;
		}
		w->store_seq =
		    engine_store_now(a->er->store); /* may give others theirs */
		w->last_seq = 0;
		answers_check(a, w);
		w = TAILQ_FIRST(&a->waiting);
	}
}
