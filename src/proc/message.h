/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

/*
 * message - everything our own processes say to each other
 *
 * One packet (SOCK_SEQPACKET) is one message: u16 type, then the body as base/pack.h
 * writes it, at most MESSAGE_MAX_BYTES, with at most one descriptor beside it. A role
 * accepts from a peer only the types that its table names; anything else ends that
 * peer. Client and server are always the same program (re-executed), so there is no
 * version.
 */

#include <stdint.h>

#define MESSAGE_MAX_BYTES 65536
#define MESSAGE_REFUSED_BYTES (4 + 17) /* of one in MSG_REFUSED */
#define MESSAGE_NOT_KNOWN UINT64_MAX   /* a counter that cannot be read */

enum message_type {
	/* supervisor → any role */
	MSG_SETUP = 1,  /* fd: memfd with the encoded set-up; body: u64 generation */
	MSG_PEER,       /* fd: channel; body: u8 role at its other end */
	MSG_LISTEN,     /* fd: listening control socket (front); the mail server's
			   (policy) */
	MSG_LISTEN_F2B, /* fd: listening socket for fail2ban's protocol (front) */
	MSG_LOG,        /* fd: the log file, opened anew: becomes stderr */
	MSG_STOP,       /* finish what is begun, then exit */
	/* any role → supervisor */
	MSG_READY,   /* first work done: the role serves */
	MSG_STOPPED, /* everything is flushed; exit follows */
	/* front → supervisor and back: what a client may ask of it */
	MSG_ASK_RELOAD,
	MSG_ASK_STOP,
	MSG_RELOADED,   /* bool done, str text: what the loader said */
	MSG_ASK_CHANGE, /* u64 id, then as overrides_read() takes it */
	MSG_CHANGED, /* u64 id, u8 enum change_result, str text: what the loader said */
	MSG_ASK_FLUSH, /* u64 id: open the log file anew */
	MSG_FLUSHED,   /* u64 id, bool: there is a log file */

	/* reader → engine */
	MSG_WATCH_FD, /* fd: inotify instance of file watches; body: bool usable, u64
			 generation */
	MSG_FILE, /* fd: log; body: u32 source, str path, i64 wd, u64 dev, u64 ino, bool
		     first, bool old */
	MSG_FILE_GONE, /* u32 source, str path, u64 dev, u64 ino */
	MSG_SIBLINGS, /* what lies beside a log, as MSG_FILE with `old`, follows; oldest
			 first */
	MSG_FILES_DONE, /* the first scan is complete */
	MSG_LIST, /* fd: a file that ignoreip names, new or changed; none: it is not to
		     be had; body: str path */
	MSG_JOURNAL, /* u64 generation, u32 source: where is this one to begin? */
	MSG_LINES, /* u64 generation, u32 source, u64 time, u64 number, u64 checksum of
		      the last entry (its position), u32 n, n × (wall at, text) */
	/* engine → reader */
	MSG_JOURNAL_FROM,  /* u32 source, bool resume, u64, u64, u64 as in MSG_LINES,
			      wall since */
	MSG_LINES_TAKEN,   /* u32 source: one batch is decided */
	MSG_FIND_SIBLINGS, /* str path: what else may have been that log? */
	MSG_RESCAN, /* bool anew: begin as with a new engine; else events were lost */

	/* engine → enforcer and runner */
	MSG_RESYNC,   /* u64 generation: forget what you were told; all bans follow */
	MSG_ORDERS,   /* u64 generation, u64 seq, u32 n, records: see flow/order.h */
	MSG_TICKET,   /* to the runner: u64 generation, order with evidence, u32 n, n ×
			 (str name, str value): fields */
	MSG_RESYNCED, /* u64 generation: that was all */
	MSG_LIFT,  /* to the enforcer: u64 generation, u64 seq, u32 jail or UINT32_MAX:
		      all of its bans, of all jails; answered as MSG_ORDERS */
	MSG_COUNT, /* u64 generation, u64 seq, u32 n, records: what did these stop? */
	MSG_SUSPECTS, /* to the enforcer: u64 generation, u32 n, n × (u32 jail, u32 ms
			 since then, net): who has failed and is not banned */
	/* enforcer → engine */
	MSG_DONE, /* u64 generation, u64 seq, u32 n, n × (record, u8 reason, i64 errno)
		     refused */
	MSG_COUNTED, /* u64 seq, u32 n, n × (u64 packets, u64 bytes), or both not known
		      */
	MSG_OWN,     /* u32 n, networks: addresses of this machine */
	MSG_PROTECTED,  /* u32 n, n × (u8 reason, net): no longer to be banned */
	MSG_ENFORCING,  /* bool: the kernel has our sets (a dry run: false) */
	MSG_SEVERED,    /* u64 generation, u32 jail, u32 connections that were ended */
	MSG_ASK_RESYNC, /* somebody else changed the firewall: send all bans again */
	MSG_ASK_BANS,   /* u32 n, networks: send the bans of these again */

