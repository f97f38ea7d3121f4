/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * interp - references, resolved depth first
 *
 * A frame remembers which version of which option is being expanded. That is how
 * %(known/x)s finds the version below the one that it stands in, and how a reference to
 * itself is seen.
 */

#include "conf/interp.h"

#include <errno.h>

#include "conf/chars.h"

#define DEPTH_MAX 32
#define REFERENCES_MAX 20000

struct frame {
	const struct frame *up;
	const struct ini_option *option; /* NULL: not from a file's option */
	unsigned int depth;
};

struct run {
	const struct interp *in;
	struct span name; /* the option asked for, for messages */
	unsigned int n_references;
};

struct source {
	struct text raw;
	const struct ini_option *option; /* where @raw comes from, or NULL */
	bool is_final;                   /* not to be interpolated */
};

static int expand(struct run *run, const struct source *from, const struct frame *up,
    struct text_out *out);

static bool is_word_char(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c >= '0' && c <= '9') || c == '_' || c == '-' ||
	       (unsigned char)c >= 0x80;
}

bool interp_split(struct span name, struct span *section, struct span *option)
{
	size_t n = 0;

	while (n < name.n && is_word_char(name.p[n]))
		n++;
	if (!n || n + 1 >= name.n || name.p[n] != '/')
		return false;
	*section = (struct span){name.p, n};
	*option = span_skip(name, n + 1);
	return true;
}

static bool take_option(const struct ini_option *o, struct source *out)
{
	if (!o)
		return false;
	*out = (struct source){.raw = o->value, .option = o};
	return true;
}

static bool find_plain(const struct interp *in, struct span name, struct source *out)
{
	const struct text *var = dict_find(in->vars, name);

	if (var) {
		*out = (struct source){.raw = *var};
		return true;
	}
	return take_option(ini_find_option(in->section, name), out) ||
	       take_option(ini_find_option(&in->ini->defaults, name), out);
}

bool interp_has(const struct interp *in, struct span name)
{
	struct source s;

	return find_plain(in, name, &s);
}

/* The version of @name that is being expanded right now, or NULL. */
static const struct ini_option *find_active(const struct frame *f, struct span name)
{
	for (; f; f = f->up)
		if (f->option && span_eq(span_of(f->option->name), name))
			return f->option;
	return NULL;
}

static bool find_known(const struct interp *in, const struct frame *up,
    struct span name, struct source *out)
{
	const struct ini_option *now = find_active(up, name);

	if (!now)
		now = ini_find_option(in->section, name);
	if (now && now->prev)
		return take_option(now->prev, out);
	if (now && now->is_default)
		return false;
	return take_option(ini_find_option(&in->ini->defaults, name), out);
}

/* 0, INTERP_NONE or negative errno. */
static int find_in_section(const struct interp *in, const struct frame *up,
    struct span section, struct span name, struct source *out)
{
	const struct ini_section *s;
	int r;

	if (span_eq_nocase(section, SPAN("known"))) {
		if (in->known) {
			r = in->known(in->known_ctx, name, &out->raw);
			out->option = NULL;
			out->is_final = true;
			if (r != INTERP_NONE)
				return r;
		}
		return find_known(in, up, name, out) ? 0 : INTERP_NONE;
	}
	if (!span_eq_nocase(section, SPAN("default"))) {
		s = ini_find_section(in->ini, section);
		if (!s)
			return INTERP_NONE;
		if (take_option(ini_find_option(s, name), out))
			return 0;
	}
	return take_option(ini_find_option(&in->ini->defaults, name), out)
		   ? 0
		   : INTERP_NONE;
}

static int find_source(
    struct run *run, const struct frame *up, struct span reference, struct source *out)
{
	const struct interp *in = run->in;
	CLEANUP(freep) char *lower = NULL;
	struct span name, section, option;

	lower = malloc(reference.n + 1);
	if (!lower)
		return -ENOMEM;
	for (size_t i = 0; i < reference.n; i++) {
		char c = reference.p[i];

		lower[i] = c >= 'A' && c <= 'Z' ? (char)(c + ('a' - 'A')) : c;
	}
	name = (struct span){lower, reference.n};
	if (span_eq(name, SPAN("__name__")) && in->section) {
		*out = (struct source){.is_final = true};
		out->raw.p = in->section->name;
		out->raw.n = strlen(in->section->name);
		return 0;
	}
	if (find_plain(in, name, out))
		return 0;
	if (!interp_split(reference, &section, &option))
		return INTERP_NONE;
	return find_in_section(
	    in, up, section, span_skip(name, (size_t)(option.p - reference.p)), out);
}

static int complain(
    struct run *run, const struct text *raw, size_t off, const char *what)
{
	diag_add(run->in->d, DIAG_ERROR, text_place(raw, off), "%s: %s",
	    chars_show(run->name).text, what);
	return -EINVAL;
}

static int complain_unknown(
    struct run *run, const struct text *raw, size_t off, struct span reference)
{
	const struct ini_section *s = run->in->section;

