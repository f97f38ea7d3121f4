/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline/setup_steps.h"

#include <errno.h>
#include <sys/un.h>

#define CODE_CLOSE 421
#define CODE_LATER 450
/* Copies have numbers of their own in the names of sets. */
#define COPY_SUFFIX 100
#define TEXT_MAX_BYTES 200

bool setup_only_refuses(const struct setup *s, uint32_t jail, uint8_t step)
{
	return jail < s->n_jails && steps_is_soft(&s->jails[jail].steps, step);
}

bool setup_uses_policy(const struct setup *s)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (steps_any(&s->jails[i].steps, STEP_REFUSE))
			return true;
	}
	return false;
}

static bool reads(const struct setup_jail *j, uint32_t source)
{
	for (uint32_t i = 0; i < j->n_sources; i++) {
		if (j->sources[i] == source)
			return true;
	}
	return false;
}

/* Does the jail read the journal, or something that this one reads, too? */
static bool reads_same(
    const struct setup *s, const struct setup_jail *j, const struct setup_jail *other)
{
	for (uint32_t i = 0; i < j->n_sources; i++) {
		if (s->sources[j->sources[i]].is_journal || reads(other, j->sources[i]))
			return true;
	}
	return false;
}

bool setup_hears_refusals(const struct setup *s, uint32_t jail)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		if (steps_any(&s->jails[i].steps, STEP_REFUSE) &&
		    (i == jail || reads_same(s, &s->jails[jail], &s->jails[i])))
			return true;
	}
	return false;
}

/* --- what is written ---------------------------------------------------------------
 */

static struct conf_place place_in(const struct conf_value *v, struct span part)
{
	struct conf_place at = v->at;

	at.col += at.col ? (unsigned int)(part.p - v->text) : 0;
	return at;
}

/* "refuse 1h". Return: 0, or 1 (said). */
static int read_step(
    const struct conf_value *v, struct span part, struct diag *d, struct step *out)
{
	struct span rest = part, word, time;
	double sec;

	if (!span_next_word(&rest, "", &word) ||
	    step_answer_read(word, &out->answer) < 0) {
		diag_add(d, DIAG_ERROR, place_in(v, part),
		    "steps: '" SPAN_FMT "' is no step, expected refuse, reject, drop "
		    "or dropall, and its time",
		    SPAN_ARG(part));
		return 1;
	}
	time = span_trim(rest);
	if (!time.n || duration_parse(time, &sec) < 0 || sec == 0 || sec > 1e12) {
		diag_add(d, DIAG_ERROR, place_in(v, time.n ? time : part),
		    "steps: '" SPAN_FMT "' is no time, expected how long the step "
		    "'%s' lasts (try 1h; -1 is for good)",
		    SPAN_ARG(time), step_answer_name(out->answer));
		return 1;
	}
	out->sec = sec < 0 ? -1 : sec < 1 ? 1 : (int64_t)sec;
	return 0;
}

/* Each one at least as hard as the one before. */
static int check_order(
    const struct conf_value *v, struct span part, const struct steps *s, struct diag *d)
{
	const struct step *last = &s->items[s->n - 1], *before = last - 1;

	if (s->n < 2 || last->answer >= before->answer)
		return 0;
	diag_add(d, DIAG_ERROR, place_in(v, part),
	    "steps: '%s' is softer than '%s' before it, expected harder ones to follow",
	    step_answer_name(last->answer), step_answer_name(before->answer));
	return 1;
}

static int read_steps(const struct conf_value *v, struct diag *d, struct steps *out)
{
	struct span rest = span_of(v->text);
	int r = 0;

	while (rest.n) {
		ptrdiff_t comma = span_find(rest, SPAN(","));
		struct span part =
		    comma < 0 ? rest : (struct span){rest.p, (size_t)comma};

		rest = span_skip(rest, comma < 0 ? rest.n : (size_t)comma + 1);
		part = span_trim(part);
		if (out->n == STEPS_MAX) {
			diag_add(d, DIAG_ERROR, place_in(v, part),
			    "steps: more than %d of them", STEPS_MAX);
			return 1;
		}
		int bad = read_step(v, part, d, &out->items[out->n]);

		if (!bad) {
			out->n++;
			bad = check_order(v, part, out, d);
		}
		r |= bad;
	}
	return r;
}

static int read_code(const struct conf_value *v, struct diag *d, uint16_t *out)
{
	int64_t code = CODE_CLOSE;

	if (v->text && (span_to_i64(span_trim(span_of(v->text)), &code) < 0 ||
			   (code != CODE_CLOSE && code != CODE_LATER))) {
		diag_add(d, DIAG_ERROR, v->at,
		    "refusecode: '%s' is not possible, expected 421 (ends the session) "
		    "or 450",
		    v->text);
		return 1;
	}
	*out = (uint16_t)code;
	return 0;
}

