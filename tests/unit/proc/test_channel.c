/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/fd.h"
#include "proc/channel.h"

struct end {
	struct channel *channel;
	struct loop *loop;
	uint64_t n, wanted; /* messages; stops the loop at so many */
	uint64_t sum;
	int fd;
	bool is_closed;
	bool frees_itself;
};

static void on_message(void *ctx, struct channel *c, struct message *m)
{
	struct end *e = ctx;

	assert_int_equal(m->type, MSG_COMMIT);
	e->sum += unpack_u64(&m->body);
	if (m->fd >= 0)
		e->fd = TAKE_FD(m->fd);
	if (++e->n == e->wanted)
		loop_stop(e->loop);
	if (e->frees_itself)
		e->channel = channel_free(c);
}

static void on_closed(void *ctx, UNUSED struct channel *c)
{
	struct end *e = ctx;

	e->is_closed = true;
	loop_stop(e->loop);
}

static void make_pair(struct loop *l, struct end *a, struct end *b)
{
	struct channel_fns fns = {.message = on_message, .closed = on_closed};
	int fds[2];

	assert_int_equal(channel_pair(fds), 0);
	*a = (struct end){.loop = l, .fd = -1};
	*b = (struct end){.loop = l, .fd = -1};
	fns.ctx = a;
	a->channel = channel_new(l, fds[0], &fns);
	fns.ctx = b;
	b->channel = channel_new(l, fds[1], &fns);
	assert_non_null(a->channel);
	assert_non_null(b->channel);
}

static void send_number(struct channel *c, uint64_t v, size_t more_bytes, int fd)
{
	struct buf b = BUF_INIT(MESSAGE_MAX_BYTES);
	char filler[1024] = "";

	pack_u64(&b, v);
	while (more_bytes) {
		size_t n = more_bytes < sizeof(filler) ? more_bytes : sizeof(filler);

		buf_add(&b, filler, n);
		more_bytes -= n;
	}
	assert_int_equal(channel_send(c, MSG_COMMIT, buf_span(&b), fd), 0);
	buf_deinit(&b);
}

static void messages_arrive_in_order_and_whole(UNUSED void **state)
{
	struct loop *l = loop_new();
	struct end a, b;

	make_pair(l, &a, &b);
	/* Far more than the kernel takes at once: most of it waits in the queue. */
	b.wanted = 2000;
	for (uint64_t i = 1; i <= 2000; i++)
		send_number(a.channel, i, 4000, -1);
	assert_false(channel_is_idle(a.channel));
	loop_run(l);
	assert_int_equal(b.sum, 2000 * 2001 / 2);
	channel_free(a.channel);
	channel_free(b.channel);
	loop_free(l);
}

static void a_descriptor_comes_along(UNUSED void **state)
{
	struct loop *l = loop_new();
	struct end a, b;
	int fds[2];
	char byte;

	make_pair(l, &a, &b);
	assert_int_equal(pipe(fds), 0);
	b.wanted = 1;
	send_number(a.channel, 1, 0, fds[0]);
	close(fds[0]);
	loop_run(l);
	assert_true(b.fd >= 0);
	assert_true(fcntl(b.fd, F_GETFD) & FD_CLOEXEC);
	assert_int_equal(write(fds[1], "x", 1), 1);
	assert_int_equal(read(b.fd, &byte, 1), 1);
	close(fds[1]);
	close(b.fd);
	channel_free(a.channel);
	channel_free(b.channel);
	loop_free(l);
}

static void the_other_end_learns_of_a_close(UNUSED void **state)
{
	struct loop *l = loop_new();
	struct end a, b;

	make_pair(l, &a, &b);
	a.channel = channel_free(a.channel);
	loop_run(l);
	assert_true(b.is_closed);
	assert_int_equal(channel_send(b.channel, MSG_COMMIT, SPAN(""), -1), -EPIPE);
	channel_free(b.channel);
	loop_free(l);
}

static void it_may_be_freed_in_its_own_callback(UNUSED void **state)
{
	struct loop *l = loop_new();
	struct end a, b;

	make_pair(l, &a, &b);
	b.frees_itself = true;
	send_number(a.channel, 1, 0, -1);
	send_number(a.channel, 2, 0, -1);
	loop_run(l); /* until a learns that b is gone */
	assert_int_equal(b.n, 1);
	assert_true(a.is_closed);
	channel_free(a.channel);
	loop_free(l);
}

static void too_large_is_refused(UNUSED void **state)
{
	struct loop *l = loop_new();
	struct end a, b;
	struct buf big = BUF_INIT(MESSAGE_MAX_BYTES + 1);
	char filler[1024] = "";

	make_pair(l, &a, &b);
	while (big.n + sizeof(filler) <= MESSAGE_MAX_BYTES)
		buf_add(&big, filler, sizeof(filler));
	assert_int_equal(
	    channel_send(a.channel, MSG_COMMIT, buf_span(&big), -1), -EMSGSIZE);
	assert_true(channel_is_idle(a.channel));
	buf_deinit(&big);
	channel_free(a.channel);
	channel_free(b.channel);
	loop_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(messages_arrive_in_order_and_whole),
	    cmocka_unit_test(a_descriptor_comes_along),
	    cmocka_unit_test(the_other_end_learns_of_a_close),
	    cmocka_unit_test(it_may_be_freed_in_its_own_callback),
	    cmocka_unit_test(too_large_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
