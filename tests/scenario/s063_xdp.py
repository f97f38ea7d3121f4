#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# banaction = xdp: drops at the interface, which outlive every process and end on time.
# asan: yes
import fcntl
import os
import re
import signal
import socket
import subprocess
import time

import harness
from clients import is_shut_out

FILTER = r"""[Definition]
failregex = ^\s*\S+ door\[\d+\]: refused <HOST>$
"""
DEFAULT = """\
[DEFAULT]
enabled = true
filter = door
maxretry = 3
bantime = 1h
logpath = {0}/nothing.log
protocol = tcp
banaction = xdp[interface=eth0]
banaction_allports = xdp[interface=eth0, type=allports]
action = %(banaction)s[port="%(port)s", protocol="%(protocol)s"]
"""
JAILS = DEFAULT + """\
[mail]
port = 25,465
logpath = {0}/door.log
[web]
port = 80
[all]
port = 25
action = %(banaction_allports)s
[nft]
port = 25
banaction = nftables
"""
AT_MACVLAN = DEFAULT.replace("eth0", "mv0") + "[mail]\nport = 25\n"
ONLY_XDP = DEFAULT + "[mail]\nport = 25\n"
NO_INTERFACE = DEFAULT.replace("[interface=eth0]", "") + "[mail]\nport = 25\n"
ONLY_NFT = DEFAULT + "[nft]\nport = 25\nbanaction = nftables\n"
BAD = ["198.51.100.7", "2001:db8:1000::7"]
GOOD = ["198.51.100.8", "2001:db8:1000::8"]
RIGHTS = {True: 1 << 12 | 1 << 39, False: 1 << 12}  # CAP_NET_ADMIN, CAP_BPF
MACVLAN4 = "192.0.2.3"


class Place:
    """A BPF file system of the scenario's own, which the daemon finds at /sys/fs/bpf."""

    def __init__(self, s):
        self.path = os.path.join(s.dir, "bpf")
        os.mkdir(self.path)
        done = subprocess.run(["mount", "-t", "bpf", "-o", "mode=1700", "bpf", self.path],
                              check=False, capture_output=True, text=True)
        if done.returncode:
            s.skip(f"no BPF file system is to be had: {done.stderr.strip()}")
        self.mounts = {"/sys/fs/bpf": self.path}
        self.pins = os.path.join(self.path, "bandog")

    def remove(self):
        subprocess.run(["umount", "-l", self.path], check=False)


def shut_out(s, source, port=25):
    s.wait_for(lambda: is_shut_out(s, source, port), 5, f"the drop of {source}")


def comes_in(s, source, port=25):
    s.wait_for(lambda: s.connect(source, port, 0.5) == "ok", 5, f"{source} to come in")


def stopped(s, source):
    """What `why` says was stopped of it: packets, over all its bans."""
    return sum(ban["stopped"]["packets"] for ban in s.bandog_json("why", source)["bans"])


def program(s, interface="eth0"):
    """Of the XDP program there: its number, or None."""
    text = s.run(["ip", "-d", "link", "show", interface]).stdout
    found = re.search(r"prog/xdp id (\d+)", text)
    return found and int(found[1])


def rights(daemon):
    with open(f"/proc/{daemon.role('enforcer')}/status", encoding="ascii") as f:
        return int(re.search(r"^CapEff:\s*(\w+)$", f.read(), re.M)[1], 16)


def attacked(s, daemon):
    s.step("three failures: dropped at the interface, on the jail's ports, in the driver")
    s.wait_for(lambda: "XDP: drops at eth0, in its driver (native)" in daemon.output(), 5,
               "that it is said")
    s.equal(rights(daemon), RIGHTS[True], "the enforcer's rights")
    for bad, good in zip(BAD, GOOD):
        comes_in(s, bad)
        for _ in range(3):
            s.append(os.path.join(s.dir, "door.log"), f"door[1]: refused {bad}")
        shut_out(s, bad)
        shut_out(s, bad, 465)
        s.equal(s.connect(bad, 2525), "ok", f"{bad} on another port")
        s.equal(s.connect(good, 25), "ok", good)
        s.check(stopped(s, bad) >= 2, f"counted: {stopped(s, bad)}")
    s.check("mail" not in s.nft("list", "ruleset"), "nftables is used for it")


