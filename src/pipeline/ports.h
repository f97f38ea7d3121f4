/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * ports - "smtp,ssmtp,1000:2000" to port ranges
 *
 * Names come from a table of what mail and other servers use, then from /etc/services;
 * so a minimal system without that file still knows smtp.
 */

#include "base/str.h"
#include "enforce/nft.h"

/**
 * ports_parse()
 * @text:  names, numbers and FROM:TO or FROM-TO ranges, separated by commas or blanks;
 *         "0:65535", "all" or nothing: all ports, which gives none
 * @proto: "tcp" or "udp", for /etc/services
 * @bad:   the word that was not understood
 *
 * Return: 0 with sorted, merged ranges in @out; -EINVAL with @bad; -E2BIG.
 */
int ports_parse(struct span text, const char *proto, struct nft_ports *out,
    size_t max_ports, size_t *n_out, struct span *bad);
