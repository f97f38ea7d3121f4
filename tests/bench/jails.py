# SPDX-License-Identifier: GPL-2.0-or-later
"""The whole of /etc/fail2ban with every jail enabled: what it takes, beside fail2ban itself.

Start: until the daemon's own log says that all jails have started. Memory: PSS then, and of
bandog also when lines for many of its filters have come, since it makes a regex into machine
code with the first line that it sees. Line: processor time per line of a log that all jails
read, most of it lines that no filter knows.
"""

import glob
import os
import re
import shutil
import statistics
import time

import logs
from common import BUILD, FAIL2BAN, FAIL2BAN_CONFIG, cpu_sec, family, pss_kib, wait_for
from report import Goal, Table, number

MIXED_LINES = 20_000
IDLE_SEC = 1.0


def configure(b, name, log_of):
    """A copy of fail2ban's configuration with all jails on. Return: how many."""
    folder = os.path.join(b.dir, name)
    shutil.copytree(FAIL2BAN_CONFIG, folder)
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
        memory.append(pss_kib(family(child)))
        b.stop(child)
    return {"start_sec": statistics.median(times), "pss_kib": statistics.median(memory)}


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


def wait_done(pids, since):
    """Until the processes have worked since then and rest. Return: their processor time."""
    last, quiet, end = since, time.monotonic(), time.monotonic() + 300
    while time.monotonic() - quiet < IDLE_SEC or last - since < 0.01:
        time.sleep(0.1)
        now = cpu_sec(pids)
        # Idle threads of fail2ban wake up now and then; that is not work on lines.
        if now - last > 0.03:
            last, quiet = now, time.monotonic()
        if time.monotonic() > end:
            raise SystemExit("tests/bench/run: the lines are never done with")
    return last


def mixed_lines():
    stamp = time.strftime("%b %e %H:%M:%S mx ")
    return (f"{stamp}{text}\n" for text in logs.messages("mixed", MIXED_LINES))


def measure_lines(b, start, config, n_jails, count):
    log = b.write("shared.log", "")  # the one before has left its lines there
    child, _ = start(b, config, n_jails)
    time.sleep(IDLE_SEC)
    pids = family(child)
    before = cpu_sec(pids)
    with open(log, "a", encoding="ascii") as f:
        f.writelines(mail_lines(count))
    result = {"us_per_line": (wait_done(pids, before) - before) / count * 1e6, "lines": count}
    if start is start_ours:
        before = cpu_sec(pids)
        with open(log, "a", encoding="ascii") as f:
            f.writelines(mixed_lines())
        wait_done(pids, before)
        result["worked_kib"] = pss_kib(pids)
    b.stop(child)
    return result


def measure(b):
    if not os.path.isdir(FAIL2BAN_CONFIG):
        return None
    b.need_namespace()
    n_jails = configure(b, "own", lambda jail: f"logs/{jail}.log")
    configure(b, "shared", lambda _: "shared.log")
    runs = 3 if b.quick else 7
    result = {"jails": n_jails, "fail2ban": None}
    result["bandog"] = {**measure_start(b, start_ours, "own", n_jails, runs),
                        **measure_lines(b, start_ours, "shared", n_jails,
                                        20_000 if b.quick else 100_000)}
    if os.access(FAIL2BAN, os.X_OK):
        result["fail2ban"] = {**measure_start(b, start_peer, "own", n_jails, 1 if b.quick else 5),
                              **measure_lines(b, start_peer, "shared", n_jails,
                                              300 if b.quick else 2000)}
    return result


def goals(r):
    ours = r["bandog"]
    return [Goal(f"start with all {r['jails']} jails", ours["start_sec"], "s", most=0.3),
            Goal("memory with all jails, after the start", ours["pss_kib"] / 1024, "MiB", most=32),
            Goal("memory with all jails, after lines for many of them",
                 ours["worked_kib"] / 1024, "MiB", most=32)]


def tables(r):
    rows = []
    for key, what, scale in (("start_sec", "start until all serve, ms", 1e3),
                             ("pss_kib", "memory of all processes, MiB", 1 / 1024),
                             ("worked_kib", "the same after lines for many of them", 1 / 1024),
                             ("us_per_line", "one line through all filters, us", 1)):
        peer = (r["fail2ban"] or {}).get(key)
        rows.append([what, number(r["bandog"][key] * scale),
                     number(peer * scale) if peer else "",
                     number(peer / r["bandog"][key]) + " x" if peer else ""])
    return [Table(f"jails, all {r['jails']} of {FAIL2BAN_CONFIG} at once",
                  ["", "bandog", "fail2ban", ""], rows)]
