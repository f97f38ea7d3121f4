/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The resolver asks the DNS for the addresses of names that log lines carry (usedns =
 * yes or warn) and that ignoreip has, so that the engine never waits for a name server.
 * Answers, empty ones too, are kept as long as the DNS says, at most CACHE_SEC; that
 * nobody answers, FAILED_SEC. It runs only when a jail wants names, without any right
 * but a network socket; the names come from log lines, so from strangers.
 */
#include <ares.h>
#include <bsd/sys/queue.h>
#include <errno.h>
#include <netdb.h>

#include "base/hash.h"
#include "base/log.h"
#include "proc/role.h"

#define CACHE_MAX 1000
#define CACHE_SEC 300
#define FAILED_SEC 30
#define MAX_UNDERWAY 256
#define MAX_SHARED 64    /* lines that wait for the same name */
#define MAX_ADDRESSES 16 /* of one name: who has more is no client */
#define MAX_NAME 253     /* RFC 1035, 2.3.4 */
#define TRY_MS 2000
#define TRIES 2

struct answer {
	char name[MAX_NAME + 1];
	struct net nets[MAX_ADDRESSES];
	uint32_t n;
	mono_t until;
	UT_hash_handle hh;
};

struct socket_watch {
	struct socket_watch *next;
	struct resolver *owner;
	ares_socket_t fd;
	struct loop_watch *watch;
};

struct resolver {
	struct role *role;
	ares_channel ares;
	bool has_library;
	struct loop_watch *timer;
	struct socket_watch *sockets;
	struct answer *cache; /* oldest first */
	LIST_HEAD(, question) underway;
	uint32_t n_underway;
};

struct question {
	LIST_ENTRY(question) link;
	struct resolver *owner;
	uint64_t ids[MAX_SHARED];
	uint32_t n_ids;
	char name[MAX_NAME + 1];
};

/* --- c-ares in our loop ------------------------------------------------------------
 */

static void rearm(struct resolver *v)
{
	struct timeval max = {.tv_sec = 3600}, room;
	const struct timeval *t =
	    v->n_underway ? ares_timeout(v->ares, &max, &room) : NULL;

	if (t)
		loop_arm(v->timer,
		    (uint64_t)t->tv_sec * 1000 + (uint64_t)t->tv_usec / 1000 + 1, 0);
	else
		loop_disarm(v->timer);
}

