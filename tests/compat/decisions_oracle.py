#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Whole decisions beside fail2ban's: who is banned, by which jail, when, until when.

usage: decisions_oracle.py BUILD [--seed N] [--cases N] [--only CASE] [--seconds N] [--keep]

Each case is a log (decisions_logs.py) and a folder with up to four jails on it. One side is
`bandog scan --json`, the other fail2ban's own code with a clock of ours (decisions_peer.py).
Bans, longer bans and unbans of every address must be the same, to the second, and so must
the number of failures. Some jails have bantime.increment, as soon as bandog knows it;
fail2ban's observer is told by the same thread then, and its database is in memory.

Where bandog differs on purpose, a difference is explained only by computing it: the same
hits, found by fail2ban's own filter, are decided again by the rules that bandog promises,
and that must give exactly what bandog gave. The rules are:
 * a true sliding window (fail2ban estimates a rate when failures span more than findtime);
 * a late line counts if it is at most findtime older than the newest of its address
   (fail2ban compares it with the clock), and it belongs to its session in any case;
 * what only looks like an address is not banned (fail2ban bans "300.1.1.1"); any other text
   that <F-ID> catches is;
 * what <F-NOFAIL> marks is no failure, also outside of a session;
 * an ignoreregex counts wherever it matches;
 * with bantime.increment the length is known before the ban is made: a late ban is not over
   because bantime would be, and one that maxtime makes shorter than bantime ends in time;
   with overalljails each ban is counted, and once (fail2ban counts one for a jail without
   increment, and adds the sum of all to the count of its own, which is summed again).

Not generated: an ignoreregex with maxlines beyond 1. Where a prefregex has <F-CONTENT>,
fail2ban then looks for it in other lines of its buffer than the one that failed, so its
hits cannot be decided again; what bandog does is in test_filter.c.

Prints each difference that no rule explains and how to see it again. Exit status: 0, 1, or
77 without fail2ban's tests.
"""

import argparse
import collections
import ipaddress
import json
import math
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.dont_write_bytecode = True
import decisions_logs as logs  # noqa: E402
import samples  # noqa: E402

SAMPLES = os.path.join(samples.F2B, "tests", "files", "logs")
CONFIG = "/etc/fail2ban"
MODES = {
    "sshd": ["normal", "ddos", "extra", "aggressive"],
    "postfix": ["normal", "more", "auth", "rbl", "ddos", "extra", "aggressive", "errors"],
    "dovecot": ["normal", "aggressive"], "exim": ["normal", "aggressive"],
    "nginx-http-auth": ["normal", "aggressive", "fallback"],
    "apache-auth": ["normal", "aggressive"], "sendmail-reject": ["normal", "extra", "aggressive"],
    "drupal-auth": [], "znc-adminlog": [],
}
SERVICE_FILTERS = {"sshd": ["sshd"], "postfix": ["postfix"], "dovecot": ["dovecot"],
                   "nginx": ["nginx-http-auth", "nginx-limit-req", "nginx-botsearch"]}
# A line of these keeps Python busy for ever (GHSA-33wh-ccjc-p397 and its like).
TOO_SLOW = {"domino-smtp"}
SECONDS_PER_CASE = 15
ZONES = ["UTC", "Europe/Berlin", "Asia/Kolkata", "America/New_York"]
# Far from the days on which clocks are put forward or back; one of them at New Year.
BEGINS = ["2026-01-14T03:00:00", "2026-02-27T22:30:00", "2026-06-30T12:00:00",
          "2026-08-14T23:50:00", "2025-12-31T22:50:00"]
# Nothing random: bantime.rndtime cannot be compared.
ESCALATIONS = [
    {}, {"bantime.factor": "2"}, {"bantime.multipliers": "1 2 4 8 16"},
    {"bantime.maxtime": "5m"}, {"bantime.overalljails": "true"},
    {"bantime.formula": "ban.Time * math.exp(float(ban.Count+1)*banFactor)/math.exp(1*banFactor)"},
]
# Jails of users and sessions instead of addresses. The action is a command, so ids are banned.
IDS = [
    r"Failed \S+ for (?:invalid user )?<F-ID>\S+</F-ID> from ",
    r"Failed \S+ for (?:invalid user )?<F-ID>.*</F-ID> from <ADDR> port",
    r"<F-ID>(?:port \d+|\S+@\S+)</F-ID>",
]
MAX_SHOWN = 10

Case = collections.namedtuple("Case", "number folder lines is_live text")


class Hang(Exception):
    """fail2ban's regexes have no limits."""


def on_alarm(_signo, _frame):
    raise Hang


def can_escalate(program, top):
    """Does this bandog know longer bans for those who come back?"""
    folder = os.path.join(top, "probe")
    os.makedirs(os.path.join(folder, "filter.d"))
    with open(os.path.join(folder, "jail.conf"), "w", encoding="ascii") as f:
        f.write("[probe]\nenabled = true\nfailregex = ^<ADDR>$\nlogpath = /dev/null\n"
                "bantime.increment = true\n")
    done = subprocess.run([program, "check", "--config-dir", folder], capture_output=True,
                          text=True, check=False)
    return "bantime.increment" not in done.stderr


