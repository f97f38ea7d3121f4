/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * cleanup - who owns what, written where it is declared
 *
 * Every fresh allocation or descriptor sits in a CLEANUP() local until it is
 * handed over with TAKE(); so no early return can leak it.
 */

#include <stdlib.h>

#define CLEANUP(fn) __attribute__((cleanup(fn)))

/* Hand a pointer over: yields its value and leaves NULL behind. */
#define TAKE(p)                                  \
	__extension__({                          \
		__typeof__(p) take_value_ = (p); \
		(p) = NULL;                      \
		take_value_;                     \
	})

/* Define fn##p(T **) for use in CLEANUP(), from a fn(T *) that accepts NULL. */
#define DEFINE_CLEANUP(type, fn)          \
	static inline void fn##p(type *p) \
	{                                 \
		if (*p)                   \
			fn(*p);           \
	}

/* CLEANUP(freep) for anything that came from malloc(). */
static inline void freep(void *p)
{
	free(*(void **)p);
}

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define UNUSED __attribute__((unused))
/* On the way of each line that matters: kept together in the program. Where chance puts
 * these among all others was seen to make a scan slower by a twentieth. */
#define HOT __attribute__((hot))
#define PRINTF_LIKE(f, a) __attribute__((format(printf, f, a), nonnull(f)))
