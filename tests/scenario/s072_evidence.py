#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Evidence: what rules say counts as they say, credit outlives kill -9, a stop and a reload, and
# `why` tells all of it; a rule that everybody hits at once is suspended, which the log tells.
# asan: yes
import json
import os
import time

import harness

FILTER = r"""[Definition]
failregex =
[Rule good]
regex = ^\s*\S+ mx\[\d+\]: delivered to <ADDR>$
class = good
weight = -1
[Rule bad]
regex = ^\s*\S+ mx\[\d+\]: refused <ADDR>$
weight = 0.5
[Rule guess]
regex = ^\s*\S+ mx\[\d+\]: unknown <<F-RCPT>\S+</F-RCPT>> from <ADDR>$
distinct = rcpt
free = 2
[Rule careless]
regex = ^\s*\S+ mx\[\d+\]: no name of <ADDR>$
class = misconfiguration
"""
JAIL = """\
[mx]
enabled = true
filter = mx
logpath = {log}
findtime = 1h
maxretry = {maxretry}
bantime = 1h
port = 25
action = %(banaction)s[port="25"]
banaction = nftables
"""
DAY = 86400
GOOD, STRANGER, CARELESS = "192.0.2.7", "198.51.100.7", "198.51.100.9"


def why(s, who):
    return s.bandog_json("why", who)


def account(s, who):
    accounts = why(s, who)["account"]
    return accounts[0] if accounts else None


def credit(s, who):
    return why(s, who)["credit"]


def wait_sum(s, who, wanted):
    s.wait_for(lambda: account(s, who) and account(s, who)["sum"] == wanted, 10,
               f"a sum of {wanted}", lambda: json.dumps(account(s, who)))
    return account(s, who)


def scenario(s):
    log = s.log("mx.log")
    now = time.time()
    # Two days, read when the daemon begins.
    s.append(log, f"mx[1]: delivered to {GOOD}", now - DAY - 60)
    for _ in range(50):
        s.append(log, f"mx[1]: delivered to {GOOD}", now - 60)
    s.config("filter.d/mx.conf", FILTER)
    s.config("jail.conf", JAIL.format(log=log, maxretry=5))
    daemon = s.bandogd()

    s.step("days count, lines do not")
    s.wait_for(lambda: credit(s, GOOD) and credit(s, GOOD)["days"] == 2, 10, "credit")
    known = credit(s, GOOD)
    s.check(known["suffices"] and 1.9 < known["points"] < 2, json.dumps(known))
    s.equal(known["kinds"][0]["name"], "good")

    s.step("weights, in parts of failures, against a threshold that is his")
    s.append(log, f"mx[1]: refused {GOOD}")
    got = wait_sum(s, GOOD, 0.5)
    s.equal((got["threshold"], got["credit"], got["failures"]), (15, True, 1))
    s.equal((got["why"][0]["name"], got["why"][0]["class"], got["why"][0]["weight"]),
            ("bad", "abuse", 0.5))
    s.append(log, f"mx[1]: refused {STRANGER}")
    s.equal(wait_sum(s, STRANGER, 0.5)["threshold"], 5)
    text = s.bandog("why", GOOD).stdout
    s.check("it has 0.5 of the 15 failures" in text, text)
    s.check("maxretry is 5, three times that for its credit" in text, text)
    s.check("points from 2 days: good" in text, text)
    s.check("bad (abuse, weight 0.5)" in text, text)

    s.step("distinct values, of which two are free")
    for rcpt in ("a", "a", "b", "b", "a", "c", "c"):
        s.append(log, f"mx[1]: unknown <{rcpt}> from {STRANGER}")
    wait_sum(s, STRANGER, 1.5)

    s.step("misconfiguration bans nobody, however often")
    for _ in range(500):
        s.append(log, f"mx[1]: no name of {CARELESS}")
    got = wait_sum(s, CARELESS, 1.25)
    s.equal(got["misconfiguration"], 1.25)
    s.equal(why(s, CARELESS)["bans"], [])

    s.step("kill -9 of the engine and the keeper, then of all: credit is there")
    for role in ("engine", "keeper"):
        os.kill(daemon.role(role), 9)
    s.wait_for(lambda: s.answers() and credit(s, GOOD), 20, "the memory")
    s.equal(credit(s, GOOD)["days"], 2)
    time.sleep(1)  # nothing will be left to read it from but the store
    daemon.kill()
    s.wait_for(lambda: not daemon.processes(), 5, "the end of all roles")
    os.truncate(log, 0)
    daemon = s.bandogd()
    s.check(credit(s, GOOD)["suffices"], json.dumps(credit(s, GOOD)))
    s.equal(account(s, STRANGER)["sum"], 1.5, "what speaks against somebody is, too")
    s.equal(account(s, GOOD)["threshold"], 15)

    s.step("a clean stop and start, and a reload")
    daemon.stop()
    daemon = s.bandogd()
    s.check(credit(s, GOOD)["suffices"], json.dumps(credit(s, GOOD)))
    s.config("jail.conf", JAIL.format(log=log, maxretry=2))
    s.bandog("reload")
    s.equal(account(s, GOOD)["threshold"], 6)

    s.step("what everybody does at once counts against nobody")
    for i in range(12):
        s.append(log, f"mx[1]: no name of 203.0.113.{i + 1}")
    s.wait_for(lambda: why(s, GOOD)["suspended"], 10, "that the rule is suspended")
    s.equal(why(s, GOOD)["suspended"][0]["name"], "careless")
    s.check("rule careless" in s.bandog("why", GOOD).stdout, "nothing in words")
    s.check("rule careless" in s.bandog("status").stdout, s.bandog("status").stdout)

    s.step("a broad attack lowers the threshold for strangers, which status tells")
    for i in range(20):
        s.append(log, f"mx[1]: refused 203.0.113.{100 + i}")
    s.wait_for(lambda: s.bandog_json("status")["jails"][0]["pressure"] == 2, 10, "pressure")
    s.check("a quarter of maxretry bans" in s.bandog("status").stdout,
            s.bandog("status").stdout)
    s.equal(account(s, "203.0.113.100")["threshold"], 1)
    s.equal(account(s, GOOD)["threshold"], 6)
    s.wait_for(lambda: "rule careless" in daemon.output() and
               "does not count now" in daemon.output(), 5, "that it is told")

    s.step("they are neighbours, and have failed as often as would ban four of them")
    s.wait_for(lambda: why(s, "203.0.113.200")["bans"], 10, "the ban of the network")
    got = why(s, "203.0.113.200")["bans"][0]
    s.equal((got["ip"], got["by"], got["failures"]), ("203.0.113.0/24", "group", 8))
    s.check("as a network" in s.bandog("why", "203.0.113.200").stdout, "nothing in words")

    s.step("a strange one is banned by the sum, not by the number")
    s.append(log, f"mx[1]: refused {STRANGER}")
    s.wait_for(lambda: why(s, STRANGER)["bans"], 10, "the ban")
    s.equal(why(s, STRANGER)["bans"][0]["failures"], 2)


harness.main(scenario)
