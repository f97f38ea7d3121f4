/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "runner_fake.h"

#include <assert.h>
#include <string.h>

struct command {
	char *script;
	command_fn done;
	void *ctx;
};

static struct command *running[FAKE_MAX_RUNNING];
static size_t n_running, n_begun;

struct command *command_start(UNUSED struct loop *l, const char *script,
    UNUSED struct span env, UNUSED uint64_t timeout_ms, command_fn done, void *ctx,
    UNUSED struct err *e)
{
	struct command *c = calloc(1, sizeof(*c));

	assert(c && n_running < FAKE_MAX_RUNNING);
	*c = (struct command){.script = strdup(script), .done = done, .ctx = ctx};
	running[n_running++] = c;
	n_begun++;
	return c;
}

static void forget(size_t i)
{
	free(running[i]->script);
	free(running[i]);
	n_running--;
	memmove(&running[i], &running[i + 1], (n_running - i) * sizeof(*running));
}

struct command *command_kill(struct command *c)
{
	for (size_t i = 0; i < n_running; i++) {
		if (running[i] == c) {
			forget(i);
			break;
		}
	}
	return NULL;
}

size_t fake_n_running(void)
{
	return n_running;
}

size_t fake_n_begun(void)
{
	return n_begun;
}

const char *fake_running(size_t i)
{
	return i < n_running ? running[i]->script : "nothing";
}

void fake_end(size_t i, enum fake_end how)
{
	struct command_result r = {.code = how == FAKE_OK     ? 0
					   : how == FAKE_LATE ? 143
							      : 1,
	    .is_late = how == FAKE_LATE,
	    .output = {"", 0}};

	assert(i < n_running);
	command_fn done = running[i]->done;
	void *ctx = running[i]->ctx;

	forget(i);
	done(ctx, &r);
}

/* --- set-ups -----------------------------------------------------------------------
 */

void fake_setup_init(struct fake_setup *s)
{
	memset(s, 0, sizeof(*s));
	s->setup.jails = s->jails;
}

void fake_setup_deinit(struct fake_setup *s)
{
	for (size_t i = 0; i < s->n_texts; i++)
		free(s->texts[i]);
}

static char *keep(struct fake_setup *s, const char *text)
{
	assert(s->n_texts < ARRAY_LEN(s->texts));
	return s->texts[s->n_texts++] = strdup(text);
}

uint32_t fake_setup_jail(struct fake_setup *s, const char *name)
{
	uint32_t i = s->setup.n_jails++;

	assert(i < FAKE_MAX_JAILS);
	s->jails[i].name = keep(s, name);
	s->jails[i].commands = s->commands[i];
	return i;
}

void fake_setup_action(struct fake_setup *s, const char *name, const char *options)
{
	uint32_t i = s->setup.n_jails - 1;
	uint32_t k = s->jails[i].n_commands++;
	struct setup_command *c = &s->commands[i][k];
	char *line, *rest = keep(s, options);

	assert(k < FAKE_MAX_ACTIONS);
	c->name = keep(s, name);
	c->options = s->options[i][k];
	while ((line = strsep(&rest, "\n")) != NULL) {
		char *value = strrchr(line, '=');

		if (!value)
			continue;
		*value = '\0';
		assert(c->n_options < FAKE_MAX_OPTIONS);
		c->options[c->n_options++] =
		    (struct action_option){.name = line, .value = value + 1};
	}
}

struct order fake_order(enum order_op op, uint32_t jail, const char *ip, int64_t until)
{
	struct order o = {.op = op,
	    .cause = ORDER_BY_RULE,
	    .jail = jail,
	    .at = {1000 * US_PER_SEC},
	    .until = {until * US_PER_SEC},
	    .failures = 3};
	int r = net_parse(span_of(ip), &o.net);

	assert(!r);
	return o;
}
