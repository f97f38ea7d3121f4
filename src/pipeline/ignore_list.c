/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline/ignore_list.h"

#include <errno.h>

#include "base/cleanup.h"

#define NAME_MAX_BYTES 253 /* RFC 1035, 2.3.4 */
#define FILE_PREFIX "file:"

static bool is_letter(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

/* The last label of a name is never a number: 192.0.2.300 is a slip. */
static bool is_name(struct span s)
{
	bool has_letter = false;

	if (!s.n || s.n > NAME_MAX_BYTES || s.p[0] == '.' || s.p[0] == '-')
		return false;
	for (size_t i = 0; i < s.n; i++) {
		char c = s.p[i];

		if (c == '.') {
			if (i + 1 < s.n)
				has_letter = false;
		} else if (is_letter(c)) {
			has_letter = true;
		} else if ((c < '0' || c > '9') && c != '-' && c != '_') {
			return false;
		}
	}
	return has_letter;
}

enum ignore_kind ignore_kind_of(struct span word, struct net *out)
{
	if (net_parse(word, out) == 0)
		return IGNORE_NET;
	if (span_starts(word, SPAN(FILE_PREFIX "/")))
		return IGNORE_FILE;
	return is_name(word) ? IGNORE_NAME : IGNORE_WRONG;
}

const char *ignore_path_of(const char *word)
{
	return word + strlen(FILE_PREFIX);
}

struct list {
	struct net *nets;
	uint32_t n, room;
	struct ignore_flaws flaws;
};

static int add(struct list *l, struct span word, uint32_t line)
{
	struct net net;

	if (net_parse(word, &net) < 0) {
		if (!l->flaws.n_wrong++)
			l->flaws.first_line = line;
		return 0;
	}
	if (l->n == IGNORE_LIST_MAX_NETS) {
		l->flaws.n_beyond++;
		return 0;
	}
	if (l->n == l->room) {
		uint32_t room = l->room ? l->room * 2 : 64;
		struct net *more = realloc(l->nets, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		l->nets = more;
		l->room = room;
	}
	l->nets[l->n++] = net;
	return 0;
}

static int add_line(struct list *l, struct span text, uint32_t line)
{
	struct span word;
	int r = 0;

	while (!r && span_next_word(&text, " \t\v\f\r,", &word)) {
		if (word.p[0] == '#' || word.p[0] == ';')
			return 0;
		r = add(l, word, line);
	}
	return r;
}

int ignore_list_parse(
    struct span text, struct net **out, uint32_t *out_n, struct ignore_flaws *flaws)
{
	struct list l = {.nets = malloc(sizeof(*l.nets)), .room = 1};
	struct span line;
	uint32_t n = 0;
	int r = l.nets ? 0 : -ENOMEM;

	while (!r && span_next_line(&text, &line))
		r = add_line(&l, line, ++n);
	if (r < 0) {
		free(l.nets);
		return r;
	}
	*out = l.nets;
	*out_n = l.n;
	*flaws = l.flaws;
	return 0;
}