static void on_timer(void *ctx)
{
	struct resolver *v = ctx;

	ares_process_fd(v->ares, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	rearm(v);
}

static void on_socket(void *ctx, int events)
{
	struct socket_watch *w = ctx;
	struct resolver *v = w->owner;

	/* This may free the watch. */
	ares_process_fd(v->ares, events & LOOP_READ ? w->fd : ARES_SOCKET_BAD,
	    events & LOOP_WRITE ? w->fd : ARES_SOCKET_BAD);
	rearm(v);
}

static void drop_socket(struct resolver *v, ares_socket_t fd)
{
	for (struct socket_watch **at = &v->sockets; *at; at = &(*at)->next) {
		struct socket_watch *w = *at;

		if (w->fd != fd)
			continue;
		*at = w->next;
		loop_watch_free(w->watch);
		free(w);
		return;
	}
}

static void on_socket_state(void *ctx, ares_socket_t fd, int readable, int writable)
{
	struct resolver *v = ctx;
	int events = (readable ? LOOP_READ : 0) | (writable ? LOOP_WRITE : 0);
	struct socket_watch *w = v->sockets;

	if (!events) {
		drop_socket(v, fd);
		return;
	}
	while (w && w->fd != fd)
		w = w->next;
	if (w) {
		loop_set_events(w->watch, events);
		return;
	}
	w = calloc(1, sizeof(*w));
	if (!w)
		return; /* the question runs into its time-out */
	*w = (struct socket_watch){.next = v->sockets, .owner = v, .fd = fd};
	w->watch = loop_add_fd(v->role->loop, fd, events, on_socket, w);
	v->sockets = w;
	if (!w->watch)
		drop_socket(v, fd);
}

/* --- answers -----------------------------------------------------------------------
 */

static void send_answer(struct resolver *v, uint64_t id, uint32_t holds_sec,
    const struct net *nets, uint32_t n)
{
	struct buf b = BUF_INIT(1024);

	pack_u64(&b, id);
	pack_u32(&b, holds_sec);
	pack_nets(&b, nets, n);
	(void)role_send(v->role, ROLE_ENGINE, MSG_RESOLVED, &b, -1);
	buf_deinit(&b);
}

static void forget_answer(struct resolver *v, struct answer *a)
{
	HASH_DEL(v->cache, a);
	free(a);
}

static const struct answer *recall(struct resolver *v, const char *name)
{
	struct answer *a;

	HASH_FIND_STR(v->cache, name, a);
	if (a && a->until.us < mono_now().us) {
		forget_answer(v, a);
		a = NULL;
	}
	return a;
}

static void remember(struct resolver *v, const char *name, uint32_t holds_sec,
    const struct net *nets, uint32_t n)
{
	struct answer *a;

	HASH_FIND_STR(v->cache, name, a);
	if (a)
		forget_answer(v, a);
	if (HASH_COUNT(v->cache) >= CACHE_MAX)
		forget_answer(v, v->cache);
	a = calloc(1, sizeof(*a));
	if (!a)
		return;
	memcpy(a->name, name, strlen(name) + 1);
	memcpy(a->nets, nets, n * sizeof(*nets));
	a->n = n;
	a->until = (mono_t){mono_now().us + holds_sec * US_PER_SEC};
	HASH_ADD_STR(v->cache, name, a);
	if (!a->hh.tbl)
		free(a);
}

static uint32_t collect(const struct ares_addrinfo *info, struct net *nets)
{
	uint32_t n = 0;

	for (const struct ares_addrinfo_node *i = info ? info->nodes : NULL;
	     i && n < MAX_ADDRESSES; i = i->ai_next) {
		if (net_from_sockaddr(i->ai_addr, &nets[n]) == 0)
			n++;
	}
	return n;
}

/* A name that has no address has none for CACHE_SEC; failures may be over soon. */
static uint32_t holds_sec(int status, const struct ares_addrinfo *info)
{
	uint32_t sec = CACHE_SEC;

	if (status != ARES_SUCCESS)
		return status == ARES_ENOTFOUND || status == ARES_ENODATA ? CACHE_SEC
									  : FAILED_SEC;
	for (const struct ares_addrinfo_node *i = info ? info->nodes : NULL; i;
	     i = i->ai_next) {
		if (i->ai_ttl >= 0 && (uint32_t)i->ai_ttl < sec)
			sec = (uint32_t)i->ai_ttl;
	}
	return sec;
}

static void on_answer(
    void *arg, int status, UNUSED int timeouts, struct ares_addrinfo *info)
{
	struct question *q = arg;
	struct resolver *v = q->owner;
	struct net nets[MAX_ADDRESSES];
	uint32_t n = status == ARES_SUCCESS ? collect(info, nets) : 0;
	uint32_t sec = holds_sec(status, info);

	if (info)
		ares_freeaddrinfo(info);
	v->n_underway--;
	LIST_REMOVE(q, link);
	if (status != ARES_EDESTRUCTION) {
		remember(v, q->name, sec, nets, n);
		for (uint32_t i = 0; i < q->n_ids; i++)
			send_answer(v, q->ids[i], sec, nets, n);
	}
	free(q);
}

/* The same name is being asked for already. Return: false if not. */
static bool join(struct resolver *v, uint64_t id, const char *name)
{
	struct question *q;

	LIST_FOREACH(q, &v->underway, link)
	{
		if (q->n_ids < MAX_SHARED && !strcmp(q->name, name)) {
			q->ids[q->n_ids++] = id;
			return true;
		}
	}
	return false;
}

static void ask(struct resolver *v, uint64_t id, const char *name)
{
	struct ares_addrinfo_hints hints = {
	    .ai_family = v->role->setup->allow_ipv6 ? AF_UNSPEC : AF_INET,
	    .ai_flags = ARES_AI_NOSORT,
	    .ai_socktype = SOCK_STREAM};
	struct question *q =
	    v->n_underway < MAX_UNDERWAY ? calloc(1, sizeof(*q)) : NULL;

	if (!q) {
		send_answer(v, id, FAILED_SEC, NULL, 0);
		return;
	}
	*q = (struct question){.owner = v, .ids = {id}, .n_ids = 1};
	memcpy(q->name, name, strlen(name) + 1);
	LIST_INSERT_HEAD(&v->underway, q, link);
	v->n_underway++;
	ares_getaddrinfo(v->ares, name, NULL, &hints, on_answer, q);
	rearm(v);
}

static void resolver_message(
    struct role *r, UNUSED enum role_id from, struct message *m)
{
	struct resolver *v = r->ctx;
	uint64_t id = unpack_u64(&m->body);
	CLEANUP(freep) char *name = unpack_str(&m->body);

	if (unpack_end(&m->body) < 0 || !name) {
		m->body.bad = true;
		return;
	}
	if (!*name || strlen(name) > MAX_NAME) {
		send_answer(v, id, CACHE_SEC, NULL, 0);
		return;
	}
	const struct answer *known = recall(v, name);

	if (known)
		send_answer(v, id,
		    (uint32_t)((known->until.us - mono_now().us) / US_PER_SEC) + 1,
		    known->nets, known->n);
	else if (!join(v, id, name))
		ask(v, id, name);
}

/* --- plumbing ----------------------------------------------------------------------
 */

static int resolver_start(struct role *r, struct err *e)
{
	struct resolver *v = r->ctx;
	struct ares_options o = {.timeout = TRY_MS,
	    .tries = TRIES,
	    .sock_state_cb = on_socket_state,
	    .sock_state_cb_data = v};

	v->role = r;
	v->timer = loop_add_timer(r->loop, on_timer, v);
	if (!v->timer || ares_library_init(ARES_LIB_INIT_ALL) != ARES_SUCCESS)
		return err_set(e, -ENOMEM, "out of memory");
	v->has_library = true;
	int status = ares_init_options(
	    &v->ares, &o, ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES | ARES_OPT_SOCK_STATE_CB);

	if (status != ARES_SUCCESS)
		return err_set(e, -EIO, "c-ares: %s", ares_strerror(status));
	role_ready(r);
	return 0;
}

static void resolver_reload(UNUSED struct role *r, UNUSED const struct setup *old)
{
}

static void resolver_peer(UNUSED struct role *r, UNUSED enum role_id who)
{
}

static void resolver_peer_gone(UNUSED struct role *r, UNUSED enum role_id who)
{
}

static void resolver_stop(struct role *r)
{
	role_stopped(r);
}

static void resolver_deinit(struct role *r)
{
	struct resolver *v = r->ctx;
	struct answer *a, *next;

	if (v->ares)
		ares_destroy(v->ares); /* ends its sockets and questions */
	if (v->has_library)
		ares_library_cleanup();
	HASH_ITER (hh, v->cache, a, next)
		forget_answer(v, a);
	loop_watch_free(v->timer);
}

int resolver_main(const struct role_args *args)
{
	static const struct role_permit permits[] = {
	    {ROLE_ENGINE, MSG_RESOLVE},
	    {0, 0},
	};
	static const struct role_fns fns = {
	    .permits = permits,
	    .start = resolver_start,
	    .reload = resolver_reload,
	    .peer = resolver_peer,
	    .peer_gone = resolver_peer_gone,
	    .message = resolver_message,
	    .stop = resolver_stop,
	    .deinit = resolver_deinit,
	};
	struct resolver v = {0};

	return role_run(args, &fns, &v);
}
