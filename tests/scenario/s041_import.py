#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# A real fail2ban hands over to bandog: its bans, its history, and how far it had read.
import os
import shutil
import sqlite3
import time

import harness

SERVER = "/usr/bin/fail2ban-server"
FILTER = r"""[Definition]
failregex = ^\s*\S+ knock\[\d+\]: refused <ADDR>$
"""
FAIL2BAN = """\
[Definition]
loglevel = INFO
logtarget = {dir}/f2b.log
socket = {dir}/f2b.sock
pidfile = {dir}/f2b.pid
dbfile = {dir}/f2b.sqlite3
dbpurgeage = 1d
"""
# ignoreself: fail2ban would ask the DNS for its own name, which nobody answers here.
JAIL = """\
[knock]
enabled = true
backend = polling
filter = knock
logpath = {log}
maxretry = 2
ignoreself = false
findtime = 600
bantime = {bantime}
"""


class Fail2ban:
    def __init__(self, s, log):
        self.s = s
        self.dir = os.path.join(s.dir, "fail2ban")
        for folder in ("filter.d", "action.d"):
            os.makedirs(os.path.join(self.dir, folder))
        self.write("fail2ban.conf", FAIL2BAN.format(dir=self.dir))
        self.write("filter.d/knock.conf", FILTER)
        self.write("jail.conf", JAIL.format(log=log, bantime=3600))
        self.database = os.path.join(self.dir, "f2b.sqlite3")

    def write(self, name, text):
        with open(os.path.join(self.dir, name), "w", encoding="utf-8") as f:
            f.write(text)

    def start(self):
        self.s.start([SERVER, "-c", self.dir, "-xf", "start"])
        self.s.wait_for(lambda: self.client("ping").returncode == 0, 20, "fail2ban")

    def client(self, *words):
        return self.s.run(["/usr/bin/fail2ban-client", "-c", self.dir, *words], check=False)

    def stop(self):
        self.client("stop")
        self.s.wait_for(lambda: self.client("ping").returncode != 0, 20, "fail2ban's end")


def knock(s, log, source, times):
    for _ in range(times):
        s.append(log, f"knock[1]: refused {source}")


def scenario(s):
    if not os.access(SERVER, os.X_OK):
        s.skip("Debian's fail2ban is not installed")
    log = s.log("knock.log")
    fail2ban = Fail2ban(s, log)

    s.step("fail2ban bans three, one of them by hand; one has failed once")
    fail2ban.start()
    for source in ("198.51.100.1", "2001:db8:1000::1"):
        knock(s, log, source, 2)
    knock(s, log, "198.51.100.2", 1)
    s.wait_for(lambda: "2001:db8:1000::1" in fail2ban.client("status", "knock").stdout, 20,
               "fail2ban's bans")
    fail2ban.client("set", "knock", "banip", "198.51.100.3")
    fail2ban.client("set", "knock", "unbanip", "198.51.100.3")
    fail2ban.client("set", "knock", "banip", "198.51.100.4")
    fail2ban.client("set", "knock", "banip", "session 1")
    time.sleep(1.1)
    fail2ban.stop()
    with sqlite3.connect(fail2ban.database) as db:
        db.execute("UPDATE bips SET bancount = 4 WHERE ip = '198.51.100.4'")
    db.close()

    s.step("import tells in numbers what it took, once and twice the same")
    s.config("filter.d/knock.conf", FILTER)
    s.config("jail.conf", JAIL.format(log=log, bantime=3600) + "port = 25\n")
    told = [s.bandog_json("import", "--fail2ban-db", fail2ban.database) for _ in range(2)]
    s.equal(told[0], told[1])
    s.equal((told[0]["schema"], told[0]["bans"], told[0]["logs"], told[0]["no_address"]),
            (4, 4, 1, 0))
    s.equal(s.bandog("import", "--fail2ban-db", "/nonexistent", check=False).returncode, 2)

    s.step("bandogd goes on: same bans, the time that is left, no line read again")
    knock(s, log, "198.51.100.5", 2)
    s.bandogd()
    s.wait_for(lambda: "198.51.100.5" in s.nft_set("knock-ipv4"), 10, "the new ban")
    s.equal(sorted(s.nft_set("knock-ipv4")), ["198.51.100.1", "198.51.100.4", "198.51.100.5"])
    s.equal(sorted(s.nft_set("knock-ipv6")), ["2001:db8:1000::1"])
    s.equal([b["by"] for b in s.bandog_json("banned", "--jail", "knock", "session 1")["bans"]],
            ["rule"], "what is no address")
    left = s.nft_set("knock-ipv4")["198.51.100.1"]["expires"]
    s.check(3500 < left < 3600, f"{left} s are left of the hour")
    status = s.bandog_json("status", "knock")["jail"]
    s.equal(status["lines"], 2, "lines read behind the imported position")
    lines = s.bandog_json("why", "198.51.100.1")["bans"][0]["why"]
    s.equal(len(lines), 2, "lines that fail2ban had kept")

    s.step("how often they were banned is known too")
    for source, count in (("198.51.100.1", 1), ("198.51.100.4", 4)):
        why = s.bandog_json("why", source)
        s.equal((why["bans"][0]["bancount"], why["before"][0]["bancount"]), (count, count))

    s.step("a running daemon's memory is not touched")
    busy = s.bandog("import", "--fail2ban-db", fail2ban.database, check=False)
    s.equal(busy.returncode, 2)
    s.check("running" in busy.stderr, busy.stderr)
    shutil.rmtree(fail2ban.dir)


harness.main(scenario)
