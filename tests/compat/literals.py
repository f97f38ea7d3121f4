#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Do the literals of each regex that fail2ban brings stand in each line that it matches?

usage: literals.py PROGRAM [--show] [--log FILE...]

PROGRAM is literals-main. All filters are read by fail2ban's own reader with all sets of
options that its tests use, and with each mode. A line of its sample logs that a regex
matches must have one of the regex's literals; a set of literals is made for each thing
that may be done to a line (see src/match/literals.h) and tried with a date put where that
allows. Each pair of a regex and a line is one test, so is each regex that should have
literals. For information, how many lines of mail logs have a literal of postfix's and how
many are matched: of the lines of our own tests, or of FILEs. --show prints all sets.

Prints what fails and "N passed, N failed". Exit status: 0, 1, or 77 when fail2ban's tests
are not installed.
"""

import argparse
import glob
import json
import logging
import lzma
import os
import re
import statistics
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.append("/usr/lib/python3/dist-packages")
import samples

CUTS = ("none", "words", "any")
DATES = {"words": "2005-08-14 12:00:00", "any": "14Aug"}
CONFIG = "/etc/fail2ban"
OWN = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "filters")
# Regexes of 1.0 without any text.
MAX_WITHOUT = 2


class Literals:
    def __init__(self, answer):
        self.cost = answer["cost_ppm"]
        self.items = [(i["text"], i["is_nocase"]) for i in answer["literals"]]

    def are_in(self, line):
        low = line.lower()
        return any((t in low) if nocase else (t in line) for t, nocase in self.items)


def literals_of(program, regexes, cut):
    """{regex: Literals}"""
    text = b"".join(b"%s %d\n%s\n" % (cut.encode(), len(r.encode()), r.encode())
                    for r in regexes)
    done = subprocess.run([program], input=text, stdout=subprocess.PIPE, check=True)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(answers) == len(regexes)
    for regex, answer in zip(regexes, answers):
        if "error" in answer:
            sys.exit("%s: %s" % (regex, answer["error"]))
    return {regex: Literals(a) for regex, a in zip(regexes, answers)}


def modes_of(name, base):
    """All values that `mode` may have, as the names of a filter's options tell."""
    with open(os.path.join(base, "filter.d", name + ".conf"), encoding="utf-8") as f:
        text = f.read()
    if "<mode>" not in text:
        return []
    return sorted(set(re.findall(r"^(?:mdre|mdpr|_?cmnfailre-[\w-]+?)-(\w+)\s*=", text, re.M)))


def definitions(base, names):
    """(name, options, prefregex or None, failregexes, lines) of each filter."""
    reader = samples.MatchMain("")
    for name in names:
        runs = samples.Plan(os.path.join(samples.F2B, "tests", "files", "logs"),
                            name, base).read()
        texts = [check.text.decode("utf-8", "replace")
                 for run in runs for check in run.lines]
        options = [run.opts for run in runs] or [{}]
        options += [{"mode": mode} for mode in modes_of(name, base)]
        for opts in options:
            prefregex, failregexes = None, []
            for key, value in reader.definition(samples.Run(name, base, opts, [])):
                if key == "prefregex":
                    prefregex = value.decode()
                if key == "addfailregex":
                    failregexes.append(value.decode())
            yield name, opts, prefregex, failregexes, sorted(set(texts))


class Judge:
    """fail2ban's own matching of one regex: its Regex class knows the tags."""

    def __init__(self):
        from fail2ban.server.failregex import FailRegex, Regex
        self.fail, self.plain, self.known = FailRegex, Regex, {}

    def search(self, regex, line):
        """The match, or None; @line has no newline at its end."""
        if regex not in self.known:
            kind = self.plain if "F-CONTENT" in regex else self.fail
            try:
                self.known[regex] = kind(regex, useDns="yes")
            except Exception:  # no <HOST>: the prefregex has it
                self.known[regex] = self.plain(regex, useDns="yes")
        return self.known[regex]._regexObj.search(line + "\n")


def subjects(line):
    """The line as it is, and without its date."""
    yield line
    without = re.sub(r"^\W{0,2}(?:\w{3} {1,2}\d+ [\d:]+|\d{4}[-/]\d\d[-/]\d\d[T ][\d:,.]+\S*)",
                     "", line)
    if without != line:
        yield without
    for found in re.finditer(r"\d+/\w+/\d{4}:[\d:]+ [+-]\d+|"
                             r"\w{3} \w{3} {1,2}\d+ [\d:.]+ \d{4}|"
                             r"\d{4}[-/]\d\d[-/]\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?", line):
        yield line[:found.start()] + line[found.end():]


def raws(subject, line, cut):
    """Lines from which @subject may have come."""
    yield line if cut != "none" else subject
    if cut == "none":
        return
    for i in range(len(subject) + 1):
        around = re.search(r"\w$", subject[:i], re.A), re.match(r"\w", subject[i:], re.A)
        if cut == "any" or not any(around):
            yield subject[:i] + DATES[cut] + subject[i:]


