/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandogd - the daemon: its options, and which role this process plays. */
#include <getopt.h>
#include <stdio.h>
#include <string.h>

#include "config.h"
#include "proc/role.h"
#include "proc/sandbox.h"
#include "supervisor/supervisor.h"

static const char usage[] =
    "usage: bandogd [--config-dir DIR] [--state-dir DIR] [--run-dir DIR] "
    "[--foreground]\n"
    "               [--dry-run] [--version] [--help]\n"
    "\n"
    "Reads logs as they are written and has the kernel drop what abuses this machine.\n"
    "\n"
    "  --config-dir DIR   configuration, fail2ban's language (" BANDOG_CONFIG_DIR ")\n"
    "  --state-dir DIR    bans, history, positions in logs (" BANDOG_STATE_DIR ")\n"
    "  --run-dir DIR      control socket and lock (" BANDOG_RUN_DIR ")\n"
    "  --foreground       stay in the foreground and log to stderr\n"
    "  --dry-run          decide and tell, but touch neither firewall nor hosts.deny\n"
    "\n"
    "Signals: HUP reloads the configuration, TERM stops, USR1 opens the log file "
    "anew.\n"
    "Exit: 0 stopped as asked, 1 configuration is wrong, 2 cannot run here, 64 usage.\n"
    "`bandog status` asks it how it is; see bandogd(8).\n";

enum {
	OPT_CONFIG = 256,
	OPT_STATE,
	OPT_RUN,
	OPT_DRY,
	OPT_ROLE,
	OPT_USER,
	OPT_COMMANDS,
	OPT_XDP,
	OPT_LOG
};

static int play(const struct role_args *args)
{
	static int (*const mains[ROLE_N])(const struct role_args *) = {
	    [ROLE_LOADER] = loader_main,
	    [ROLE_READER] = reader_main,
	    [ROLE_ENGINE] = engine_main,
	    [ROLE_ENFORCER] = enforcer_main,
	    [ROLE_RUNNER] = runner_main,
	    [ROLE_RESOLVER] = resolver_main,
	    [ROLE_KEEPER] = keeper_main,
	    [ROLE_FRONT] = front_main,
	    [ROLE_POLICY] = policy_main,
	    [ROLE_MAILER] = mailer_main,
	};

	return mains[args->id](args);
}

static int bad_usage(void)
{
	fputs("Try 'bandogd --help'.\n", stderr);
	return 64;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
	    {"config-dir", required_argument, NULL, OPT_CONFIG},
	    {"state-dir", required_argument, NULL, OPT_STATE},
	    {"run-dir", required_argument, NULL, OPT_RUN},
	    {"foreground", no_argument, NULL, 'f'},
	    {"dry-run", no_argument, NULL, OPT_DRY},
	    {"version", no_argument, NULL, 'V'},
	    {"help", no_argument, NULL, 'h'},
	    /* Given by the supervisor to itself: see proc/spawn.c. */
	    {"role", required_argument, NULL, OPT_ROLE},
	    {"user", required_argument, NULL, OPT_USER},
	    {"commands", no_argument, NULL, OPT_COMMANDS},
	    {"xdp", no_argument, NULL, OPT_XDP},
	    {"log", required_argument, NULL, OPT_LOG},
	    {NULL, 0, NULL, 0},
	};
	struct supervisor_args s = {
	    .config_dir = BANDOG_CONFIG_DIR,
	    .state_dir = BANDOG_STATE_DIR,
	    .run_dir = BANDOG_RUN_DIR,
	};
	struct role_args role = {.id = ROLE_SUPERVISOR, .user = "nobody"};
	int c;

	while ((c = getopt_long(argc, argv, "fVh", options, NULL)) != -1) {
		switch (c) {
		case OPT_CONFIG:
			s.config_dir = role.config_dir = optarg;
			break;
		case OPT_STATE:
			s.state_dir = role.state_dir = optarg;
			break;
		case OPT_RUN:
			s.run_dir = optarg;
			break;
		case 'f':
			s.foreground = true;
			break;
		case OPT_DRY:
			s.dry_run = role.dry_run = true;
			break;
		case OPT_ROLE:
			role.id = role_of_name(optarg);
			break;
		case OPT_USER:
			role.user = optarg;
			break;
		case OPT_COMMANDS:
			role.runs_commands = true;
			break;
		case OPT_XDP:
			role.uses_xdp = true;
			break;
		case OPT_LOG:
			role.log = optarg;
			break;
		case 'V':
			puts("bandogd " BANDOG_VERSION);
			return 0;
		case 'h':
			fputs(usage, stdout);
			return 0;
		default:
			return bad_usage();
		}
	}
	if (optind < argc || role.id == ROLE_N)
		return bad_usage();
	return role.id == ROLE_SUPERVISOR ? supervisor_run(&s) : play(&role);
}
