# SPDX-License-Identifier: GPL-2.0-or-later
"""From the write() of an offending line to the element in the kernel, beside Debian's fail2ban.

stopwatch writes the line and then asks its socket without a pause for nf_tables' notification,
which the kernel sends when the element is in force. It does so on a CPU of its own, and the
daemon has the others: nobody has to be woken to notice. How late it still is, is measured too.
"""

import os
import shutil
import statistics
import subprocess

from common import (BUILD, CPUS, FAIL2BAN, ONE_CPU, OTHER_CPUS, percentile, start_bandogd,
                    wait_for)
from report import Goal, Table, number

FILTER = r"""[Definition]
failregex = ^\s*\S+ postfix/smtpd\[\d+\]: NOQUEUE: reject: RCPT from \S*\[<ADDR>\]: 554 5\.7\.1 .*$
"""
JAIL = """[bench]
enabled = true
filter = bench
logpath = {log}
backend = auto
maxretry = {maxretry}
findtime = 600
bantime = 600
ignoreself = false
port = 25
{more}
"""
APART = ["taskset", "-c", OTHER_CPUS]
WITNESS = ["spin", "on", str(ONE_CPU)] if len(CPUS) > 1 else []


def _stopwatch(b, words):
    done = b.inside([*APART, f"{BUILD}/tests/bench/stopwatch", *words, *WITNESS],
                    stdout=subprocess.PIPE)
    return [[int(x) / 1000 for x in line.split()] for line in done.stdout.splitlines()]


def _write(b, log, first, count, pause, seconds):
    rows = _stopwatch(b, ["write", log, first, str(count), pause, str(seconds)])
    return [row[0] for row in rows]


def _of_bandog(b, count):
    log = b.write("bandog.log", "")
    b.write("bandog/filter.d/bench.conf", FILTER)
    b.write("bandog/jail.conf", JAIL.format(log=log, maxretry=1, more=""))
    child = start_bandogd(b, "bandog", APART)
    result = _write(b, log, "198.18.0.1", count, "2000-4000", 5)
    b.stop(child)
    return result


def _of_fail2ban(b, count):
    if not os.access(FAIL2BAN, os.X_OK):
        return None
    log = b.write("fail2ban.log", "")
    for folder in ("filter.d", "action.d"):
        shutil.copytree(f"/etc/fail2ban/{folder}", f"{b.dir}/fail2ban/{folder}")
    b.write("fail2ban/filter.d/bench.conf", FILTER)
    b.write("fail2ban/fail2ban.conf",
            f"[Definition]\nloglevel = INFO\nlogtarget = {b.dir}/f2b.out\n"
            f"socket = {b.dir}/f2b.sock\npidfile = {b.dir}/f2b.pid\ndbfile = None\n")
    action = 'action = nftables[type=multiport, name=bench, port="25", protocol=tcp]'
    b.write("fail2ban/jail.conf", JAIL.format(log=log, maxretry=1, more=action))
    child = b.start([*APART, FAIL2BAN, "-c", f"{b.dir}/fail2ban", "-xf", "start"])
    wait_for(lambda: subprocess.run(
        ["fail2ban-client", "-s", f"{b.dir}/f2b.sock", "ping"], check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0, 30, "fail2ban")
    result = _write(b, log, "198.19.0.1", count, "20000-60000", 20)
    b.stop(child)
    return result


def _row(values):
    good = [v for v in values if v >= 0]
    return {"n": len(values), "missed": len(values) - len(good),
            "p50_us": percentile(good, 50), "p90_us": percentile(good, 90),
            "p99_us": percentile(good, 99), "max_us": max(good)} if good else {"n": 0}


def measure(b):
    b.need_namespace()
    late = [row[2] for row in _stopwatch(b, ["calibrate", "200", "2000-4000"])]
    ours = _row(_of_bandog(b, 200 if b.quick else 1000))
    peer = _of_fail2ban(b, 10 if b.quick else 50)
    result = {"bandog": ours, "fail2ban": _row(peer) if peer else None,
              "witness_late_us": statistics.median(late)}
    if peer:
        result["ratio_p50"] = result["fail2ban"]["p50_us"] / ours["p50_us"]
    return result


def goals(r):
    return [Goal(f"failing line written until in the kernel, {p}", r["bandog"].get(f"{p}_us"),
                 "us", most=most) for p, most in (("p50", 120), ("p99", 600))]


def tables(r):
    rows = [[name, str(r[name]["n"]), str(r[name]["missed"]),
             *(number(r[name][f"{p}_us"]) for p in ("p50", "p90", "p99", "max"))]
            for name in ("bandog", "fail2ban") if r[name] and "p50_us" in r[name]]
    late = r["witness_late_us"]
    note = (f"The witness knows of an element {number(abs(late))} us "
            f"{'before' if late < 0 else 'after'} the call that adds it returns (p50).")
    if r["fail2ban"]:
        note += f" fail2ban takes {number(r['ratio_p50'])} times as long (p50)."
    return [Table("latency, microseconds from the write() to the element in the kernel",
                  ["", "bans", "missed", "p50", "p90", "p99", "max"], rows, note)]
