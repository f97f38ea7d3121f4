/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * regex - compiled once, matched under limits
 *
 * Limits belong to the struct regex_match, which many regexes share. The subject is
 * always checked before PCRE2 sees it (or known to be valid), because PCRE2 may crash
 * on bad UTF-8 when told not to look.
 */

#include "match/regex.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>

#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "base/buf.h"
#include "base/scan.h"
#include "match/rewrite.h"
#include "match/utf8.h"

#define REGEX_PATTERN_MAX (64 * 1024)
#define REGEX_JIT_STACK_MIN (32 * 1024)
#define REGEX_JIT_STACK_MAX (512 * 1024)
#define REGEX_NEAR_BYTES 24 /* of the pattern, shown before an error */

struct variant {
	pcre2_code *code;
	bool is_jit_tried;
	bool has_jit;
};

struct regex {
	const pcre2_code *ready[2]; /* JIT code, with [true] for subjects of ASCII */
	struct variant any;
	/* For subjects that are ASCII, where characters are bytes and \w is a table:
	 * the same regex without UTF and UCP. Compiled when first wanted; for a pattern
	 * that is no ASCII itself, or means something else so, there is none. */
	struct variant ascii;
	char *ascii_pattern; /* NULL: there is none, or it has been compiled */
	uint32_t options;
	size_t n_groups;
	const char **names; /* n_groups + 1; they point into the code's own table */
	uint64_t n_limits;
};

struct regex_match {
	pcre2_match_data *data;
	pcre2_match_context *context;
	const PCRE2_SIZE *ovector; /* of data */
	struct span subject;
	size_t n_groups;   /* that may be asked for, the whole match included */
	struct buf mended; /* a subject that was no UTF-8 */
};

DEFINE_CLEANUP(pcre2_compile_context *, pcre2_compile_context_free)

static void regex_describe(struct span pattern, int code, size_t offset, struct err *e)
{
	struct buf near = BUF_INIT(8 * REGEX_NEAR_BYTES);
	size_t at = rewrite_origin(pattern, offset);
	size_t from = at > REGEX_NEAR_BYTES ? at - REGEX_NEAR_BYTES : 0;
	char text[160] = "";

	(void)pcre2_get_error_message(code, (PCRE2_UCHAR *)text, sizeof(text));
	buf_quote(&near, (struct span){pattern.p + from, at - from}, REGEX_NEAR_BYTES);
	(void)err_set(
	    e, -EINVAL, "%s, at offset %zu, after %s", text, at, buf_str(&near));
	buf_deinit(&near);
}

/* No character beyond ASCII, nor an escape that may stand for one: \x, \o, \351, \p ...
 * In subjects of ASCII the rest finds the same, byte by byte; but \R, which PCRE2 does
 * not give back to a \s behind it then. */
static bool is_about_ascii(struct span text)
{
	for (size_t i = 0; i + 1 < text.n; i++) {
		if (text.p[i] != '\\')
			continue;
		i++;
		if (strchr("xpPNXRo0", text.p[i]) ||
		    (text.p[i] >= '1' && text.p[i] <= '9' && i + 1 < text.n &&
			text.p[i + 1] >= '0' && text.p[i + 1] <= '9'))
			return false;
	}
	return scan_is_ascii(text);
}

static pcre2_code *compile_text(
    const char *text, size_t n, uint32_t options, int *error, PCRE2_SIZE *offset)
{
	CLEANUP(pcre2_compile_context_freep) pcre2_compile_context *context = NULL;

	context = pcre2_compile_context_create(NULL);
	if (!context) {
		*error = PCRE2_ERROR_NOMEMORY;
		return NULL;
	}
	(void)pcre2_set_newline(context, PCRE2_NEWLINE_LF);
	return pcre2_compile((PCRE2_SPTR)text, n, options, error, offset, context);
}

/* Is a group meant by its number: \1, (?(1) and what else PCRE2 knows? In doubt, yes.
 */
static bool asks_for_numbers(struct span text)
{
	for (size_t i = 0; i + 1 < text.n; i++) {
		if (text.p[i] == '\\') {
			i++;
			if (strchr("123456789gk", text.p[i]))
				return true;
		} else if (text.p[i] == '(' && text.p[i + 1] == '?' && i + 2 < text.n &&
			   !strchr(":P=!<>#imsx", text.p[i + 2])) {
			return true;
		}
	}
	return false;
}

static int regex_compile(
    struct regex *r, struct span pattern, struct regex_options o, struct err *e)
{
	struct buf text = BUF_INIT(REGEX_PATTERN_MAX);
	bool knows_ascii_only = false;
	PCRE2_SIZE offset = 0;
	int error = 0;

