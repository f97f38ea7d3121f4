#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# What a filter names and is no address (<F-ID>): counted, given to commands, kept, freed.
# asan: yes
import json
import os

import harness

# Each argument of actionban on its own, and whether the shell ran anything of it.
TELL = """\
[Definition]
actionban = printf '%%s|' ban <fid> "<ip>" '<F-ID>' "<family>" "<ip-rev>" <failures> <restored> >> {0}/told; echo >> {0}/told
actionunban = printf '%%s|' unban <fid> "<ip>" >> {0}/told; echo >> {0}/told
"""
LOCK = """\
[Definition]
actionban = {0}/lock on <fid>
actionunban = {0}/lock off <fid>
"""
# Asks for what is known of older bans, so a ban waits for the keeper.
PAST = """\
[Definition]
actionban = echo "past <ipfailures>" >> {0}/past
actionunban = echo "no past" >> {0}/past
"""
PROGRAM = """#!/bin/sh
printf '%s|' "$#" "$@" >> {0}/locked; echo >> {0}/locked
"""
JAIL = """\
[DEFAULT]
enabled = true
maxretry = 2
bantime = 600
port = 25
filter =
failregex = refused "<F-ID>[^"]*</F-ID>"
[tell]
logpath = {0}/tell.log
action = tell
[lock]
logpath = {0}/lock.log
action = lock
         nftables
[both]
logpath = {0}/both.log
failregex = refused "<F-ID>[^"]*</F-ID>" from <ADDR>
action = tell[actname=both]
         past
[wall]
logpath = {0}/wall.log
action = nftables
"""
HOSTILE = "x $(touch {0}/no1)`touch {0}/no2`;'touch {0}/no3'|& * a  b"
SEEN = "|{id}|{id}|{id}|"


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def refused(s, jail, who, times=2):
    for _ in range(times):
        s.append(os.path.join(s.dir, jail + ".log"), f"door[1]: refused {who}")


def client(s, *words, check=True):
    return s.run(["fail2ban-client", "-c", s.config_dir, "-s", s.run_dir + "/fail2ban.sock",
                  *words], check=check)


def ids(s, jail):
    return sorted(b["ip"] for b in s.bandog_json("banned", "--jail", jail)["bans"])


