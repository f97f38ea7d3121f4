/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/scan_show.h"

#include <errno.h>
#include <inttypes.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/jsonw.h"
#include "cli/rule_json.h"

#define FLUSH_BYTES (64 * 1024)
#define MAX_BYTES (256u << 20)

void scan_show_init(struct scan_show *s, const struct setup *setup, bool json)
{
	*s = (struct scan_show){
	    .setup = setup, .json = json, .out = BUF_INIT(MAX_BYTES)};
}

void scan_show_deinit(struct scan_show *s)
{
	buf_deinit(&s->out);
}

int scan_show_flush(struct scan_show *s)
{
	if (!s->out.n || s->error)
		return s->error;
	scan_progress_erase(&s->progress);
	s->error = fd_write_all(STDOUT_FILENO, buf_str(&s->out), s->out.n);
	buf_clear(&s->out);
	return s->error;
}

static void put_json(struct scan_show *s, const struct order *o)
{
	struct jsonw j = jsonw_of(&s->out);

	jsonw_object(&j);
	jsonw_key(&j, "at");
	jsonw_wall(&j, o->at, false);
	jsonw_key(&j, "do");
	jsonw_str(&j, order_op_name(o->op));
	jsonw_key(&j, "jail");
	jsonw_str(&j, s->setup->jails[o->jail].name);
	jsonw_key(&j, "ip");
	if (o->id)
		jsonw_str(&j, o->id);
	else
		jsonw_net(&j, &o->net);
	jsonw_key(&j, "until");
	jsonw_wall(&j, o->until, false);
	jsonw_key(&j, "failures");
	jsonw_i64(&j, o->failures);
	jsonw_key(&j, "bancount");
	jsonw_i64(&j, o->ban_count);
	jsonw_key(&j, "why");
	jsonw_array(&j);
	for (uint32_t i = 0; i < o->n_why; i++) {
		jsonw_object(&j);
		jsonw_key(&j, "at");
		jsonw_wall(&j, o->why[i].at, false);
		jsonw_key(&j, "rule");
		jsonw_i64(&j, o->why[i].rule);
		rule_json_put(&j, &s->setup->jails[o->jail], o->why[i].rule);
		jsonw_key(&j, "line");
		jsonw_str(&j, o->why[i].text);
		jsonw_object_end(&j);
	}
	jsonw_array_end(&j);
	jsonw_object_end(&j);
	buf_add_char(&s->out, '\n');
}

static void put_text(struct scan_show *s, const struct order *o)
{
	const char *jail = s->setup->jails[o->jail].name;

	wall_format(&s->out, o->at);
	buf_printf(&s->out, "  %-8s ", order_op_name(o->op));
	order_add_who(&s->out, o);
	buf_printf(&s->out, "  %s", jail);
	if (o->op != ORDER_UNBAN) {
		buf_printf(&s->out, "  %u failures, until ", o->failures);
		wall_format(&s->out, o->until);
		if (s->setup->jails[o->jail].increment.is_on)
			buf_printf(&s->out, ", ban number %u", o->ban_count);
	}
	buf_add_char(&s->out, '\n');
}

void scan_show_order(struct scan_show *s, const struct order *o)
{
	if (s->json)
		put_json(s, o);
	else
		put_text(s, o);
	if (s->out.n > FLUSH_BYTES)
		(void)scan_show_flush(s); /* the last one tells */
}

static void put_totals_text(struct scan_show *s, const struct scan_totals *t)
{
	if (t->is_interrupted) {
		buf_add_str(&s->out, "interrupted at ");
		wall_format(&s->out, t->reached.last);
		buf_printf(&s->out, ", %" PRIu64, t->reached.n_bytes);
		if (t->reached.n_bytes_all)
			buf_printf(&s->out, " of %" PRIu64, t->reached.n_bytes_all);
		buf_add_str(&s->out, " bytes\n");
	}
	buf_printf(&s->out,
	    "%" PRIu64 " lines, %" PRIu64 " failures, %" PRIu64 " bans of %" PRIu64
	    " addresses (%.2f s)\n",
	    t->n_lines, t->n_matched, t->n_bans, t->n_addresses, t->seconds);
}

static void put_reached(struct jsonw *j, const struct inputs_progress *reached)
{
	jsonw_object(j);
	jsonw_key(j, "at");
	jsonw_wall(j, reached->last, false);
	jsonw_key(j, "bytes");
	jsonw_i64(j, (int64_t)reached->n_bytes);
	if (reached->n_bytes_all) {
		jsonw_key(j, "of");
		jsonw_i64(j, (int64_t)reached->n_bytes_all);
	}
	jsonw_object_end(j);
}

static void put_totals_json(struct scan_show *s, const struct scan_totals *t)
{
	struct jsonw j = jsonw_of(&s->out);

	jsonw_object(&j);
	jsonw_key(&j, "summary");
	jsonw_object(&j);
	jsonw_key(&j, "lines");
	jsonw_i64(&j, (int64_t)t->n_lines);
	jsonw_key(&j, "matched");
	jsonw_i64(&j, (int64_t)t->n_matched);
	jsonw_key(&j, "bans");
	jsonw_i64(&j, (int64_t)t->n_bans);
	jsonw_key(&j, "addresses");
	jsonw_i64(&j, (int64_t)t->n_addresses);
	jsonw_key(&j, "seconds");
	jsonw_f64(&j, t->seconds);
	if (t->is_interrupted) {
		jsonw_key(&j, "interrupted");
		put_reached(&j, &t->reached);
	}
	jsonw_object_end(&j);
	jsonw_object_end(&j);
	buf_add_char(&s->out, '\n');
}

void scan_show_totals(struct scan_show *s, const struct scan_totals *t)
{
	if (s->json)
		put_totals_json(s, t);
	else
		put_totals_text(s, t);
}
