#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# The world misbehaves: others touch the firewall, the disk is full, clients talk nonsense.
import os
import socket
import subprocess

import harness
import one_jail



def knock(s, log, source):
    one_jail.fail(s, log, source)


def wait_dropped(s, source, seconds=10):
    s.wait_for(lambda: source in s.nft_set("knock-ipv4"), seconds, f"{source} in the kernel")


def said(daemon, text):
    return daemon.output().count(text)


def firewall(s, daemon, log):
    for what, words in (("the whole rule set is flushed", ["flush", "ruleset"]),
                        ("our table is deleted", ["delete", "table", "inet", "bandog"]),
                        ("our rules are deleted", ["flush", "chain", "inet", "bandog",
                                                   "prerouting"])):
        s.step(f"{what}: put back within seconds, told once")
        before = said(daemon, "changed by somebody else")
        s.nft(*words)
        s.wait_for(lambda: s.connect("198.51.100.1", 25, 0.3) == "timeout", 9, "the repair")
        s.check("198.51.100.1" in s.nft_set("knock-ipv4"), "the ban is there again")
        s.equal(said(daemon, "changed by somebody else"), before + 1, "told")
    s.step("a ban that comes right after a flush is in force too")
    s.nft("flush", "ruleset")
    knock(s, log, "198.51.100.2")
    wait_dropped(s, "198.51.100.2")
    wait_dropped(s, "198.51.100.1")


def full_disk(s, daemon, log):
    s.step("the disk is full: bans go on, it is said once, and stored when there is room")
    filler = os.path.join(s.state_dir, "filler")
    fd = os.open(filler, os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        while os.write(fd, bytes(4096)):
            pass
    except OSError:
        pass
    os.close(fd)
    for i in range(10, 40):
        knock(s, log, f"198.51.100.{i}")
    wait_dropped(s, "198.51.100.39")
    s.wait_for(lambda: said(daemon, "cannot be written"), 10, "the word about the disk")
    os.unlink(filler)
    s.wait_for(lambda: said(daemon, "the store works again"), 15, "the store")
    s.equal(said(daemon, "cannot be written"), 1, "times it was said")
    daemon.kill()
    s.wait_for(lambda: not daemon.processes(), 3, "the end of all roles")


def nonsense(s):
    s.step("clients that talk nonsense disturb nobody")
    path = os.path.join(s.run_dir, "bandog.sock")
    held = []
    for junk in (b"", b"\n", b"{}\n", b"not json\n", b"{\"do\":\"format\"}\n", b"\0" * 100000,
                 b"{" * 70000, b"[" * 5000 + b"\n", b"x" * 65535):
        c = socket.socket(socket.AF_UNIX)
        c.settimeout(3)
        c.connect(path)
        try:
            c.sendall(junk)
            if junk.endswith(b"\n"):
                s.check(b"error" in c.recv(65536), f"{junk[:20]} was not refused in words")
        except OSError:
            pass  # it was shown the door
        held.append(c)
    for _ in range(100):
        c = socket.socket(socket.AF_UNIX)
        c.settimeout(1)
        try:
            c.connect(path)
        except OSError:
            break
        held.append(c)
    for c in held:
        c.close()
    s.wait_for(lambda: s.bandog("ping", check=False).returncode == 0, 5, "an answer")


def scenario(s):
    log = s.log("knock.log")
    one_jail.configure(s, log)
    os.makedirs(s.state_dir, exist_ok=True)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m,mode=0755", "tmpfs", s.state_dir],
                   check=True)
    try:
        the_world(s, log)
    finally:
        for daemon in s.daemons:
            daemon.kill()
        s.wait_for(lambda: not s.daemons or not s.daemons[-1].processes(), 5, "the end")
        subprocess.run(["umount", "-l", s.state_dir], check=False)


def the_world(s, log):
    daemon = s.bandogd()
    s.listen(25)
    knock(s, log, "198.51.100.1")
    wait_dropped(s, "198.51.100.1")
    firewall(s, daemon, log)
    nonsense(s)

    s.step("a second bandogd with the same run directory is refused in words")
    words = [s.program("bandogd"), "--foreground", "--config-dir", s.config_dir, "--state-dir",
             s.state_dir, "--run-dir", s.run_dir]
    second = s.run(words, check=False)
    s.equal(second.returncode, 2)
    s.check("another bandogd" in second.stderr, second.stderr)

    full_disk(s, daemon, log)

    s.step("a damaged database is set aside, and told")
    for name in ("bandog.db-wal", "bandog.db-shm"):
        if os.path.exists(os.path.join(s.state_dir, name)):
            os.unlink(os.path.join(s.state_dir, name))
    with open(os.path.join(s.state_dir, "bandog.db"), "r+b") as f:
        f.write(b"this is no database " * 200)
    daemon = s.bandogd()
    s.wait_for(lambda: "set aside" in daemon.output() or "damaged" in daemon.output(), 5,
               "the word about the database")
    s.check([n for n in os.listdir(s.state_dir) if ".damaged-" in n], "the damaged file")

    s.step("a dry run touches nothing; SIGTERM leaves nothing")
    daemon.stop()
    s.equal(s.nft("list", "ruleset").strip(), "", "the rule set after the end")
    s.check(not os.path.exists(os.path.join(s.run_dir, "bandog.sock")), "the socket")
    daemon = s.bandogd("--dry-run")
    knock(s, log, "198.51.100.99")
    s.wait_for(lambda: any(b["ip"] == "198.51.100.99"
                           for b in s.bandog_json("banned")["bans"]), 5, "the decision")
    s.equal(s.nft("list", "ruleset").strip(), "", "the rule set in a dry run")
    daemon.stop()


harness.main(scenario)
