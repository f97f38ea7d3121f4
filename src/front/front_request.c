/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <jansson.h>
#include <limits.h>

#include "flow/id.h"
#include "front/front.h"

#define DEFAULT_LIMIT 1000
#define MAX_LIMIT 10000
#define MAX_TIME_SEC INT64_C(253402300800) /* the year 10000 */

static const struct {
	const char *name;
	enum front_kind kind;
	enum request_verb verb;
} verbs[] = {
    {"ping", FRONT_ENGINE, REQUEST_PING},
    {"status", FRONT_ENGINE, REQUEST_STATUS},
    {"banned", FRONT_ENGINE, REQUEST_BANNED},
    {"ban", FRONT_ENGINE, REQUEST_BAN},
    {"unban", FRONT_ENGINE, REQUEST_UNBAN},
    {"why", FRONT_ENGINE, REQUEST_WHY},
    {"report", FRONT_ENGINE, REQUEST_REPORT},
    {"reload", FRONT_RELOAD, 0},
    {"stop", FRONT_STOP, 0},
};

struct fields {
	const char *jail;
	int64_t seconds; /* of a report: since when */
	uint32_t offset, limit;
	struct ids who;
	bool takes_ids;
	bool all;
};

static void fields_deinit(struct fields *f)
{
	ids_deinit(&f->who);
}

/* An id may be anything, so a mistyped address is one too: it must be asked for. */
static int get_who(const json_t *item, struct fields *f, struct err *error)
{
	const char *text = json_string_value(item);

	if (!text)
		return err_set(error, -EINVAL, "ip: expected texts in a list");
	if (ids_add(&f->who, text, f->takes_ids) < 0)
		return err_set(
		    error, -EINVAL, "'%.64s' is no address or network", text);
	return 0;
}

static int get_list(const json_t *list, struct fields *f, struct err *error)
{
	const json_t *item;
	size_t i;

	if (!list)
		return 0;
	if (!json_is_array(list) || json_array_size(list) > FRONT_MAX_NETS)
		return err_set(error, -EINVAL,
		    "ip: expected a list of at most %d addresses", FRONT_MAX_NETS);
	json_array_foreach(list, i, item)
	{
		int r = get_who(item, f, error);

		if (r < 0)
			return r;
	}
	return 0;
}

static int get_number(const json_t *o, const char *key, int64_t min, int64_t max,
    int64_t fallback, int64_t *out, struct err *error)
{
	const json_t *v = json_object_get(o, key);

	*out = fallback;
	if (!v)
		return 0;
	if (!json_is_integer(v) || json_integer_value(v) < min ||
	    json_integer_value(v) > max)
		return err_set(
		    error, -EINVAL, "%s: expected a whole number in range", key);
	*out = json_integer_value(v);
	return 0;
}

static int get_fields(const json_t *o, struct fields *f, struct err *error)
{
	const json_t *jail = json_object_get(o, "jail");
	int64_t offset, limit;

	if (jail && !json_is_string(jail))
		return err_set(error, -EINVAL, "jail: expected a text");
	f->jail = json_string_value(jail);
	f->takes_ids = f->jail != NULL;
	f->all = json_is_true(json_object_get(o, "all"));
	bool has_since = json_object_get(o, "since");
	int r = has_since
		    ? get_number(o, "since", 0, MAX_TIME_SEC, 0, &f->seconds, error)
		    : get_number(o, "seconds", -1, INT_MAX, 0, &f->seconds, error);

	if (!r)
		r = get_number(o, "offset", 0, UINT32_MAX, 0, &offset, error);
	if (!r)
		r = get_number(o, "limit", 1, MAX_LIMIT, DEFAULT_LIMIT, &limit, error);
	if (r < 0)
		return r;
	f->offset = (uint32_t)offset;
	f->limit = (uint32_t)limit;
	return get_list(json_object_get(o, "ip"), f, error);
}

static int check_fields(
    enum request_verb verb, const struct fields *f, struct err *error)
{
	switch (verb) {
	case REQUEST_BAN:
		if (!f->jail || !f->who.n)
			return err_set(
			    error, -EINVAL, "ban: a jail and an address are needed");
		return 0;
	case REQUEST_UNBAN:
		if (!f->who.n == !f->all)
			return err_set(
			    error, -EINVAL, "unban: either addresses or all");
		return 0;
	case REQUEST_WHY:
		if (f->who.n != 1)
			return err_set(error, -EINVAL, "why: one address is needed");
		return 0;
	default:
		return 0;
	}
}

static void put_body(struct buf *b, enum request_verb verb, const struct fields *f)
{
	*b = BUF_INIT(MESSAGE_MAX_BYTES - 16);
	pack_u8(b, (uint8_t)verb);
	pack_str(b, f->jail);
	pack_i64(b, f->seconds);
	pack_u32(b, f->offset);
	pack_u32(b, f->limit);
	ids_pack(b, &f->who);
}

static int find_verb(const json_t *o, size_t *out, struct err *error)
{
	const char *name = json_string_value(json_object_get(o, "do"));

	if (!name)
		return err_set(error, -EINVAL, "expected an object with \"do\"");
	for (size_t i = 0; i < ARRAY_LEN(verbs); i++) {
		if (!strcmp(name, verbs[i].name)) {
			*out = i;
			return 0;
		}
	}
	return err_set(error, -EINVAL, "unknown request '%.32s'", name);
}

static int parse_object(const json_t *o, struct front_request *out, struct err *error)
{
	CLEANUP(fields_deinit) struct fields f = {0};
	size_t verb = 0;
	int r = find_verb(o, &verb, error);

	if (!r && ids_init(&f.who, FRONT_MAX_NETS) < 0)
		r = err_set(error, -ENOMEM, "out of memory");
	if (!r)
		r = get_fields(o, &f, error);
	if (!r && verbs[verb].kind == FRONT_ENGINE)
		r = check_fields(verbs[verb].verb, &f, error);
	if (r < 0)
		return r;
	struct front_request q = {.kind = verbs[verb].kind, .verb = verbs[verb].verb};

	put_body(&q.body, q.verb, &f);
	put_body(&q.history,
	    q.verb == REQUEST_REPORT ? REQUEST_REPORT : REQUEST_HISTORY, &f);
	if (q.body.failed || q.history.failed) {
		front_request_deinit(&q);
		return err_set(error, -E2BIG, "the request is too long");
	}
	*out = q;
	return 0;
}

int front_request_parse(struct span line, struct front_request *out, struct err *error)
{
	json_error_t e;
	json_t *o = json_loadb(line.p, line.n, JSON_REJECT_DUPLICATES, &e);

	if (!o)
		return err_set(error, -EINVAL, "not JSON: %s", e.text);
	int r = parse_object(o, out, error);

	json_decref(o);
	return r;
}

void front_request_deinit(struct front_request *q)
{
	buf_deinit(&q->body);
	buf_deinit(&q->history);
}