def by_hand(s):
    s.step("two jails ban one address; networks; all ports; nftables beside it")
    s.bandog("ban", "web", BAD[0])
    shut_out(s, BAD[0], 80)
    s.bandog("unban", "--jail", "mail", BAD[0])
    comes_in(s, BAD[0])
    s.check(is_shut_out(s, BAD[0], 80), "the other jail's ban went, too")
    s.bandog("unban", BAD[0])
    comes_in(s, BAD[0], 80)
    s.bandog("ban", "mail", BAD[0])
    s.bandog("ban", "all", "198.18.0.0/16", "2001:db8:1001::/48")
    for inside in ("198.18.7.7", "2001:db8:1001::7"):
        shut_out(s, inside, 2525)
    for beside in ("198.19.7.7", "2001:db8:1002::7"):
        s.equal(s.connect(beside, 2525), "ok", beside)
    s.bandog("ban", "nft", "203.0.113.7")
    shut_out(s, "203.0.113.7")
    s.check("203.0.113.7" in s.nft_set("nft-ipv4"), "nftables has its own")


def cut(s):
    s.step("a ban ends open connections")
    sock = s.open("198.51.100.9", 25)
    s.bandog("ban", "mail", "198.51.100.9")
    sock.settimeout(3)
    try:
        s.check(not sock.recv(1), "it is open")
    except OSError:
        pass


def enforcer_dies(s, daemon):
    s.step("the enforcer is killed and nobody is there: drops go on, and end on time")
    s.bandog("ban", "mail", "198.51.100.10", "--for", "4s")
    shut_out(s, "198.51.100.10")
    before = stopped(s, BAD[1])
    os.kill(daemon.pid, signal.SIGSTOP)
    os.kill(daemon.role("enforcer"), signal.SIGKILL)
    s.check(is_shut_out(s, "198.51.100.10"), "its drop went")
    s.check(is_shut_out(s, BAD[1]), "a drop went")
    s.wait_for(lambda: s.connect("198.51.100.10", 25, 0.5) == "ok", 8, "the end of a ban")
    s.check(is_shut_out(s, BAD[1]), "a drop went")
    os.kill(daemon.pid, signal.SIGCONT)
    s.wait_for(lambda: daemon.role("enforcer"), 5, "the enforcer")
    s.wait_for(lambda: stopped(s, BAD[1]) > before, 5, "counts that went on")


def all_die(s, daemon, place):
    s.step("all are killed: drops go on; the next start takes them over")
    before, was = stopped(s, BAD[1]), program(s)
    s.equal(s.run(["stat", "-c", "%U %a", place.pins], ns=None).stdout.split()[1], "700")
    daemon.kill()
    s.wait_for(lambda: not daemon.processes(), 5, "the last process")
    s.check(is_shut_out(s, BAD[1]), "a drop went")
    s.check(is_shut_out(s, "198.18.7.7", 2525), "a network's drop went")
    daemon = s.bandogd(mounts=place.mounts)
    s.wait_for(lambda: program(s) not in (None, was), 5, "its own program")
    s.wait_for(lambda: stopped(s, BAD[1]) > before, 5, "counts that went on")
    s.check(is_shut_out(s, BAD[1]), "a drop went")
    s.bandog("unban", BAD[1])
    comes_in(s, BAD[1])
    return daemon


