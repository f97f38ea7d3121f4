/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scanner_x86_none - for processors of another make */

#include "match/scanner_private.h"

const struct scanner_unit *const scanner_avx2 = NULL;
const struct scanner_unit *const scanner_avx512 = NULL;