void setup_check_policy(const struct conf_global *g, struct diag *d)
{
	const struct conf_value *path = &g->policysocket, *text = &g->refusetext;

	if (path->text &&
	    (path->text[0] != '/' ||
		strlen(path->text) >= sizeof(((struct sockaddr_un *)NULL)->sun_path)))
		diag_add(d, DIAG_ERROR, path->at,
		    "policysocket: '%s' must be an absolute path of at most 107 bytes",
		    path->text);
	if (!text->text)
		return;
	/* It goes into a line of SMTP. */
	for (const char *p = text->text; *p; p++) {
		if (*p >= ' ' && *p < 127)
			continue;
		diag_add(d, DIAG_ERROR, text->at,
		    "refusetext: one line of plain ASCII is expected");
		return;
	}
	if (strlen(text->text) > TEXT_MAX_BYTES)
		diag_add(d, DIAG_ERROR, text->at,
		    "refusetext: more than %d bytes do not fit into a reply",
		    TEXT_MAX_BYTES);
}

/* --- what carries it out -----------------------------------------------------------
 */

/* Bans that were made when there were more steps are at the last one: steps_at(). */
static uint16_t steps_of(const struct steps *s, enum step_answer answer)
{
	uint16_t mask = 0;

	for (uint8_t n = 1; n < 16; n++) {
		const struct step *at = steps_at(s, n);

		if (at && at->answer == answer)
			mask |= (uint16_t)(1u << n);
	}
	return mask;
}

static bool is_same(const struct nft_target *a, const struct nft_target *b)
{
	return a->answer == b->answer && a->protocol == b->protocol &&
	       a->is_xdp == b->is_xdp && a->n_ports == b->n_ports &&
	       !memcmp(a->ports, b->ports, a->n_ports * sizeof(*a->ports)) &&
	       !strcmp(a->interface, b->interface);
}

static struct nft_target copy_of(
    const struct nft_target *from, enum step_answer answer, uint16_t mask)
{
	struct nft_target t = *from;

	t.place = nft_own_place;
	t.set4[0] = t.set6[0] = '\0';
	t.steps = mask;
	t.is_copy = true;
	if (answer == STEP_REJECT) {
		/* Ports mean nothing without a protocol, nor does a reset. */
		t.answer = NFT_RESET;
		t.is_xdp = false;
		return t;
	}
	t.answer = NFT_DROP;
	t.protocol = 0;
	t.n_ports = 0;
	return t;
}

/* What answers so for the jail's own targets. */
static int add_copies(struct setup_jail *j, enum step_answer answer)
{
	uint16_t mask = steps_of(&j->steps, answer);
	uint32_t n_own = j->n_targets;

	for (uint32_t i = 0; mask && i < n_own; i++) {
		if (j->targets[i].is_copy)
			continue;
		struct nft_target t = copy_of(&j->targets[i], answer, mask);
		bool is_there = false;

		for (uint32_t k = n_own; k < j->n_targets; k++)
			is_there |= is_same(&j->targets[k], &t);
		if (is_there)
			continue;
		struct nft_target *more =
		    realloc(j->targets, (j->n_targets + 1) * sizeof(*more));

		if (!more)
			return -ENOMEM;
		j->targets = more;
		nft_target_name(t.name, j->name, COPY_SUFFIX + j->n_targets);
		more[j->n_targets++] = t;
	}
	return 0;
}

/* A step beyond words needs a firewall of ours; `drop` may also be commands. */
static int check_targets(
    const struct conf_jail *c, const struct setup_jail *j, struct diag *d)
{
	enum step_answer which =
	    steps_any(&j->steps, STEP_REJECT) ? STEP_REJECT : STEP_DROP_ALL;

	if (j->n_targets || !steps_any(&j->steps, which))
		return 0;
	diag_add(d, DIAG_ERROR, c->steps.at,
	    "steps: '%s' needs an action that bandog carries out itself, such as "
	    "nftables",
	    step_answer_name(which));
	return 1;
}

int setup_take_steps(const struct conf_jail *c, struct diag *d, struct setup_jail *j)
{
	int r = read_code(&c->refusecode, d, &j->refuse_code);

	if (!c->steps.text)
		return r;
	r |= read_steps(&c->steps, d, &j->steps);
	if (!r)
		r = check_targets(c, j, d);
	if (r)
		return r;
	for (uint32_t i = 0; i < j->n_targets; i++) /* and bans without a step */
		j->targets[i].steps = steps_of(&j->steps, STEP_DROP) | 1;
	if (add_copies(j, STEP_REJECT) < 0 || add_copies(j, STEP_DROP_ALL) < 0)
		return -ENOMEM;
	return 0;
}

/* --- as bytes ----------------------------------------------------------------------
 */

void setup_put_steps(struct buf *b, const struct setup_jail *j)
{
	pack_u16(b, j->refuse_code);
	pack_u8(b, j->steps.n);
	for (uint8_t i = 0; i < j->steps.n; i++) {
		pack_u8(b, (uint8_t)j->steps.items[i].answer);
		pack_i64(b, j->steps.items[i].sec);
	}
}

void setup_get_steps(struct unpack *u, struct setup_jail *j)
{
	j->refuse_code = unpack_u16(u);
	uint8_t n = unpack_u8(u);

	if (n > STEPS_MAX) {
		u->bad = true;
		return;
	}
	for (uint8_t i = 0; i < n && !u->bad; i++) {
		uint8_t answer = unpack_u8(u);

		if (answer < STEP_REFUSE || answer > STEP_DROP_ALL)
			u->bad = true;
		j->steps.items[i].answer = (enum step_answer)answer;
		j->steps.items[i].sec = unpack_i64(u);
		j->steps.n = (uint8_t)(i + 1);
	}
}
