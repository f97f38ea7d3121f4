/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* config_folder - a configuration in a temporary folder, from texts, for tests. */

#include "pipeline/setup.h"

struct config_folder {
	char dir[64];
};

void config_folder_make(struct config_folder *f);
void config_folder_write(struct config_folder *f, const char *name, const char *text);
void config_folder_remove(struct config_folder *f);

/* Load and build; asserts that something came out. @d may be NULL: no errors expected.
 */
struct setup *config_folder_setup(struct config_folder *f, struct diag *d);
