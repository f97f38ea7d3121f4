#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# All bans of a jail, or of all jails, lifted at once: in the kernel, in the store, after a restart.
import os
import signal
import time

from clients import is_shut_out
import harness

N = 3000  # beyond what is lifted one by one
JAILS = """[DEFAULT]
enabled = true
bantime = 1h
[mail]
port = 25
[web]
port = 80
"""
WATCHED = "198.51.100.7"


def addresses(second):
    return [f"198.18.{second + i // 250}.{i % 250 + 1}" for i in range(N)]


def n_elements(s, jail):
    return sum(len(s.nft_set(f"{jail}-ipv{v}")) for v in (4, 6))


def dies_before_it_hears(s, daemon, *words):
    """The enforcer, of bans that are lifted just then."""
    pid = daemon.role("enforcer")
    os.kill(pid, signal.SIGSTOP)
    s.start([s.program("bandog"), "unban", *s.folders(), *words])
    s.wait_for(lambda: s.bandog_json("banned")["total"] == 1, 5, "the engine to lift them")
    os.kill(pid, signal.SIGKILL)
    s.wait_for(lambda: daemon.role("enforcer") not in (None, pid), 10, "another enforcer")
    s.wait_for(lambda: (n_elements(s, "mail"), n_elements(s, "web")) == (0, 1), 5,
               f"the kernel to forget: {n_elements(s, 'mail')}, {n_elements(s, 'web')}")


def meanwhile_others_meddle(s, daemon):
    """Somebody takes our table away, and bans are lifted before the enforcer has looked."""
    pid = daemon.role("enforcer")
    time.sleep(0.2)  # it does not listen for a while after many bans
    os.kill(pid, signal.SIGSTOP)
    s.nft("delete", "table", "inet", "bandog")
    s.start([s.program("bandog"), "unban", *s.folders(), "--all", "--jail", "mail"])
    s.wait_for(lambda: s.bandog_json("banned")["total"] == 1, 5, "the engine to lift them")
    os.kill(pid, signal.SIGCONT)
    s.wait_for(lambda: (n_elements(s, "mail"), n_elements(s, "web")) == (0, 1), 5,
               "the other jail's bans to be back")


def scenario(s):
    s.config("jail.conf", JAILS)
    s.listen(25)
    daemon = s.bandogd()
    s.step(f"{N} bans in each of two jails")
    for jail, second in (("mail", 0), ("web", 20)):
        words = addresses(second)
        for i in range(0, N, 500):
            s.bandog("ban", jail, *words[i:i + 500])
    s.bandog("ban", "mail", WATCHED, "2001:db8:1000::7", "198.19.0.0/20")
    s.equal((n_elements(s, "mail"), n_elements(s, "web")), (N + 2, N))
    s.check(is_shut_out(s, WATCHED), "it is not banned")

    s.step("those of one are lifted; the other's stay")
    s.check(f"{N + 3} unbanned" in s.bandog("unban", "--all", "--jail", "mail").stdout, "count")
    s.equal((n_elements(s, "mail"), n_elements(s, "web")), (0, N))
    s.equal(s.connect(WATCHED, 25), "ok")
    s.bandog("ban", "mail", WATCHED)
    s.check(is_shut_out(s, WATCHED), "it cannot be banned again")
    s.check("earlier: " in s.bandog("why", WATCHED).stdout, "its earlier ban has no end")

    s.step("a restart brings back what was not lifted")
    daemon.stop()
    daemon = s.bandogd()
    s.wait_for(lambda: (n_elements(s, "mail"), n_elements(s, "web")) == (1, N), 5, "all bans")

    s.step("the enforcer is killed before it hears of it")
    s.bandog("unban", "--all")
    s.bandog("ban", "web", "203.0.113.9")
    s.bandog("ban", "mail", WATCHED)
    dies_before_it_hears(s, daemon, WATCHED)
    for i in range(0, N, 500):
        s.bandog("ban", "mail", *addresses(0)[i:i + 500])
    dies_before_it_hears(s, daemon, "--all", "--jail", "mail")
    s.step("others change the firewall before it hears of it")
    for i in range(0, N, 500):
        s.bandog("ban", "mail", *addresses(0)[i:i + 500])
    meanwhile_others_meddle(s, daemon)

    s.step("all of them; a restart brings back nothing")
    s.bandog("ban", "mail", WATCHED)
    for second in (20, 40):
        for i in range(0, N, 500):
            s.bandog("ban", "web", *addresses(second)[i:i + 500])
    s.check(f"{2 * N + 2} unbanned" in s.bandog("unban", "--all").stdout, "count")
    s.equal((n_elements(s, "mail"), n_elements(s, "web")), (0, 0))
    s.equal(s.connect(WATCHED, 25), "ok")
    daemon.kill()
    daemon = s.bandogd()
    s.equal(s.bandog_json("banned")["total"], 0)
    s.equal((n_elements(s, "mail"), n_elements(s, "web")), (0, 0))
    daemon.stop()


harness.main(scenario)
