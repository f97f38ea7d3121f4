/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * storm - hundreds of attackers and a few honest senders at one mail server
 *
 *   storm SECONDS ATTACKERS MAILS RECIPIENTS MIN-MAX SERVER4 SERVER6
 *
 * ATTACKERS addresses alternate: a connection that asks for RECIPIENTS who are refused,
 * and one that says nothing until the server ends it. Between two of them each rests
 * for MIN to MAX milliseconds, also when it was not let in. They come within START_SEC.
 *
 * MAILS messages a second come from HONEST other addresses, each over a connection of
 * its own; who fails tries again after AGAIN_MS. For each is printed when it began, and
 * how long it took until the server had taken it, both in microseconds, or -1 when that
 * was not within GIVE_UP_SEC. Last comes what the attackers have done.
 *
 * Every fifth address is of IPv6. All chance is the same in each run. To be run in the
 * client's network namespace, where all addresses are routed to this machine. A part of
 * tests/bench.
 */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>

#include "base/cleanup.h"
#include "talk.h"

#define SEC INT64_C(1000000) /* all times are in microseconds */
#define MS INT64_C(1000)
#define PORT 25
#define START_SEC 5
#define CONNECT_SEC 10 /* how long an attacker waits to be let in */
#define REPLY_SEC 30   /* and for an answer */
#define GIVE_UP_SEC 10
#define AGAIN_MS 1000
#define HONEST 20
#define MAX_CLIENTS 20000
#define EVENTS 256
#define NEVER INT64_MAX

enum act {
	RESTS,
	OFFENDS,
	HOLDS,
	MAILS,
	IS_DONE,
};

struct client {
	struct talk talk;
	char source[INET6_ADDRSTRLEN];
	bool is_v6;
	enum act act;
	uint32_t n_said;
	uint64_t chance;
	int64_t at;          /* when to look after it again */
	bool is_next_hold;   /* attackers */
	int64_t begin, took; /* messages; took: -1 so far, or for good */
};

struct storm {
	int epoll;
	const char *server4, *server6;
	int64_t end, rest_min, rest_max;
	uint32_t n_recipients, n_attackers, n_clients;
	struct client *clients; /* the attackers, then a message each */
	uint64_t n_offences, n_held, n_cut, n_shut_out;
};

static int64_t now_us(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * SEC + t.tv_nsec / 1000;
}

/* Of each client's own, so that who comes first does not matter (xorshift64*). */
static uint64_t draw(struct client *c, uint64_t below)
{
	c->chance ^= c->chance >> 12;
	c->chance ^= c->chance << 25;
	c->chance ^= c->chance >> 27;
	return (c->chance * UINT64_C(2685821657736338717) >> 33) % below;
}

static int64_t rest_us(const struct storm *s, struct client *c)
{
	uint64_t span = (uint64_t)(s->rest_max - s->rest_min);

	return s->rest_min + (int64_t)draw(c, span + 1);
}

static int open_talk(struct storm *s, struct client *c)
{
	c->n_said = 0;
	return talk_open(
	    &c->talk, c->source, c->is_v6 ? s->server6 : s->server4, PORT, s->epoll, c);
}

/* --- an attacker -------------------------------------------------------------------
 */

static void rest(struct storm *s, struct client *c, int64_t now)
{
	talk_close(&c->talk);
	c->act = RESTS;
	c->at = now + rest_us(s, c);
}

static void come(struct storm *s, struct client *c, int64_t now)
{
	c->act = c->is_next_hold ? HOLDS : OFFENDS;
	c->at = now + CONNECT_SEC * SEC;
	if (open_talk(s, c) < 0)
		rest(s, c, now);
}

/* Half of those who are refused are so as relayers, half as guessers. */
static void say_recipient(struct client *c, char *out, size_t n_bytes)
{
	unsigned int n = (unsigned int)draw(c, 1000000);

	(void)snprintf(out, n_bytes, "RCPT TO:<u%u@%s>\r\n", n,
	    draw(c, 2) ? "elsewhere.test" : "example.test");
}

/* Return: whether there was anything left to say. */
static bool offend(struct storm *s, struct client *c)
{
	char line[128];
	uint32_t i = c->n_said++;

	if (i == 0)
		strcpy(line, "EHLO client.test\r\n");
	else if (i == 1)
		strcpy(line, "MAIL FROM:<bob@remote.test>\r\n");
	else if (i < 2 + s->n_recipients)
		say_recipient(c, line, sizeof(line));
	else if (i == 2 + s->n_recipients && draw(c, 2))
		strcpy(line, "QUIT\r\n");
	else
		return false;
	s->n_offences += i >= 2 && i < 2 + s->n_recipients;
	return talk_say(&c->talk, line) == 0;
}

