/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/f2b_dns.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "base/cleanup.h"

struct known_name {
	char *name; /* NULL: free */
	struct net addrs[F2B_DNS_ADDRS];
	size_t n_addrs;
};

static struct known_name cache[F2B_DNS_CACHE];
static size_t next_in_cache;

static void add_addr(struct known_name *k, const struct sockaddr *sa)
{
	char text[INET6_ADDRSTRLEN];
	const void *addr =
	    sa->sa_family == AF_INET
		? (const void *)&((const struct sockaddr_in *)(const void *)sa)
		      ->sin_addr
		: (const void *)&((const struct sockaddr_in6 *)(const void *)sa)
		      ->sin6_addr;
	struct net net;

	if (k->n_addrs == F2B_DNS_ADDRS ||
	    !inet_ntop(sa->sa_family, addr, text, sizeof(text)) ||
	    net_parse_addr(span_of(text), &net) != 0)
		return;
	for (size_t i = 0; i < k->n_addrs; i++) {
		if (net_eq(&k->addrs[i], &net))
			return;
	}
	k->addrs[k->n_addrs++] = net;
}

static void ask(struct known_name *k, int family)
{
	struct addrinfo hints = {.ai_family = family, .ai_protocol = IPPROTO_TCP};
	struct addrinfo *list = NULL;

	if (getaddrinfo(k->name, NULL, &hints, &list) != 0)
		return;
	for (const struct addrinfo *a = list; a; a = a->ai_next)
		add_addr(k, a->ai_addr);
	freeaddrinfo(list);
}

size_t f2b_dns_find(struct span name, struct net out[F2B_DNS_ADDRS])
{
	struct known_name *k = NULL;

	for (size_t i = 0; i < F2B_DNS_CACHE && !k; i++) {
		if (cache[i].name && span_eq(span_of(cache[i].name), name))
			k = &cache[i];
	}
	if (!k) {
		k = &cache[next_in_cache++ % F2B_DNS_CACHE];
		free(k->name);
		*k = (struct known_name){.name = span_dup(name)};
		if (!k->name)
			return 0;
		ask(k, AF_INET);
		ask(k, AF_INET6);
	}
	memcpy(out, k->addrs, sizeof(k->addrs));
	return k->n_addrs;
}

char *f2b_dns_name_of(const struct net *net)
{
	char text[NET_TEXT_BYTES], host[NI_MAXHOST];
	struct addrinfo hints = {.ai_flags = AI_NUMERICHOST}, *a = NULL;
	int r;

	net_format(net, text);
	if (getaddrinfo(text, NULL, &hints, &a) != 0)
		return NULL;
	r = getnameinfo(
	    a->ai_addr, a->ai_addrlen, host, sizeof(host), NULL, 0, NI_NAMEREQD);
	freeaddrinfo(a);
	return r == 0 ? span_dup(span_of(host)) : NULL;
}
