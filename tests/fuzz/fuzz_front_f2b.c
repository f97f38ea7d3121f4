/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fuzz_front_f2b - any bytes as a request in fail2ban's protocol, any bytes as what the
 * others answer
 *
 * Whatever is asked and answered, the client gets one pickle of data and exceptions.
 */

#include <assert.h>

#include "front/front_f2b_command.h"
#include "fuzz.h"

#define MAX_STEPS 10

static char *failregex[] = {(char[]){"^a <HOST>"}, (char[]){"^b <HOST>"}};
static char *options[] = {(char[]){"ignoreip"}, (char[]){"192.0.2.1 localhost"},
    (char[]){"logpath"}, (char[]){"/var/log/a.log\n/var/log/b*.log tail"},
    (char[]){"action"}, (char[]){"one[x=\"a b\"]\n two"}, (char[]){"ignorecache"},
    (char[]){"key=\"<ip>\", max-count=3"}};
static char *action_one[] = {
    (char[]){"one"}, (char[]){"one"}, (char[]){"x"}, (char[]){"a b"}};
static struct setup_texts actions[] = {{action_one, 4}};
static uint32_t sources_k[] = {0};
static struct setup_source sources[] = {{.glob = (char[]){"journal::A=b"},
    .is_journal = true,
    .journal_match = (char[]){"A=b + C=d E=f"}}};
static struct setup_jail jails[] = {
    {.name = (char[]){"j"},
	.failregex = failregex,
	.n_failregex = 2,
	.options = {options, 8},
	.actions = actions,
	.n_actions = 1,
	.maxretry = 3,
	.findtime_sec = 600,
	.datepattern = (char[]){"%Y-%m-%d"},
	.bantime_sec = 3600},
    {.name = (char[]){"k"}, .sources = sources_k, .n_sources = 1},
};
static struct setup setup = {.jails = jails,
    .n_jails = 2,
    .sources = sources,
    .n_sources = 1,
    .log_target = (char[]){"SYSLOG"},
    .log_level = LOG_L_INFO};
static const struct f2b_world world = {.setup = &setup, .state_dir = "/s"};

static void check_reply(const struct f2b_command *c)
{
	CLEANUP(pickle_freep) struct pickle *p = NULL;
	struct err e = {""};

	assert(c->step == F2B_STEP_ANSWER || c->step == F2B_STEP_STOP);
	assert(c->reply.n && !c->reply.failed);
	assert(pickle_read(buf_span(&c->reply), PICKLE_OBJECTS, 1000000, &p, &e) == 0);
	assert(pickle_root(p)->kind == PICKLE_STR ||
	       (pickle_root(p)->kind == PICKLE_TUPLE && pickle_root(p)->n == 2));
}

/* The first two bytes say how long the request is; the rest is answers. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
	struct span s = {(const char *)bytes, n};
	struct f2b_command c;
	size_t n_request;

	if (n < 3)
		return 0;
	n_request = bytes[0] + 256u * bytes[1];
	s = span_skip(s, 2);
	if (n_request > s.n)
		n_request = s.n;
	f2b_command_begin(&c, (struct span){s.p, n_request}, &world);
	s = span_skip(s, n_request);
	for (int i = 0; i < MAX_STEPS && c.step > F2B_STEP_STOP; i++) {
		struct f2b_result r = {.bytes = s, .has_log_file = i % 2};

		assert(!c.body.failed);
		if (s.n)
			r.change = (unsigned char)s.p[0] % 4;
		f2b_command_resume(&c, &world, &r);
	}
	if (c.step > F2B_STEP_STOP)
		f2b_command_give_up(&c, "no end");
	check_reply(&c);
	f2b_command_deinit(&c);
	return 0;
}