static void attacker_hears(struct storm *s, struct client *c, int64_t now)
{
	int r;

	while ((r = talk_hear(&c->talk)) == TALK_REPLY) {
		c->at = c->act == HOLDS ? NEVER : now + REPLY_SEC * SEC;
		if (c->talk.code == 421 || (c->act == OFFENDS && !offend(s, c))) {
			r = TALK_OVER;
			break;
		}
	}
	if (r != TALK_OVER)
		return;
	s->n_held += c->act == HOLDS && c->talk.code == 421;
	s->n_cut += c->talk.code != 421 && c->talk.is_answered &&
		    (c->act == HOLDS || c->n_said < 2 + s->n_recipients);
	if (c->talk.is_answered)
		c->is_next_hold = !c->is_next_hold;
	else
		s->n_shut_out++;
	rest(s, c, now);
}

static void attacker_wakes(struct storm *s, struct client *c, int64_t now)
{
	if (c->act == RESTS) {
		come(s, c, now);
		return;
	}
	s->n_shut_out++;
	rest(s, c, now);
}

/* --- an honest sender --------------------------------------------------------------
 */

static const struct {
	int wanted;
	const char *line;
} mail_says[] = {
    {220, "EHLO honest.test\r\n"},
    {250, "MAIL FROM:<carol@remote.test>\r\n"},
    {250, "RCPT TO:<alice@example.test>\r\n"},
    {250, "DATA\r\n"},
    {354, "From: carol@remote.test\r\nTo: alice@example.test\r\nSubject: hello\r\n"
	  "\r\nhow are you?\r\n.\r\n"},
    {250, "QUIT\r\n"},
};

static void mail_ends(struct client *c)
{
	talk_close(&c->talk);
	c->act = IS_DONE;
	c->at = NEVER;
}

/* It did not work; until its time is over it is tried again. */
static void mail_fails(struct client *c, int64_t now)
{
	talk_close(&c->talk);
	c->act = RESTS;
	c->at = now + AGAIN_MS * MS;
}

static void mail_wakes(struct storm *s, struct client *c, int64_t now)
{
	int64_t give_up = c->begin + GIVE_UP_SEC * SEC;

	if (c->took >= 0 || now >= give_up) {
		mail_ends(c);
		return;
	}
	c->act = MAILS;
	c->at = give_up;
	if (open_talk(s, c) < 0)
		mail_fails(c, now);
}

/* Return: whether it goes on. */
static bool mail_answers(struct client *c, int64_t now)
{
	uint32_t i = c->n_said++;

	if (i == ARRAY_LEN(mail_says) || c->talk.code != mail_says[i].wanted)
		return false;
	if (i + 1 == ARRAY_LEN(mail_says))
		c->took = now - c->begin;
	return talk_say(&c->talk, mail_says[i].line) == 0;
}

static void mail_hears(struct client *c, int64_t now)
{
	int r;

	while ((r = talk_hear(&c->talk)) == TALK_REPLY) {
		if (!mail_answers(c, now)) {
			r = TALK_OVER;
			break;
		}
	}
	if (r == TALK_OVER && c->took >= 0)
		mail_ends(c);
	else if (r == TALK_OVER)
		mail_fails(c, now);
}

/* --- all of them -------------------------------------------------------------------
 */

static bool is_attacker(const struct storm *s, const struct client *c)
{
	return c < s->clients + s->n_attackers;
}

static void name_attacker(struct client *c, uint32_t i)
{
	c->is_v6 = i % 5 == 4;
	if (c->is_v6)
		(void)snprintf(
		    c->source, sizeof(c->source), "2001:db8:1001:%" PRIx32 "::1", i);
	else
		(void)snprintf(c->source, sizeof(c->source),
		    "198.18.%" PRIu32 ".%" PRIu32, i / 250, i % 250 + 1);
}

static void name_honest(struct client *c, uint32_t i)
{
	c->is_v6 = i % 5 == 4;
	if (c->is_v6)
		(void)snprintf(
		    c->source, sizeof(c->source), "2001:db8:1fff:%" PRIx32 "::1", i);
	else
		(void)snprintf(
		    c->source, sizeof(c->source), "203.0.113.%" PRIu32, i + 1);
}

