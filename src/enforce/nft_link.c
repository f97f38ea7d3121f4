/* SPDX-License-Identifier: GPL-2.0-or-later */

/*
 * One NETLINK_NETFILTER socket, never blocking. Answers are matched by sequence number;
 * those of an earlier, given up conversation fall through.
 */

#include "enforce/nft_link.h"

#include <arpa/inet.h>
#include <endian.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <sys/socket.h>

#include "base/fd.h"

/* A dump comes in pieces of at most 32 KiB (kernel: netlink_dump()). */
#define RECV_BYTES 65536
#define RECV_BUFFER_BYTES (1 << 20)

struct nft_link {
	struct mnl_socket *nl;
	int fd;
	uint32_t seq;
	size_t send_max_bytes;
	_Alignas(8) char answer[RECV_BYTES];
};

/* Beyond the limit for everybody where we may, else as far as the limit goes. */
static void widen(int fd, int forced, int plain, int bytes)
{
	if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof(bytes)) < 0)
		(void)setsockopt(
		    fd, SOL_SOCKET, plain, &bytes, sizeof(bytes)); /* as is */
}

static size_t send_buffer_bytes(int fd)
{
	int bytes = 0;
	socklen_t n = sizeof(bytes);

	if (getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &bytes, &n) < 0 || bytes < 4096)
		return 4096;
	return (size_t)bytes - 64; /* kernel: netlink_sendmsg() keeps 32 */
}

