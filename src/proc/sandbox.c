/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc/sandbox.h"

#include <cap-ng.h>
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define MAX_GROUPS 4
#define NO_CAP (-1)

/* The table of rights in ARCHITECTURE.md, as code. */
static const struct rights {
	const char *name;
	bool keeps_root;
	int cap;                        /* the one capability that stays, or NO_CAP */
	const char *groups[MAX_GROUPS]; /* supplementary, where they exist */
	rlim_t max_files;
	int xdp_cap; /* one more where the role drops by XDP */
} rights[ROLE_N] = {
    [ROLE_SUPERVISOR] = {"supervisor", true, NO_CAP, {NULL}, 1024},
    [ROLE_LOADER] = {"loader", true, CAP_DAC_READ_SEARCH, {NULL}, 1024},
    [ROLE_READER] = {"reader", false, CAP_DAC_READ_SEARCH, {"adm", "systemd-journal"},
	8192},
    [ROLE_ENGINE] = {"engine", false, NO_CAP, {NULL}, 8192},
    [ROLE_ENFORCER] = {"enforcer", false, CAP_NET_ADMIN, {NULL}, 64, CAP_BPF},
    [ROLE_RUNNER] = {"runner", true, NO_CAP, {NULL}, 1024},
    [ROLE_RESOLVER] = {"resolver", false, NO_CAP, {NULL}, 256},
    [ROLE_KEEPER] = {"keeper", false, NO_CAP, {NULL}, 64},
    [ROLE_FRONT] = {"front", false, NO_CAP, {NULL}, 256},
    [ROLE_POLICY] = {"policy", false, NO_CAP, {NULL}, 1100},
    [ROLE_MAILER] = {"mailer", false, NO_CAP, {NULL}, 64},
};

const char *role_name(enum role_id role)
{
	return rights[role].name;
}

enum role_id role_of_name(const char *name)
{
	for (int i = 0; i < ROLE_N; i++) {
		if (!strcmp(rights[i].name, name))
			return (enum role_id)i;
	}
	return ROLE_N;
}

/* What ps, top and pkill show: without it all of us are "exe", as we were started. */
static void set_name(const struct rights *r)
{
	char name[16]; /* the kernel's TASK_COMM_LEN */

	snprintf(name, sizeof(name), "bandog-%s", r->name);
	(void)prctl(PR_SET_NAME, name);
}

static void set_limits(const struct rights *r)
{
	struct rlimit none = {0, 0};
	struct rlimit files = {r->max_files, r->max_files};

	/* A core dump of a process that read logs would put them on the disk; and a
	 * limit that cannot be lowered is still a limit. */
	(void)setrlimit(RLIMIT_CORE, &none);
	(void)setrlimit(RLIMIT_NOFILE, &files);
}

static int set_groups(const struct rights *r, gid_t gid)
{
	gid_t gids[MAX_GROUPS + 1] = {gid};
	size_t n = 1;

	for (size_t i = 0; i < MAX_GROUPS && r->groups[i]; i++) {
		const struct group *g = getgrnam(r->groups[i]);

		if (g)
			gids[n++] = g->gr_gid;
	}
	return setgroups(n, gids) < 0 ? -errno : 0;
}

static void add_cap(int cap)
{
	capng_update(CAPNG_ADD, CAPNG_EFFECTIVE | CAPNG_PERMITTED | CAPNG_BOUNDING_SET,
	    (unsigned int)cap);
}

static void choose_caps(const struct rights *r, bool uses_xdp)
{
	capng_clear(CAPNG_SELECT_BOTH);
	if (r->cap != NO_CAP)
		add_cap(r->cap);
	if (uses_xdp && r->xdp_cap)
		add_cap(r->xdp_cap);
}

static int keep_root(const struct rights *r, struct err *e)
{
	/* Not a role that parses foreign bytes; it stays root without root's powers:
	 * what it may do is what root's ownership of a file allows. */
	choose_caps(r, false);
	if (capng_apply(CAPNG_SELECT_BOTH) < 0)
		return err_set(e, -EPERM, "cannot drop capabilities");
	return 0;
}

static int change_root(int root_fd)
{
	if (root_fd < 0)
		return 0;
	if (fchdir(root_fd) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return -errno;
	return 0;
}

/* Return: 0, 1 if the user does not exist and nobody was taken, negative errno. */
static int change_user(
    const struct rights *r, const char *user, bool uses_xdp, int root_fd, struct err *e)
{
	const struct passwd *pw = getpwnam(user);
	int verdict = 0;

	if (!pw) {
		pw = getpwnam("nobody");
		err_set(e, 0,
		    "there is no user '%s' (make install creates it); running as "
		    "nobody",
		    user);
		verdict = 1;
	}
	if (!pw)
		return err_set(e, -ENOENT, "neither user '%s' nor nobody exists", user);
	uid_t uid = pw->pw_uid;
	gid_t gid = pw->pw_gid;
	int g = set_groups(r, gid);

	if (g < 0)
		return err_errno(e, g, "setgroups");
	g = change_root(root_fd);
	if (g < 0)
		return err_errno(e, g, "chroot");
	choose_caps(r, uses_xdp);
	if (capng_change_id((int)uid, (int)gid, CAPNG_CLEAR_BOUNDING) < 0)
		return err_set(e, -EPERM,
		    "cannot become uid %u with the rights of a %s", uid, r->name);
	return verdict;
}

int sandbox_enter(enum role_id role, const char *user, const struct sandbox_wish *wish,
    int root_fd, struct err *e)
{
	const struct rights *r = &rights[role];
	bool uses_xdp = wish && wish->uses_xdp;
	int verdict = 0;

	umask(077);
	set_limits(r);
	/* What the supervisor may not gain, its children could not either; and commands
	 * of actions may: sendmail's postdrop is set-group-ID. */
	if (role == ROLE_SUPERVISOR)
		return 0;
	set_name(r);
	if (wish && wish->runs_commands)
		return 0;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_errno(e, -errno, "no_new_privs");
	if (geteuid() != 0) {
		err_set(
		    e, 0, "not started as root: the %s keeps the user it has", r->name);
		return 1;
	}
	verdict = r->keeps_root ? keep_root(r, e)
				: change_user(r, user, uses_xdp, root_fd, e);
	if (verdict < 0)
		return verdict;
	/* A change of user clears this; without it a busy role could outlive us. */
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)prctl(PR_SET_DUMPABLE, 0);
	/* seccomp and Landlock belong here: every right that is left is settled now. */
	return verdict;
}
