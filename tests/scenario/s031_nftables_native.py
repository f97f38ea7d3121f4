#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# fail2ban's nftables action by netlink: the same table, chain and sets as its commands make.
# asan: yes
import os
import re
import shutil

import harness

ACTIONS = "/etc/fail2ban/action.d"
FILTER = r"""[Definition]
failregex = ^\s*\S+ door\[\d+\]: refused <HOST>$
"""
JAIL = """\
[DEFAULT]
enabled = true
filter = door
maxretry = 1
bantime = 600
[native]
logpath = {0}/native.log
action = nftables[port="25,465:587", protocol="tcp"]
[all]
logpath = {0}/all.log
action = nftables[type=allports, blocktype=drop, name=every]
[own]
logpath = {0}/own.log
port = 25
[changed]
logpath = {0}/changed.log
action = more[port=25, table=f2b-other]
"""


def shape(s, name):
    """Rules and set of one name as nft shows them, without what only we have."""
    text = s.nft("list", "table", "inet", "f2b-table")
    rules = [re.sub(r" counter packets \d+ bytes \d+", "", line.strip())
             for line in text.splitlines() if f"@addr-set-{name} " in line + " " or
             f"@addr6-set-{name} " in line + " "]
    rules = [re.sub(r"^meta nfproto ipv[46] ", "", r).replace("th dport", "tcp dport")
             .replace("meta l4proto tcp ", "") for r in rules]
    chain = re.search(r"type filter hook \S+ priority [^;]+;", text).group()
    return chain, sorted(rules)


def refused(s, name, ip):
    s.append(os.path.join(s.dir, f"{name}.log"), f"door[1]: refused {ip}")


def elements(s, name):
    for item in s.nft_json("list", "set", "inet", "f2b-table", name):
        for e in item.get("set", {}).get("elem", []):
            yield e["elem"]["val"] if isinstance(e, dict) and "elem" in e else e


def has(s, name, value):
    try:
        return value in list(elements(s, name))
    except Exception:  # pylint: disable=broad-except
        return False