def jail_section(rnd, name, filter_, findtime, escalates):
    mode = rnd.choice(MODES.get(filter_) or [None])
    options = {
        "enabled": "true", "filter": filter_ + (f"[mode={mode}]" if mode else ""),
        "logpath": "/var/log/private.log", "backend": "polling",
        "maxretry": rnd.choice([1, 2, 3, 3, 5, 5, 10]),
        "findtime": rnd.choice([findtime, f"{findtime}s", f"{findtime // 60}m"]),
        "bantime": rnd.choice([findtime, "10m", "1h", "30s", "1d", "-1", "2m 30s"]),
        "usedns": "no",
    }
    if rnd.random() < 0.3:
        options["ignoreip"] = rnd.choice(["198.18.0.0/24", "198.18.1.1 2001:db8::/125",
                                          "2001:db8::2", "127.0.0.0/8, 198.18.2.0/23"])
    if rnd.random() < 0.12:
        options["maxlines"] = rnd.choice([1, 2, 5])
    if options.get("maxlines", 1) == 1 and rnd.random() < 0.08:
        options["ignoreregex"] = rnd.choice(["root", r"user=<bob", r"\bport [1-5]"])
    if escalates and rnd.random() < 0.25:
        options["bantime.increment"] = "true"
        options.update(rnd.choice(ESCALATIONS))
    lines = [f"{key} = {value}" for key, value in options.items()]
    return "\n".join([f"[{name}]", *lines]) + "\n"


def id_section(rnd, name, findtime):
    options = {
        "enabled": "true", "filter": "", "failregex": rnd.choice(IDS), "action": "dummy",
        "logpath": "/var/log/private.log", "backend": "polling", "usedns": "no",
        "maxretry": rnd.choice([1, 2, 3]), "findtime": findtime,
        "bantime": rnd.choice([findtime, "10m", "30s"]),
        "ignoreip": rnd.choice(["", "198.18.0.0/16"]),
    }
    return "\n".join([f"[{name}]", *(f"{k} = {v}" for k, v in options.items())]) + "\n"


