/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/scan_apply.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cli/client.h"
#include "enforce/nft.h"
#include "pipeline/ports.h"

#define TABLE "bandog-scan" /* not the daemon's, which minds its own */
#define JAIL "scan"

static int64_t seconds_left(const struct scan_block *b, wall_t now)
{
	if (b->until.us == WALL_NEVER.us)
		return -1;
	int64_t sec = (b->until.us - now.us) / US_PER_SEC;

	return sec > 0 ? sec : 1;
}

static int by_daemon(const struct cli_options *common, const struct scan_block *blocks,
    size_t n, wall_t now)
{
	size_t n_banned = 0;
	int code = CLI_OK;

	for (size_t i = 0; i < n; i++) {
		char net[NET_TEXT_BYTES];
		json_t *answer, *item;
		size_t k;

		net_format(&blocks[i].net, net);
		if (client_ask(common,
			json_pack("{s:s,s:s,s:I,s:[s]}", "do", "ban", "jail", JAIL,
			    "seconds", (json_int_t)seconds_left(&blocks[i], now), "ip",
			    net),
			&answer)) {
			fprintf(stderr,
			    "bandog scan: not applied; the daemon needs an enabled "
			    "jail '" JAIL "' (see jail.conf)\n");
			return CLI_FAILED;
		}
		n_banned += json_array_size(json_object_get(answer, "banned"));
		json_array_foreach(json_object_get(answer, "refused"), k, item)
		{
			fprintf(stderr, "bandog scan: %s is refused: it is %s\n", net,
			    client_text(item, "reason"));
			code = CLI_NO;
		}
		json_decref(answer);
	}
	if (!common->json)
		printf("applied by the running daemon, jail " JAIL ": %zu new\n",
		    n_banned);
	return code;
}

static int make_target(const struct scan_tail_options *o, struct nft_target *t)
{
	struct span bad;

	memset(t, 0, sizeof(*t));
	nft_target_name(t->name, JAIL, 0);
	t->protocol = IPPROTO_TCP;
	if (ports_parse(span_of(o->port), "tcp", t->ports, NFT_MAX_PORT_RANGES,
		&t->n_ports, &bad) < 0) {
		fprintf(stderr, "bandog scan: --port: '%s' is no port\n", o->port);
		return -EINVAL;
	}
	if (strlen(o->interface) >= sizeof(t->interface)) {
		fprintf(stderr, "bandog scan: --interface: '%s' is too long\n",
		    o->interface);
		return -EINVAL;
	}
	strcpy(t->interface, o->interface);
	return 0;
}

struct guard *scan_guard(void)
{
	struct guard_options options = {
	    .min_prefix_v4 = 32, .min_prefix_v6 = 64, .protect_logins = true};
	struct guard *g = guard_new(&options);

	if (g && guard_refresh(g) < 0)
		fputs("bandog scan: own addresses or gateways cannot be read whole\n",
		    stderr);
	return g;
}

/* The guard's refusals are told and left out. Return: changes kept. */
static size_t plan(const struct scan_block *blocks, size_t n, wall_t now,
    struct nft_change *out, bool *any_refused)
{
	struct guard *g = scan_guard();
	size_t kept = 0;

	for (size_t i = 0; g && i < n; i++) {
		enum guard_reason r = guard_check(g, &blocks[i].net, mono_now());
		int64_t sec = seconds_left(&blocks[i], now);

		if (r != GUARD_OK) {
			char net[NET_TEXT_BYTES];

			net_format(&blocks[i].net, net);
			fprintf(stderr, "bandog scan: %s is refused: it is %s\n", net,
			    guard_reason_text(r));
			*any_refused = true;
			continue;
		}
		out[kept++] = (struct nft_change){.add = true,
		    .net = blocks[i].net,
		    .timeout_ms = sec < 0 ? 0 : sec * 1000};
	}
	guard_free(g);
	return kept;
}

static int by_kernel(const struct cli_options *common,
    const struct scan_tail_options *o, const struct scan_block *blocks, size_t n,
    wall_t now)
{
	struct nft_place place = nft_own_place;
	struct nft_target target;
	struct err e = {""};
	bool any_refused = false;
	CLEANUP(freep) struct nft_change *changes = calloc(n + 1, sizeof(*changes));

	if (!changes || make_target(o, &target) < 0)
		return CLI_FAILED;
	strcpy(place.table, TABLE);
	CLEANUP(nft_closep) struct nft *nft = nft_open(&place, &e);
	size_t kept = plan(blocks, n, now, changes, &any_refused);

	if (!nft || nft_setup(nft, &target, 1, &e) < 0 ||
	    nft_apply(nft, changes, kept, NULL, NULL, &e) < 0) {
		fprintf(stderr, "bandog scan: not applied: %s\n", e.text);
		return CLI_FAILED;
	}
	if (!common->json)
		printf("applied in the kernel, table " TABLE
		       ": %zu addresses, port %s%s%s\n",
		    kept, o->port, *o->interface ? ", interface " : "", o->interface);
	return any_refused ? CLI_NO : CLI_OK;
}

int scan_apply(const struct cli_options *common, const struct scan_tail_options *o,
    const struct scan_block *blocks, size_t n, wall_t now)
{
	if (client_is_running(common))
		return by_daemon(common, blocks, n, now);
	return by_kernel(common, o, blocks, n, now);
}
