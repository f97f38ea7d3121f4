/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_names.h"

#include <string.h>
#include <unistd.h>

#include "cli/f2b_client.h"
#include "cli/f2b_regex.h"
#include "config.h"

#define F2B_CONFIG_DIR "/etc/fail2ban"

static const struct {
	const char *name;
	int (*run)(int argc, char **argv);
} programs[] = {
    {"fail2ban-regex", f2b_regex_main},
    {"fail2ban-client", f2b_client_main},
    {"fail2ban-server", f2b_server_main},
};

const char *f2b_base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

const char *f2b_config_dir(void)
{
	return access(BANDOG_CONFIG_DIR, F_OK) == 0 ? BANDOG_CONFIG_DIR
						    : F2B_CONFIG_DIR;
}

int f2b_compare_texts(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

bool f2b_names_run(int argc, char **argv, int *out_code)
{
	for (size_t i = 0; argc > 0 && i < ARRAY_LEN(programs); i++) {
		if (!strcmp(f2b_base_name(argv[0]), programs[i].name)) {
			*out_code = programs[i].run(argc, argv);
			return true;
		}
	}
	return false;
}
