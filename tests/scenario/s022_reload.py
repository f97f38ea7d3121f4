#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Reload is a transaction: what is wrong changes nothing, what is right loses no line.
# asan: yes
import json
import os
import signal

import harness

FILTER = r"""[Definition]
failregex = ^\s*\S+ knock\[\d+\]: refused <ADDR>$
"""


def jail(name, log, port=25, maxretry=2, more=""):
    return (f"[{name}]\nenabled = true\nfilter = knock\nlogpath = {log}\nport = {port}\n"
            f"maxretry = {maxretry}\nfindtime = 600\nbantime = 600\n{more}\n")


BROKEN = {
    "a line without meaning": ("jail.conf", "[knock]\nenabled = true\nthis is nothing\n", "3"),
    "a regex that does not compile": ("filter.d/knock.conf",
                                      "[Definition]\nfailregex = ^<ADDR> (unclosed\n", "2"),
    "a duration that is none": ("jail.conf", "[knock]\nenabled = true\nfilter = knock\n"
                                "logpath = /x\nfindtime = 10 parsecs\n", "5"),
    "a filter that is missing": ("jail.conf", "[knock]\nenabled = true\nfilter = nowhere\n"
                                 "logpath = /x\n", "3"),
    "a port that nobody knows": ("jail.conf", "[knock]\nenabled = true\nfilter = knock\n"
                                 "logpath = /x\nport = nonsense\n", "5"),
}


def knock(s, log, source, times):
    for _ in range(times):
        s.append(log, f"knock[1]: refused {source}")


def wait_banned(s, name, source):
    family = 6 if ":" in source else 4
    s.wait_for(lambda: source in s.nft_set(f"{name}-ipv{family}"), 10, f"{source} in {name}")


def ports_of(s, name):
    """The ports of the rule that looks into the jail's set."""
    for item in s.nft_json("list", "table", "inet", "bandog"):
        rule = json.dumps(item.get("rule", {}))
        if f"@{name}-ipv4" in rule:
            return rule
    return ""


def broken_files(s, log):
    for what, (name, text, line) in BROKEN.items():
        s.step(f"{what}: told with its place, and the old configuration stays in force")
        path = os.path.join(s.config_dir, name)
        with open(path, encoding="utf-8") as f:
            good = f.read()
        s.config(name, text)
        done = s.bandog("reload", check=False)
        s.equal(done.returncode, 1, "exit code")
        s.check(f"{name}:{line}:" in done.stderr, f"no place in: {done.stderr}")
        s.check("old configuration" in done.stdout, done.stdout)
        s.equal(s.bandog_json("status", "knock")["jail"]["maxretry"], 2)
        s.config(name, good)


def scenario(s):
    log, other = s.log("knock.log"), s.log("other.log")
    s.config("filter.d/knock.conf", FILTER)
    s.config("jail.conf", jail("knock", log) + jail("gone", log, port=587))
    daemon = s.bandogd()
    knock(s, log, "198.51.100.1", 2)
    knock(s, log, "198.51.100.2", 1)
    for name in ("knock", "gone"):
        wait_banned(s, name, "198.51.100.1")

    broken_files(s, log)

    s.step("all mistakes of several files at once")
    s.config("jail.d/more.conf", "[knock]\nmaxretry = three\n[gone]\nbantime = soon\n")
    told = s.bandog("reload", check=False).stderr
    s.check("'three'" in told and "'soon'" in told, told)
    os.unlink(os.path.join(s.config_dir, "jail.d/more.conf"))

    s.step("a jail goes with its bans and sets, one comes, one changes its ports; counts stay")
    s.config("jail.conf", jail("knock", log, port="465,587") + jail("fresh", other))
    daemon.reload()
    s.wait_for(lambda: {j["name"] for j in s.bandog_json("status")["jails"]} == {"knock", "fresh"},
               10, "the new jails")
    wait_banned(s, "knock", "198.51.100.1")
    s.wait_for(lambda: "465" in ports_of(s, "knock"), 10, "the new ports")
    s.check('"right": 25' not in ports_of(s, "knock"), "the old port")
    s.equal(s.nft_set("gone-ipv4"), {}, "the set of the jail that went")
    s.equal([b["jail"] for b in s.bandog_json("banned")["bans"]], ["knock"])
    knock(s, log, "198.51.100.2", 1)
    wait_banned(s, "knock", "198.51.100.2")
    knock(s, other, "2001:db8:1000::1", 2)
    wait_banned(s, "fresh", "2001:db8:1000::1")

    s.step("twenty reloads under load: each line counts once")
    s.config("jail.conf", jail("knock", log, maxretry=40))
    s.bandog("reload")
    sources = [f"203.0.113.{i}" for i in range(1, 11)]
    for round_ in range(39):
        for source in sources:
            knock(s, log, source, 1)
        if round_ % 2:
            os.kill(daemon.pid, signal.SIGHUP)
    s.bandog("reload")
    # Lines that were lost would keep them below the limit; those counted twice are over it.
    s.equal([b for b in s.bandog_json("banned")["bans"] if b["ip"] in sources], [])
    for source in sources:
        knock(s, log, source, 1)
    for source in sources:
        wait_banned(s, "knock", source)
    s.check(daemon.alive(), "the daemon lives")


harness.main(scenario)