def make_case(number, seed, found, top, escalates=True):
    rnd = random.Random(f"{seed}/{number}")
    folder = os.path.join(top, f"case-{number}")
    os.makedirs(folder)
    for name in ("filter.d", "action.d"):
        os.symlink(os.path.join(CONFIG, name), os.path.join(folder, name))
    services = rnd.sample(sorted(logs.SERVICES), rnd.choice([0, 1, 1, 2]))
    names = rnd.sample(sorted(found), rnd.randint(0 if services else 1, 2))
    filters = [rnd.choice(SERVICE_FILTERS[s]) for s in services] + names
    filters += [rnd.choice(filters)] * (rnd.random() < 0.3)
    findtime = rnd.choice([60, 120, 600, 600, 3600])
    text = "[DEFAULT]\nmode = normal\nignoreself = false\n" + "".join(
        jail_section(rnd, f"jail{i}", f, findtime, escalates) for i, f in enumerate(filters))
    if "sshd" in services:
        text += id_section(rnd, "ids", findtime)
    with open(os.path.join(folder, "jail.conf"), "w", encoding="ascii") as f:
        f.write(text)
    logs.zone(rnd.choice(ZONES))
    begin = time.mktime(time.strptime(rnd.choice(BEGINS), "%Y-%m-%dT%H:%M:%S"))
    is_live = rnd.random() < 0.7
    lines = logs.make(rnd, begin, services + names, found, findtime, rnd.randint(30, 160),
                      55 if is_live else rnd.choice([0, findtime // 2, findtime * 3]), is_live)
    with open(os.path.join(folder, "log"), "w", encoding="utf-8") as f:
        f.writelines(line.text + "\n" for line in lines)
    return Case(number, folder, lines, is_live, text)


def whole(t):
    """bandog tells whole seconds; a formula may give a length with a fraction."""
    return t if t == float("inf") else math.floor(t)


def scan(program, case):
    """({jail: {address: [Event...]}}, failures) of bandog."""
    now = max(line.at for line in case.lines) + 60
    words = [program, "scan", "--json", "--config-dir", case.folder, "--now", f"@{now}",
             os.path.join(case.folder, "log")]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: exit status {done.returncode}: {done.stderr}")
    found, n_failures = collections.defaultdict(lambda: collections.defaultdict(list)), None
    for line in done.stdout.splitlines():
        one = json.loads(line)
        if "summary" in one:
            n_failures = one["summary"]["matched"]
            continue
        end = float(one["until"] if one["until"] >= 0 else "inf")
        at = end if one["do"] == "unban" else float(one["at"])
        found[one["jail"]][one["ip"]].append((one["do"], whole(at), whole(end)))
    return found, n_failures


def settled(events, last):
    """Events as bandog writes them; what ends after the last failure is not told."""
    found = []
    for e in events:
        end = e.end if e.end < 1 << 40 else float("inf")
        if e.do != "unban" or end <= last:
            found.append((e.do, whole(e.at), whole(end)))
    return found


def from_first_difference(events):
    """Events of several sides by name; the same ones at the head are left out."""
    first = 0
    while len({str(e[first:first + 1]) for e in events.values()}) == 1:
        first += 1
    head = "".join(f"\n  {name:10}{e[first:first + 3]}" for name, e in events.items())
    return f" (event {first}):{head}"


class Comparison:
    def __init__(self, program, args):
        self.program, self.args = program, args
        self.n_passed = self.n_failed = self.n_hung = 0
        self.n_events = self.n_explained = 0
        self.rules = collections.Counter()

    def explain(self, jail, address, ours, reference):
        """True if the promised rules give just this, and it is known which ones."""
        result = reference[jail]
        last = max((r.last for r in reference.values() if r.last is not None), default=0)
        wanted = settled(result.events.get(address, []), last)
        rules = result.rules.get(address) or (
            {"late lines belong to their sessions"} if result.has_late else None)
        if ours != wanted or not rules:
            return False
        self.rules.update(rules)
        self.n_explained += 1
        return True

    def compare(self, case, peer):
        """What is wrong with this case: a list of texts."""
        wrong = []
        ours, n_failures = scan(self.program, case)
        stock = peer.drive(peer.Stock, case.folder, case.lines, case.is_live)
        last = max((r.last for r in stock.values() if r.last is not None), default=0)
        reference = None
        for jail, result in stock.items():
            for address in sorted(set(ours[jail]) | set(result.events)):
                mine = ours[jail].get(address, [])
                theirs = settled(result.events.get(address, []), last)
                self.n_events += len(mine)
                if mine == theirs:
                    continue
                reference = reference or peer.drive(
                    peer.Reference, case.folder, case.lines, case.is_live)
                if not self.explain(jail, address, mine, reference):
                    again = settled(reference[jail].events.get(address, []), last)
                    wrong.append(f"{jail} {address}" + from_first_difference(
                        {"bandog": mine, "fail2ban": theirs, "reference": again}))
        if n_failures != sum(r.n_hits for r in stock.values()):
            reference = reference or peer.drive(
                peer.Reference, case.folder, case.lines, case.is_live)
            wanted = sum(r.n_hits for r in reference.values())
            if n_failures != wanted:
                wrong.append(f"{n_failures} failures, fail2ban finds "
                             f"{sum(r.n_hits for r in stock.values())}, expected {wanted}")
        return wrong

    def run(self, case, peer):
        signal.alarm(SECONDS_PER_CASE)
        try:
            wrong = self.compare(case, peer)
        except Hang:
            self.n_hung += 1
            return False
        finally:
            signal.alarm(0)
        self.n_passed += not wrong
        self.n_failed += bool(wrong)
        if wrong and self.n_failed <= MAX_SHOWN:
            print(f"case {case.number}: see it again with --seed {self.args.seed} "
                  f"--only {case.number} --keep\n{case.text}" + "\n".join(wrong), flush=True)
        return bool(wrong)


def parse():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("build")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--cases", type=int, default=200)
    parser.add_argument("--only", type=int, help="this case alone")
    parser.add_argument("--seconds", type=float, default=30, help="begin no case after these")
    parser.add_argument("--keep", action="store_true", help="keep the folders and name them")
    return parser.parse_args()


def main():
    args = parse()
    if not os.path.isdir(SAMPLES) or not os.path.isdir(os.path.join(CONFIG, "filter.d")):
        print("fail2ban's tests are not installed: skipped")
        return 77
    import decisions_peer as peer
    signal.signal(signal.SIGALRM, on_alarm)
    found = {name: lines for name, lines in logs.read_samples(SAMPLES).items()
             if name not in TOO_SLOW
             and os.path.exists(os.path.join(CONFIG, "filter.d", name + ".conf"))}
    comparison = Comparison(os.path.join(args.build, "bandog"), args)
    top = tempfile.mkdtemp(prefix="decisions-")
    escalates = can_escalate(comparison.program, top)
    end = time.monotonic() + args.seconds
    try:
        for number in range(args.cases) if args.only is None else [args.only]:
            if time.monotonic() > end:
                break
            case = make_case(number, args.seed, found, top, escalates)
            is_wrong = comparison.run(case, peer)
            if not (args.keep and (is_wrong or args.only is not None)):
                shutil.rmtree(case.folder)
    finally:
        if args.keep:
            print(f"kept: {top}")
        else:
            shutil.rmtree(top)
    c = comparison
    print(f"{c.n_events} bans and unbans; {c.n_explained} addresses decided otherwise, by rule:")
    for rule, n in c.rules.most_common():
        print(f"  {n:5} {rule}")
    if c.n_hung:
        print(f"{c.n_hung} cases on which fail2ban did not end in {SECONDS_PER_CASE} s")
    print(f"{c.n_passed} passed, {c.n_failed} failed")
    return 1 if c.n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
