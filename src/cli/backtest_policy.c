/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/backtest_policy.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/scan_setup.h"
#include "config.h"

/* What Debian's fail2ban has for a mail server; it enables sshd alone. */
static const char *const fail2ban_jails[] = {
    "postfix", "postfix-sasl", "dovecot", "sshd", NULL};

/* What the text of a policy means, not looked at yet. */
struct place {
	struct span name;
	char dir[PATH_MAX];
	const char *const *jails; /* unless others are asked for */
};

static int place_of(const struct cli_options *o, const char *spec, struct place *out)
{
	const char *slash = strchr(spec, '/'), *equals = strchr(spec, '=');
	const char *dir = spec;
	int n;

	*out = (struct place){.name = span_of(spec)};
	if (equals && (!slash || equals < slash)) {
		out->name = span_from(spec, equals);
		dir = equals + 1;
	} else if (!slash && !strcmp(spec, "bandog")) {
		dir = o->config_dir;
	} else if (!slash && !strcmp(spec, "fail2ban")) {
		dir = BACKTEST_FAIL2BAN_DIR;
		out->jails = fail2ban_jails;
	} else if (!slash) {
		dir = NULL;
	}
	n = dir ? snprintf(out->dir, sizeof(out->dir), "%s", dir)
		: snprintf(
		      out->dir, sizeof(out->dir), "%s/%s", BANDOG_POLICY_DIR, spec);
	return n < 0 || n >= (int)sizeof(out->dir) ? -ENAMETOOLONG : 0;
}

static bool is_there(const char *dir)
{
	char path[PATH_MAX];
	int n = snprintf(path, sizeof(path), "%s/jail.conf", dir);

	return n > 0 && n < (int)sizeof(path) && access(path, R_OK) == 0;
}

bool backtest_policy_exists(const struct cli_options *o, const char *spec)
{
	struct place p;

	return place_of(o, spec, &p) == 0 && is_there(p.dir);
}

static int tell_absent(const char *spec, const struct place *p)
{
	fprintf(stderr, "bandog backtest: policy %s: there is no %s/jail.conf%s\n",
	    spec, p->dir,
	    p->jails ? "; Debian's package fail2ban brings it, and need not run" : "");
	return -ENOENT;
}

static bool has_filter(const struct setup *s)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (s->jails[i].filter_name)
			return true;
	}
	return false;
}

int backtest_policy_load(const struct cli_options *o, const char *spec,
    const char *const *jails, struct backtest_policy *out)
{
	struct place p;
	int r = place_of(o, spec, &p);
	CLEANUP(setup_freep) struct setup *s = NULL;

	if (r < 0 || !p.name.n)
		return fprintf(stderr, "bandog backtest: '%s' is no policy\n", spec),
		       -EINVAL;
	if (!is_there(p.dir))
		return tell_absent(spec, &p);
	r = scan_setup_load(p.dir, jails ? jails : p.jails, &s);
	if (r < 0)
		return r;
	if (!has_filter(s)) {
		fprintf(stderr,
		    "bandog backtest: policy %s: no jail %s and has a filter in %s\n",
		    spec, jails ? "of that name is there" : "is enabled", p.dir);
		return -ENOENT;
	}
	/* The line that banned is told, and that comes with the hit. */
	for (uint32_t i = 0; i < s->n_jails; i++)
		s->jails[i].maxmatches = 0;
	out->name = span_dup(p.name);
	out->dir = span_dup(span_of(p.dir));
	out->setup = TAKE(s);
	return out->name && out->dir ? 0 : -ENOMEM;
}

void backtest_policy_deinit(struct backtest_policy *p)
{
	free(p->name);
	free(p->dir);
	setup_free(p->setup);
	*p = (struct backtest_policy){0};
}