	/* engine → policy: MSG_RESYNC, MSG_ORDERS; and back */
	MSG_REFUSED, /* u64 generation, u32 n, n × (u32 jail, net): whose ban made the
			mail server say no, once each */

	/* engine → resolver and back */
	MSG_RESOLVE,  /* u64 id, str name */
	MSG_RESOLVED, /* u64 id, u32 seconds it holds, u32 n, networks; none: it has no
			 address, or nobody answers */

	/* engine → runner and back */
	MSG_ASK_IGNORE,    /* u64 generation, u64 id, u32 jail, net, what flow/id.h
			      says of it, wall at, str line, u32
			      n, n × (str name, str value) */
	MSG_IGNORE_ANSWER, /* u64 id, bool ignored */

	/* runner → keeper and back */
	MSG_ASK_PAST, /* u64 id, net */
	MSG_PAST, /* u64 id, u32 n, n × (str jail, wall at, u32 failures, str lines) of
		     older bans, newest first */

	/* engine → keeper */
	MSG_LOAD,
	MSG_BEGIN,      /* bool snapshot: bans and counts stored so far are replaced */
	MSG_PUT_ORDER,  /* str jail, order with evidence */
	MSG_PUT_LIFTED, /* str jail, wall at: all its bans were lifted by a user */
	MSG_PUT_TALLY,  /* str jail, net, bytes */
	MSG_PUT_OFFENDER, /* str jail, offender; count 0: forget it */
	MSG_PUT_CREDIT,   /* credit */
	MSG_PUT_CURSOR,   /* str path, cursor */
	MSG_PUT_SUMS,     /* as sums_take() packs it: increments, booked once */
	MSG_COMMIT,       /* u64 seq */
	/* keeper → engine; the first five hold as many as there is room for */
	MSG_LOADED_BAN,      /* as MSG_PUT_ORDER */
	MSG_LOADED_TALLY,    /* as MSG_PUT_TALLY */
	MSG_LOADED_OFFENDER, /* as MSG_PUT_OFFENDER */
	MSG_LOADED_CREDIT,   /* as MSG_PUT_CREDIT */
	MSG_LOADED_CURSOR,   /* as MSG_PUT_CURSOR */
	MSG_LOADED,
	MSG_COMMITTED, /* u64 seq, bool done */

	/* front → engine, front → keeper */
	MSG_REQUEST, /* u64 id, u8 verb, str jail or NULL, i64 seconds, u32 offset, u32
			limit, what ids_pack() writes */
	MSG_F2B, /* u64 id, u64 generation, u8 verb, u32 jail or UINT32_MAX, bool flag,
		    what ids_pack() writes, u32 n, n × str */
	/* engine → front, keeper → front */
	MSG_REPLY, /* u64 id, bool last, bytes: JSON, or what enum f2b_verb says */
};

enum request_verb {
	REQUEST_PING = 1,
	REQUEST_STATUS,
	REQUEST_BANNED,
	REQUEST_BAN,
	REQUEST_UNBAN,
	REQUEST_WHY,
	REQUEST_HISTORY, /* to the keeper, as the second half of why */
	REQUEST_REPORT,  /* to the engine, then to the keeper: of the time since
			    `seconds` */
};

/*
 * What fail2ban's protocol asks of the engine (MSG_F2B). The bytes of the reply begin
 * with a u8: F2B_DONE and what stands below; F2B_FAILED and a str, why; F2B_OTHER: the
 * engine has another set-up than the one that the front asked by, or not yet its files:
 * ask again. A who is a net, and behind it, if it is an id, a str, its text. '{': JSON,
 * as for REQUEST_BAN and REQUEST_UNBAN.
 */
enum f2b_verb {
	F2B_STATUS = 1, /* flag: with bans. u32 n, n × (u32 jail, u64 failed now, total,
			   banned now, total, u32 n, n × str file, u32 n, n × who) */
	F2B_BANS,    /* those of the networks, or all: u32 n, n × (u32 which network,
			u32 jail, who, wall at, until) */
	F2B_BAN,     /* JSON */
	F2B_UNBAN,   /* JSON; flag: those that were not banned are told: u32 n, nets */
	F2B_ATTEMPT, /* a failure that weighs as much as there are texts: bool counted
		      */
	F2B_IDLE,    /* flag: lines of the jail (or all) are passed over: bool idle */
};

enum { F2B_DONE, F2B_FAILED, F2B_OTHER };

/* How a change of the set-up went (MSG_CHANGED). */
enum change_result {
	CHANGE_DONE,
	CHANGE_REFUSED, /* by the loader; the set-up is as it was */
	CHANGE_NOTHING, /* there was nothing of that kind to undo */
	CHANGE_FAILED,  /* busy, too many changes, or no loader */
};

enum role_id {
	ROLE_SUPERVISOR,
	ROLE_LOADER,
	ROLE_READER,
	ROLE_ENGINE,
	ROLE_ENFORCER,
	ROLE_RUNNER,
	ROLE_RESOLVER,
	ROLE_KEEPER,
	ROLE_FRONT,
	ROLE_POLICY,
	ROLE_MAILER, /* of the runner: lives for one letter */
	ROLE_N,
};
