#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# What others do to our bans in the firewall is noticed and mended within a second.
# asan: yes
import subprocess
import time

import harness
import one_jail

SOON = 1.0
MANY = 400  # more than are asked for one by one
BANS = {"198.51.100.1": "knock-ipv4", "2001:db8:1::1": "knock-ipv6",
        "203.0.113.0/24": "knock-net4-24"}
TOLD = {"table": "changed by somebody else", "elements": "takes bans out of the firewall"}


def said(daemon, what):
    return daemon.output().count(TOLD[what])


def is_there(s, who):
    """Whether the set knows it; networks stand there by their first address."""
    done = s.run(["nft", "get", "element", "inet", "bandog", BANS.get(who, "knock-ipv4"),
                  f"{{ {who.partition('/')[0]} }}"], ns="server", check=False)
    return done.returncode == 0


def mended(s, daemon, what, words):
    before = said(daemon, what)
    s.nft(*words)
    s.wait_for(lambda: all(is_there(s, who) for who in BANS), SOON, "the bans to be back")
    s.equal(said(daemon, what), before + 1, "times it was told")


def tables(s, daemon):
    for text, words in (("the whole rule set is flushed", ["flush", "ruleset"]),
                        ("our table is deleted", ["delete", "table", "inet", "bandog"]),
                        ("our rules are deleted",
                         ["flush", "chain", "inet", "bandog", "prerouting"])):
        s.step(f"{text}: mended within a second, told once")
        mended(s, daemon, "table", words)
        s.wait_for(lambda: s.connect("198.51.100.1", 25, 0.2) == "timeout", SOON, "the drop")


def while_banning(s, daemon, log):
    s.step("our rules are deleted while bans are made: mended all the same")
    for i in range(3):
        s.nft("flush", "chain", "inet", "bandog", "prerouting")
        s.append(log, f"knock[1]: refused 198.51.101.{i + 1}")
        s.wait_for(lambda: s.connect("198.51.100.1", 25, 0.2) == "timeout", SOON, "the drop")
        s.wait_for(lambda i=i: is_there(s, f"198.51.101.{i + 1}"), SOON, "the ban made then")
    s.check(daemon.alive(), "alive")


def elements(s, daemon):
    for who, name in BANS.items():
        s.step(f"{who} is taken out of its set: put back within a second, with its time")
        mended(s, daemon, "elements", ["delete", "element", "inet", "bandog", name,
                                       f"{{ {who.partition('/')[0]} }}"])
    s.step("a set is flushed")
    mended(s, daemon, "elements", ["flush", "set", "inet", "bandog", "knock-ipv4"])
    s.check("expires 9m" in s.run(["nft", "list", "set", "inet", "bandog", "knock-ipv4"],
                                  ns="server").stdout, "the time that was left")


def many(s, daemon, log):
    s.step("a set with many bans is flushed: all of them are told again")
    for i in range(MANY):
        s.append(log, f"knock[1]: refused 198.51.{101 + i // 200}.{1 + i % 200}")
    last = f"198.51.{101 + (MANY - 1) // 200}.{1 + (MANY - 1) % 200}"
    s.wait_for(lambda: is_there(s, last), 5, "the last ban")
    s.nft("flush", "set", "inet", "bandog", "knock-ipv4")
    s.wait_for(lambda: all(is_there(s, who) for who in (*BANS, "198.51.101.1", last)), SOON,
               "the bans to be back")
    s.check(daemon.alive(), "alive")


def what_is_ours(s, daemon):
    s.step("what is unbanned stays so, and what others do to their own tables is theirs")
    before = daemon.output()
    s.bandog("unban", "198.51.100.1")
    s.nft("add", "table", "inet", "theirs")
    s.nft("delete", "table", "inet", "theirs")
    time.sleep(0.5)
    s.check(not is_there(s, "198.51.100.1"), "still unbanned")
    new = daemon.output()[len(before):]
    s.check(not any(text in new for text in TOLD.values()), f"nothing is told: {new}")


def sleeps(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return next(int(x.split()[1]) for x in f if x.startswith("voluntary"))


def idle(s, daemon):
    s.step("while nothing happens the enforcer sleeps")
    pid = daemon.role("enforcer")
    time.sleep(1.5)
    before = sleeps(pid)
    time.sleep(3)
    s.equal(sleeps(pid) - before, 0, "wake-ups in three seconds")


def second_daemon(s):
    s.step("a second bandogd in the same network is refused in words, a dry run is not")
    words = [s.program("bandogd"), "--foreground", "--config-dir", s.config_dir,
             "--state-dir", f"{s.dir}/other-state", "--run-dir", f"{s.dir}/other-run"]
    done = s.run(words, ns="server", check=False)
    s.equal(done.returncode, 2)
    s.check("another bandogd guards this network" in done.stderr, done.stderr)
    child = s.start([*words, "--dry-run"], ns="server", output=subprocess.DEVNULL)
    time.sleep(0.7)
    s.check(child.poll() is None, "the dry run runs")
    child.terminate()
    child.wait(5)


def scenario(s):
    log = s.log("knock.log")
    one_jail.configure(s, log, tag="<SUBNET>")
    daemon = s.bandogd()
    s.listen(25)
    for who in BANS:
        one_jail.fail(s, log, who)
    s.wait_for(lambda: all(is_there(s, who) for who in BANS), 5, "the bans")
    elements(s, daemon)
    tables(s, daemon)
    while_banning(s, daemon, log)
    idle(s, daemon)
    second_daemon(s)
    many(s, daemon, log)
    what_is_ours(s, daemon)
    s.step("the daemon is as before")
    one_jail.fail(s, log, "198.51.100.9")
    s.wait_for(lambda: is_there(s, "198.51.100.9"), 5, "one more ban")


harness.main(scenario)