def scenario(s):
    if not os.path.isdir(ACTIONS):
        s.skip("Debian's fail2ban package is not installed")
    shutil.copytree(ACTIONS, s.config_dir + "/action.d", dirs_exist_ok=True)
    with open(ACTIONS + "/nftables.conf", encoding="utf-8") as f:
        text = f.read()
    s.config("action.d/more.conf", re.sub(
        r"(?m)^(actionban = .*)$", rf"\1\n            echo <ip> >> {s.dir}/told", text))
    s.config("filter.d/door.conf", FILTER)
    for name in ("native", "all", "own", "changed"):
        s.log(name + ".log")
    s.step("the commands themselves, to compare with")
    s.config("jail.local",
             JAIL.format(s.dir).replace("enabled = true", "enabled = true\nnative = no", 1))
    daemon = s.bandogd()
    refused(s, "native", "198.51.100.1")
    refused(s, "native", "2001:db8:1000::1")
    s.wait_for(lambda: has(s, "addr6-set-native", "2001:db8:1000::1"), 10, "the ban by commands")
    theirs = shape(s, "native")
    daemon.stop()
    s.step("by netlink: same names, same rules")
    s.config("jail.local", JAIL.format(s.dir))
    daemon = s.bandogd()
    s.wait_for(lambda: has(s, "addr-set-native", "198.51.100.1"), 5, "the restored ban")
    s.wait_for(lambda: has(s, "addr6-set-native", "2001:db8:1000::1"), 5, "and the other")
    s.equal(shape(s, "native"), theirs)
    s.check(not os.path.exists(s.dir + "/told"), "nothing was run")
    refused(s, "native", "198.51.100.2")
    s.wait_for(lambda: has(s, "addr-set-native", "198.51.100.2"), 5, "a ban")
    s.listen(25)
    s.listen(587)
    s.listen(80)
    s.equal(s.connect("198.51.100.2", 587), "refused")
    s.equal(s.connect("198.51.100.2", 80), "ok")
    s.equal(s.connect("198.51.100.3", 25), "ok")
    refused(s, "all", "198.51.100.4")
    s.wait_for(lambda: has(s, "addr-set-every", "198.51.100.4"), 5, "a ban of all ports")
    s.equal(s.connect("198.51.100.4", 80), "timeout")
    s.step("a network, and an unban")
    s.bandog("ban", "native", "198.51.100.64/28")
    s.wait_for(lambda: has(s, "addr-set-native-28", "198.51.100.64"), 5, "the network")
    s.equal(s.connect("198.51.100.70", 25), "refused")
    s.bandog("unban", "198.51.100.2")
    s.wait_for(lambda: not has(s, "addr-set-native", "198.51.100.2"), 5, "the unban")
    s.equal(s.connect("198.51.100.2", 25), "ok")
    s.step("our own table beside it; a changed file is run as commands")
    refused(s, "own", "198.51.100.5")
    s.wait_for(lambda: "198.51.100.5" in s.nft_set("own-ipv4"), 5, "a ban in our table")
    refused(s, "changed", "198.51.100.6")
    s.wait_for(lambda: os.path.exists(s.dir + "/told"), 5, "the command")
    s.step("somebody deletes fail2ban's table: it comes back, with its bans")
    s.nft("delete", "table", "inet", "f2b-table")
    s.wait_for(lambda: has(s, "addr-set-native", "198.51.100.1"), 10, "the repair")
    s.check("198.51.100.5" in s.nft_set("own-ipv4"), "the other table is as it was")
    daemon.stop()
    s.check("f2b-table" not in s.nft("list", "ruleset"), "a stop takes the table away")
    s.step("a table that cannot be had leaves the other one at work")
    # A set of another kind that a rule holds fast.
    s.nft("add table inet f2b-table; add set inet f2b-table addr-set-native { type inet_service; };"
          "add chain inet f2b-table theirs;"
          "add rule inet f2b-table theirs tcp dport @addr-set-native drop")
    daemon = s.bandogd()
    s.wait_for(lambda: "not all bans are carried out" in daemon.output(), 5, "that it is said")
    refused(s, "own", "198.51.100.7")
    s.wait_for(lambda: {"198.51.100.5", "198.51.100.7"} <= set(s.nft_set("own-ipv4")), 3,
               "old and new bans in our table")
    s.nft("delete", "chain", "inet", "f2b-table", "theirs")
    s.wait_for(lambda: has(s, "addr-set-native", "198.51.100.1"), 10, "the other table's bans")
    s.check("nftables works again" in daemon.output(), "that is said too")
    daemon.stop()
    s.step("what is lifted while a table cannot be had is not in it afterwards")
    daemon = s.bandogd()
    s.wait_for(lambda: has(s, "addr-set-native", "198.51.100.1"), 5, "a ban")
    daemon.kill()
    s.nft("delete chain inet f2b-table f2b-chain; delete set inet f2b-table addr-set-every;"
          "add set inet f2b-table addr-set-every { type inet_service; };"
          "add chain inet f2b-table theirs;"
          "add rule inet f2b-table theirs tcp dport @addr-set-every drop")
    daemon = s.bandogd()
    s.wait_for(lambda: daemon.output().count("not all bans are carried out") == 2, 5, "the same")
    s.check(has(s, "addr-set-native", "198.51.100.1"), "it is gone already")
    s.bandog("unban", "198.51.100.1")
    s.nft("delete", "chain", "inet", "f2b-table", "theirs")
    s.wait_for(lambda: daemon.output().count("nftables works again") == 2, 40, "the repair")
    s.wait_for(lambda: has(s, "addr6-set-native", "2001:db8:1000::1"), 5, "the other bans")
    s.check(not has(s, "addr-set-native", "198.51.100.1"), "what was lifted is in the set")
    daemon.stop()
    s.step("more tables than there may be: those that are too many are left out")
    s.config("jail.local", "[DEFAULT]\nenabled = true\n" + "".join(
        f"[j{i}]\naction = nftables[port=25, table=f2b-t{i}]\n" for i in range(18)))
    daemon = s.bandogd()
    for jail in ("j0", "j15"):
        s.bandog("ban", jail, "198.51.100.8")
        s.check(f"is banned in {jail}" in s.bandog("why", "198.51.100.8").stdout, "why")
    s.check("198.51.100.8" in s.nft("list", "table", "inet", "f2b-t15"), "the last one")
    s.equal(s.bandog("ban", "j16", "198.51.100.8", check=False).returncode, 2, "one too many")
    for jail in ("j16", "j17"):
        s.check(f"ERROR {jail}: this jail is left out" in daemon.output(), daemon.output())
    daemon.stop()


harness.main(scenario)
