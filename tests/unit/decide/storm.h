/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * storm - the engine under calls that make no sense: any time, any weight, broken
 * states, caps of a handful
 *
 * There is no right answer to compare with; what must hold is that bounds are kept,
 * that counts fit what can be listed, and that orders are well formed.
 */

#include <stddef.h>
#include <stdint.h>

void storm_run(const uint8_t *bytes, size_t n);
