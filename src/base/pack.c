/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pack - typed twins: each pack_x() has an unpack_x() that reads what it wrote
 */

#include "base/pack.h"

#include <endian.h>
#include <errno.h>

#define NO_STRING UINT32_MAX /* the length that stands for NULL */

void pack_u8(struct buf *b, uint8_t v)
{
	buf_add(b, &v, sizeof(v));
}

void pack_u16(struct buf *b, uint16_t v)
{
	v = htole16(v);
	buf_add(b, &v, sizeof(v));
}

void pack_u32(struct buf *b, uint32_t v)
{
	v = htole32(v);
	buf_add(b, &v, sizeof(v));
}

void pack_u64(struct buf *b, uint64_t v)
{
	v = htole64(v);
	buf_add(b, &v, sizeof(v));
}

void pack_i64(struct buf *b, int64_t v)
{
	pack_u64(b, (uint64_t)v);
}

void pack_f64(struct buf *b, double v)
{
	uint64_t bits;

	memcpy(&bits, &v, sizeof(bits));
	pack_u64(b, bits);
}

void pack_bool(struct buf *b, bool v)
{
	pack_u8(b, v);
}

void pack_wall(struct buf *b, wall_t v)
{
	pack_i64(b, v.us);
}

void pack_net(struct buf *b, const struct net *v)
{
	buf_add(b, v->addr, sizeof(v->addr));
	pack_u8(b, v->bits);
}

void pack_nets(struct buf *b, const struct net *v, uint32_t n)
{
	pack_u32(b, n);
	for (uint32_t i = 0; i < n; i++)
		pack_net(b, &v[i]);
}

void pack_span(struct buf *b, struct span v)
{
	if (v.n >= NO_STRING) {
		b->failed = true;
		return;
	}
	pack_u32(b, (uint32_t)v.n);
	buf_add_span(b, v);
}

void pack_str(struct buf *b, const char *v)
{
	if (v)
		pack_span(b, span_of(v));
	else
		pack_u32(b, NO_STRING);
}

struct unpack unpack_of(struct span bytes)
{
	const void *p = bytes.n > 0 ? bytes.p : "";

	return (struct unpack){.p = p, .end = (const uint8_t *)p + bytes.n};
}

/* The next @n bytes, or NULL; after one NULL there are only more of them. */
static const uint8_t *cut(struct unpack *u, size_t n)
{
	const uint8_t *p = u->p;

	if (u->bad || n > (size_t)(u->end - u->p)) {
		u->bad = true;
		return NULL;
	}
	u->p += n;
	return p;
}

uint8_t unpack_u8(struct unpack *u)
{
	const uint8_t *p = cut(u, 1);

	return p ? *p : 0;
}

uint16_t unpack_u16(struct unpack *u)
{
	uint16_t v = 0;
	const uint8_t *p = cut(u, sizeof(v));

	if (p)
		memcpy(&v, p, sizeof(v));
	return le16toh(v);
}

uint32_t unpack_u32(struct unpack *u)
{
	uint32_t v = 0;
	const uint8_t *p = cut(u, sizeof(v));

	if (p)
		memcpy(&v, p, sizeof(v));
	return le32toh(v);
}

uint64_t unpack_u64(struct unpack *u)
{
	uint64_t v = 0;
	const uint8_t *p = cut(u, sizeof(v));

	if (p)
		memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

int64_t unpack_i64(struct unpack *u)
{
	return (int64_t)unpack_u64(u);
}

double unpack_f64(struct unpack *u)
{
	uint64_t bits = unpack_u64(u);
	double v;

	memcpy(&v, &bits, sizeof(v));
	return v;
}

bool unpack_bool(struct unpack *u)
{
	uint8_t v = unpack_u8(u);

	if (v > 1)
		u->bad = true;
	return v == 1;
}

wall_t unpack_wall(struct unpack *u)
{
	return (wall_t){unpack_i64(u)};
}

struct net unpack_net(struct unpack *u)
{
	const struct net zero = {.bits = 0};
	struct net n = {.bits = 128}, masked;
	const uint8_t *p = cut(u, sizeof(n.addr) + 1);
	uint8_t bits;

	if (!p)
		return zero;
	memcpy(n.addr, p, sizeof(n.addr));
	bits = p[sizeof(n.addr)];
	if (bits == NET_BITS_ID) {
		n.bits = bits;
		return n;
	}
	masked = net_cut(n, bits);
	if (bits > 128 || memcmp(masked.addr, n.addr, sizeof(n.addr)) != 0) {
		u->bad = true;
		return zero;
	}
	return masked;
}

struct net *unpack_nets(struct unpack *u, uint32_t max, uint32_t *n)
{
	uint32_t count = unpack_count(u, sizeof(struct net));
	struct net *nets = count <= max ? calloc(count + 1, sizeof(*nets)) : NULL;

	for (uint32_t i = 0; nets && i < count && !u->bad; i++)
		nets[i] = unpack_net(u);
	if (!nets || u->bad) {
		u->bad = true;
		free(nets);
		return NULL;
	}
	*n = count;
	return nets;
}

struct span unpack_span(struct unpack *u)
{
	uint32_t n = unpack_u32(u);
	const uint8_t *p = cut(u, n);

	return p ? (struct span){(const char *)p, n} : SPAN("");
}

char *unpack_str(struct unpack *u)
{
	struct unpack ahead = *u;
	struct span s;
	char *copy;

	if (unpack_u32(&ahead) == NO_STRING) {
		*u = ahead;
		return NULL;
	}
	s = unpack_span(u);
	/* No pack_str() writes a NUL: it would hide the rest of the text. */
	if (span_index(s, '\0') >= 0)
		u->bad = true;
	if (u->bad)
		return NULL;
	copy = span_dup(s);
	if (!copy)
		u->bad = true;
	return copy;
}

uint32_t unpack_count(struct unpack *u, size_t min_bytes)
{
	uint32_t n = unpack_u32(u);

	if (u->bad)
		return 0;
	if (min_bytes > 0 && n > (size_t)(u->end - u->p) / min_bytes) {
		u->bad = true;
		return 0;
	}
	return n;
}

int unpack_end(const struct unpack *u)
{
	return u->bad || u->p != u->end ? -EBADMSG : 0;
}
