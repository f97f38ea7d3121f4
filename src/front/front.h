/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * front - the control socket: requests in JSON lines, answers in JSON lines
 *
 * A request is one object on one line, at most FRONT_REQUEST_MAX bytes:
 *   {"do":"ping"}   {"do":"status"[,"jail":J]}
 * {"do":"banned"[,"jail":J][,"ip":[..]][,"offset":N][,"limit":N]}
 *   {"do":"ban","jail":J,"ip":[..][,"seconds":N]}   {"do":"unban"[,"jail":J],"ip":[..]
 * | "all":true}
 *   {"do":"why","ip":[A]}   {"do":"report"[,"since":T]}   {"do":"reload"} {"do":"stop"}
 * The answer is one object on one line; {"error":"..."} says in words what was wrong. A
 * client may send the next request when it has the answer.
 *
 * These bytes come from strangers: everything is bounded, nothing asserts.
 */

#include "base/buf.h"
#include "base/err.h"
#include "proc/message.h"

#define FRONT_REQUEST_MAX 65536
#define FRONT_MAX_NETS 1024

enum front_kind { FRONT_ENGINE, FRONT_RELOAD, FRONT_STOP };

struct front_request {
	enum front_kind kind;
	enum request_verb verb;
	struct buf body;    /* of MSG_REQUEST, behind the id */
	struct buf history; /* the same for the keeper, when verb is REQUEST_WHY or
			       REQUEST_REPORT */
};

/**
 * front_request_parse()
 * @out:   to be given to front_request_deinit() when this succeeds
 * @error: the sentence for the client when it fails
 *
 * Return: 0, -EINVAL, -ENOMEM.
 */
int front_request_parse(struct span line, struct front_request *out, struct err *error);
void front_request_deinit(struct front_request *q);
