#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# bandog backtest and explain: policies side by side, and a log line by line.
# asan: yes
import gzip
import json
import os
import pty
import re
import signal
import subprocess
import time

import harness

OK, FAILED, INTERRUPTED, USAGE = 0, 2, 130, 64
IS_ASAN = "ASAN_OPTIONS" in os.environ
T0 = 1793610000  # 2026-11-02 09:00 UTC

FILTER = """\
[Definition]
failregex = ^ \\S+ mail: failed from <HOST>$
[Rule guessed]
regex = ^ \\S+ mail: wrong password from <ADDR>$
weight = 2.5
[Rule delivered]
regex = ^ \\S+ mail: sent to <ADDR>$
class = good
weight = -2
"""
JAIL = """\
[mail]
enabled = true
maxretry = {maxretry}
findtime = 10m
bantime = {bantime}
filter = mail
logpath = /var/log/none
"""


def answer(s, code, *words):
    done = s.bandog(*words, check=False)
    s.equal(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def contains(s, text, *wanted):
    for part in wanted:
        s.check(part in text, f"{part!r} is not in {text!r}")


def policy(s, name, maxretry, bantime):
    """A configuration folder beside that of the daemon."""
    folder = os.path.join(s.dir, name)
    os.makedirs(os.path.join(folder, "filter.d"))
    for path, text in (("filter.d/mail.conf", FILTER),
                       ("jail.conf", JAIL.format(maxretry=maxretry, bantime=bantime))):
        with open(os.path.join(folder, path), "w", encoding="utf-8") as f:
            f.write(text)
    return folder


def write(path, events):
    """A compressed log of (time, what) in the zone of the test."""
    with gzip.open(path, "wt") as f:
        for at, text in sorted(events):
            f.write(time.strftime("%b %e %H:%M:%S", time.localtime(at)) + f" mx mail: {text}\n")
    os.utime(path, (T0 + 4 * 86400,) * 2)
    return path


ATTACKER, PARTNER = "198.51.100.66", "192.0.2.25"


def events():
    """Twelve tries in an hour; and a partner that we send to, with three mistakes."""
    yield from ((T0 + 300 * i, f"failed from {ATTACKER}") for i in range(12))
    yield from ((T0 + 86400 * day, f"sent to {PARTNER}") for day in range(2))
    yield from ((T0 + 3600 + i, f"failed from {PARTNER}") for i in range(3))
    yield from ((T0 + 7 * i, f"connect from 198.51.100.{i}") for i in range(100))


def side_by_side(s, log, strict):
    s.step("backtest: what each policy stops, and whom it hits")
    found = json.loads(answer(s, OK, "backtest", "--json", "--policy", "bandog", "--policy",
                              f"strict={strict}", log)[0])
    facts, (mild, hard) = found["facts"], found["policies"]
    s.equal((found["lines"], facts["attempts"], facts["addresses"], facts["honest"]),
            (117, 15, 2, 1))
    s.equal([x["ip"] for x in facts["both"]], [PARTNER])
    # The second try bans for ten minutes: the third is stopped, the fourth begins anew.
    s.equal((mild["name"], mild["attempts"], mild["stopped"], mild["bans"]),
            ("bandog", 15, 5, 5))
    s.equal((hard["name"], hard["stopped"], hard["addresses"], hard["bans"]),
            ("strict", 13, 2, 2))
    s.equal((hard["median_seconds"], hard["median_attempts"], hard["permanent"]), (0, 1, 2))
    s.equal(hard["mean_seconds"], None)
    victim = hard["honest"][0]
    s.equal((victim["ip"], victim["jail"], victim["good_days"], victim["attempts"]),
            (PARTNER, "mail", 2, 3))
    contains(s, victim["line"], f"failed from {PARTNER}")
    s.equal(sum(h["stopped"] for h in hard["hours"]), 13)
    text, _ = answer(s, OK, "backtest", "--policy", "bandog", "--policy", f"strict={strict}", log)
    contains(s, text, "117 lines; ", "15 attempts by 2 addresses; bans at the first would stop 86.7 %\n1 honest servers",
             "\nstrict               13  86.7 %       2       2", PARTNER,
             "not to be told apart")
    s.check(all(len(line) <= 80 for line in text.splitlines() if "^" not in line
                and '"' not in line), text)


def options(s, log, strict):
    s.step("backtest: --no-feedback, --since, --facts, --jail, a page")

    def one(*words):
        out, _ = answer(s, OK, "backtest", "--json", *words, log)
        return json.loads(out)

    fed = one("--policy", "bandog", "--no-feedback")["policies"][0]
    kept = one("--policy", "bandog")["policies"][0]
    s.check(fed["stopped"] > kept["stopped"], "bans are longer by what they stopped")
    scanned = [json.loads(x) for x in answer(s, OK, "scan", "--json", log)[0].splitlines()[:-1]]
    fed_bans = one("--policy", "bandog", "--no-feedback")["policies"][0]["banned"]
    s.equal(sum(x["bans"] for x in fed_bans), sum(x["do"] == "ban" for x in scanned),
            "without feedback it decides as scan does")
    for row in fed_bans:
        s.equal(next((x["at"], x["until"]) for x in scanned if x["ip"] == row["ip"]),
                (row["at"], row["until"]), row["ip"])
    s.equal(one("--policy", "bandog", "--since", f"@{T0 + 1801}")["facts"]["attempts"], 8)
    s.equal(one("--policy", "bandog", "--until", f"@{T0 - 1}")["facts"]["attempts"], 0)
    other = one("--policy", "bandog", "--facts", strict)
    s.equal((other["facts"]["config"], other["policies"][0]["stopped"]),
            (strict, kept["stopped"]))
    s.equal(one("--policy", strict, "--jail", "mail")["policies"][0]["bans"], 2)
    page = os.path.join(s.dir, "page.html")
    answer(s, OK, "backtest", "--html", page, "--policy", "bandog", "--policy",
           f"<b>={strict}", log)
    with open(page, encoding="utf-8") as f:
        html = f.read()
    contains(s, html, "<title>bandog backtest</title>", "&lt;b&gt;", "bans active", PARTNER)
    s.check("<b>" not in html and html.count("<svg") == 4, "foreign text, plots")
    s.check(not re.search(r"(?:src|href)=|<script|url\(", html), "it loads nothing")


def mistakes(s, log):
    s.step("backtest, explain: what cannot be done is said")
    for code, words, said in (
            (FAILED, ["--policy", "none-such", log], "policies/none-such/jail.conf"),
            (FAILED, ["--policy", "/no/such", log], "/no/such/jail.conf"),
            (FAILED, ["--jail", "none-such", "--policy", "bandog", log], "no jail of that name"),
            (FAILED, ["--policy", "bandog", "/no/such/log"], "/no/such/log"),
            (USAGE, ["--policy", "bandog"], "at least one log"),
            (USAGE, ["--policy", "bandog"] * 9 + [log], "more than 8")):
        contains(s, answer(s, code, "backtest", *words)[1], said)
    contains(s, answer(s, FAILED, "explain", "--jail", "none-such", log)[1], "'none-such'")
    contains(s, answer(s, FAILED, "explain", "/no/such/log")[1], "/no/such/log")
    answer(s, USAGE, "explain")


def interrupted(s, strict):
    s.step("backtest: Ctrl-C shows what was found so far")
    path = os.path.join(s.dir, "long.log")
    n = 300000 if IS_ASAN else 3000000
    with open(path, "w", encoding="utf-8") as f:
        for i in range(n):
            when = time.strftime("%b %e %H:%M:%S", time.localtime(T0 + i // 50))
            what = f"failed from 198.18.{i // 256 % 256}.{i % 256}" if i % 10 == 0 else "hm"
            f.write(f"{when} mx mail: {what}\n")
    words = s.namespaces.prefix("server") + [
        s.program("bandog"), "backtest", "--json", *s.folders(), "--policy", "bandog",
        "--policy", strict, path]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    time.sleep(0.15)
    child.send_signal(signal.SIGINT)
    out, err = child.communicate(timeout=60)
    if child.returncode != OK:  # it may have been done by then
        s.equal(child.returncode, INTERRUPTED, err)
        s.check(json.loads(out)["interrupted"]["bytes"] > 0, out[:300])
    s.equal(json.loads(out)["policies"][0]["name"], "bandog")


def line_by_line(s, log):
    s.step("explain: which rule says what of whom, and what follows")
    text, _ = answer(s, OK, "explain", log)
    s.check("\033" not in text, "colours are for terminals")
    s.equal(text.count("\n    nothing\n"), 100)
    contains(s, text, f"mail: failed from {ATTACKER}\n    mail: failregex 0, abuse +1 for "
             f"{ATTACKER}: 1 of 2 within 10m, counted\n",
             "    mail: delivered, good -2 for 192.0.2.25, noted",
             f": 2 of 2 within 10m, banned\n    mail: ban {ATTACKER} until 20",
             f"\nmail: unban {ATTACKER}, its time was over at 20")
    rows = [json.loads(x) for x in
            answer(s, OK, "explain", "--json", "--only-matched", log)[0].splitlines()]
    s.equal(len(rows), 17)
    first = next(r for r in rows if ATTACKER in r["text"])
    hit = first["found"][0]
    s.equal((hit["jail"], hit["name"], hit["class"], hit["weight"], hit["ip"], hit["failures"],
             hit["needed"]), ("mail", None, "abuse", 1.0, ATTACKER, 1.0, 2))
    s.equal([o["do"] for r in rows for o in r["orders"] if o["ip"] == PARTNER], ["ban", "unban"])

    s.step("explain: weights of rules; foreign bytes do no harm to a terminal")
    with open(os.path.join(s.dir, "odd.log"), "wb") as f:
        when = time.strftime("%b %e %H:%M:%S", time.localtime(T0)).encode()
        f.write(when + b" mx mail: wrong password from 198.51.100.9\n")
        f.write(when + b" mx mail: \033[2J\xff odd\n")
    text, _ = answer(s, OK, "explain", f.name)
    contains(s, text, "    mail: guessed, abuse +2.5 for 198.51.100.9: 3 of 2 within 10m, "
             "banned\n", "\\x1b[2J\\xff odd\"\n")
    s.check("\033" not in text, text)
    master, slave = pty.openpty()
    env = {k: v for k, v in os.environ.items() if k != "NO_COLOR"}
    subprocess.run(s.namespaces.prefix("server") + [s.program("bandog"), "explain",
                   *s.folders(), f.name], stdout=slave, timeout=20, check=True,
                   env={**env, "TERM": "xterm"})
    os.close(slave)
    shown = os.read(master, 65536).decode(errors="replace")
    os.close(master)
    contains(s, shown, "\033[36m    mail: guessed", "\033[1;31m    mail: ban ")


def scenario(s):
    s.config("filter.d/mail.conf", FILTER)
    s.config("jail.conf", JAIL.format(maxretry=2, bantime="10m"))
    strict = policy(s, "strict", 1, "-1")
    log = write(os.path.join(s.dir, "mail.log.1.gz"), events())
    side_by_side(s, log, strict)
    options(s, log, strict)
    mistakes(s, log)
    interrupted(s, strict)
    line_by_line(s, log)


harness.main(scenario)
