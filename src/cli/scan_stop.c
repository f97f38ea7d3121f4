/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli/scan_stop.h"

#include <signal.h>
#include <stddef.h>

#include "base/cleanup.h"

static const int signals[] = {SIGINT, SIGTERM};
static volatile sig_atomic_t came;

static void on_signal(int number)
{
	came = number;
	for (size_t i = 0; i < ARRAY_LEN(signals); i++)
		(void)signal(signals[i], SIG_DFL);
}

void scan_stop_watch(void)
{
	/* No SA_RESTART: a read that waits for a pipe must end. */
	const struct sigaction watch = {.sa_handler = on_signal};
	struct sigaction old;

	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaction(signals[i], &watch, NULL);
	}
	(void)signal(SIGPIPE, SIG_IGN);
}

int scan_stop_signal(void)
{
	return came;
}
