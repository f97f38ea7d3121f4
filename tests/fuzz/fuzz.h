/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * fuzz - what a fuzz target is: one function that takes any bytes
 *
 * It crashes (assert) when a property does not hold; else it returns 0. It keeps
 * nothing between two calls.
 */

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n);
