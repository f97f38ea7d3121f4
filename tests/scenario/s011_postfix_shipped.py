#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# The configuration that is shipped, on a real Postfix: who is banned, who is not, and that
# a ban ends when it should.
# asan: yes
import os
import shutil
import threading
import time

import harness
from clients import NO_REVERSE, RELAY, UNKNOWN, deliver, is_shut_out, offend, refused
from passwords import PASSWORD, USER, PasswordServer, plain

SHIPPED = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "etc")
BANTIME = 5
MANY = 10  # offences, more than any jail forgives
# Rules with a length of their own: with that of the others their bans end while one looks.
SHORT = "".join(f"[Rule {name}]\nbantime = {BANTIME}\n"
                for name in ("unknown-recipient", "password"))
LOCAL = """\
[DEFAULT]
bantime = {bantime}
ignoreip = 127.0.0.1/8 ::1 {trusted} 2001:db8:1fff::/48

[postfix]
logpath = {mail}

[dovecot]
logpath = {mail}

[sshd]
logpath = {auth}
"""
TRUSTED = ["203.0.113.99", "2001:db8:1fff::99"]
HONEST = ["203.0.113.10", "2001:db8:1000::10"]
MISCONFIGURED = ["203.0.113.45", "2001:db8:1000::45"]
FORGETFUL = "203.0.113.66"
RELAYERS = ["198.51.100.54", "2001:db8:1000::54"]
GUESSERS = ["198.51.100.55", "2001:db8:1000::55"]
CRACKERS = ["198.51.100.35", "2001:db8:1000::35"]
# How many offences ban, and the failures they weigh (docs/mail.md): relaying 1; of recipients
# two are free; a wrong password 1.7, and 0.5 at the end of a session that did no more.
OFFENCES = {**dict.fromkeys(RELAYERS, (5, 5)), **dict.fromkeys(GUESSERS, (7, 5)),
            **dict.fromkeys(CRACKERS, (3, 7))}


def login(s, source, password, wanted, *more):
    replies = s.dialog(source, ["EHLO client.test", "AUTH PLAIN " + plain(USER, password),
                                *more])
    refused(s, source, replies[:3], [220, 250, wanted])


def offend_as(s, source, n, is_last):
    """The n-th offence of that attacker."""
    if source in RELAYERS:
        offend(s, source, RELAY)
    elif source in GUESSERS:
        offend(s, source, UNKNOWN, f"guess{n}@example.test")
    else:
        login(s, source, f"guess{n}", 535, *([] if is_last else ["QUIT"]))


def element(s, source):
    return s.nft_set("postfix-ipv6" if ":" in source else "postfix-ipv4").get(source)


def honest_people(s):
    s.step("who makes a mistake is not banned, nor a server that is set up badly")
    for source in HONEST:
        deliver(s, source)
        offend(s, source, UNKNOWN, "alcie@example.test")
        deliver(s, source)
    for password in ("correct horde", "correct hrose"):
        login(s, FORGETFUL, password, 535, "QUIT")
    login(s, FORGETFUL, PASSWORD, 235, "QUIT")
    for source in MISCONFIGURED:
        for _ in range(MANY):
            offend(s, source, NO_REVERSE)
    for source in TRUSTED:
        for _ in range(MANY):
            offend(s, source, RELAY)


class Knocker(threading.Thread):
    """A banned client that tries again and again, and notes when it was let in."""

    def __init__(self, s, source):
        super().__init__(daemon=True)
        self.s, self.source, self.let_in, self.n_shut_out = s, source, None, 0
        self.start()

    def run(self):
        while is_shut_out(self.s, self.source):
            self.n_shut_out += 1
        self.let_in = time.time()


def ban(s, source):
    last, _ = OFFENCES[source]
    for n in range(1, last + 1):
        s.equal(element(s, source), None, f"{source} before its offence number {n}")
        offend_as(s, source, n, n == last)
    s.wait_for(lambda: element(s, source), 2, f"the ban of {source}")
    return Knocker(s, source)


