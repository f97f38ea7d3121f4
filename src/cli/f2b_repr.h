/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * f2b_repr - values as Python shows them, which is what fail2ban's tools print
 */

#include "base/buf.h"

/* 'text', with the quotes and escapes of Python's repr(); bad UTF-8 becomes U+FFFD. */
void f2b_repr_str(struct buf *b, struct span s);

/* The shortest digits that read back as @v: 1.5, 3600.0, 1e+16, nan. */
void f2b_repr_float(struct buf *b, double v);
