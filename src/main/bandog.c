/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bandog - the tool: its verbs are in cli/. */
#include "cli/cli.h"

int main(int argc, char **argv)
{
	return cli_main(argc, argv);
}
