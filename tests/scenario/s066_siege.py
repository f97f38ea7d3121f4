#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# While a server is full, silent connections of addresses that failed end, and nobody else's.
# asan: yes
import os
import signal
import time

from clients import UNKNOWN, deliver, is_shut_out, offend
from counted import FILTER as KNOCKS, line
import harness
from network import is_open

JAIL = r"""[mail]
enabled = true
filter = mail
logpath = {log}
port = 25
maxretry = 3
findtime = {findtime}
bantime = 1h
makeroom = {makeroom}
[knock]
enabled = true
filter = knock
logpath = {knocks}
port = 2525
maxretry = 3
findtime = 10m
makeroom = {makeroom}
"""
FILTER = r"""[Definition]
failregex = reject: RCPT from \S+\[<HOST>\]: 550 5.1.1
"""
PLACES = 6
FINDTIME_SEC = 20
SOON_SEC = 1.0   # two looks, and what the machine takes
SILENT_SEC = 1.2  # beyond what makes a connection silent
SUSPECTS = ["198.51.100.7", "2001:db8:1000::7"]
OTHERS = ["198.51.100.8", "2001:db8:1000::8"]
HONEST = ["203.0.113.9", "2001:db8:1000::9"]


def greeting(sock, seconds):
    sock.settimeout(seconds)
    try:
        return sock.recv(512).startswith(b"220 ")
    except TimeoutError:
        return False


def hold(s, source, n):
    """So many places of Postfix, without a word."""
    socks = [s.open(source, 25, 5) for _ in range(n)]
    s.check(all(greeting(sock, 10) for sock in socks), f"{source} is not greeted")
    return socks


def severed(s, jail="mail"):
    return s.bandog_json("status", jail)["jail"]["severed_total"]


def sleeps(daemon):
    found = []
    for role in ("engine", "enforcer"):
        with open(f"/proc/{daemon.role(role)}/status", encoding="ascii") as f:
            found.append(next(int(x.split()[1]) for x in f if x.startswith("voluntary")))
    return found


def calm(daemon):
    before = sleeps(daemon)
    time.sleep(3)
    woken = [n - was for n, was in zip(sleeps(daemon), before)]
    # Each half a minute the enforcer looks after its table.
    return woken[0] == 0 and woken[1] <= 1


def idle(s, daemon, when):
    """For three seconds in a row; what the network says of itself at its begin may come first."""
    s.step(f"{when} engine and enforcer sleep")
    s.wait_for(lambda: calm(daemon), 10, "three seconds without a wake-up")


def not_full(s):
    s.step("a place is left: who failed and is silent keeps its connections")
    for source in SUSPECTS:
        offend(s, source, UNKNOWN)
    socks = [sock for source in SUSPECTS for sock in hold(s, source, 2)]
    time.sleep(SILENT_SEC + SOON_SEC)
    s.check(all(map(is_open, socks)), "one was ended")
    return socks


def forgotten(s, daemon):
    s.step("an enforcer that is new hears all of it again")
    before = daemon.role("enforcer")
    os.kill(before, signal.SIGKILL)
    s.wait_for(lambda: daemon.role("enforcer") not in (before, None), 5, "a new enforcer")


def full(s, daemon, of_suspects):
    s.step("no place is left, and somebody waits: theirs end, those of others do not")
    of_others = [sock for source in OTHERS for sock in hold(s, source, 1)]
    time.sleep(SILENT_SEC)
    s.check(all(map(is_open, of_suspects)), "ended while nobody waited")
    before = time.monotonic()
    waiting = [s.open(source, 25, 5) for source in (*HONEST, SUSPECTS[1])]
    s.check(all(greeting(sock, 5) for sock in waiting), "who waits is not let in")
    took = time.monotonic() - before
    s.step(f"who waited was greeted after {took * 1000:.0f} ms")
    s.check(took < SOON_SEC, f"that is more than {SOON_SEC} s")
    s.wait_for(lambda: not any(map(is_open, of_suspects)), 1, "all of theirs to end")
    s.check(all(map(is_open, of_others + waiting)), "one of somebody else was ended")
    for sock in of_others + waiting:
        sock.close()
    deliver(s, HONEST[0])
    deliver(s, SUSPECTS[0])  # who is not banned
    s.equal(severed(s), len(of_suspects))


