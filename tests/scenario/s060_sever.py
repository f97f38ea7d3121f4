#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# A ban ends what the address has open on the jail's ports: the server's places are free at once.
# asan: yes
import contextlib
import os
import resource
import socket
import time

from clients import UNKNOWN, SAYINGS, deliver, is_shut_out
import harness
from network import is_open

JAILS = r"""[DEFAULT]
bantime = 1h
maxretry = 3
filter = mail
logpath = {nothing}
[mail]
enabled = true
logpath = {log}
port = 25,465
[hand]
enabled = true
port = 2525
[all]
enabled = true
[kept]
enabled = true
port = 2525
sever = no
"""
FILTER = r"""[Definition]
failregex = reject: RCPT from \S+\[<HOST>\]: 550 5.1.1
"""
PLACES = 10
SOON_MS = 1000  # else it is the timeout of a server: minutes
MANY = 1500  # more than are cut in one go; each is two descriptors here
ATTACKERS = ["198.51.100.7", "2001:db8:1000::7"]
HONEST = ["203.0.113.9", "2001:db8:1000::9"]


def all_cut(socks):
    return not any(is_open(sock) for sock in socks)


def greeting(sock):
    sock.settimeout(10)
    got = sock.recv(512)
    harness.Scenario.check(got.startswith(b"220 "), f"no greeting: {got!r}")
    return sock


def hold(s, source, n, port):
    return [s.open(source, port, 5) for _ in range(n)]


def three_failures(sock):
    """In one go, so that the last is no slower than the answer to the first."""
    helo, recipient = SAYINGS[UNKNOWN]
    sock.sendall(f"EHLO {helo}\r\nMAIL FROM:<bob@remote.test>\r\n".encode()
                 + f"RCPT TO:<{recipient}>\r\n".encode() * 3)


def severed(daemon, jail, source):
    """How many its log says were cut."""
    return sum(int(line.rsplit("=", 1)[1]) for line in daemon.output().splitlines()
               if f"{jail}: severed addr={source} " in line)


def says(s, daemon, source, n):
    s.wait_for(lambda: severed(daemon, "mail", source) == n, 3,
               f"the log to say that {n} connections of {source} were cut")


def places(s, daemon, attacker, honest):
    s.step(f"{attacker} holds all places of Postfix; {honest} waits")
    taken = [greeting(sock) for sock in hold(s, attacker, PLACES, 25)]
    elsewhere = hold(s, attacker, 1, 2525) + hold(s, honest, 1, 2525)
    waiting = s.open(honest, 25, 5)
    waiting.settimeout(0.5)
    with contextlib.suppress(TimeoutError):
        s.check(not waiting.recv(1), "a place was left")
    s.step("banned: its places are free at once, and only these")
    before = time.monotonic()
    three_failures(taken[0])
    greeting(waiting)
    took_ms = (time.monotonic() - before) * 1000
    s.step(f"from the failures to the greeting of who waited: {took_ms:.1f} ms")
    s.check(took_ms < SOON_MS, f"that is more than {SOON_MS} ms")
    s.wait_for(lambda: all_cut(taken), 1, "all connections to be cut")
    says(s, daemon, attacker, PLACES)
    s.check(is_shut_out(s, attacker), "it can come again")
    s.check(all(map(is_open, elsewhere)), "connections to another port were cut")
    s.check(is_open(waiting), "the connection of another address was cut")
    waiting.close()
    deliver(s, honest)


