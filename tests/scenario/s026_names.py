#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Clients that a log names instead of giving their address: usedns, with a real name server.
# asan: yes
import os
import socket
import struct
import threading

import harness

ANSWERS = {
    "one.example.test": (["198.51.100.11"], []),
    "both.example.test": (["198.51.100.12"], ["2001:db8:1000::12"]),
    "own.example.test": (["192.0.2.1"], []),
}
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


def answer(query):
    """The reply of RFC 1035 to one question for A (1) or AAAA (28)."""
    labels, at = [], 12
    while query[at]:
        labels.append(query[at + 1:at + 1 + query[at]].decode())
        at += 1 + query[at]
    kind = struct.unpack("!H", query[at + 1:at + 3])[0]
    v4, v6 = ANSWERS.get(".".join(labels).lower(), ([], []))
    found = [socket.inet_aton(a) for a in v4] if kind == 1 else \
        [socket.inet_pton(socket.AF_INET6, a) for a in v6] if kind == 28 else []
    head = query[:2] + struct.pack("!HHHHH", 0x8180, 1, len(found), 0, 0)
    body = b"".join(b"\xc0\x0c" + struct.pack("!HHIH", kind, 1, 60, len(a)) + a for a in found)
    return head + query[12:at + 5] + body


class NameServer:
    """Answers on the loopback of the server's namespace; counts what it is asked."""

    def __init__(self, s):
        with s.namespaces.inside("server"):
            self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
            self.socket.bind(("127.0.0.1", 53))
        self.asked = 0
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            query, peer = self.socket.recvfrom(512)
            self.asked += 1
            self.socket.sendto(answer(query), peer)


def scenario(s):
    log = s.log("knock.log")
    resolv = os.path.join(s.dir, "resolv.conf")
    with open(resolv, "w", encoding="ascii") as f:
        f.write("nameserver 127.0.0.1\n")
    os.chmod(resolv, 0o644)
    server = NameServer(s)
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