def told(s, daemon, n):
    s.step("it is told once, and when it is over")
    s.wait_for(lambda: "port 25 has room again" in daemon.output(), 10, "the end of it")
    lines = [x.partition("port 25 ")[2] for x in daemon.output().splitlines()
             if "port 25 " in x]
    s.equal(len(lines), 2)
    s.equal(lines[0], f"is full: {n} silent connections of addresses that failed were ended")
    s.check(lines[1].startswith(f"has room again: {n} silent connections"), lines[1])
    s.equal(s.bandog_json("status", "mail")["jail"]["banned_now"], 0)
    s.check(f"{n} connections ended" in s.bandog("status", "mail").stdout, "not shown")


def not_theirs(s, knocks):
    """A failure in another jail, which does not close that port, or one that is ignored."""
    s.step("who has failed elsewhere, and the guard's own, keep what they have")
    s.append_raw(knocks, line("198.51.100.9", 1))
    s.append_raw(knocks, line("198.51.100.9", 2))
    offend(s, "198.51.100.66", UNKNOWN)  # neverban
    socks = hold(s, "198.51.100.9", 3) + hold(s, "198.51.100.66", 3)
    time.sleep(SILENT_SEC)
    before = severed(s)
    waiting = s.open(HONEST[0], 25, 5)
    s.check(not greeting(waiting, 2.5), "a place was made")
    s.check(all(map(is_open, socks)), "one was ended")
    s.equal(severed(s), before)
    for sock in (*socks, waiting):
        sock.close()


def banned(s):
    s.step("banned is who fails as often as maxretry says, as ever")
    for _ in range(3):
        offend(s, "198.51.100.10", UNKNOWN)
    s.wait_for(lambda: is_shut_out(s, "198.51.100.10"), 3, "the ban")
    s.bandog("unban", "198.51.100.10")


def switched_off(s, daemon, config):
    s.step("makeroom = no: nobody's connection ends")
    s.config("jail.conf", JAIL.format(**config, findtime="10m", makeroom="no"))
    daemon.reload()
    s.wait_for(lambda: "reloaded: " in daemon.output(), 5, "the reload")
    offend(s, SUSPECTS[0], UNKNOWN)
    socks = hold(s, SUSPECTS[0], PLACES)
    time.sleep(SILENT_SEC)
    waiting = s.open(HONEST[0], 25, 5)
    s.check(not greeting(waiting, 2.5), "a place was made")
    s.check(all(map(is_open, socks)), "one was ended")
    idle(s, daemon, "with it off")
    for sock in (*socks, waiting):
        sock.close()


def scenario(s):
    postfix = s.postfix(f"default_process_limit = {PLACES}", "smtpd_timeout = 300s")
    config = {"log": postfix.log, "knocks": s.log("knocks.log")}
    s.config("jail.conf", JAIL.format(**config, findtime=FINDTIME_SEC, makeroom="yes"))
    s.config("filter.d/mail.conf", FILTER)
    s.config("filter.d/knock.conf", KNOCKS)
    s.config("bandog.conf", "[Definition]\nneverban = 198.51.100.66\n")
    s.listen(2525)
    daemon = s.bandogd()
    idle(s, daemon, "while nobody has failed")
    socks = not_full(s)
    forgotten(s, daemon)
    full(s, daemon, socks)
    told(s, daemon, len(socks))
    time.sleep(FINDTIME_SEC)
    idle(s, daemon, "when all failures are past")
    not_theirs(s, config["knocks"])
    banned(s)
    switched_off(s, daemon, config)
    daemon.stop()


harness.main(scenario)
