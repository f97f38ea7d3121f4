/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* bytes - simple questions about many bytes, answered at the speed of memory */

#include "base/str.h"

size_t bytes_count(struct span s, char c);
