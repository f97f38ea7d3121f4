/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * suspect_rules - who of those that failed is a suspect, and how it is told
 *
 * The same in engine and enforcer. A suspect is an address that failed in a jail that
 * makes room, for as long as its failure counts, and SUSPECT_KEEP_MAX_SEC at most.
 * Pure.
 */

#include "enforce/suspects.h"
#include "pipeline/setup.h"

#define SUSPECT_KEEP_MAX_SEC 600
#define SUSPECT_RECORD_BYTES (4 + 4 + 17)

/* Has it makeroom, and bans that end connections? Not in a dry run. */
bool suspect_makes_room(const struct setup *s, uint32_t jail);

/* Who failed in @jail at @at by the log, as seen at @now. Return: false: no suspect. */
bool suspect_of(const struct setup *s, uint32_t jail, const struct net *net, wall_t at,
    wall_t now, mono_t mono_now, struct suspect *out);

/* As MSG_SUSPECTS has it. */
void suspect_pack(struct buf *b, const struct suspect *w, mono_t now);

/**
 * suspect_unpack() - read what suspect_pack() wrote; @u turns bad if that is none
 *
 * Return: true: it is a suspect in this set-up.
 */
bool suspect_unpack(
    struct unpack *u, const struct setup *s, mono_t now, struct suspect *out);
