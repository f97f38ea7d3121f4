/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforce/guard_logins.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utmp.h>

#include "base/fd.h"
#include "base/netset.h"

#define UTMP_PATH "/run/utmp"
#define SESSIONS_PATH "/run/systemd/sessions"

struct guard_logins {
	char *utmp, *sessions;
	struct guard_login list[GUARD_LOGINS_MAX];
	size_t n;
	struct netset *nets; /* of the list: most who are asked for are in none */
	mono_t read_at;
	bool was_read;
	int error;
};

struct guard_logins *guard_logins_new(const char *utmp, const char *sessions)
{
	CLEANUP(guard_logins_freep) struct guard_logins *l = calloc(1, sizeof(*l));

	if (!l)
		return NULL;
	l->utmp = strdup(utmp ? utmp : UTMP_PATH);
	l->sessions = strdup(sessions ? sessions : SESSIONS_PATH);
	l->nets = netset_new();
	return l->utmp && l->sessions && l->nets ? TAKE(l) : NULL;
}

struct guard_logins *guard_logins_free(struct guard_logins *l)
{
	if (!l)
		return NULL;
	netset_free(l->nets);
	free(l->utmp);
	free(l->sessions);
	free(l);
	return NULL;
}

/* --- one session -------------------------------------------------------------------
 */

/* An address that a stranger can have; the others are protected without a session. */
static bool read_address(struct span s, struct net *out)
{
	return net_parse_addr(s, out) == 0 && !net_is_special(out);
}

static bool read_pid(struct span s, pid_t *out)
{
	int64_t v;

	if (span_to_i64(s, &v) < 0 || v <= 0 || v > INT_MAX)
		return false;
	*out = (pid_t)v;
	return true;
}

enum { REMOTE, REMOTE_HOST, STATE, SERVICE, LEADER, N_KEYS };

/* Return: false if a key stands there twice; logind does not write such a file. */
static bool read_keys(struct span text, struct span values[N_KEYS])
{
	static const struct span keys[N_KEYS] = {
	    [REMOTE] = {"REMOTE", 6},
	    [REMOTE_HOST] = {"REMOTE_HOST", 11},
	    [STATE] = {"STATE", 5},
	    [SERVICE] = {"SERVICE", 7},
	    [LEADER] = {"LEADER", 6},
	};
	struct span line;

	while (span_next_line(&text, &line)) {
		ptrdiff_t eq = span_index(line, '=');

		for (size_t i = 0; eq > 0 && i < N_KEYS; i++) {
			if (!span_eq((struct span){line.p, (size_t)eq}, keys[i]))
				continue;
			if (values[i].p)
				return false;
			values[i] = span_skip(line, (size_t)eq + 1);
		}
	}
	return true;
}

static bool is_one_of(struct span s, const char *const *words)
{
	for (; *words; words++) {
		if (span_eq(s, span_of(*words)))
			return true;
	}
	return false;
}

bool guard_login_of_session(struct span text, struct guard_login *out)
{
	static const char *const states[] = {"online", "active", "closing", NULL};
	static const char *const services[] = {"sshd", "sshd-session", NULL};
	struct span v[N_KEYS] = {{NULL, 0}};
	struct guard_login l;

	if (!read_keys(text, v) || !span_eq(v[REMOTE], SPAN("1")) ||
	    !is_one_of(v[STATE], states) || !is_one_of(v[SERVICE], services) ||
	    !read_address(v[REMOTE_HOST], &l.net) || !read_pid(v[LEADER], &l.pid))
		return false;
	*out = l;
	return true;
}

/* Where only the first of the four numbers is set it is an IPv4 address: utmp(5). */
static bool read_binary(const struct utmp *u, struct net *out)
{
	static const int32_t none[4];
	uint8_t bytes[16];

	if (!memcmp(u->ut_addr_v6, none, sizeof(none)))
		return false;
	memcpy(bytes, u->ut_addr_v6, sizeof(bytes));
	if (!memcmp(u->ut_addr_v6 + 1, none, 3 * sizeof(*none))) {
		uint32_t v4;

		memcpy(&v4, bytes, sizeof(v4));
		*out = net_from_v4(v4);
	} else {
		*out = net_from_v6(bytes);
	}
	return !net_is_special(out);
}