def reloaded(s, daemon, place):
    s.step("no jail wants it any more: it is gone, and so is the right to it")
    s.config("jail.conf", ONLY_NFT.format(s.dir))
    daemon.reload()
    s.wait_for(lambda: program(s) is None, 15, "the program to go")
    s.wait_for(lambda: daemon.role("enforcer") and rights(daemon) == RIGHTS[False], 5,
               "fewer rights")
    s.check(not os.path.exists(place.pins), "pins are left")
    s.check(is_shut_out(s, "203.0.113.7"), "what nftables drops went, too")
    s.equal(s.connect("198.18.7.7", 2525), "ok")
    s.step("only XDP from now on: the table of nftables does not go on dropping")
    s.config("jail.conf", ONLY_XDP.format(s.dir))
    daemon.reload()
    s.wait_for(lambda: program(s), 5, "the program")
    s.wait_for(lambda: "inet bandog" not in s.nft("list", "tables"), 5, "the table to go")
    s.step("and back again")
    s.config("jail.conf", JAILS.format(s.dir))
    daemon.reload()
    s.wait_for(lambda: program(s), 5, "the program")
    s.bandog("ban", "mail", BAD[0])
    shut_out(s, BAD[0])


def left_behind(s, daemon, place):
    s.step("what one that was killed left is put away by one whose jails do not want it")
    daemon.kill()
    s.wait_for(lambda: not daemon.processes(), 5, "the last process")
    s.check(program(s) and os.path.exists(place.pins), "nothing is left")
    s.config("jail.conf", ONLY_NFT.format(s.dir))
    daemon = s.bandogd(mounts=place.mounts)
    s.wait_for(lambda: program(s) is None, 15, "the program to go")
    s.check(not os.path.exists(place.pins), "pins are left")
    daemon.stop()
    s.config("jail.conf", JAILS.format(s.dir))
    daemon = s.bandogd(mounts=place.mounts)
    shut_out(s, BAD[0])
    return daemon


def stop(s, daemon, place):
    s.step("a clean stop takes all of it away")
    daemon.stop()
    s.wait_for(lambda: program(s) is None, 2, "the program to go")
    s.check(not os.path.exists(place.pins), "pins are left")
    comes_in(s, BAD[0])


def foreign(s, place):
    s.step("another XDP program is named and left alone; once it is gone, ours comes")
    other = os.path.join(place.path, "foreign")
    obj = os.path.join(s.build, "src", "enforce", "drop.bpf.o")
    s.run(["bpftool", "prog", "load", obj, other])
    s.run(["bpftool", "net", "attach", "xdp", "pinned", other, "dev", "eth0"])
    theirs = program(s)
    daemon = s.bandogd(mounts=place.mounts)
    s.wait_for(lambda: "XDP: nothing is dropped at eth0: another XDP program stands there"
               in daemon.output(), 5, "the refusal")
    s.check(f"id {theirs} " in daemon.output(), "its number is not said")
    s.bandog("ban", "mail", BAD[0], check=False)
    s.bandog("ban", "nft", BAD[1], check=False)
    shut_out(s, BAD[1])
    s.equal(s.connect(BAD[0], 25), "ok", "it is dropped")
    s.equal(program(s), theirs, "the program at eth0")
    s.run(["bpftool", "net", "detach", "xdp", "dev", "eth0"])
    os.unlink(other)
    s.wait_for(lambda: is_shut_out(s, BAD[0]), 15, "ours to come")
    s.equal(daemon.output().count("nothing is dropped at eth0"), 1, "times it was said")
    daemon.stop()


def add_macvlan(s):
    """An interface whose driver has no XDP, where packets come in all the same."""
    for kind in ("all", "default", "eth0"):
        s.run(["sysctl", "-qw", f"net.ipv4.conf.{kind}.rp_filter=0"], check=False)
    done = s.run(["ip", "link", "add", "mv0", "link", "eth0", "type", "macvlan", "mode",
                  "bridge"], check=False)
    if done.returncode:
        return False
    s.run(["ip", "address", "add", MACVLAN4 + "/32", "dev", "mv0"])
    s.run(["ip", "link", "set", "mv0", "up"])
    for key, value in (("arp_ignore", 1), ("rp_filter", 0)):
        for kind in ("all", "eth0", "mv0"):
            s.run(["sysctl", "-qw", f"net.ipv4.conf.{kind}.{key}={value}"])
    return True


def reaches_macvlan(s, source):
    with s.namespaces.inside("client"), socket.socket() as sock:
        sock.bind((source, 0))
        sock.settimeout(0.5)
        return sock.connect_ex((MACVLAN4, 25)) == 0


