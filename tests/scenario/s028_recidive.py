#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Debian's filter "recidive" reads bandogd's own log and bans for a week.
# asan: yes
import os
import re
import shutil

import harness

FILTERS = "/etc/fail2ban/filter.d"
FILTER = r"""[Definition]
failregex = ^\s*\S+ knock\[\d+\]: refused <ADDR>$
"""
JAILS = """\
[knock]
enabled = true
filter = knock
logpath = {log}
maxretry = 2
findtime = 600
bantime = 600
port = 25
ignoreip = 198.51.100.250

[again]
enabled = true
filter = knock
logpath = {again}
maxretry = 2
bantime = 3
bantime.increment = true
port = 587

[recidive]
enabled = true
filter = recidive
logpath = {own}
bantime = 1w
findtime = 1d
maxretry = 3
port = 0:65535
"""
# What every line of fail2ban.log looks like.
LINE = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} fail2ban\.[a-z]+ *\[\d+\]: "
                  r"(ERROR  |WARNING|NOTICE |INFO   ) \S")


def fails(s, log, source):
    for _ in range(2):
        s.append(log, f"knock[1]: refused {source}")


def count(daemon, text):
    return daemon.output().count(text)


def scenario(s):
    if not os.path.exists(f"{FILTERS}/recidive.conf"):
        s.skip("fail2ban is not installed")
    log, source = s.log("knock.log"), "198.51.100.1"
    again, other = s.log("again.log"), "198.51.100.2"
    own = os.path.join(s.dir, "bandogd.log")
    s.config("filter.d/knock.conf", FILTER)
    for name in ("recidive.conf", "common.conf"):
        shutil.copy(f"{FILTERS}/{name}", os.path.join(s.config_dir, "filter.d", name))
    s.config("fail2ban.conf", "[Definition]\nlogtarget = /var/log/fail2ban.log\n"
             f"pidfile = {s.dir}/f2b/fail2ban.pid\n")
    s.config("jail.conf", JAILS.format(log=log, own=own, again=again))
    open(own, "a", encoding="ascii").close()
    os.chmod(own, 0o644)

    s.step("failures and bans are told in fail2ban's words")
    daemon = s.bandogd()
    with open(f"{s.dir}/f2b/fail2ban.pid", encoding="ascii") as f:
        s.equal(int(f.read()), daemon.pid, "pidfile")
    for text in ("Jail 'knock' started", "Jail 'recidive' started"):
        s.check(text in daemon.output(), text)
    s.append(log, "knock[1]: refused 198.51.100.250")
    for n in range(1, 4):
        fails(s, log, source)
        s.wait_for(lambda n=n: count(daemon, f"[knock] Ban {source}\n") == n, 10, f"ban {n}")
        s.bandog("unban", source, "--jail", "knock")
        s.wait_for(lambda n=n: count(daemon, f"[knock] Unban {source}\n") == n, 10, f"unban {n}")
    s.check(re.search(rf"INFO    \[knock\] Found {source} - 20\d\d-", daemon.output()), "Found")
    s.check("[knock] Ignore 198.51.100.250 by ip\n" in daemon.output(), "Ignore")

    s.step("who comes back is told with the longer ban")
    fails(s, again, other)
    s.wait_for(lambda: f"[again] Unban {other}\n" in daemon.output(), 15, "its end")
    fails(s, again, other)
    s.wait_for(lambda: f"[again] Increase Ban {other} (2 # 6s -> 20" in daemon.output(), 10,
               "the longer ban")
    s.equal(count(daemon, f"[again] Increase Ban {other} "), 1, "times it is told")

    s.step("who was banned three times is out for a week")
    s.wait_for(lambda: f"[recidive] Ban {source}\n" in daemon.output(), 10, "recidive")
    ban = [b for b in s.bandog_json("banned")["bans"] if b["jail"] == "recidive"]
    s.equal([b["ip"] for b in ban], [source])
    s.check(s.nft_set("recidive-ipv4")[source]["timeout"] > 604700, "a week in the kernel")
    s.equal(s.connect(source, 25), "timeout")

    s.step("its own bans do not count, and a restart tells what it restores")
    s.bandog("reload")
    s.wait_for(lambda: "Reload finished." in daemon.output(), 5, "the reload")
    daemon.stop()
    s.check("Jail 'recidive' stopped" in daemon.output(), "stopped")
    s.check(not os.path.exists(f"{s.dir}/f2b/fail2ban.pid"), "the pid file is gone")
    daemon = s.bandogd()
    s.wait_for(lambda: f"[recidive] Restore Ban {source}\n" in daemon.output(), 5, "restored")
    s.equal(count(daemon, f"[recidive] Ban {source}\n"), 1)
    bad = [line for line in daemon.output().splitlines()
           if "conf:" not in line and not LINE.match(line)]
    s.equal(bad, [], "lines of another form")
    daemon.stop()


harness.main(scenario)