def scenario(s):
    hostile = HOSTILE.format(s.dir)
    s.config("action.d/tell.conf", TELL.format(s.dir))
    s.config("action.d/past.conf", PAST.format(s.dir))
    s.config("action.d/lock.conf", LOCK.format(s.dir))
    s.config("fail2ban.conf", "[Definition]\nloglevel = INFO\nlogtarget = STDERR\n"
             f"syslogsocket = auto\ndbfile = {s.dir}/peer.db\ndbpurgeage = 1d\ndbmaxmatches = 10\n"
             f"socket = {s.run_dir}/fail2ban.sock\npidfile = {s.dir}/f2b.pid\n")
    s.config("jail.local", JAIL.format(s.dir))
    with open(s.dir + "/lock", "w", encoding="ascii") as f:
        f.write(PROGRAM.format(s.dir))
    os.chmod(s.dir + "/lock", 0o755)
    for name in ("tell", "lock", "both", "wall"):
        s.log(name + ".log")
    daemon = s.bandogd()
    told = s.dir + "/told"

    s.step("each id counts by itself, and the command gets it as one argument")
    refused(s, "tell", f'"{hostile}"', 1)
    refused(s, "tell", '"bob"', 1)
    refused(s, "tell", f'"{hostile}"', 1)
    s.wait_for(lambda: "ban|" in read(told), 5, "the ban")
    s.equal(read(told), f"ban{SEEN.format(id=hostile)}||2|0|\n")
    s.equal(ids(s, "tell"), [hostile])
    s.check(not [n for n in os.listdir(s.dir) if n.startswith("no")], "nothing was run")

    s.step("a program that nobody knows gets one word; what looks like an address is none")
    refused(s, "lock", '"300.1.1.1"')
    refused(s, "lock", f'"{hostile}"')
    refused(s, "lock", '"alice"')
    s.wait_for(lambda: "alice" in read(s.dir + "/locked"), 5, "the ban")
    lines = [line.split("|") for line in read(s.dir + "/locked").splitlines()]
    s.equal([(n, on) for n, on, *_ in lines], [("2", "on")] * 2)
    s.equal(lines[1][2], "alice")
    s.equal(ids(s, "lock"), sorted([hostile, "alice"]))

    s.step("an address beside the id is <ip>; the id counts")
    refused(s, "both", '"s1" from 198.51.100.1', 1)
    refused(s, "both", '"s2" from 198.51.100.1', 1)
    refused(s, "both", '"s1" from 2001:db8:1000::1', 1)
    s.wait_for(lambda: "s1" in read(told), 5, "the ban")
    s.check("ban|s1|2001:db8:1000::1|s1|inet6|" in read(told), read(told))

    s.step("a firewall has no use for an id, and that is told once")
    refused(s, "wall", '"x"', 4)
    s.wait_for(lambda: "banning such needs an action" in daemon.output(), 5, "the warning")
    s.equal(daemon.output().count("banning such needs an action"), 1)
    s.equal(ids(s, "wall"), [])
    s.equal(list(s.nft_set("lock-ipv4")), [])

    s.step("by hand: for a jail that can; a mistyped address stays a mistake")
    s.equal(s.bandog("ban", "tell", "carol x").returncode, 0)
    for words in (["ban", "wall", "carol"], ["ban", "tell", "300.1.1.1"], ["ban", "tell", "1.2.3"],
                  ["unban", "carol x"], ["banned", "carol x"], ["why", "carol x"]):
        done = s.bandog(*words, check=False)
        s.equal(done.returncode, 2, " ".join(words))
        s.check("is no address or network" in done.stderr, done.stderr)
    s.wait_for(lambda: "ban|carol x|" in read(told), 5, "the command")
    why = s.bandog_json("why", "--jail", "tell", hostile)
    s.equal(sorted(b["jail"] for b in why["bans"]), ["lock", "tell"])
    s.check(json.dumps(hostile)[1:8] in s.bandog("why", "--jail", "tell", hostile).stdout, "quoted")
    s.equal(client(s, "set", "tell", "banip", "dave").stdout.strip(), "1")
    s.check("dave" in client(s, "get", "tell", "banip").stdout, "get JAIL banip")
    s.check("dave" in client(s, "status", "tell").stdout, "status JAIL")
    s.check("dave" in client(s, "banned").stdout, "banned")
    s.equal(client(s, "get", "tell", "banned", "dave").stdout.strip(), "1")
    s.check(client(s, "set", "wall", "banip", "dave", check=False).returncode != 0, "refused")

    s.step("after kill -9 of everything, and a clean restart, the texts are back")
    before = {jail: ids(s, jail) for jail in ("tell", "lock", "both")}
    s.equal(before["tell"], sorted([hostile, "carol x", "dave"]))
    for end in (daemon.kill, lambda: daemon.stop()):
        end()
        os.rename(told, told + ".old")
        daemon = s.bandogd()
        s.equal({jail: ids(s, jail) for jail in before}, before)
        s.wait_for(lambda: read(told).count("\n") >= 4, 10, "the commands again")
        s.check(f"ban{SEEN.format(id=hostile)}" in read(told), read(told))
        s.check("ban|s1|2001:db8:1000::1|s1|inet6|" in read(told), read(told))
        s.check("dave" in client(s, "get", "tell", "banip").stdout, "get JAIL banip")

    s.step("told again to the runner, an id is not lifted meanwhile")
    s.check("past 2" in read(s.dir + "/past"), read(s.dir + "/past"))
    os.remove(s.dir + "/past")
    old = daemon.role("engine")
    os.kill(old, 9)
    s.wait_for(lambda: daemon.role("engine") not in (None, old), 10, "a new engine")
    s.wait_for(lambda: s.answers() and ids(s, "both") == ["s1"], 10, "its memory")
    refused(s, "both", '"s3" from 198.51.100.3')
    s.wait_for(lambda: "past 2" in read(s.dir + "/past"), 10, "the next ban")
    s.check("no past" not in read(s.dir + "/past"), read(s.dir + "/past"))
    s.check("unban|s1" not in read(told), read(told))

    s.step("unban by fail2ban's client: the same text and address")
    s.equal(client(s, "set", "tell", "unbanip", "dave").stdout.strip(), "1")
    s.equal(client(s, "set", "tell", "unbanip", hostile).stdout.strip(), "1")
    s.equal(client(s, "unban", "s1").stdout.strip(), "1")
    s.equal(s.bandog("unban", "--jail", "lock", "alice").returncode, 0)
    s.wait_for(lambda: f"unban|{hostile}|{hostile}|" in read(told), 5, "the command")
    s.wait_for(lambda: "unban|s1|2001:db8:1000::1|" in read(told), 5, "the command")
    s.wait_for(lambda: "2|off|alice|" in read(s.dir + "/locked"), 5, "the program")
    s.equal(ids(s, "tell"), ["carol x"])
    s.check("may not" not in daemon.output(), "nobody was disconnected")
    s.check(not [n for n in os.listdir(s.dir) if n.startswith("no")], "nothing was run")
    daemon.stop()


harness.main(scenario)
