#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# kill -9 of every role, while lines are being written: no line is lost or counted twice.
# asan: yes
import json
import os
import random
import sqlite3
import threading
import time

import harness
import one_jail

GUILTY, CAREFUL = 120, 120  # addresses with exactly three failures, and with exactly two
LINES_A_SECOND = 150
ROLES = ["reader", "engine", "enforcer", "keeper", "front"]
BY_HAND = "203.0.113.200"


def addresses(random_):
    """(those to be banned, the lines to write): losing or doubling one line shows."""
    guilty = [f"198.51.100.{i}" if i % 2 else f"2001:db8:1000::{i:x}" for i in range(1, GUILTY + 1)]
    careful = [f"203.0.113.{i}" if i % 2 else f"2001:db8:1001::{i:x}" for i in range(1, CAREFUL + 1)]
    lines = guilty * 3 + careful * 2
    random_.shuffle(lines)
    return set(guilty), lines


def banned(s):
    return {ban["ip"] for ban in s.bandog_json("banned")["bans"]}


def in_kernel(s):
    return set(s.nft_set("knock-ipv4")) | set(s.nft_set("knock-ipv6"))


class Writer(threading.Thread):
    def __init__(self, s, log, lines):
        super().__init__(daemon=True)
        self.s, self.log, self.lines = s, log, lines
        self.start()

    def run(self):
        for source in self.lines:
            self.s.append(self.log, f"knock[1]: refused {source}")
            time.sleep(1 / LINES_A_SECOND)


def kill_again_and_again(s, daemon, writer, random_):
    """One role after another, each several times, as long as lines are written."""
    kills = 0
    while writer.is_alive():
        role = ROLES[kills % len(ROLES)]
        pid = daemon.role(role)
        if pid:
            os.kill(pid, 9)
            kills += 1
        time.sleep(random_.uniform(0.02, 0.25))
    return kills


def answers(s):
    return s.bandog("ping", check=False).returncode == 0


def compare(s, guilty, what):
    s.wait_for(lambda: answers(s) and guilty <= banned(s), 40, f"all bans, {what}")
    s.equal(banned(s) - {BY_HAND}, guilty, f"who is banned, {what}")
    s.wait_for(lambda: in_kernel(s) - {BY_HAND} == guilty, 10, f"the same in the kernel, {what}")


def ban_times(s, log):
    """What a replay of the whole log decides: address -> (time, end)."""
    out = s.bandog("scan", "--json", log).stdout.splitlines()
    orders = [json.loads(line) for line in out]
    return {o["ip"]: (o["at"], o["until"]) for o in orders if o.get("do") == "ban"}


def scenario(s):
    random_ = random.Random(21)
    guilty, lines = addresses(random_)
    log = s.log("knock.log")
    one_jail.configure(s, log, maxretry=3)
    daemon = s.bandogd()

    s.step("each role is killed over and over while lines are written")
    half = len(lines) // 2
    writer = Writer(s, log, lines[:half])
    kills = kill_again_and_again(s, daemon, writer, random_)
    writer.join()
    s.check(kills >= 10, f"only {kills} kills")

    s.step("a ban by hand that was acknowledged is never lost")
    s.wait_for(lambda: s.bandog("ban", "knock", BY_HAND, check=False).returncode == 0, 30,
               "the ban by hand")
    os.kill(daemon.role("engine"), 9)
    os.kill(daemon.role("keeper"), 9)
    s.wait_for(lambda: answers(s) and BY_HAND in banned(s), 30, "the ban by hand again")

    s.step("the supervisor is killed: its children go within a second, the drops stay")
    kept = in_kernel(s)
    s.check(kept, "nothing was banned yet")
    daemon.kill()
    s.wait_for(lambda: not daemon.processes(), 2, "the end of all roles")
    s.equal(in_kernel(s), kept, "the kernel's set without any process")
    for source in lines[half:half + 100]:
        one_jail.fail(s, log, source)

    s.step("a new start goes on where the old one was, and is killed too")
    daemon = s.bandogd()
    writer = Writer(s, log, lines[half + 100:])
    kill_again_and_again(s, daemon, writer, random_)
    writer.join()
    compare(s, guilty, "after all kills")

    s.step("the same as a replay of the whole log, with the time that is left")
    replayed = ban_times(s, log)
    s.equal(set(replayed), guilty, "the replay")
    now = time.time()
    for ban in s.bandog_json("banned")["bans"]:
        if ban["ip"] != BY_HAND:
            s.equal((ban["at"], ban["until"]), replayed[ban["ip"]], ban["ip"])
    elements = {**s.nft_set("knock-ipv4"), **s.nft_set("knock-ipv6")}
    for source, (_, until) in replayed.items():
        left = elements[source]["expires"]
        s.check(abs(left - (until - now)) < 3, f"{source}: {left} s left, until {until - now}")

    s.step("history has each ban once")
    daemon.stop()
    rows = sqlite3.connect(os.path.join(s.state_dir, "bandog.db")).execute(
        "SELECT net, count(*) FROM history GROUP BY jail, net HAVING count(*) > 1").fetchall()
    s.equal(rows, [], "bans that stand in the history twice")


harness.main(scenario)
