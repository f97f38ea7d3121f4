#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# bantime.increment: who comes back is banned for longer, sooner, and that survives kill -9,
# a restart and a reload; scan tells the same.
# asan: yes
import json
import os
import time

import harness

FILTER = r"""[Definition]
failregex = ^\s*\S+ knock\[\d+\]: refused <ADDR>$
"""
JAIL = """\
[DEFAULT]
enabled = true
filter = knock
findtime = 600
maxretry = 3
port = 25
bantime.increment = true
[knock]
logpath = {log}
bantime = 2
bantime.formula = {formula}
bantime.maxtime = 1h
[other]
logpath = {other}
bantime = 100
bantime.multipliers = 1 10 100
bantime.overalljails = yes
"""
FORMULA = "ban.Time * (1<<(ban.Count if ban.Count<20 else 20)) * banFactor"
WHO = "198.51.100.7"


def ban_of(s, jail="knock"):
    for ban in s.bandog_json("why", WHO)["bans"]:
        if ban["jail"] == jail:
            return ban
    return None


def wait_over(s):
    s.wait_for(lambda: not ban_of(s), 30, "the end of the ban")
    # Dates in the log have whole seconds; a failure counts as later in the next one.
    time.sleep(1.1)


def fail(s, log, times):
    for _ in range(times):
        s.append(log, f"knock[1]: refused {WHO}")


def banned(s, log, times, want_sec, want_count, jail="knock"):
    """So many failures lead to a ban, not one less; it lasts so long."""
    fail(s, log, times - 1)
    time.sleep(0.5)
    s.check(not ban_of(s, jail), f"a ban after {times - 1} failures")
    fail(s, log, 1)
    s.wait_for(lambda: ban_of(s, jail), 10, f"ban {want_count}")
    ban = ban_of(s, jail)
    s.equal(round(ban["until"] - ban["at"]), want_sec, f"length of ban {want_count}")
    s.equal(ban["bancount"], want_count)


def before(s, jail):
    return {o["jail"]: o for o in s.bandog_json("why", WHO)["before"]}.get(jail)


def scenario(s):
    log, other = s.log("knock.log"), s.log("other.log")
    s.config("filter.d/knock.conf", FILTER)
    s.config("jail.conf", JAIL.format(log=log, other=other, formula=FORMULA))
    daemon = s.bandogd()

    s.step("each ban is longer, and fewer failures lead to it")
    banned(s, log, 3, 2, 1)
    wait_over(s)
    banned(s, log, 2, 4, 2)
    s.equal((before(s, "knock")["bancount"], before(s, "knock")["next"],
             before(s, "knock")["weight"]), (2, 8, 3))
    text = s.bandog("why", WHO).stdout
    s.check("ban number 2" in text and "2 bans before count in knock" in text, text)
    s.check("by=rule count=2" in daemon.output(), "the log has no count")

    s.step("kill -9 of the engine and the keeper, then of all: it is remembered")
    for role in ("engine", "keeper"):
        os.kill(daemon.role(role), 9)
    s.wait_for(lambda: s.answers() and before(s, "knock"), 20, "the memory")
    s.equal(before(s, "knock")["bancount"], 2)
    daemon.kill()
    s.wait_for(lambda: not daemon.processes(), 5, "the end of all roles")
    daemon = s.bandogd()
    s.equal(before(s, "knock")["bancount"], 2)
    wait_over(s)
    banned(s, log, 1, 8, 3)

    s.step("a clean stop and start")
    daemon.stop()
    daemon = s.bandogd()
    s.equal(ban_of(s)["bancount"], 3, "the ban has kept its number")
    wait_over(s)
    banned(s, log, 1, 16, 4)

    s.step("another jail counts the bans of all, and says so before")
    s.equal(before(s, "other")["bancount"], 4)
    banned(s, other, 3, 100 * 100, 5, "other")

    s.step("a reload takes another formula, and refuses one that is wrong, with its place")
    s.config("jail.conf", JAIL.format(log=log, other=other, formula="ban.Time * (ban.Count +"))
    done = s.bandog("reload", check=False)
    s.equal(done.returncode, 1)
    s.check("jail.conf:11:" in done.stderr and "ends too early" in done.stderr, done.stderr)
    s.config("jail.conf", JAIL.format(
        log=log, other=other, formula="ban.Time * 10 / (ban.Count - 5)"))
    done = s.bandog("reload")
    s.check("after 5 bans it divides by zero" in done.stderr + done.stdout,
            done.stderr + done.stdout)
    s.equal(before(s, "knock")["next"], 2, "less than bantime becomes bantime")

    s.step("what has no length lasts for bantime, and that is told")
    s.bandog("unban", WHO, "--jail", "knock")
    s.config("jail.conf", JAIL.format(
        log=log, other=other, formula="ban.Time * 10 / (ban.Count - 1)"))
    s.bandog("reload")
    s.wait_for(lambda: not before(s, "knock"), 10, "an unban forgives")
    time.sleep(1.1)
    banned(s, log, 3, 2, 1)
    wait_over(s)
    banned(s, log, 2, 2, 2)
    s.wait_for(lambda: "gave no length for ban 2" in daemon.output(), 5, "that it is told")

    s.step("scan tells the same of the whole log")
    s.config("jail.conf", JAIL.format(log=log, other=other, formula=FORMULA))
    out = s.bandog("scan", "--json", "--jail", "knock", log).stdout.splitlines()
    bans = [o for o in map(json.loads, out) if o.get("do") == "ban"]
    s.equal([(o["bancount"], round(o["until"] - o["at"])) for o in bans],
            [(i, 1 << i) for i in range(1, len(bans) + 1)], "lengths in a replay")
    s.check(len(bans) >= 4, f"{len(bans)} bans")
    daemon.stop()


harness.main(scenario)
