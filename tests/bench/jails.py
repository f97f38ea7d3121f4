# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole of /etc/fail2ban with every jail enabled: what it takes, beside fail2ban itself.

Start: until the daemon's own log says that all jails have started. Memory: PSS then. Line: processor time per line of
a log that all jails read, most of it lines that no filter knows.
"""

import glob
import os
import re
import shutil
import statistics
import time

from common import BUILD, FAIL2BAN, children, pss_kib, wait_for

CONFIG = "/etc/fail2ban"
IDLE_SEC = 1.0
TICKS = os.sysconf("SC_CLK_TCK")


def configure(b, name, log_of):
    """A copy of fail2ban's configuration with all jails on. Return: how many."""
    folder = os.path.join(b.dir, name)
    shutil.copytree(CONFIG, folder)
    for path in glob.glob(f"{folder}/jail.d/*"):
        os.unlink(path)
    with open(f"{folder}/jail.conf", encoding="utf-8") as f:
        jails = re.findall(r"^\[(?!INCLUDES|DEFAULT)([^\]]+)\]", f.read(), re.M)
    for jail in jails:
        b.write(log_of(jail), "")
    b.write(f"{name}/jail.local", "".join(
        f"[{jail}]\nenabled = true\nlogpath = {b.dir}/{log_of(jail)}\n" for jail in jails))
    b.write(f"{name}/fail2ban.local",
            f"[Definition]\nlogtarget = STDERR\nsocket = {b.dir}/f2b.sock\n"
            f"pidfile = {b.dir}/f2b.pid\ndbfile = None\n")
    return len(jails)


def start(b, words, count, of):
    """A daemon, and the seconds until its log has that many lines of that kind."""
    path = b.write("started.log", "")
    begin = time.monotonic()
    with open(path, "ab") as f:
        child = b.start(words, f)

    def is_up():
        with open(path, encoding="utf-8") as f:
            return len(re.findall(of, f.read())) >= count
    wait_for(is_up, 60, "all jails of " + words[0], pause=0.002)
    return child, time.monotonic() - begin


def start_ours(b, config, n_jails):
    return start(b, [f"{BUILD}/bandogd", "--foreground", "--config-dir", f"{b.dir}/{config}",
                     "--state-dir", f"{b.dir}/state", "--run-dir", f"{b.dir}/run"],
                 1, f"started: {n_jails} jails")


def start_peer(b, config, n_jails):
    return start(b, [FAIL2BAN, "-c", f"{b.dir}/{config}", "-xf", "start"],
                 n_jails, r"Jail '\S+' started")


def measure_start(b, start, config, n_jails, runs):
    times, memory = [], []
    for _ in range(runs):
        child, seconds = start(b, config, n_jails)
        time.sleep(IDLE_SEC)
        times.append(seconds)
        memory.append(pss_kib([child.pid, *children(child.pid)]))
        b.stop(child)
    return {"start_sec": statistics.median(times), "pss_kib": statistics.median(memory)}


def cpu_sec(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        total += int(fields[11]) + int(fields[12])
    return total / TICKS


def mail_lines(count):
    """Of now; one of twenty is a failure, of another address each."""
    stamp = time.strftime("%b %e %H:%M:%S")
    for i in range(count):
        ip = f"198.{18 + (i >> 16)}.{i >> 8 & 255}.{i & 255}"
        if i % 20 == 0:
            yield (f"{stamp} mx postfix/smtpd[{i}]: NOQUEUE: reject: RCPT from unknown[{ip}]: 554 "
                   "5.7.1 <x@example.net>: Relay access denied; from=<a@example.org> "
                   "to=<x@example.net> proto=ESMTP helo=<x>\n")
        elif i % 2:
            yield f"{stamp} mx postfix/smtpd[{i}]: connect from mail.example.org[{ip}]\n"
        else:
            yield (f"{stamp} mx postfix/smtp[{i}]: 4F0C2A{i:04X}: to=<v@example.com>, relay=mx."
                   f"example.com[{ip}]:25, delay=0.7, dsn=2.0.0, status=sent (250 ok)\n")


def measure_lines(b, start, config, n_jails, count):
    log = b.write(f"{config}.log", "")  # the one before has left its lines there
    child, _ = start(b, config, n_jails)
    time.sleep(IDLE_SEC)
    pids = [child.pid, *children(child.pid)]
    before = cpu_sec(pids)
    with open(log, "a", encoding="ascii") as f:
        f.writelines(mail_lines(count))
    last, since, end = before, time.monotonic(), time.monotonic() + 300
    while time.monotonic() - since < IDLE_SEC or last - before < 0.01:
        time.sleep(0.1)
        now = cpu_sec(pids)
        # Idle threads of fail2ban wake up now and then; that is not work on lines.
        if now - last > 0.03:
            last, since = now, time.monotonic()
        if time.monotonic() > end:
            raise SystemExit("tests/bench/run: the lines are never done with")
    b.stop(child)
    return {"us_per_line": (last - before) / count * 1e6, "lines": count}


def measure(b):
    if not os.path.isdir(CONFIG):
        return None
    b.need_namespace()
    n_jails = configure(b, "own", lambda jail: f"logs/{jail}.log")
    configure(b, "shared", lambda _: "shared.log")
    runs = 3 if b.quick else 7
    result = {"jails": n_jails, "fail2ban": None}
    result["bandog"] = {**measure_start(b, start_ours, "own", n_jails, runs),
                        **measure_lines(b, start_ours, "shared", n_jails,
                                        5000 if b.quick else 50000)}
    if os.access(FAIL2BAN, os.X_OK):
        result["fail2ban"] = {**measure_start(b, start_peer, "own", n_jails, 1 if b.quick else 3),
                              **measure_lines(b, start_peer, "shared", n_jails,
                                              300 if b.quick else 2000)}
    return result


def show(r):
    if not r:
        print(f"jails: there is no {CONFIG}: nothing to enable")
        return
    ours, peer = r["bandog"], r["fail2ban"]
    print(f"jails: all {r['jails']} jails of {CONFIG}")
    for key, what, unit, scale in (("start_sec", "start until all serve", "ms", 1e3),
                                   ("pss_kib", "memory, all processes", "MiB", 1 / 1024),
                                   ("us_per_line", "one line through all filters", "us", 1)):
        text = f"  {what:30} {ours[key] * scale:10.1f} {unit}"
        if peer:
            text += (f"   fail2ban {peer[key] * scale:12.1f} {unit}"
                     f"   {peer[key] / ours[key]:8.1f} x")
        print(text)
    if not peer:
        print("  fail2ban is not installed: nothing to compare with")
