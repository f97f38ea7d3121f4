#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# What must never be banned is not, also what becomes so while the daemon runs.
# asan: yes
import os
import re
import signal
import struct
import time

import harness

JAILS = r"""[DEFAULT]
bantime = 1h
maxretry = 3
filter = door
logpath = {nothing}
[door]
enabled = true
logpath = {log}
[ports]
enabled = true
port = 25
[told]
enabled = true
action = tell
"""
FILTER = "[Definition]\nfailregex = knock from <HOST>$\n"
ACTION = "[Definition]\nactionban = echo ban <ip> >> {file}\nactionunban = echo unban <ip> >> {file}\n"
SOON_SEC = 1
OWN = "an address of this machine"
LOGGED_IN = "the peer of a login session that is open now"
USER_PROCESS, LOGIN_PROCESS = 7, 6  # <utmp.h>
SESSION = """# This is private data. Do not parse.
UID=0
USER=root
ACTIVE=1
IS_DISPLAY=0
STATE={state}
REMOTE=1
TYPE=tty
ORIGINAL_TYPE=tty
CLASS=user
SCOPE=session-{name}.scope
REMOTE_HOST={host}
SERVICE={service}
LEADER={leader}
AUDIT={name}
"""


def banned(s):
    """All elements of all our sets."""
    found = set()
    for item in s.nft_json("list", "table", "inet", "bandog"):
        one = item.get("set", {})
        length = re.search(r"-net[46]-(\d+)$", one.get("name", ""))
        for element in one.get("elem", []):
            value = element["elem"]["val"] if "elem" in element else element
            found.add(harness.element_text(value) + (f"/{length[1]}" if length else ""))
    return found


def listed(s):
    return {ban["ip"] for ban in s.bandog_json("banned", check=False)["bans"]}


def ban(s, jail, *who):
    s.bandog("ban", jail, *who)
    for one in who:
        s.check(one in banned(s), f"{one} is not banned")


def refused(s, who, jail="ports"):
    """By what, or None: then it is banned now."""
    answer = s.bandog_json("ban", jail, who, check=False)
    return answer["refused"][0]["reason"] if answer["refused"] else None


def refused_soon(s, who, reason):
    s.wait_for(lambda: refused(s, who) == reason, SOON_SEC, f"{who} to be refused: {reason}")
    s.check(who not in banned(s) and who not in listed(s), f"{who} is banned all the same")


def gone_soon(s, *who):
    s.wait_for(lambda: not banned(s) & set(who), SOON_SEC, f"the bans of {who} to be lifted")
    s.wait_for(lambda: not listed(s) & set(who), SOON_SEC, f"{who} not to be listed")


def banned_again(s, who):
    s.wait_for(lambda: refused(s, who) is None, SOON_SEC, f"a ban of {who}")
    s.check(who in banned(s), f"{who} is not banned")
    s.bandog("unban", who)


def ignored(s):
    return s.bandog_json("status", "door")["jail"]["ignored_total"]


def own_addresses(s, daemon, log):
    for who, around, length in (("198.51.100.70", "198.51.100.64/26", 32),
                                ("2001:db8:1000::70", "2001:db8:1000::/64", 128)):
        s.step(f"{who} is banned, and so is {around}; it becomes our own")
        ban(s, "door", who)
        ban(s, "ports", who, around)
        s.namespaces.batch("server", f"address add {who}/{length} dev lo nodad")
        gone_soon(s, who, around)
        s.check(f"no longer banned: {around}, since {who} is {OWN} now" in daemon.output(),
                "not told")
        refused_soon(s, who, OWN)
        s.equal(refused(s, around), OWN)
        s.step("the jails, which ignore what is our own, know it too")
        before = ignored(s)
        knock(s, log, who)
        s.wait_for(lambda n=before + 3: ignored(s) == n, 2, "failures to be ignored")
        s.step("it is ours no more")
        s.namespaces.batch("server", f"address del {who}/{length} dev lo")
        banned_again(s, who)
        knock(s, log, who)
        s.wait_for(lambda who=who: who in banned(s), 2, "the ban by a jail")


def without_engine(s, daemon):
    s.step("an engine that does not answer is not needed for that")
    who, around, engine = "198.51.100.90", "198.51.100.88/29", daemon.role("engine")
    ban(s, "ports", who, around)
    os.kill(engine, signal.SIGSTOP)
    try:
        s.namespaces.batch("server", f"address add {who}/32 dev lo")
        s.wait_for(lambda: not banned(s) & {who, around}, SOON_SEC, "the bans to be lifted")
    finally:
        os.kill(engine, signal.SIGCONT)
    gone_soon(s, who, around)
    s.namespaces.batch("server", f"address del {who}/32 dev lo")


