#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The search for literals changes nothing: every filter, line by line and in blocks.

sieve-main feeds logs to all jails three times: so that every line goes through every regex;
through the search for literals that any match must hold, in blocks of all sizes; and with each
block searched by one of several pipelines that see no other blocks, as scan does with many cores.
A filter with [Rule]s, whose lines speak about each other, is among them.
The logs are fail2ban's annotated samples, filter by filter and shuffled, and lines made of
them: words moved from line to line, cut, doubled, in other letters, with the date in another place,
without a date, within a literal, bytes that are no UTF-8.

  sieve.py SIEVE-MAIN [--rounds N] [--seed N]

Prints "N passed, N failed". Exit status: 0, 1, or 77 when fail2ban's tests are missing.
"""

import argparse
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
from samples import F2B, SKIP, ZONE, Plan, names_in  # noqa: E402

LOGS = os.path.join(F2B, "tests", "files", "logs")
CONFIG = "/etc/fail2ban"
RULES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "filters", "rules")
DATE = re.compile(rb"(?:\w{3} )?\w{3} {1,2}\d{1,2} \d\d:\d\d:\d\d(?: \d{4})?"
                  rb"|\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d(?:[.,]\d+)?(?: ?[+-]\d{4})?"
                  rb"|\d\d/\w{3}/\d{4}:\d\d:\d\d:\d\d(?: [+-]\d{4})?")
DATES = [b"Aug 14 11:59:%02d", b"2005-08-14 11:59:%02d", b"2005-08-14T11:59:%02d+0200",
         b"[14/Aug/2005:11:59:%02d +0200]", b" 4/08/2005 11:59:%02d", b"1124013%03d", b"30/Feb/2005:11:59:%02d",
         b"@400000004a45cd2a%08x"]


def quoted(opts):
    text = ",".join('%s="%s"' % item for item in sorted(opts.items()))
    return "[%s]" % text if text else ""


def jail_text(number, name, opts):
    journal = opts.get("logtype") == "journal"
    return ("[j%d]\nenabled = true\nfilter = %s%s\nmaxretry = 2\nfindtime = 1h\nbantime = 5\n"
            "usedns = warn\naction =\nlogpath = /nowhere/%d\n%s" % (
                number, name, quoted(opts), number, "backend = polling\n" if journal else ""))


def runs():
    """(name, options, lines) of each filter with each of its option sets."""
    for name in names_in(CONFIG):
        for run in Plan(LOGS, name, CONFIG).read():
            yield name, run.opts, [check.text for check in run.lines]


def insert_date(rand, line):
    date = rand.choice(DATES)
    date = date % rand.randrange(60)
    bare = DATE.sub(b"", line, count=1)
    at = rand.randrange(len(bare) + 1)
    blank = rand.choice([b"", b" "])
    return bare[:at] + blank + date + blank + bare[at:]


def mutate(rand, line, other):
    kind = rand.randrange(9)
    if kind == 0 and line:
        return line[:rand.randrange(len(line))]
    if kind == 1:
        return line + b" " + other
    if kind == 2:
        words, more = line.split(b" "), other.split(b" ")
        words[rand.randrange(len(words))] = rand.choice(more)
        return b" ".join(words)
    if kind == 3:
        return line.swapcase()
    if kind in (4, 5):
        return insert_date(rand, line)
    if kind == 6:
        return DATE.sub(b"", line, count=1).lstrip()
    if kind == 7 and line:
        at = rand.randrange(len(line))
        return line[:at] + bytes([rand.randrange(256)]).replace(b"\n", b"?") + line[at:]
    return line


def make_log(rand, lines, count):
    """Lines of others in between: filters that span lines have to reach over them."""
    out = []
    at = rand.randrange(len(lines))
    for _ in range(count):
        if rand.random() < 0.7:  # go on where the sample goes on
            at = (at + 1) % len(lines)
        else:
            at = rand.randrange(len(lines))
        line = lines[at]
        if rand.random() < 0.5:
            line = mutate(rand, line, rand.choice(lines))
        out.append(line)
        if rand.random() < 0.02:
            out.extend(rand.choice(lines) for _ in range(rand.randrange(40)))
    return b"\n".join(out) + rand.choice([b"\n", b"", b"\r\n"])


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("program")
    parser.add_argument("--rounds", type=int, default=30)
    parser.add_argument("--lines", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=1)
    args = parser.parse_args()
    if not os.path.isdir(LOGS) or not os.path.isdir(CONFIG):
        print("fail2ban's tests are not installed")
        return SKIP
    rand = random.Random(args.seed)
    passed = failed = 0
    with tempfile.TemporaryDirectory() as folder:
        shutil.copytree(f"{CONFIG}/filter.d", f"{folder}/filter.d")
        all_lines = []
        groups = []
        shutil.copytree(f"{RULES}/filter.d", f"{folder}/filter.d", dirs_exist_ok=True)
        with open(f"{RULES}/everything.log", "rb") as f:
            rule_lines = f.read().splitlines()
        with open(f"{folder}/jail.conf", "w", encoding="utf-8") as f:
            f.write("[INCLUDES]\n[DEFAULT]\n")
            for i, (name, opts, lines) in enumerate(runs()):
                f.write(jail_text(i, name, opts))
                all_lines += lines
                groups.append((name, lines))
            for i, mode in enumerate(["normal", "extra"], len(groups)):
                f.write(jail_text(i, "everything", {"mode": mode}))
                groups.append(("everything", rule_lines))
            all_lines += rule_lines

        def play(what, seed, logs):
            nonlocal passed, failed
            paths = []
            for n, log in enumerate(logs):
                paths.append(f"{folder}/log{n}")
                with open(paths[-1], "wb") as f:
                    f.write(log)
            done = subprocess.run([args.program, folder, str(seed), *paths], check=False,
                                  stdout=subprocess.PIPE, env={**os.environ, "TZ": ZONE})
            if done.returncode == 0:
                passed += 1
                return
            failed += 1
            print(f"{what}, seed {args.seed}: exit status {done.returncode}")
            print(done.stdout.decode("utf-8", "replace")[:2000])

        play("all samples", 1, [b"\n".join(lines) + b"\n" for _, lines in groups if lines])
        for i in range(args.rounds):
            if i % 2:  # one filter's lines among some others
                chosen = groups[-1:] + rand.sample(groups, 3)
                lines = sum((lines for _, lines in chosen), [])
            else:
                chosen, lines = groups, all_lines
            name = ", ".join(name for name, _ in chosen[:4])
            play(f"round {i} ({name} ...)", rand.randrange(1 << 30),
                 [make_log(rand, lines, args.lines)])
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
