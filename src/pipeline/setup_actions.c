/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipeline/setup_actions.h"

#include <errno.h>

#include "enforce/xdp.h"
#include "pipeline/ports.h"
#include "pipeline/setup_foreign.h"
#include "pipeline/setup_native.h"

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
	t->place = nft_own_place;
	return t;
}

/* "tcp,udp", in any order and with any blanks. */
static bool is_both(struct span protocols)
{
	bool has_tcp = false, has_udp = false;
	struct span word;

	while (span_next_word(&protocols, ",", &word)) {
		if (span_eq(word, SPAN("tcp")))
			has_tcp = true;
		else if (span_eq(word, SPAN("udp")))
			has_udp = true;
		else
			return false;
	}
	return has_tcp && has_udp;
}

/* Return: 0, 1 if the ports are wrong (said), -ENOMEM. */
static int add_target(struct setup_jail *j, struct conf_place at,
    struct conf_place ports_at, const char *ports, const char *protocol,
    const char *interface, struct diag *d)
{
	struct nft_target *t = new_target(j);
	bool both = false;
	struct span bad;

	if (!t)
		return -ENOMEM;
	if (!strcmp(protocol, "tcp")) {
		t->protocol = IPPROTO_TCP;
	} else if (!strcmp(protocol, "udp")) {
		t->protocol = IPPROTO_UDP;
	} else if (is_both(span_of(protocol))) {
		both = true;
	} else if (strcmp(protocol, "all") != 0 && strcmp(protocol, "any") != 0) {
		diag_add(d, DIAG_ERROR, at,
		    "protocol: '%s' is unknown, expected tcp, udp, both or all",
		    protocol);
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
	if (t->n_ports && !t->protocol && !both)
		t->protocol = IPPROTO_TCP; /* ports mean nothing without one */
	if (!t->n_ports && (both || !strcmp(protocol, "tcp")))
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

static int add_firewall(const struct conf_action *a, struct conf_place ports_at,
    const char *ports, const char *protocol, struct diag *d, struct setup_jail *j)
{
	int r = add_target(
	    j, a->at, ports_at, ports, protocol, action_value(a, "interface", ""), d);

	if (!r)
		action_place(a, &j->targets[j->n_targets - 1]);
	return r;
}

/* Return: 0, 1 (said why), -ENOMEM. */
static int add_xdp_interfaces(const struct conf_action *a, struct conf_place ports_at,
    const char *ports, const char *protocol, struct diag *d, struct setup_jail *j)
{
	struct span rest = span_of(action_value(a, "interface", "")), word;
	int r = 0;

	while (!r && span_next_word(&rest, ",", &word)) {
		CLEANUP(freep) char *name = strndup(word.p, word.n);

		if (!name)
			return -ENOMEM;
		r = add_target(j, a->at, ports_at, ports, protocol, name, d);
		if (!r)
			j->targets[j->n_targets - 1].is_xdp = true;
	}
	return r;
}

static int add_xdp(const struct conf_action *a, struct conf_place ports_at,
    const char *ports, const char *protocol, struct diag *d, struct setup_jail *j)
{
	struct span names = span_of(action_value(a, "interface", "")), word;
	const char *type = action_value(a, "type", "multiport");
	bool is_all = !strcmp(type, "allports");

	if (!xdp_is_built()) {
		diag_add(d, DIAG_ERROR, a->at,
		    "action 'xdp': this bandog was built without XDP "
		    "(tools/setup xdp gets what its build needs)");
		return 1;
	}
	if (!span_next_word(&names, ",", &word)) {
		diag_add(d, DIAG_ERROR, a->at,
		    "action 'xdp': it needs to know where, as in xdp[interface=eth0]");
		return 1;
	}
	if (!is_all && strcmp(type, "multiport") != 0) {
		diag_add(d, DIAG_ERROR, a->at,
		    "action 'xdp': type '%s' is unknown, expected multiport or "
		    "allports",
		    type);
		return 1;
	}
	return add_xdp_interfaces(
	    a, is_all ? a->at : ports_at, is_all ? "" : ports, protocol, d, j);
}

static int add_hosts_deny(const struct conf_action *a, struct setup_jail *j)
{
	struct setup_hosts_deny *more =
	    realloc(j->hosts_deny, (j->n_hosts_deny + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	j->hosts_deny = more;
	struct setup_hosts_deny *h = &more[j->n_hosts_deny];

	h->path = strdup(action_value(a, "file", "/etc/hosts.deny"));
	h->daemons = strdup(action_value(a, "daemon_list", "ALL"));
	if (!h->path || !h->daemons) {
		free(h->path);
		free(h->daemons);
		return -ENOMEM;
	}
	j->n_hosts_deny++;
	return 0;
}

/* Return: 0, 1 if there are too many (said), -ENOMEM. */
static int add_command(
    const struct conf_action *a, struct diag *d, struct setup_jail *j)
{
	struct setup_command *more =
	    realloc(j->commands, (j->n_commands + 1) * sizeof(*more));

	if (!more)
		return -ENOMEM;
	j->commands = more;
	if (j->n_commands == SETUP_MAX_COMMANDS) {
		diag_add(d, DIAG_ERROR, a->at,
		    "action: more than %d actions that are commands",
		    SETUP_MAX_COMMANDS);
		return 1;
	}
	struct setup_command *k = &more[j->n_commands++];

	*k = (struct setup_command){
	    .name = strdup(a->actname),
	    .file = strdup(a->name),
	    .is_mail = !strcmp(a->name, "smtp.py"),
	    .options = calloc(a->n_options + 1, sizeof(*k->options)),
	};
	if (!k->name || !k->file || !k->options)
		return -ENOMEM;
	for (; k->n_options < a->n_options; k->n_options++) {
		struct action_option *o = &k->options[k->n_options];

		o->name = strdup(a->options[k->n_options].name);
		o->value = strdup(a->options[k->n_options].value);
		if (!o->name || !o->value) {
			k->n_options++;
			return -ENOMEM;
		}
	}
	return 0;
}

/* The action's own word on it, else the jail's. */
static bool is_native_wanted(const struct conf_jail *c, const struct conf_action *a)
{
	const char *word = action_value(a, "native", NULL);
	struct action_option o = {"native", word};

	if (!word)
		return c->native;
	return action_option_is_true(&(struct action_options){&o, 1}, "native", true);
}

static int take_action(const struct conf_jail *c, const struct conf_action *a,
    struct diag *d, struct setup_jail *j)
{
	const char *ports = action_value(a, "port", c->port.text ? c->port.text : "");
	const char *protocol =
	    action_value(a, "protocol", c->protocol.text ? c->protocol.text : "tcp");
	/* The jail's own ports are named where they were set, not where they are used.
	 */
	bool is_own = c->port.text && !strcmp(ports, c->port.text);
	struct conf_place ports_at = is_own ? c->port.at : a->at;

	switch (action_kind_of(a, is_native_wanted(c, a))) {
	case ACTION_PORTS:
		return add_firewall(a, ports_at, ports, protocol, d, j);
	case ACTION_ALL_PORTS:
		return add_firewall(a, a->at, "", protocol, d, j);
	case ACTION_XDP:
		return add_xdp(a, ports_at, ports, protocol, d, j);
	case ACTION_HOSTS_DENY:
		return add_hosts_deny(a, j);
	case ACTION_COMMANDS:
		setup_tell_foreign_action(j, a, d);
		return add_command(a, d, j);
	case ACTION_MAIL:
		return add_command(a, d, j);
	case ACTION_PYTHON:
		diag_add(d, DIAG_WARNING, a->at,
		    "jail %s: action '%s' is Python code, which bandog does not run; "
		    "it "
		    "is left out (smtp.py is built in)",
		    c->name, a->name);
		return 0;
	case ACTION_UNKNOWN:
		break;
	}
	diag_add(d, DIAG_WARNING, a->at,
	    "jail %s: action '%s' is left out: there is no action.d/%s.conf", c->name,
	    a->name, a->name);
	return 0;
}

int setup_take_actions(const struct conf_jail *c, struct diag *d, struct setup_jail *j)
{
	for (size_t i = 0; i < c->n_actions; i++) {
		int r = take_action(c, &c->actions[i], d, j);

		if (r)
			return r;
	}
	if (c->n_actions && !j->n_targets && !j->n_hosts_deny && !j->n_commands)
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

uint32_t setup_jail_n_xdp(const struct setup_jail *j)
{
	uint32_t n = 0;

	for (uint32_t i = 0; i < j->n_targets; i++)
		n += j->targets[i].is_xdp;
	return n;
}

int setup_check_xdp(const struct setup *s, const struct conf_jail *c, struct diag *d,
    const struct setup_jail *j)
{
	uint32_t n = setup_jail_n_xdp(j);

	if (!n)
		return 0;
	for (uint32_t i = 0; i < s->n_jails; i++)
		n += setup_jail_n_xdp(&s->jails[i]);
	if (n <= XDP_MAX_TARGETS)
		return 0;
	diag_add(d, DIAG_ERROR, c->at,
	    "jail %s: with it there are more than %d actions 'xdp', counted by "
	    "interface",
	    c->name, XDP_MAX_TARGETS);
	return 1;
}

/* Add the tables of @j that are not there yet. Return: false: there is no room. */
static bool add_tables(
    const struct setup_jail *j, const char *tables[NFT_MAX_TABLES], size_t *io_n)
{
	for (uint32_t i = 0; i < j->n_targets; i++) {
		const char *table = j->targets[i].place.table;
		size_t k = 0;

		if (j->targets[i].is_xdp)
			continue;
		while (k < *io_n && strcmp(tables[k], table))
			k++;
		if (k == NFT_MAX_TABLES)
			return false;
		if (k == *io_n)
			tables[(*io_n)++] = table;
	}
	return true;
}

int setup_check_tables(const struct setup *s, const struct conf_jail *c, struct diag *d,
    const struct setup_jail *j)
{
	const char *tables[NFT_MAX_TABLES];
	size_t n = 0;

	/* Those before have been found to fit. */
	for (uint32_t i = 0; i < s->n_jails; i++)
		(void)add_tables(&s->jails[i], tables, &n);
	if (add_tables(j, tables, &n))
		return 0;
	diag_add(d, DIAG_ERROR, c->at,
	    "jail %s: with it the actions name more than %d tables of nftables",
	    c->name, NFT_MAX_TABLES);
	return 1;
}

/* Does a command speak of that table? */
static bool is_named_by_command(const struct setup *s, const char *table)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		for (uint32_t k = 0; k < s->jails[i].n_commands; k++) {
			const struct setup_command *c = &s->jails[i].commands[k];
			struct action_options o = {c->options, c->n_options};
			const char *text = action_option(&o, "actionstart", "");

			if (text && strstr(text, table))
				return true;
		}
	}
	return false;
}

void setup_settle_places(struct setup *s)
{
	for (uint32_t i = 0; i < s->n_jails; i++) {
		for (uint32_t k = 0; k < s->jails[i].n_targets; k++) {
			struct nft_target *t = &s->jails[i].targets[k];

			if (nft_place_eq(&t->place, &nft_own_place) ||
			    !is_named_by_command(s, t->place.table))
				continue;
			t->place = nft_own_place;
			t->set4[0] = t->set6[0] = '\0';
		}
	}
}
