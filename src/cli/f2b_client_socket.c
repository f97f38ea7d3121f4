/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * fail2ban's protocol from the client's side: a pickled list and a mark, an answer in
 * the same form. What comes back is read as data only.
 */
#include <errno.h>
#include <string.h>

#include "base/fd.h"
#include "base/picklew.h"
#include "cli/f2b_client.h"
#include "cli/local_socket.h"

#define END_MARK "<F2B_END_COMMAND>"
#define CLOSE_MARK "<F2B_CLOSE_COMMAND>" END_MARK
#define ANSWER_BYTES_MAX (256u << 20)
#define ANSWER_ITEMS_MAX 10000000

static void add_list(struct buf *b, const char *const *words, size_t n)
{
	picklew_list(b);
	for (size_t i = 0; i < n; i++)
		picklew_span(b, span_of(words[i]));
	picklew_list_end(b);
}

static int send_request(int fd, const struct f2b_request *q)
{
	struct buf b = BUF_INIT(ANSWER_BYTES_MAX);
	int r;

	picklew_begin(&b);
	picklew_list(&b);
	for (size_t i = 0; i < q->n_words; i++)
		picklew_span(&b, span_of(q->words[i]));
	if (q->is_reload) {
		add_list(&b, q->options, q->n_options);
		add_list(&b, NULL, 0);
	}
	picklew_list_end(&b);
	picklew_end(&b);
	buf_add_str(&b, END_MARK);
	r = b.failed ? -ENOMEM : local_send(fd, b.p, b.n);
	buf_deinit(&b);
	return r;
}

static int read_answer(struct f2b_answer *a, struct err *e)
{
	struct span bytes = {a->bytes.p, a->bytes.n - strlen(END_MARK)};
	const struct pickle_value *root;
	int r = pickle_read(bytes, PICKLE_OBJECTS, ANSWER_ITEMS_MAX, &a->pickle, e);

	if (r < 0)
		return r == -ENOMEM ? r : -EBADMSG;
	root = pickle_root(a->pickle);
	if (root->kind == PICKLE_STR)
		return err_set(e, -EBADMSG, SPAN_FMT, SPAN_ARG(root->text));
	if (!pickle_is_row(root) || root->n != 2 || root->items[0]->kind != PICKLE_INT)
		return err_set(e, -EBADMSG, "the answer is none of fail2ban's");
	a->is_good = root->items[0]->number == 0;
	a->value = root->items[1];
	return 0;
}

int f2b_client_ask(const char *socket_path, const struct f2b_request *q,
    struct f2b_answer *out, struct err *e)
{
	struct f2b_answer a = {.bytes = BUF_INIT(ANSWER_BYTES_MAX)};
	CLEANUP(fd_closep) int fd = local_connect(socket_path, q->timeout_ms);
	int r = fd;

	if (r >= 0)
		r = send_request(fd, q);
	if (r >= 0)
		r = local_receive(fd, SPAN(END_MARK), &a.bytes);
	if (r >= 0) {
		(void)local_send(fd, CLOSE_MARK, strlen(CLOSE_MARK));
		r = read_answer(&a, e);
	}
	if (r < 0) {
		f2b_answer_deinit(&a);
		return r;
	}
	*out = a;
	return 0;
}

void f2b_answer_deinit(struct f2b_answer *a)
{
	pickle_free(a->pickle);
	buf_deinit(&a->bytes);
}

bool f2b_client_ping(const char *socket_path, int timeout_ms)
{
	static const char *const words[] = {"ping"};
	const struct f2b_request q = {
	    .words = words, .n_words = 1, .timeout_ms = timeout_ms};
	struct f2b_answer a;
	struct err e;
	bool is_good;

	if (f2b_client_ask(socket_path, &q, &a, &e) < 0)
		return false;
	is_good = a.is_good;
	f2b_answer_deinit(&a);
	return is_good;
}