bool guard_login_of_utmp(const void *record, struct guard_login *out)
{
	struct guard_login l;
	struct utmp u;

	memcpy(&u, record, sizeof(u));
	struct span host = {u.ut_host, strnlen(u.ut_host, sizeof(u.ut_host))};

	if (u.ut_type != USER_PROCESS || u.ut_pid <= 0 ||
	    (!read_binary(&u, &l.net) && !read_address(host, &l.net)))
		return false;
	l.pid = u.ut_pid;
	*out = l;
	return true;
}

/* --- all of them -------------------------------------------------------------------
 */

/* One process that is not ours to signal says EPERM, and lives. */
static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0 || errno == EPERM;
}

static void fail(struct guard_logins *l, int r)
{
	if (!l->error)
		l->error = r;
}

static void add(struct guard_logins *l, const struct guard_login *one)
{
	int r;

	if (!is_alive(one->pid))
		return;
	if (l->n == GUARD_LOGINS_MAX) {
		fail(l, -ENOSPC);
		return;
	}
	r = netset_add(l->nets, &one->net);
	if (r < 0)
		fail(l, r);
	else
		l->list[l->n++] = *one;
}

/* logind's names of sessions are letters and digits; what else lies there (FIFOs,
 * files that are being written) is not for us. */
static bool is_session_name(const char *name)
{
	return name[strspn(name, "0123456789abcdefghijklmnopqrstuvwxyz"
				 "ABCDEFGHIJKLMNOPQRSTUVWXYZ")] == '\0';
}

static void read_session(struct guard_logins *l, int dir, const char *name)
{
	CLEANUP(buf_deinit) struct buf text = BUF_INIT(GUARD_SESSION_MAX_BYTES);
	struct guard_login one;
	struct stat st;
	int r;

	if (fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISREG(st.st_mode))
		return;
	r = fd_read_file(dir, name, &text);
	if (r < 0 && r != -ENOENT)
		fail(l, r);
	if (!r && guard_login_of_session(buf_span(&text), &one))
		add(l, &one);
}

static void read_sessions(struct guard_logins *l)
{
	DIR *d = opendir(l->sessions);
	const struct dirent *e;
	size_t n = 0;

	if (!d && errno != ENOENT)
		fail(l, -errno);
	if (!d)
		return;
	while ((e = readdir(d))) {
		if (!is_session_name(e->d_name))
			continue;
		if (n++ == GUARD_LOGINS_MAX_FILES) {
			fail(l, -ENOSPC);
			break;
		}
		read_session(l, dirfd(d), e->d_name);
	}
	closedir(d);
}

/* A record that is being written just now, or half of one, is read in a second. */
static void read_utmp(struct guard_logins *l)
{
	CLEANUP(buf_deinit) struct buf b = BUF_INIT(GUARD_UTMP_MAX_BYTES);
	struct guard_login one;
	int r = fd_read_file(AT_FDCWD, l->utmp, &b);

	if (r < 0 && r != -ENOENT)
		fail(l, r);
	for (size_t i = 0; !r && b.n - i >= sizeof(struct utmp);
	     i += sizeof(struct utmp)) {
		if (guard_login_of_utmp(b.p + i, &one))
			add(l, &one);
	}
}

static void read_all(struct guard_logins *l)
{
	struct netset *fresh = netset_new();

	if (!fresh) {
		fail(l, -ENOMEM); /* what was known goes on to count */
		return;
	}
	netset_free(l->nets);
	l->nets = fresh;
	l->n = 0;
	l->error = 0;
	read_sessions(l);
	read_utmp(l);
}

bool guard_logins_meets(struct guard_logins *l, const struct net *n, mono_t now)
{
	if (!l->was_read || now.us < l->read_at.us ||
	    now.us - l->read_at.us >= GUARD_LOGINS_AGE_SEC * US_PER_SEC) {
		read_all(l);
		l->read_at = now;
		l->was_read = true;
	}
	if (!netset_overlaps(l->nets, n))
		return false;
	for (size_t i = 0; i < l->n; i++) {
		const struct guard_login *one = &l->list[i];

		if ((net_contains(n, &one->net) || net_contains(&one->net, n)) &&
		    is_alive(one->pid))
			return true;
	}
	return false;
}

int guard_logins_error(const struct guard_logins *l)
{
	return l->error;
}