static void add_clients(struct storm *s, int64_t begin, uint32_t per_second)
{
	for (uint32_t i = 0; i < s->n_clients; i++) {
		struct client *c = &s->clients[i];
		bool is_honest = i >= s->n_attackers;
		uint32_t n = is_honest ? i - s->n_attackers : i;

		if (is_honest)
			name_honest(c, n % HONEST);
		else
			name_attacker(c, n);
		c->talk.fd = -1;
		c->took = -1;
		c->chance = UINT64_C(0x9e3779b97f4a7c15) * (i + 1);
		for (int j = 0; j < 8; j++) /* the first are much alike */
			(void)draw(c, 2);
		c->at = begin + (int64_t)draw(c, START_SEC * SEC);
		if (is_honest)
			c->at = begin + (int64_t)n * SEC / per_second;
		c->begin = c->at;
	}
}

/* Return: when the next one is to be looked after. */
static int64_t wake_all(struct storm *s, int64_t now)
{
	int64_t next = s->end;

	for (uint32_t i = 0; i < s->n_clients; i++) {
		struct client *c = &s->clients[i];

		if (c->at <= now && is_attacker(s, c))
			attacker_wakes(s, c, now);
		else if (c->at <= now)
			mail_wakes(s, c, now);
		if (c->at < next)
			next = c->at;
	}
	return next;
}

static int run(struct storm *s)
{
	struct epoll_event events[EVENTS];
	int64_t now = now_us();

	while (now < s->end) {
		int64_t next = wake_all(s, now);
		int64_t left = next > now ? (next - now) / MS + 1 : 0;
		int n = epoll_wait(s->epoll, events, EVENTS, (int)left);

		if (n < 0 && errno != EINTR)
			return -errno;
		now = now_us();
		for (int i = 0; i < n; i++) {
			struct client *c = events[i].data.ptr;

			if (is_attacker(s, c))
				attacker_hears(s, c, now);
			else
				mail_hears(c, now);
		}
	}
	return 0;
}

static void print_all(const struct storm *s, int64_t begin)
{
	for (uint32_t i = s->n_attackers; i < s->n_clients; i++)
		printf("mail %" PRId64 " %" PRId64 "\n", s->clients[i].begin - begin,
		    s->clients[i].took);
	printf("attackers %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRIu64 "\n",
	    s->n_offences, s->n_held, s->n_cut, s->n_shut_out);
}

static bool read_numbers(char **words, uint32_t *numbers)
{
	char rest;

	for (int i = 0; i < 4; i++) {
		if (sscanf(words[i], "%" SCNu32 "%c", &numbers[i], &rest) != 1 ||
		    !numbers[i])
			return false;
	}
	return numbers[0] <= 3600 && numbers[1] < 250 * 250 &&
	       (uint64_t)numbers[0] * numbers[2] + numbers[1] <= MAX_CLIENTS;
}

static int storm(char **words, const uint32_t *numbers, uint32_t min, uint32_t max)
{
	CLEANUP(freep)
	struct client *clients =
	    calloc(numbers[1] + numbers[0] * numbers[2], sizeof(*clients));
	struct rlimit most;
	int64_t begin = now_us();
	struct storm s = {
	    .epoll = epoll_create1(EPOLL_CLOEXEC),
	    .server4 = words[5],
	    .server6 = words[6],
	    .end = begin + numbers[0] * SEC,
	    .rest_min = min * MS,
	    .rest_max = max * MS,
	    .n_recipients = numbers[3],
	    .n_attackers = numbers[1],
	    .n_clients = numbers[1] + numbers[0] * numbers[2],
	    .clients = clients,
	};

	if (!clients || s.epoll < 0 || getrlimit(RLIMIT_NOFILE, &most) < 0)
		return -errno;
	most.rlim_cur = most.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &most);
	add_clients(&s, begin, numbers[2]);
	int r = run(&s);

	if (!r)
		print_all(&s, begin);
	return r;
}

int main(int argc, char **argv)
{
	uint32_t numbers[4], min, max;
	char rest;
	int r;

	if (argc != 8 || !read_numbers(argv + 1, numbers) ||
	    sscanf(argv[5], "%" SCNu32 "-%" SCNu32 "%c", &min, &max, &rest) != 2 ||
	    max < min) {
		fputs("usage: storm SECONDS ATTACKERS MAILS RECIPIENTS MIN-MAX SERVER4"
		      " SERVER6\n",
		    stderr);
		return 64;
	}
	r = storm(argv + 1, numbers, min, max);
	if (r < 0)
		fprintf(stderr, "storm: %s\n", strerror(-r));
	return r < 0;
}
