/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hash - SipHash-1-3, from the paper
 *
 * One compression round per word and three at the end: enough for hash tables, and
 * twice as fast as the 2-4 that the paper proposes for authentication.
 */

#include "base/hash.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/random.h>

#include "base/cleanup.h"

static uint64_t rotl(uint64_t x, int n)
{
	return (x << n) | (x >> (64 - n));
}

static uint64_t load_le64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, sizeof(v));
	return le64toh(v);
}

struct sip {
	uint64_t a, b, c, d;
};

static inline void sip_round(struct sip *v)
{
	v->a += v->b;
	v->b = rotl(v->b, 13) ^ v->a;
	v->a = rotl(v->a, 32);
	v->c += v->d;
	v->d = rotl(v->d, 16) ^ v->c;
	v->a += v->d;
	v->d = rotl(v->d, 21) ^ v->a;
	v->c += v->b;
	v->b = rotl(v->b, 17) ^ v->c;
	v->c = rotl(v->c, 32);
}

static inline void sip_word(struct sip *v, uint64_t m)
{
	v->d ^= m;
	sip_round(v);
	v->a ^= m;
}

uint64_t hash_siphash13(const uint8_t key[16], const void *p, size_t n)
{
	const uint8_t *in = p;
	uint64_t k0 = load_le64(key), k1 = load_le64(key + 8);
	uint64_t last = (uint64_t)(n & 0xff) << 56;
	bool has_more = n >= 8;
	struct sip v = {
	    /* "somepseudorandomlygeneratedbytes", as the paper has it */
	    .a = k0 ^ UINT64_C(0x736f6d6570736575),
	    .b = k1 ^ UINT64_C(0x646f72616e646f6d),
	    .c = k0 ^ UINT64_C(0x6c7967656e657261),
	    .d = k1 ^ UINT64_C(0x7465646279746573),
	};

	for (; n >= 8; n -= 8, in += 8)
		sip_word(&v, load_le64(in));
	if (n && has_more) /* the last 8 bytes, without those that are in */
		last |= load_le64(in + n - 8) >> (64 - 8 * n);
	for (size_t i = 0; !has_more && i < n; i++)
		last |= (uint64_t)in[i] << (8 * i);
	sip_word(&v, last);
	v.c ^= 0xff;
	sip_round(&v);
	sip_round(&v);
	sip_round(&v);
	return v.a ^ v.b ^ v.c ^ v.d;
}

static void draw_key(uint8_t key[16])
{
	ssize_t n;

	do {
		n = getrandom(key, 16, 0);
	} while (n < 0 && errno == EINTR);
	/* Refused by a sandbox. The kernel gives every exec 16 random bytes, too. */
	if (n != 16)
		memcpy(key, (const void *)getauxval(AT_RANDOM), 16);
}

HOT uint64_t hash_keyed(const void *p, size_t n)
{
	/* Lazily: the key must be a process's own, also after fork and exec. */
	static uint8_t key[16];
	static bool has_key;

	if (!has_key) {
		draw_key(key);
		has_key = true;
	}
	return hash_siphash13(key, p, n);
}

uint64_t hash_stable(const void *p, size_t n)
{
	static const uint8_t key[16] = {'b', 'a', 'n', 'd', 'o', 'g', ' ', 's', 't',
	    'a', 'b', 'l', 'e', ' ', 'v', '1'};

	return hash_siphash13(key, p, n);
}
