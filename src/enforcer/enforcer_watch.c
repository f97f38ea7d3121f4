/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "enforcer/enforcer_watch.h"

#include <errno.h>

#include "base/log.h"
#include "enforce/nft_watch.h"

#define SETTLE_MS 20 /* a rule set is changed in many steps */
#define PAUSE_MS 50
#define READ_MAX 64 /* packets at a time */

struct enforcer_watch {
	struct role *role;
	struct enforcer_tables *tables;
	struct enforcer_watch_fns fns;
	struct nft_watch *nft;
	struct loop_watch *fd;
	struct loop_watch *settle_timer;
	struct loop_watch *pause_timer;
	bool is_paused;
	/* Since the timer was armed. */
	bool is_armed, is_changed, has_missed;
	struct net lost[ENFORCER_WATCH_MAX_LOST];
	uint32_t n_lost;
};

static void on_changed(void *ctx, struct span table)
{
	struct enforcer_watch *w = ctx;

	w->is_changed |= enforcer_tables_has(w->tables, table);
}

static void on_lost(void *ctx, struct span table, struct span set, struct span key)
{
	struct enforcer_watch *w = ctx;
	struct net net;

	if (!enforcer_tables_net(w->tables, table, set, key, &net))
		return;
	if (w->n_lost == ENFORCER_WATCH_MAX_LOST)
		w->has_missed = true;
	else
		w->lost[w->n_lost++] = net;
}

static void on_missed(void *ctx)
{
	struct enforcer_watch *w = ctx;

	w->has_missed = true;
}

static void ask_for_lost(struct enforcer_watch *w)
{
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES - 2);

	log_warning(NULL, "somebody else takes bans out of the firewall; those that "
			  "hold are put back "
			  "(bandog unban lifts them)");
	pack_nets(&b, w->lost, w->n_lost);
	(void)role_send(w->role, ROLE_ENGINE, MSG_ASK_BANS, &b, -1);
	buf_deinit(&b);
}

static void on_settled(void *ctx)
{
	struct enforcer_watch *w = ctx;
	bool is_changed = w->is_changed, has_missed = w->has_missed;

	w->is_armed = w->is_changed = w->has_missed = false;
	if (w->n_lost && !has_missed)
		ask_for_lost(w);
	w->n_lost = 0;
	if (has_missed)
		w->fns.missed(w->fns.ctx);
	else if (is_changed)
		w->fns.changed(w->fns.ctx);
}

static void on_readable(void *ctx, UNUSED int events)
{
	struct enforcer_watch *w = ctx;
	const struct nft_watch_fns fns = {w, on_changed, on_lost, on_missed};

	nft_watch_read(w->nft, READ_MAX, &fns);
	if (w->is_armed || (!w->is_changed && !w->has_missed && !w->n_lost))
		return;
	w->is_armed = true;
	loop_arm(w->settle_timer, SETTLE_MS, 0);
}

static void on_pause_over(void *ctx)
{
	struct enforcer_watch *w = ctx;

	w->is_paused = false;
	if (nft_watch_listen(w->nft, true) < 0)
		log_err(NULL, "changes of nf_tables are no longer noticed at once");
	w->fns.changed(w->fns.ctx);
}

void enforcer_watch_pause(struct enforcer_watch *w)
{
	if (!w)
		return;
	if (!w->is_paused && nft_watch_listen(w->nft, false) == 0)
		w->is_paused = true;
	if (w->is_paused)
		loop_arm(w->pause_timer, PAUSE_MS, 0);
}

struct enforcer_watch *enforcer_watch_new(struct role *r, struct enforcer_tables *t,
    const struct enforcer_watch_fns *fns, struct err *e)
{
	struct enforcer_watch *w = calloc(1, sizeof(*w));

	if (!w) {
		(void)err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	w->role = r;
	w->tables = t;
	w->fns = *fns;
	w->nft = nft_watch_open(e);
	if (!w->nft)
		return enforcer_watch_free(w);
	w->fd = loop_add_fd(r->loop, nft_watch_fd(w->nft), LOOP_READ, on_readable, w);
	w->settle_timer = loop_add_timer(r->loop, on_settled, w);
	w->pause_timer = loop_add_timer(r->loop, on_pause_over, w);
	if (w->fd && w->settle_timer && w->pause_timer)
		return w;
	(void)err_set(e, -ENOMEM, "out of memory");
	return enforcer_watch_free(w);
}

struct enforcer_watch *enforcer_watch_free(struct enforcer_watch *w)
{
	if (!w)
		return NULL;
	loop_watch_free(w->pause_timer);
	loop_watch_free(w->settle_timer);
	loop_watch_free(w->fd);
	nft_watch_close(w->nft);
	free(w);
	return NULL;
}

void enforcer_watch_tables(struct enforcer_watch *w)
{
	uint32_t ports[NFT_MAX_TABLES];
	size_t n = w ? enforcer_tables_ports(w->tables, ports) : 0;

	/* Without the filter our own changes would only cost us a look. */
	if (w)
		(void)nft_watch_ignore(w->nft, ports, n);
}