static int prepare(struct nft_link *l)
{
	int on = 1;
	size_t bytes;

	if (mnl_socket_bind(l->nl, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	l->fd = mnl_socket_get_fd(l->nl);
	/* Without these two we get whole messages back, and no word on the culprit;
	 * that is worse, but works. */
	(void)mnl_socket_setsockopt(l->nl, NETLINK_CAP_ACK, &on, sizeof(on));
	(void)mnl_socket_setsockopt(l->nl, NETLINK_EXT_ACK, &on, sizeof(on));
	widen(l->fd, SO_SNDBUFFORCE, SO_SNDBUF, NFT_LINK_SEND_MAX_BYTES);
	widen(l->fd, SO_RCVBUFFORCE, SO_RCVBUF, RECV_BUFFER_BYTES);
	bytes = send_buffer_bytes(l->fd);
	l->send_max_bytes =
	    bytes < NFT_LINK_SEND_MAX_BYTES ? bytes : NFT_LINK_SEND_MAX_BYTES;
	return fd_set_nonblock(l->fd, true);
}

struct nft_link *nft_link_open(struct err *e)
{
	CLEANUP(nft_link_closep) struct nft_link *l = calloc(1, sizeof(*l));
	int r;

	if (!l) {
		err_set(e, -ENOMEM, "out of memory");
		return NULL;
	}
	l->nl = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	r = l->nl ? prepare(l) : -errno;
	if (r < 0) {
		err_errno(e, r, "no netlink socket for nf_tables");
		return NULL;
	}
	l->seq = 1;
	return TAKE(l);
}

struct nft_link *nft_link_close(struct nft_link *l)
{
	if (!l)
		return NULL;
	if (l->nl)
		(void)mnl_socket_close(l->nl); /* nothing is buffered in it */
	free(l);
	return NULL;
}

uint32_t nft_link_port(const struct nft_link *l)
{
	return mnl_socket_get_portid(l->nl);
}

size_t nft_link_send_max_bytes(const struct nft_link *l)
{
	return l->send_max_bytes;
}

uint32_t nft_link_seq(const struct nft_link *l)
{
	return l->seq;
}

/* Numbers 1..2^31: two batches never share one, and 0 stays free for "not known". */
static void move_seq(struct nft_link *l, const struct nft_batch *b)
{
	l->seq = b->last_seq < UINT32_MAX / 2 ? b->last_seq + 1 : 1;
}

static int send_bytes(struct nft_link *l, struct span s)
{
	struct sockaddr_nl kernel = {.nl_family = AF_NETLINK};
	ssize_t n;

	if (s.n > send_buffer_bytes(l->fd) && s.n <= NFT_LINK_BATCH_MAX_BYTES)
		widen(l->fd, SO_SNDBUFFORCE, SO_SNDBUF, (int)s.n);
	do {
		n = sendto(l->fd, s.p, s.n, 0, (const struct sockaddr *)&kernel,
		    sizeof(kernel));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		/* Nothing was sent: not the ENOBUFS of lost answers. */
		return errno == ENOBUFS ? -ENOMEM : -errno;
	return (size_t)n == s.n ? 0 : -EIO;
}

/* Return: bytes, 0 for what does not come from the kernel, -EAGAIN, -ENOBUFS, ... */
static ssize_t receive(struct nft_link *l)
{
	struct sockaddr_nl from = {0};
	socklen_t from_bytes = sizeof(from);
	ssize_t n;

	do {
		n = recvfrom(l->fd, l->answer, sizeof(l->answer), MSG_TRUNC,
		    (struct sockaddr *)&from, &from_bytes);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (from_bytes != sizeof(from) || from.nl_pid != 0)
		return 0;
	return (size_t)n <= sizeof(l->answer) ? n : -EMSGSIZE;
}

/* Throw away what is still queued after answers were lost. */
static void drain(struct nft_link *l)
{
	ssize_t n;

	do {
		n = receive(l);
	} while (n >= 0 || n == -ENOBUFS || n == -EMSGSIZE);
}

/* The attribute at @p, if a whole one lies before @end. */
static const struct nlattr *attr_at(const char *p, const char *end)
{
	const struct nlattr *a = (const struct nlattr *)(const void *)p;

	return p < end && mnl_attr_ok(a, (int)(end - p)) ? a : NULL;
}

static const char *behind(const struct nlattr *a)
{
	return (const char *)a + MNL_ALIGN(a->nla_len);
}

static void sort_attrs(
    const char *p, const char *end, const struct nlattr **out, size_t n)
{
	const struct nlattr *a;

	memset(out, 0, n * sizeof(*out));
	for (a = attr_at(p, end); a; a = attr_at(behind(a), end)) {
		if (mnl_attr_get_type(a) < n)
			out[mnl_attr_get_type(a)] = a;
	}
}

static int error_of(const struct nlmsghdr *nlh)
{
	const struct nlmsgerr *m = mnl_nlmsg_get_payload(nlh);

	if (mnl_nlmsg_get_payload_len(nlh) < sizeof(*m))
		return -EBADMSG;
	if (m->error > 0 || m->error < -4095)
		return -EBADMSG;
	return m->error;
}

/* The extended acknowledgement: with NETLINK_CAP_ACK it follows the bare header. */
static uint32_t bad_attr_offset(const struct nlmsghdr *nlh)
{
	const char *p = mnl_nlmsg_get_payload(nlh);
	const struct nlattr *a[NLMSGERR_ATTR_MAX + 1], *offset;

	if (!(nlh->nlmsg_flags & NLM_F_ACK_TLVS) || !(nlh->nlmsg_flags & NLM_F_CAPPED))
		return 0;
	sort_attrs(p + sizeof(struct nlmsgerr), p + mnl_nlmsg_get_payload_len(nlh), a,
	    ARRAY_LEN(a));
	offset = a[NLMSGERR_ATTR_OFFS];
	if (!offset || mnl_attr_get_payload_len(offset) != sizeof(uint32_t))
		return 0;
	return mnl_attr_get_u32(offset); /* in host order */
}

struct verdict {
	const struct nft_batch *b;
	struct nft_refusal refusal;
	int first_error;
	bool is_over;
};

/* Errors come in the order of their messages, the one acknowledgement last. */
static void weigh(struct verdict *v, const struct nlmsghdr *nlh)
{
	int error;

	if (nlh->nlmsg_type != NLMSG_ERROR)
		return;
	if (nlh->nlmsg_seq < v->b->first_seq || nlh->nlmsg_seq > v->b->last_seq)
		return;
	error = error_of(nlh);
	if (error < 0 && !v->first_error) {
		v->first_error = error;
		v->refusal = (struct nft_refusal){nlh->nlmsg_seq, bad_attr_offset(nlh)};
	}
	if (nlh->nlmsg_seq == v->b->last_seq)
		v->is_over = true;
}

static void weigh_all(struct nft_link *l, size_t n_bytes, struct verdict *v)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)l->answer;
	int left = (int)n_bytes;

	while (mnl_nlmsg_ok(nlh, left)) {
		weigh(v, nlh);
		nlh = mnl_nlmsg_next(nlh, &left);
	}
}

int nft_link_commit(struct nft_link *l, struct nft_batch *b, struct nft_refusal *out)
{
	struct verdict v = {.b = b};
	ssize_t n;
	int r;

	move_seq(l, b);
	r = send_bytes(l, buf_span(&b->b));
	if (r < 0)
		return r;
	while (!v.is_over) {
		n = receive(l);
		if (n == -EAGAIN) {
			/* The whole batch can be refused at its begin mark, without an
			 * acknowledgement for its last message. */
			if (v.first_error)
				break;
			return -ENOBUFS;
		}
		if (n < 0) {
			drain(l);
			return n == -EMSGSIZE ? -EBADMSG : (int)n;
		}
		weigh_all(l, (size_t)n, &v);
	}
	if (v.first_error && out)
		*out = v.refusal;
	return v.first_error;
}

struct asking {
	uint32_t seq;
	int (*fn)(void *ctx, const struct nlmsghdr *nlh);
	void *ctx;
	bool is_over;
	bool was_interrupted;
};

static int hear(struct asking *a, const struct nlmsghdr *nlh)
{
	if (nlh->nlmsg_seq != a->seq)
		return 0;
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		a->was_interrupted = true;
	if (nlh->nlmsg_type == NLMSG_DONE || nlh->nlmsg_type == NLMSG_ERROR)
		a->is_over = true;
	if (nlh->nlmsg_type == NLMSG_ERROR)
		return error_of(nlh);
	if (nlh->nlmsg_type < NLMSG_MIN_TYPE)
		return 0;
	return a->fn(a->ctx, nlh);
}

static int hear_all(struct nft_link *l, size_t n_bytes, struct asking *a)
{
	const struct nlmsghdr *nlh = (const struct nlmsghdr *)(const void *)l->answer;
	int left = (int)n_bytes;
	int r = 0;

	while (!r && !a->is_over && mnl_nlmsg_ok(nlh, left)) {
		r = hear(a, nlh);
		nlh = mnl_nlmsg_next(nlh, &left);
	}
	return r;
}

int nft_link_ask(struct nft_link *l, struct nft_batch *question,
    int (*fn)(void *ctx, const struct nlmsghdr *nlh), void *ctx)
{
	struct asking a = {question->first_seq, fn, ctx, false, false};
	ssize_t n;
	int r;

	move_seq(l, question);
	r = nft_batch_question_end(question);
	if (!r)
		r = send_bytes(l, buf_span(&question->b));
	while (!r && !a.is_over) {
		n = receive(l);
		if (n == -EAGAIN)
			return -ENOBUFS;
		r = n < 0 ? (int)n : hear_all(l, (size_t)n, &a);
	}
	if (r < 0 && !a.is_over)
		drain(l); /* the rest of the listing */
	return !r && a.was_interrupted ? -EINTR : r;
}

bool nft_attrs(const struct nlmsghdr *nlh, const struct nlattr **out, size_t n)
{
	const char *p = mnl_nlmsg_get_payload(nlh);
	size_t n_bytes = mnl_nlmsg_get_payload_len(nlh);
	size_t head = sizeof(struct nfgenmsg);

	if (n_bytes < head)
		head = n_bytes;
	sort_attrs(p + head, p + n_bytes, out, n);
	return n_bytes >= sizeof(struct nfgenmsg);
}

void nft_attrs_nested(const struct nlattr *nest, const struct nlattr **out, size_t n)
{
	const char *p = nest ? mnl_attr_get_payload(nest) : "";

	sort_attrs(p, nest ? p + mnl_attr_get_payload_len(nest) : p, out, n);
}

const struct nlattr *nft_attr_next(const struct nlattr *nest, const struct nlattr *a)
{
	const char *p = mnl_attr_get_payload(nest);

	return attr_at(a ? behind(a) : p, p + mnl_attr_get_payload_len(nest));
}

uint32_t nft_attr_be32(const struct nlattr *a, uint32_t none)
{
	if (!a || mnl_attr_get_payload_len(a) != sizeof(uint32_t))
		return none;
	return ntohl(mnl_attr_get_u32(a));
}

uint64_t nft_attr_be64(const struct nlattr *a, uint64_t none)
{
	if (!a || mnl_attr_get_payload_len(a) != sizeof(uint64_t))
		return none;
	return be64toh(mnl_attr_get_u64(a));
}

struct span nft_attr_str(const struct nlattr *a)
{
	const char *p;

	if (!a)
		return SPAN("");
	p = mnl_attr_get_payload(a);
	return (struct span){p, strnlen(p, mnl_attr_get_payload_len(a))};
}
