/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/* sd_notify - tell systemd how we are (sd_notify(3)'s protocol: datagrams to
 * $NOTIFY_SOCKET). Without that variable nothing happens. */

void sd_notify_ready(void);
void sd_notify_reloading(void);
void sd_notify_stopping(void);