def commands(s, told):
    s.step("actions that are commands learn of it too")
    who = "198.51.100.80"
    s.bandog("ban", "told", who)
    s.wait_for(lambda: f"ban {who}\n" in read(told), 5, "actionban")
    s.namespaces.batch("server", f"address add {who}/32 dev lo")
    s.wait_for(lambda: f"unban {who}\n" in read(told), 5, "actionunban")
    s.namespaces.batch("server", f"address del {who}/32 dev lo")


def gateways(s):
    for words, old, new in (("", harness.GATEWAY4, "192.0.2.253"),
                            ("-6 ", harness.GATEWAY6, "2001:db8::fd")):
        s.step(f"the default route goes by {new}, which is banned")
        s.equal(refused(s, old), "this machine's gateway")
        ban(s, "door", new)
        s.run(["ip", *words.split(), "route", "replace", "default", "via", new])
        if words:  # an IPv6 route of the same metric is put beside the other
            s.run(["ip", "-6", "route", "del", "default", "via", old], check=False)
        gone_soon(s, new)
        refused_soon(s, new, "this machine's gateway")
        s.wait_for(lambda old=old: refused(s, old) is None, SOON_SEC, f"a ban of {old}")
        s.run(["ip", *words.split(), "route", "replace", "default", "via", old])
        if words:
            s.run(["ip", "-6", "route", "del", "default", "via", new], check=False)
        gone_soon(s, old)
        banned_again(s, new)


def resolvers(s, daemon, path):
    s.step("a resolver is named while it is banned")
    ban(s, "door", "198.51.100.53")
    with open(path, "w", encoding="ascii") as f:
        f.write("nameserver 198.51.100.53\n")
    gone_soon(s, "198.51.100.53")
    refused_soon(s, "198.51.100.53", "this machine's resolver")
    with open(path, "w", encoding="ascii") as f:
        f.write("search example.org\n")
    banned_again(s, "198.51.100.53")
    s.step("what cannot be read is told, and tried again")
    os.chmod(path, 0)
    with open(path, "w", encoding="ascii") as f:
        f.write("nameserver 198.51.100.54\n")
    told = "some of what must never be banned cannot be read: Permission denied"
    s.wait_for(lambda: told in daemon.output(), 1, "that to be told")
    os.chmod(path, 0o644)
    s.wait_for(lambda: refused(s, "198.51.100.54") is not None, 5, "a second try")
    with open(path, "w", encoding="ascii") as f:
        f.write("search example.org\n")