	r->options = PCRE2_UTF | PCRE2_UCP | PCRE2_NEVER_BACKSLASH_C;
	if (rewrite_python(pattern, &text, &knows_ascii_only, e) == 0) {
		if (knows_ascii_only)
			r->options &= ~(uint32_t)PCRE2_UCP;
		/* Python's ^ also matches behind the newline that ends the subject. */
		if (o.multiline)
			r->options |= PCRE2_MULTILINE | PCRE2_ALT_CIRCUMFLEX;
		if (o.named_only && !asks_for_numbers(buf_span(&text)))
			r->options |= PCRE2_NO_AUTO_CAPTURE;
		r->any.code =
		    compile_text(buf_str(&text), text.n, r->options, &error, &offset);
		if (!r->any.code)
			regex_describe(pattern, error, offset, e);
		else if (is_about_ascii(buf_span(&text)))
			r->ascii_pattern = span_dup(buf_span(&text));
	}
	buf_deinit(&text);
	return r->any.code ? 0 : -EINVAL;
}

static int regex_read_names(struct regex *r)
{
	uint32_t n_names = 0, entry_bytes = 0;
	PCRE2_SPTR entry = NULL;

	r->names = calloc(r->n_groups + 1, sizeof(*r->names));
	if (!r->names)
		return -ENOMEM;
	(void)pcre2_pattern_info(r->any.code, PCRE2_INFO_NAMECOUNT, &n_names);
	(void)pcre2_pattern_info(r->any.code, PCRE2_INFO_NAMEENTRYSIZE, &entry_bytes);
	(void)pcre2_pattern_info(r->any.code, PCRE2_INFO_NAMETABLE, &entry);
	for (uint32_t i = 0; i < n_names; i++, entry += entry_bytes) {
		size_t group = (size_t)(entry[0] << 8 | entry[1]);

		r->names[group] = (const char *)entry + 2;
	}
	return 0;
}

struct regex *regex_new(struct span pattern, struct regex_options o, struct err *e)
{
	CLEANUP(regex_freep) struct regex *r = calloc(1, sizeof(*r));
	uint32_t n = 0;

	if (!r) {
		(void)err_errno(e, -ENOMEM, "regex");
		return NULL;
	}
	if (regex_compile(r, pattern, o, e) < 0)
		return NULL;
	(void)pcre2_pattern_info(r->any.code, PCRE2_INFO_CAPTURECOUNT, &n);
	r->n_groups = n;
	if (n > REGEX_MAX_GROUPS) {
		(void)err_set(e, -EINVAL, "%zu groups, but no more than %d are allowed",
		    r->n_groups, REGEX_MAX_GROUPS);
		return NULL;
	}
	if (regex_read_names(r) < 0) {
		(void)err_errno(e, -ENOMEM, "regex");
		return NULL;
	}
	return TAKE(r);
}

struct regex *regex_free(struct regex *r)
{
	if (!r)
		return NULL;
	free(r->names);
	free(r->ascii_pattern);
	pcre2_code_free(r->ascii.code);
	pcre2_code_free(r->any.code);
	free(r);
	return NULL;
}

/* For all: what is on it is of no use behind a search, and a process searches in one
 * thread. Without it PCRE2 takes 32 KiB of the machine stack. */
static pcre2_jit_stack *jit_stack;
static size_t n_jit_stack_users;

static pcre2_jit_stack *jit_stack_take(void)
{
	if (!n_jit_stack_users++)
		jit_stack = pcre2_jit_stack_create(
		    REGEX_JIT_STACK_MIN, REGEX_JIT_STACK_MAX, NULL);
	return jit_stack;
}

static void jit_stack_leave(void)
{
	if (--n_jit_stack_users)
		return;
	pcre2_jit_stack_free(jit_stack);
	jit_stack = NULL;
}

struct regex_match *regex_match_new(void)
{
	CLEANUP(regex_match_freep) struct regex_match *m = calloc(1, sizeof(*m));
	pcre2_jit_stack *stack;

	if (!m)
		return NULL;
	stack = jit_stack_take();
	m->mended.cap = SIZE_MAX / 2;
	m->data = pcre2_match_data_create(REGEX_MAX_GROUPS + 1, NULL);
	m->context = pcre2_match_context_create(NULL);
	if (!m->data || !m->context)
		return NULL;
	m->ovector = pcre2_get_ovector_pointer(m->data);
	regex_match_set_limits(
	    m, REGEX_MATCH_LIMIT, REGEX_DEPTH_LIMIT, REGEX_HEAP_LIMIT_KIB);
	if (stack)
		pcre2_jit_stack_assign(m->context, NULL, stack);
	return TAKE(m);
}

struct regex_match *regex_match_free(struct regex_match *m)
{
	if (!m)
		return NULL;
	jit_stack_leave();
	pcre2_match_context_free(m->context);
	pcre2_match_data_free(m->data);
	buf_deinit(&m->mended);
	free(m);
	return NULL;
}