def attackers(s):
    s.step("relaying, guessing recipients, guessing passwords: banned after 5, 7 and 3 times")
    found = {}
    for source in RELAYERS + GUESSERS + CRACKERS:
        knocker = ban(s, source)
        answer = s.bandog_json("why", source)
        s.equal([(x["jail"], x["failures"], x["until"] - x["at"]) for x in answer["bans"]],
                [("postfix", OFFENCES[source][1], BANTIME)], source)
        found[knocker] = answer["bans"][0]["until"]
        deliver(s, HONEST[0])
    return found


def ends(s, knockers):
    s.step("each ban ends on time: not before, and not two seconds later")
    for knocker, end in knockers.items():
        s.wait_for(lambda k=knocker: k.let_in, end - time.time() + 5, knocker.source)
        late = knocker.let_in - end
        s.check(-0.2 < late < 2, f"{knocker.source} was let in {late:.1f} s after its end")
        s.check(knocker.n_shut_out > 0, f"{knocker.source} was never shut out")
        s.equal(element(s, knocker.source), None)
        deliver(s, knocker.source)
    s.wait_for(lambda: not s.bandog_json("banned")["bans"], 2, "the list to be empty")
    s.equal(s.bandog("banned").stdout, "nobody is banned\n")


def remembered(s, knockers):
    s.step("what has been is remembered")
    for source, end in ((knocker.source, end) for knocker, end in knockers.items()):
        answer = s.wait_for(
            lambda x=source: [h for h in s.bandog_json("why", x)["history"]
                              if h["ended"] is not None], 3, f"the end of {source} on record")
        s.equal([(h["ip"], h["jail"], h["failures"]) for h in answer],
                [(source, "postfix", OFFENCES[source][1])])
        s.check(end <= answer[0]["ended"] <= end + 2, f"{source}: {answer}, wanted {end}")
    text = s.bandog("why", RELAYERS[0]).stdout
    for wanted in (f"nothing speaks against {RELAYERS[0]} now", f"earlier: {RELAYERS[0]} in "
                   "postfix from ", f"{OFFENCES[RELAYERS[0]][1]} failures"):
        s.check(wanted in text, text)


def nobody_else(s):
    s.step("nobody else has ever been banned")
    for source in HONEST + MISCONFIGURED + TRUSTED + [FORGETFUL]:
        answer = s.bandog_json("why", source)
        s.equal((answer["bans"], answer["history"]), ([], []), source)
        s.equal(s.connect(source, 25), "ok", source)
    s.equal(s.bandog_json("why", HONEST[0])["account"], [], "one mistyped recipient is free")
    s.equal([x["failures"] for x in s.bandog_json("why", MISCONFIGURED[0])["account"]], [1],
            "ten times without a reverse name")
    never = s.bandog_json("why", TRUSTED[1])["ignored"]
    s.check({"jail": "postfix", "by": "2001:db8:1fff::/48"} in never, str(never))
    jail = s.bandog_json("status", "postfix")["jail"]
    s.equal((jail["banned_now"], jail["banned_total"]), (0, 6))
    s.check(jail["ignored_total"] >= 2 * MANY, str(jail))


def scenario(s):
    passwords = PasswordServer(s.dir)
    postfix = s.postfix(*passwords.settings())
    shutil.copytree(SHIPPED, s.config_dir, dirs_exist_ok=True)
    s.config("jail.local", LOCAL.format(bantime=BANTIME, trusted=TRUSTED[0],
                                        mail=postfix.log, auth=s.log("auth.log")))
    s.config("filter.d/postfix.local", SHORT)
    s.equal(s.bandog("check").stderr, "", "what the check says")
    bandogd = s.bandogd()
    honest_people(s)
    knockers = attackers(s)
    ends(s, knockers)
    remembered(s, knockers)
    nobody_else(s)
    bandogd.stop()
    postfix.stop()


harness.main(scenario)
