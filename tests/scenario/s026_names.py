#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Clients that a log names instead of giving their address: usedns, with a real name server.
# asan: yes
import os

import harness
import nameserver

nameserver.ANSWERS.update({
    "one.example.test": (["198.51.100.11"], []),
    "both.example.test": (["198.51.100.12"], ["2001:db8:1000::12"]),
    "own.example.test": (["192.0.2.1"], []),
})
FILTER = r"""[Definition]
failregex = ^\s*\S+ knock\[\d+\]: refused <HOST>$
"""
JAIL = """\
[DEFAULT]
enabled = true
filter = knock
maxretry = 2
bantime = 600
[asks]
logpath = {0}
usedns = warn
port = 25
[does-not]
logpath = {0}
usedns = no
port = 587
"""


def scenario(s):
    log = s.log("knock.log")
    resolv = os.path.join(s.dir, "resolv.conf")
    with open(resolv, "w", encoding="ascii") as f:
        f.write("nameserver 127.0.0.1\n")
    os.chmod(resolv, 0o644)
    server = nameserver.NameServer(s)
    s.config("filter.d/knock.conf", FILTER)
    s.config("jail.conf", JAIL.format(log))
    daemon = s.bandogd(mounts={"/etc/resolv.conf": resolv})

    s.step("all addresses of a name are banned, in both families")
    for name in ("one.example.test", "both.example.test", "gone.example.test"):
        for _ in range(2):
            s.append(log, f"knock[1]: refused {name}")
    s.wait_for(lambda: len(s.nft_set("asks-ipv4")) == 2, 10, "the bans")
    s.equal(sorted(s.nft_set("asks-ipv4")), ["198.51.100.11", "198.51.100.12"])
    s.equal(sorted(s.nft_set("asks-ipv6")), ["2001:db8:1000::12"])
    s.equal(s.nft_set("does-not-ipv4"), {})
    s.check("DNS" in daemon.output(), "usedns = warn warns")

    s.step("an answer is remembered, an own address is ignored")
    asked = server.asked
    for _ in range(2):
        s.append(log, "knock[1]: refused own.example.test")
    s.wait_for(lambda: s.bandog_json("status", "asks")["jail"]["ignored_total"] == 2, 10,
               "the own address")
    s.check(server.asked <= asked + 2, "each line was asked for")

    s.step("a resolver that is killed comes back")
    os.kill(daemon.role("resolver"), 9)
    s.wait_for(lambda: daemon.role("resolver"), 10, "the resolver")
    s.bandog("unban", "--all")
    # Names that nobody could look up meanwhile are counted as lines without an address.
    def knock_again():
        for _ in range(2):
            s.append(log, "knock[1]: refused one.example.test")
        return "198.51.100.11" in s.nft_set("asks-ipv4")
    s.wait_for(knock_again, 10, "the ban after that")


harness.main(scenario)
