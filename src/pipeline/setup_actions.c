/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline/setup_actions.h"

#include <errno.h>

#include "pipeline/ports.h"

enum action_kind { KIND_UNKNOWN, KIND_PORTS, KIND_ALL_PORTS, KIND_HOSTS_DENY };

/* Action files whose effect is to drop the address: fail2ban's names for it. */
static const struct {
	const char *name;
	enum action_kind kind;
} native_actions[] = {
    {"nftables", KIND_PORTS},
    {"nftables-multiport", KIND_PORTS},
    {"nftables-allports", KIND_ALL_PORTS},
    {"iptables", KIND_PORTS},
    {"iptables-new", KIND_PORTS},
    {"iptables-multiport", KIND_PORTS},
    {"iptables-allports", KIND_ALL_PORTS},
    {"iptables-ipset", KIND_PORTS},
    {"iptables-ipset-proto4", KIND_PORTS},
    {"iptables-ipset-proto6", KIND_PORTS},
    {"iptables-ipset-proto6-allports", KIND_ALL_PORTS},
    {"hostsdeny", KIND_HOSTS_DENY},
};

static enum action_kind kind_of(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(native_actions); i++) {
		if (!strcmp(name, native_actions[i].name))
			return native_actions[i].kind;
	}
	return KIND_UNKNOWN;
}

/* A parameter that the jail gives, else an option of the action's file, else @fallback.
 */
static const char *value_of(
    const struct conf_action *a, const char *name, const char *fallback)
{
	for (size_t i = 0; i < a->n_params; i++) {
		if (!strcmp(a->params[i].name, name))
			return a->params[i].value;
	}
	for (size_t i = 0; i < a->n_options; i++) {
		if (!strcmp(a->options[i].name, name))
			return a->options[i].value;
	}
	return fallback;
}

static struct nft_target *new_target(struct setup_jail *j)
{
	struct nft_target *more =
	    realloc(j->targets, (j->n_targets + 1) * sizeof(*j->targets));

	if (!more)
		return NULL;
	j->targets = more;
	struct nft_target *t = &more[j->n_targets];

	memset(t, 0, sizeof(*t));
	nft_target_name(t->name, j->name, j->n_targets);
	return t;
}

/* Return: 0, 1 if the ports are wrong (said), -ENOMEM. */
static int add_target(struct setup_jail *j, struct conf_place at,
    struct conf_place ports_at, const char *ports, const char *protocol,
    const char *interface, struct diag *d)
{
	struct nft_target *t = new_target(j);
	struct span bad;

	if (!t)
		return -ENOMEM;
	if (!strcmp(protocol, "tcp")) {
		t->protocol = IPPROTO_TCP;
	} else if (!strcmp(protocol, "udp")) {
		t->protocol = IPPROTO_UDP;
	} else if (strcmp(protocol, "all") != 0 && strcmp(protocol, "any") != 0) {
		diag_add(d, DIAG_ERROR, at,
		    "protocol: '%s' is unknown, expected tcp, udp or all", protocol);
		return 1;
	}
	int r = ports_parse(
	    span_of(ports), protocol, t->ports, NFT_MAX_PORT_RANGES, &t->n_ports, &bad);

	if (r == -EINVAL) {
		diag_add(d, DIAG_ERROR, ports_at,
		    "port: '" SPAN_FMT "' is neither a number nor a known service",
		    SPAN_ARG(bad));
		return 1;
	}
	if (r == -E2BIG) {
		diag_add(d, DIAG_ERROR, ports_at, "port: more than %d ranges",
		    NFT_MAX_PORT_RANGES);
		return 1;
	}
	if (t->n_ports && !t->protocol)
		t->protocol = IPPROTO_TCP; /* ports mean nothing without one */
	if (!t->n_ports && !strcmp(protocol, "tcp"))
		t->protocol = 0; /* every port: the address is not to be heard at all */
	if (strlen(interface) >= sizeof(t->interface)) {
		diag_add(d, DIAG_ERROR, at, "interface: '%s' is too long for a name",
		    interface);
		return 1;
	}
	strcpy(t->interface, interface);
	j->n_targets++;
	return 0;
}

static int add_hosts_deny(const struct conf_action *a, struct setup_jail *j)
{
	struct setup_hosts_deny *more =
	    realloc(j->hosts_deny, (j->n_hosts_deny + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	j->hosts_deny = more;
	struct setup_hosts_deny *h = &more[j->n_hosts_deny];

	h->path = strdup(value_of(a, "file", "/etc/hosts.deny"));
	h->daemons = strdup(value_of(a, "daemon_list", "ALL"));
	if (!h->path || !h->daemons) {
		free(h->path);
		free(h->daemons);
		return -ENOMEM;
	}
	j->n_hosts_deny++;
	return 0;
}

static int take_action(const struct conf_jail *c, const struct conf_action *a,
    struct diag *d, struct setup_jail *j)
{
	const char *ports = value_of(a, "port", c->port.text ? c->port.text : "");
	const char *protocol =
	    value_of(a, "protocol", c->protocol.text ? c->protocol.text : "tcp");
	enum action_kind kind = kind_of(a->name);
	/* The jail's own ports are named where they were set, not where they are used.
	 */
	bool is_own = c->port.text && !strcmp(ports, c->port.text);
	struct conf_place ports_at = is_own ? c->port.at : a->at;

	if (kind == KIND_PORTS && !strcmp(value_of(a, "type", "multiport"), "allports"))
		kind = KIND_ALL_PORTS;
	switch (kind) {
	case KIND_PORTS:
		return add_target(j, a->at, ports_at, ports, protocol,
		    value_of(a, "interface", ""), d);
	case KIND_ALL_PORTS:
		return add_target(
		    j, a->at, a->at, "", protocol, value_of(a, "interface", ""), d);
	case KIND_HOSTS_DENY:
		return add_hosts_deny(a, j);
	case KIND_UNKNOWN:
		break;
	}
	diag_add(d, DIAG_WARNING, a->at,
	    "jail %s: action '%s' is not built yet and is left out%s", c->name, a->name,
	    a->has_file ? "" : " (nor is there an action.d file of that name)");
	return 0;
}

int setup_take_actions(const struct conf_jail *c, struct diag *d, struct setup_jail *j)
{
	for (size_t i = 0; i < c->n_actions; i++) {
		int r = take_action(c, &c->actions[i], d, j);

		if (r)
			return r;
	}
	if (c->n_actions && !j->n_targets && !j->n_hosts_deny)
		diag_add(d, DIAG_WARNING, c->at,
		    "jail %s: none of its actions can be carried out; it decides and "
		    "records, "
		    "but nothing is blocked",
		    c->name);
	if (c->n_actions)
		return 0;
	return add_target(j, c->protocol.text ? c->protocol.at : c->at,
	    c->port.text ? c->port.at : c->at, c->port.text ? c->port.text : "",
	    c->protocol.text ? c->protocol.text : "tcp", "", d);
}