def switches(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", f.read(), re.M)[1])


def quiet(s, daemon):
    s.step("routes that are not default ones do not wake the enforcer")
    pid = daemon.role("enforcer")
    before = switches(pid)
    routes = [f"198.18.{i // 250}.{i % 250}/32 via {harness.GATEWAY4}" for i in range(2000)]
    for verb in ("add", "del"):
        s.namespaces.batch("server", "\n".join(f"route {verb} {r}" for r in routes))
    s.check(switches(pid) - before < 10, f"woken {switches(pid) - before} times")


def read(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def session(s, run, name, host, leader, state="active", service="sshd"):
    path = os.path.join(run, "systemd/sessions", name)
    with open(path, "w", encoding="ascii") as f:
        f.write(SESSION.format(name=name, host=host, leader=leader, state=state, service=service))
    return path


def utmp_record(kind, pid, host, address):
    """struct utmp as x86-64 and arm64 have it."""
    return struct.pack("<hxxi32s4s32s256shhiii16s20x", kind, pid, b"pts/0", b"ts/0", b"root",
                       host, 0, 0, 0, 0, 0, address)


def knock(s, log, who, times=3):
    for _ in range(times):
        s.append(log, f"sshd[1]: knock from {who}")


def counted(s):
    return s.bandog_json("status")["guard"]["logged_in"]


def logins(s, daemon, log, run):
    s.step("failures of who is logged in do not ban; counted each time, told once")
    who, other = "198.51.100.9", "2001:db8:1000::9"
    leader = s.start(["sleep", "600"])
    session(s, run, "17", who, leader.pid)
    with open(os.path.join(run, "utmp"), "wb") as f:
        f.write(utmp_record(LOGIN_PROCESS, leader.pid, b"198.51.100.10", bytes(16)))
        f.write(utmp_record(USER_PROCESS, leader.pid, b"mx.example.org",
                            bytes.fromhex("20010db8100000000000000000000009")))
    time.sleep(1.1)  # so long is what was read before believed
    for i in range(1, 4):
        knock(s, log, who)
        s.wait_for(lambda i=i: counted(s) == i, 2, f"refusal {i}")
    knock(s, log, other)
    s.wait_for(lambda: counted(s) == 4, 2, "the refusal of the other")
    s.check(not banned(s) & {who, other}, "banned all the same")
    for one in (who, other):
        s.equal(daemon.output().count(f"not banned: {one} is {LOGGED_IN}"), 1)
    s.equal(refused(s, who), LOGGED_IN)
    s.equal(refused(s, "198.51.100.0/28"), LOGGED_IN)
    s.step("status and why say so")
    status = s.bandog("status").stdout
    s.check(re.search(rf"^ +6  {LOGGED_IN}$", status, re.M), f"status says: {status}")
    s.check("refused to ban it, 4 times, at last at" in s.bandog("why", who).stdout, "why")
    s.equal(s.bandog_json("why", who)["refused"]["reason"], LOGGED_IN)
    s.equal(s.bandog_json("why", "198.51.100.99")["refused"], None)

    s.step("who is not yet logged in is banned, whatever stands there of him")
    session(s, run, "18", "198.51.100.11", leader.pid, state="opening")
    session(s, run, "19", "198.51.100.12", leader.pid, service="vsftpd")
    session(s, run, "20.ref", "198.51.100.13", leader.pid)
    session(s, run, "21", "198.51.100.14\nREMOTE_HOST=198.51.100.14", leader.pid)
    os.symlink(session(s, run, "elsewhere.x", "198.51.100.15", leader.pid),
               os.path.join(run, "systemd/sessions/22"))
    os.mkfifo(os.path.join(run, "systemd/sessions/23"))
    time.sleep(1.1)
    strangers = [f"198.51.100.{i}" for i in range(10, 16)]
    for one in strangers:
        knock(s, log, one)
    s.wait_for(lambda: set(strangers) <= banned(s), 2, "the bans of strangers")

    s.step("the session ends: the next failures ban")
    leader.kill()
    leader.wait()
    knock(s, log, who)
    knock(s, log, other)
    s.wait_for(lambda: {who, other} <= banned(s), 2, "the bans")


def switched_off(s, daemon, log, run):
    s.step("protectlogins = no")
    session(s, run, "30", "198.51.100.30", os.getpid())
    time.sleep(1.1)
    s.equal(refused(s, "198.51.100.30"), LOGGED_IN)
    s.bandog("unban", "--all")
    s.config("bandog.conf", "[Definition]\nprotectlogins = no\nmaxbanrate = 20\n")
    daemon.reload()
    s.wait_for(lambda: "reloaded: " in daemon.output(), 5, "the reload")
    knock(s, log, "198.51.100.30")
    s.wait_for(lambda: "198.51.100.30" in banned(s), 2, "the ban")


def too_fast(s):
    s.step("more bans than maxbanrate wait; what is lifted meanwhile does not come back")
    s.bandog("unban", "--all")
    time.sleep(1.1)
    who = [f"198.18.1.{i}" for i in range(60)]
    s.bandog("ban", "ports", *who)
    s.check(0 < len(banned(s)) < len(who), f"banned: {len(banned(s))}")
    s.check(s.bandog_json("status")["guard"]["too_fast"] >= 30, "not counted")
    for one in who[-15:]:  # the last that is said of these is that they are banned
        s.bandog("unban", one)
        s.bandog("ban", "ports", one)
    time.sleep(4.5)
    s.equal(banned(s), set(who))
    s.bandog("unban", "--all")
    time.sleep(1.1)
    s.bandog("ban", "ports", *who)
    s.bandog("unban", "--all")
    time.sleep(4)
    s.equal(banned(s), set())


def scenario(s):
    log, told = s.log("door.log"), s.log("told")
    os.chmod(told, 0o666)
    run = os.path.join(s.dir, "other-run")
    os.makedirs(os.path.join(run, "systemd/sessions"))
    resolv = s.log("resolv.conf")
    s.config("jail.conf", JAILS.format(log=log, nothing=s.log("nothing.log")))
    s.config("filter.d/door.conf", FILTER)
    s.config("action.d/tell.conf", ACTION.format(file=told))
    daemon = s.bandogd(mounts={"/run": run, "/etc/resolv.conf": resolv})
    own_addresses(s, daemon, log)
    without_engine(s, daemon)
    commands(s, told)
    gateways(s)
    resolvers(s, daemon, resolv)
    quiet(s, daemon)
    logins(s, daemon, log, run)
    switched_off(s, daemon, log, run)
    too_fast(s)
    daemon.stop()


harness.main(scenario)