def check_line(score, judge, sets, regex, subject, line):
    """Is there a match, and if so, are there literals?"""
    if not judge.search(regex, subject):
        return False
    for cut in CUTS:
        own = sets[cut][regex]
        bad = [raw for raw in raws(subject, line, cut)
               if own.items and not own.are_in(raw)]
        score.check(not bad, "%s: %s\n  %r\n  has none of %r" % (
            cut, regex, bad and bad[0], own.items))
    return True


class Score:
    def __init__(self):
        self.passed = self.failed = 0

    def check(self, is_good, text):
        if is_good:
            self.passed += 1
            return
        self.failed += 1
        print(text)


def check_all(score, judge, sets, found):
    done = set()
    for _, _, prefregex, failregexes, lines in found:
        for line in lines:
            for subject in subjects(line):
                key = prefregex, tuple(failregexes), subject, line
                if key in done:
                    continue
                done.add(key)
                content = subject
                if prefregex:
                    if not check_line(score, judge, sets, prefregex, subject, line):
                        continue
                    m = judge.search(prefregex, subject)
                    content = m.groupdict().get("content") or subject
                for regex in failregexes:
                    check_line(score, judge, sets, regex, content, line)


def pairs_of(found):
    """{(prefregex or None, failregex)}: a line needs literals of both to match."""
    return sorted({(f[2], r) for f in found for r in f[3]}, key=lambda p: (p[0] or "", p[1]))


def cheaper(own, pair):
    """Of the prefregex and the failregex that whose literals fewer lines have."""
    return min((own[r] for r in pair if r), key=lambda s: s.cost)


def report(sets, pairs):
    for cut in CUTS:
        own = [cheaper(sets[cut], pair) for pair in pairs]
        lengths = [len(t) for s in own for t, _ in s.items]
        costs = sorted(s.cost / 1e4 for s in own)
        print("%s: %d of %d failregexes (or their prefregex) have literals, %d different; "
              "length: median %d, "
              "cost: median %.1f %%, worst %.0f %%" % (
                  cut, sum(bool(s.items) for s in own), len(own),
                  len({i for s in own for i in s.items}), statistics.median(lengths),
                  statistics.median(costs), costs[-1]))


def mail_lines(paths):
    for path in paths:
        with (lzma.open if path.endswith(".xz") else open)(path, "rb") as f:
            for raw in f:
                yield raw.decode("utf-8", "replace").rstrip("\r\n")


def report_mail(judge, sets, found, paths):
    lines = list(mail_lines(paths))
    print("of %d lines of mail logs:" % len(lines))
    seen = set()
    for name, opts, prefregex, failregexes, _ in found:
        mode = opts.get("mode", "default")
        if name != "postfix" or mode in seen or opts.get("logtype"):
            continue
        seen.add(mode)
        words = sets["words"]
        cheap = [cheaper(words, (prefregex, r)) for r in failregexes]
        n_hit = n_match = n_prefregex = 0
        for line in lines:
            n_prefregex += words[prefregex].are_in(line)
            if not any(s.are_in(line) for s in cheap):
                continue
            n_hit += 1
            content = next(iter(list(subjects(line))[1:]), line)
            m = judge.search(prefregex, content)
            content = m and (m.groupdict().get("content") or content)
            n_match += bool(m) and any(judge.search(r, content) for r in failregexes)
        print("  postfix[mode=%s]: %.2f %% have a literal (%.2f %% one of the prefregex), "
              "%.2f %% match" % (mode, 100 * n_hit / len(lines),
                                 100 * n_prefregex / len(lines), 100 * n_match / len(lines)))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("program")
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--log", nargs="+", default=glob.glob(OWN + "/postfix.log"))
    args = parser.parse_args()
    if not os.path.isdir(os.path.join(samples.F2B, "tests")) or not os.path.isdir(CONFIG):
        print("fail2ban's tests are not installed")
        return samples.SKIP
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory() as folder:
        found = list(definitions(CONFIG, samples.names_in(CONFIG)))
        base = samples.own_test_filters(folder, CONFIG)
        if base:
            found += definitions(base, samples.names_in(base, "zzz-"))
    judge, score = Judge(), Score()
    regexes = sorted({r for f in found for r in f[3] + [f[2]] if r})
    sets = {cut: literals_of(args.program, regexes, cut) for cut in CUTS}
    if args.show:
        for regex in sorted(regexes, key=lambda r: -sets["words"][r].cost):
            own = sets["words"][regex]
            print("%5.1f %% %s\n    %s" % (own.cost / 1e4, regex, own.items))
    pairs = pairs_of(found)
    report(sets, pairs)
    bare = [pair for pair in pairs if not cheaper(sets["words"], pair).items]
    for pair in bare:
        print("none: %s %s" % pair)
    score.check(len(bare) <= MAX_WITHOUT, "%d regexes without literals" % len(bare))
    check_all(score, judge, sets, found)
    report_mail(judge, sets, found, args.log)
    print("%d passed, %d failed" % (score.passed, score.failed))
    return 1 if score.failed else 0


if __name__ == "__main__":
    sys.exit(main())