void regex_match_set_limits(
    struct regex_match *m, uint32_t n_matches, uint32_t depth, uint32_t heap_kib)
{
	(void)pcre2_set_match_limit(m->context, n_matches);
	(void)pcre2_set_depth_limit(m->context, depth);
	(void)pcre2_set_heap_limit(m->context, heap_kib);
}

/*
 * With the first search, not before: it takes four times as long as all else about a
 * new regex, and of those that a configuration brings most never see a line, or are
 * only looked at by the loader. Without JIT (forbidden by a sandbox, or not built in)
 * the interpreter does it.
 */
static bool has_jit(struct variant *v)
{
	if (!v->is_jit_tried) {
		v->is_jit_tried = true;
		v->has_jit = pcre2_jit_compile(v->code, PCRE2_JIT_COMPLETE) == 0;
	}
	return v->has_jit;
}

static struct variant *variant_for(struct regex *r, bool subject_is_ascii)
{
	int error;
	PCRE2_SIZE offset;

	if (!subject_is_ascii)
		return &r->any;
	if (r->ascii_pattern) {
		r->ascii.code = compile_text(r->ascii_pattern, strlen(r->ascii_pattern),
		    r->options & ~(uint32_t)(PCRE2_UTF | PCRE2_UCP), &error, &offset);
		free(r->ascii_pattern);
		r->ascii_pattern = NULL;
	}
	return r->ascii.code ? &r->ascii : &r->any;
}

static const pcre2_code *make_ready(struct regex *r, bool subject_is_ascii)
{
	struct variant *v = variant_for(r, subject_is_ascii);

	if (has_jit(v))
		r->ready[subject_is_ascii] = v->code;
	return v->code;
}

static int regex_run(struct regex *r, struct span text, size_t start,
    bool text_is_ascii, struct regex_match *m)
{
	const pcre2_code *code = r->ready[text_is_ascii];
	PCRE2_SPTR p = (PCRE2_SPTR)(text.p ? text.p : "");
	int n;

	if (!code)
		code = make_ready(r, text_is_ascii);
	if (r->ready[text_is_ascii])
		n = pcre2_jit_match(
		    code, p, text.n, start, PCRE2_NO_UTF_CHECK, m->data, m->context);
	else
		n = pcre2_match(
		    code, p, text.n, start, PCRE2_NO_UTF_CHECK, m->data, m->context);
	if (n == PCRE2_ERROR_NOMATCH)
		return REGEX_MISS;
	if (n <= 0) {
		r->n_limits++;
		return REGEX_LIMIT;
	}
	m->n_groups = (size_t)n;
	return 0;
}

HOT int regex_search_valid(struct regex *r, struct span subject, size_t start,
    bool is_ascii, struct regex_match *m)
{
	m->subject = subject;
	m->n_groups = 0;
	if (start > subject.n)
		return REGEX_MISS;
	return regex_run(r, subject, start, is_ascii, m);
}

/* A copy of the same length, with DEL for each byte that is not UTF-8. */
static int regex_mend(struct regex_match *m, struct span subject)
{
	struct span rest = subject;

	buf_clear(&m->mended);
	while (rest.n > 0) {
		size_t n = utf8_char_len(rest);

		buf_add(&m->mended, n ? rest.p : "\x7f", n ? n : 1);
		rest = span_skip(rest, n ? n : 1);
	}
	return m->mended.failed ? -ENOMEM : 0;
}

int regex_search(
    struct regex *r, struct span subject, size_t start, struct regex_match *m)
{
	struct span text = subject;

	m->subject = subject;
	m->n_groups = 0;
	if (start > subject.n)
		return REGEX_MISS;
	if (!utf8_is_valid(subject)) {
		if (regex_mend(m, subject) < 0) {
			r->n_limits++;
			return REGEX_LIMIT;
		}
		text = buf_span(&m->mended);
	}
	while (start < text.n && ((uint8_t)text.p[start] & 0xc0) == 0x80)
		start++;
	return regex_run(r, text, start, false, m);
}

size_t regex_n_groups(const struct regex *r)
{
	return r->n_groups;
}

const char *regex_group_name(const struct regex *r, size_t group)
{
	assert(group <= r->n_groups);
	return r->names[group];
}

int regex_group_number(const struct regex *r, const char *name)
{
	for (size_t i = 1; i <= r->n_groups; i++) {
		if (r->names[i] && strcmp(r->names[i], name) == 0)
			return (int)i;
	}
	return -1;
}

uint64_t regex_n_limits(const struct regex *r)
{
	return r->n_limits;
}

struct span regex_match_subject(const struct regex_match *m)
{
	return m->subject;
}

HOT bool regex_match_group(const struct regex_match *m, size_t group, struct span *out)
{
	const PCRE2_SIZE *at = m->ovector + 2 * group;

	/* \K may put the start behind the end. */
	if (group >= m->n_groups || at[0] == PCRE2_UNSET || at[0] > at[1])
		return false;
	*out = (struct span){m->subject.p + at[0], at[1] - at[0]};
	return true;
}