def by_hand(s, daemon):
    s.step("networks; and what the kernel has on an IPv6 socket that carries IPv4")
    with s.namespaces.inside("server"):
        both = socket.create_server(("::", 465), family=socket.AF_INET6, backlog=64,
                                    dualstack_ipv6=True)
    inside = [hold(s, source, 3, 465) for source in ("198.18.1.1", "2001:db8:1001:2::3")]
    beside = hold(s, "198.19.1.1", 1, 465) + hold(s, "2001:db8:1002::3", 1, 465)
    s.bandog("ban", "mail", "198.18.0.0/16", "2001:db8:1001::/48")
    for socks in inside:  # still in the listener's queue: nobody has accepted them
        s.wait_for(lambda x=socks: all_cut(x), 1, "the network's connections to be cut")
    s.check(all(map(is_open, beside)), "connections from beside it were cut")
    says(s, daemon, "198.18.0.0/16", 3)
    says(s, daemon, "2001:db8:1001::/48", 3)
    both.close()

    s.step("all ports where the jail closes all; none where it has sever = no")
    socks = hold(s, "198.51.100.20", 1, 2525) + hold(s, "198.51.100.20", 1, 2526)
    s.bandog("ban", "all", "198.51.100.20")
    s.wait_for(lambda: all_cut(socks), 1, "both to be cut")
    socks = hold(s, "198.51.100.21", 1, 2525)
    s.bandog("ban", "kept", "198.51.100.21")
    s.wait_for(lambda: is_shut_out(s, "198.51.100.21", 2525), 2, "the ban")
    s.check(is_open(socks[0]), "it was cut all the same")

    s.step(f"{MANY} connections of one address")
    socks = hold(s, "198.51.100.22", MANY, 2525)
    others = hold(s, "198.51.100.23", 10, 2525)
    s.bandog("ban", "hand", "198.51.100.22")
    s.wait_for(lambda: all_cut(socks), 5, "all to be cut")
    s.wait_for(lambda: severed(daemon, "hand", "198.51.100.22") == MANY, 1, "the count")
    s.check(all(map(is_open, others)), "connections of another address were cut")


def tracked(s):
    """Of the end the server tells the peer, and so connection tracking."""
    if not os.path.exists("/proc/net/nf_conntrack"):
        return
    s.step("what connection tracking knew of it is closed, too")
    s.nft("add table inet firewall; add chain inet firewall in { type filter hook input"
          " priority 0; }; add rule inet firewall in ct state established accept")
    sock = hold(s, "198.51.100.24", 1, 2525)[0]
    s.bandog("ban", "hand", "198.51.100.24")
    s.wait_for(lambda: not is_open(sock), 1, "the cut")
    lines = [x for x in s.run(["cat", "/proc/net/nf_conntrack"]).stdout.splitlines()
             if " src=198.51.100.24 " in x]
    s.check(len(lines) == 1 and " CLOSE " in lines[0], f"tracked: {lines}")
    s.nft("delete table inet firewall")


def counted(s, daemon):
    s.step("status counts them, also after a reload")
    n_hand = severed(daemon, "hand", "198.51.100.22") + severed(daemon, "hand", "198.51.100.24")
    wanted = {"mail": 2 * PLACES + 6, "hand": n_hand, "all": 2, "kept": 0}

    def counts():
        return {jail: s.bandog_json("status", jail)["jail"]["severed_total"]
                for jail in wanted}

    s.equal(counts(), wanted)
    s.check(f"{n_hand} connections ended" in s.bandog("status", "hand").stdout, "not shown")
    daemon.reload()
    s.wait_for(lambda: "reloaded: " in daemon.output(), 5, "the reload")
    s.equal(counts(), wanted)


def dry(s):
    s.step("a dry run cuts nothing")
    s.config("bandog.conf", "[Definition]\ndryrun = yes\n")
    daemon = s.bandogd()
    sock = hold(s, "198.51.100.30", 1, 2525)[0]
    s.bandog("ban", "hand", "198.51.100.30", check=False)  # 1: nothing is dropped
    time.sleep(0.3)
    s.check(is_open(sock), "it was cut")
    daemon.stop()


def scenario(s):
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    postfix = s.postfix(f"default_process_limit = {PLACES}", "smtpd_timeout = 300s",
                        "smtpd_hard_error_limit = 20")
    s.config("jail.conf", JAILS.format(log=postfix.log, nothing=s.log("nothing.log")))
    s.config("filter.d/mail.conf", FILTER)
    for port in (2525, 2526):
        s.listen(port)
    daemon = s.bandogd()
    for attacker, honest in zip(ATTACKERS, HONEST):
        places(s, daemon, attacker, honest)
    by_hand(s, daemon)
    tracked(s)
    counted(s, daemon)
    daemon.stop()
    dry(s)


harness.main(scenario)
