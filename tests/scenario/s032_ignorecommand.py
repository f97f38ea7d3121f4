#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# ignorecommand and ignorecache: asked once for each address, hostile names change nothing.
# asan: yes
import os
import re
import time

import harness

FILTER = r"""[Definition]
failregex = ^\s*\S+ door\[\d+\]: refused <F-USER>.*</F-USER> from <HOST>$
"""
JAIL = """\
[DEFAULT]
enabled = true
filter = door
maxretry = 2
bantime = 600
port = 25
[asks]
logpath = {0}/asks.log
ignoreip = 198.51.100.99
ignorecommand = {0}/ask <ip> <F-USER>
ignorecache = key="<ip>", max-count=10, max-time=5m
[slow]
logpath = {0}/slow.log
ignorecommand = sleep 1; exit 1
[other]
logpath = {0}/slow.log
[late]
logpath = {0}/late.log
ignorecommand = {0}/late <ip>
"""
ASK = """#!/bin/sh
printf '%s|' "$#" "$@" >> {0}/asked; echo >> {0}/asked
case $1 in 198.51.100.1|2001:db8:1000::1) exit 0;; esac
exit 1
"""
# Not ignored at once, ignored after 2 s, not ignored after 4 s.
LATE = """#!/bin/sh
echo $1 >> {0}/late-asked
case $1 in 198.51.100.77) sleep 2; exit 0;; 198.51.100.78) sleep 4;; esac
exit 1
"""


def read(path):
    try:
        with open(path, encoding="utf-8") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def refused(s, name, user, ip):
    s.append(os.path.join(s.dir, f"{name}.log"), f"door[1]: refused {user} from {ip}")


def banned(s, jail, family=4):
    return set(s.nft_set(f"{jail}-ipv{family}"))


def old_answers(s, daemon):
    s.step("an answer to an engine that died is no answer to the next one")

    def asks(ip):
        refused(s, "late", "u", ip)
        s.wait_for(lambda: ip in read(s.dir + "/late-asked"), 5, "the question")

    asks("198.51.100.76")
    time.sleep(0.3)  # answered, and the line is behind us
    asks("198.51.100.77")
    old = daemon.role("engine")
    os.kill(old, 9)
    s.wait_for(lambda: daemon.role("engine") not in (None, old), 5, "a new engine")
    asks("198.51.100.78")
    refused(s, "late", "u", "198.51.100.78")
    s.wait_for(lambda: "198.51.100.78" in banned(s, "late"), 10, "the ban")


def scenario(s):
    s.config("filter.d/door.conf", FILTER)
    s.config("jail.local", JAIL.format(s.dir))
    for name, text in (("ask", ASK), ("late", LATE)):
        with open(os.path.join(s.dir, name), "w", encoding="ascii") as f:
            f.write(text.format(s.dir))
        os.chmod(os.path.join(s.dir, name), 0o755)
    for name in ("asks", "slow", "late"):
        s.log(name + ".log")
    daemon = s.bandogd()
    old_answers(s, daemon)
    s.step("who is ignored is not banned; the cache saves questions")
    hostile = f"$(touch {s.dir}/no) ' \" a  b"
    # What a program that nobody knows gets of it is one word.
    word = re.sub("(?:(?<![A-Za-z0-9])[.@-]|[.@-](?![A-Za-z0-9])|[^A-Za-z0-9.@-])+", "_", hostile)
    for ip in ("198.51.100.1", "198.51.100.2", "2001:db8:1000::1", "2001:db8:1000::2",
               "198.51.100.99"):
        for _ in range(2):
            refused(s, "asks", hostile, ip)
            s.wait_for(lambda ip=ip: ip in read(s.dir + "/asked") or ip.endswith(".99"), 5, "asked")
    s.wait_for(lambda: banned(s, "asks") == {"198.51.100.2"}, 5, "the ban")
    s.wait_for(lambda: banned(s, "asks", 6) == {"2001:db8:1000::2"}, 5, "the IPv6 ban")
    lines = read(s.dir + "/asked").splitlines()
    s.equal(sorted(lines), sorted(f"2|{ip}|{word}|" for ip in (
        "198.51.100.1", "198.51.100.2", "2001:db8:1000::1", "2001:db8:1000::2")))
    s.check(not os.path.exists(s.dir + "/no"), "nothing was run")
    s.step("a slow command delays no other jail; failures of one address share a question")
    for _ in range(2):
        refused(s, "slow", "u", "198.51.100.3")
    s.wait_for(lambda: banned(s, "other") == {"198.51.100.3"}, 0.9, "the other jail's ban")
    s.equal(banned(s, "slow"), set())
    s.wait_for(lambda: banned(s, "slow") == {"198.51.100.3"}, 5, "the ban after the answer")
    s.step("after a reload, and after the runner was killed, it goes on")
    daemon.reload()
    s.wait_for(lambda: "reloaded" in daemon.output(), 5, "the reload")
    for _ in range(2):
        refused(s, "asks", "u", "198.51.100.4")
    s.wait_for(lambda: "198.51.100.4" in banned(s, "asks"), 5, "a ban after the reload")
    old = daemon.role("runner")
    os.kill(old, 9)
    s.wait_for(lambda: daemon.role("runner") not in (None, old), 5, "a new runner")
    for _ in range(2):
        refused(s, "asks", "u", "198.51.100.1")
        refused(s, "asks", "u", "198.51.100.5")
    s.wait_for(lambda: "198.51.100.5" in banned(s, "asks"), 10, "a ban after the kill")
    s.check("198.51.100.1" not in banned(s, "asks"), "who is ignored stays so")
    s.check("may not" not in daemon.output(), "nobody was disconnected")
    daemon.stop()


harness.main(scenario)