	diag_add(run->in->d, DIAG_ERROR, text_place(raw, off),
	    "%s: %%(%s)s: there is no such option, expected one in [%s] or [DEFAULT]",
	    chars_show(run->name).text, chars_show(reference).text,
	    s ? s->name : "DEFAULT");
	return -EINVAL;
}

static bool is_active(const struct frame *f, const struct ini_option *option)
{
	for (; f; f = f->up)
		if (f->option == option)
			return true;
	return false;
}

/* The reference of @host from @from to @to, whose name is @reference. */
static int expand_reference(struct run *run, const struct text *host, size_t from,
    size_t to, const struct frame *up, struct text_out *out)
{
	struct span reference = {host->p + from + 2, to - from - 4};
	CLEANUP(text_out_deinit) struct text_out value = TEXT_OUT_INIT;
	struct source source = {0};
	struct text view;
	int r;

	if (++run->n_references > REFERENCES_MAX)
		return complain(run, host, from, "too many references in one value");
	r = find_source(run, up, reference, &source);
	if (r == INTERP_NONE)
		return complain_unknown(run, host, from, reference);
	if (r < 0)
		return r;
	if (source.option && is_active(up, source.option))
		return complain(run, host, from, "this reference leads back to itself");
	if (source.is_final) {
		text_out_insert(out, host, from, to, &source.raw);
		return 0;
	}
	if (up->depth >= DEPTH_MAX)
		return complain(
		    run, host, from, "references nest too deeply, perhaps in a ring");
	r = expand(run, &source, up, &value);
	if (r < 0)
		return r;
	view = text_out_view(&value);
	text_out_insert(out, host, from, to, &view);
	return 0;
}

/* What the '%' at @i of @raw means; *@out_next is behind it. */
static int expand_percent(struct run *run, const struct text *raw, size_t i,
    const struct frame *frame, struct text_out *out, size_t *out_next)
{
	struct span rest = {raw->p + i, raw->n - i};
	ptrdiff_t end;

	if (rest.n > 1 && rest.p[1] == '%') {
		text_out_add(out, SPAN("%"), text_place(raw, i), true);
		*out_next = i + 2;
		return 0;
	}
	if (rest.n < 2 || rest.p[1] != '(')
		return complain(run, raw, i,
		    "'%' begins a reference %(NAME)s; a percent sign itself is written "
		    "%%");
	end = span_index(rest, ')');
	if (end <= 2 || (size_t)end + 1 >= rest.n || rest.p[end + 1] != 's')
		return complain(run, raw, i,
		    "unfinished reference, expected %(NAME)s; a percent sign itself is "
		    "written %%");
	*out_next = i + (size_t)end + 2;
	return expand_reference(run, raw, i, *out_next, frame, out);
}

static int expand(struct run *run, const struct source *from, const struct frame *up,
    struct text_out *out)
{
	const struct text *raw = &from->raw;
	struct frame frame = {
	    .up = up, .option = from->option, .depth = up ? up->depth + 1 : 0};
	int r;

	for (size_t i = 0; i < raw->n;) {
		struct span rest = {raw->p + i, raw->n - i};
		ptrdiff_t n = span_index(rest, '%');

		if (n != 0) {
			size_t end = n < 0 ? raw->n : i + (size_t)n;

			text_out_add_part(out, raw, i, end);
			i = end;
			continue;
		}
		r = expand_percent(run, raw, i, &frame, out, &i);
		if (r < 0)
			return r;
		r = text_out_state(out);
		if (r == -E2BIG)
			return complain(
			    run, raw, 0, "the value becomes larger than 1 MiB");
		if (r < 0)
			return r;
	}
	return 0;
}

static int resolve(const struct interp *in, struct span name,
    const struct source *source, struct text *out)
{
	CLEANUP(text_out_deinit) struct text_out value = TEXT_OUT_INIT;
	struct run run = {.in = in, .name = name};
	int r;

	/* Nothing to resolve: the raw text will do, it lives as long. */
	if (source->is_final || span_index(text_span(&source->raw), '%') < 0) {
		*out = source->raw;
		return 0;
	}
	r = expand(&run, source, NULL, &value);
	if (r < 0)
		return r;
	if (!value.b.n)
		text_out_add(
		    &value, (struct span){"", 0}, text_place(&source->raw, 0), true);
	return text_out_keep(&value, in->arena, out);
}

int interp_get(const struct interp *in, struct span name, struct text *out)
{
	struct source source = {0};

	if (!find_plain(in, name, &source))
		return INTERP_NONE;
	return resolve(in, name, &source, out);
}

int interp_resolve(
    const struct interp *in, const struct ini_option *o, struct text *out)
{
	const struct source source = {.raw = o->value, .option = o};

	return resolve(in, span_of(o->name), &source, out);
}

int interp_get_known(const struct interp *in, struct span name, struct text *out)
{
	struct source source = {0};
	int r = find_in_section(in, NULL, SPAN("known"), name, &source);

	return r ? r : resolve(in, name, &source, out);
}