def generic(s, place):
    if not add_macvlan(s):
        s.step("(no macvlan here: where a driver has no XDP is not looked at)")
        return
    s.step("a driver without XDP: behind it, and that is said; the interface may come later")
    s.run(["ip", "link", "set", "mv0", "name", "mv1"])
    s.config("jail.conf", AT_MACVLAN.format(s.dir))
    daemon = s.bandogd(mounts=place.mounts)
    s.wait_for(lambda: "XDP: nothing is dropped at mv0: there is no such interface"
               in daemon.output(), 5, "that it is missing")
    s.run(["ip", "link", "set", "mv1", "down"])
    s.run(["ip", "link", "set", "mv1", "name", "mv0"])
    s.run(["ip", "link", "set", "mv0", "up"])
    s.wait_for(lambda: "XDP: drops at mv0 behind its driver (generic), which is slower"
               in daemon.output(), 10, "that it is generic")
    s.check(reaches_macvlan(s, "198.51.100.20"), "who is not banned cannot come")
    s.bandog("ban", "mail", "198.51.100.20")
    s.wait_for(lambda: not reaches_macvlan(s, "198.51.100.20"), 5, "the drop")
    s.check(reaches_macvlan(s, "198.51.100.21"), "who is not banned cannot come")
    s.check(stopped(s, "198.51.100.20") > 0, "not counted")
    daemon.stop()


def taken(s, place):
    s.step("another bandogd has the place: its pins stay, and nothing is done")
    os.mkdir(place.pins)
    held = os.open(place.pins, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)
    s.config("jail.conf", JAILS.format(s.dir))
    daemon = s.bandogd(mounts=place.mounts)
    s.wait_for(lambda: "another bandogd uses /sys/fs/bpf/bandog" in daemon.output(), 5,
               "that it is said")
    daemon.stop()
    s.check(os.path.exists(place.pins), "the place of another one is gone")
    os.close(held)
    os.rmdir(place.pins)


def without_place(s):
    s.step("without a BPF file system: said, and all else runs")
    os.makedirs(os.path.join(s.dir, "empty"), exist_ok=True)
    daemon = s.bandogd(mounts={"/sys/fs/bpf": os.path.join(s.dir, "empty")})
    s.wait_for(lambda: "no BPF file system is mounted at /sys/fs/bpf" in daemon.output(), 5,
               "that it is said")
    s.bandog("ban", "nft", BAD[0], check=False)
    shut_out(s, BAD[0])
    s.step("a reload that changes nothing does not start the enforcer anew")
    before = daemon.role("enforcer")
    daemon.reload()
    time.sleep(1)
    s.equal(daemon.role("enforcer"), before)
    daemon.stop()


def scenario(s):
    s.config("filter.d/door.conf", FILTER)
    s.config("jail.conf", NO_INTERFACE.format(s.dir))
    for name in ("door.log", "nothing.log"):
        s.log(name)
    done = s.bandog("check", check=False)
    if "built without XDP" in done.stderr:
        s.skip("this bandog was built without XDP")
    s.step("a jail that names no interface is told where")
    s.check(re.search(r"jail.conf:\d+:\d+: error: action 'xdp': it needs to know where",
                      done.stderr) and done.returncode == 1, done.stderr)
    place = Place(s)
    try:
        s.config("jail.conf", JAILS.format(s.dir))
        s.equal(s.bandog("check").returncode, 0)
        for port in (25, 80, 465, 2525):
            s.listen(port)
        daemon = s.bandogd(mounts=place.mounts)
        attacked(s, daemon)
        by_hand(s)
        cut(s)
        enforcer_dies(s, daemon)
        daemon = all_die(s, daemon, place)
        reloaded(s, daemon, place)
        daemon = left_behind(s, daemon, place)
        stop(s, daemon, place)
        foreign(s, place)
        generic(s, place)
        taken(s, place)
        without_place(s)
    finally:
        place.remove()


harness.main(scenario)
