/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "base/dynlib.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>

int dynlib_load(const char *const *names, const struct dynlib_symbol *symbols, size_t n,
    void *out, struct err *e)
{
	void *handle = NULL;

	for (size_t i = 0; names[i] && !handle; i++)
		handle = dlopen(names[i], RTLD_NOW | RTLD_LOCAL);
	if (!handle)
		return err_set(e, -ENOSYS, "%s is not installed", names[0]);
	for (size_t i = 0; i < n; i++) {
		void *f = dlsym(handle, symbols[i].name);

		if (!f)
			return err_set(
			    e, -ENOSYS, "%s has no %s", names[0], symbols[i].name);
		memcpy((char *)out + symbols[i].offset, &f, sizeof(f));
	}
	return 0;
}
