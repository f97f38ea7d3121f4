#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Replay fail2ban's annotated sample logs and compare every single line.

fail2ban brings a log file for each of its filters in which a comment says what the line
below must lead to. They are read where the distribution put them; nothing of them is
kept here. One thing differs on purpose: 192.030.0.6, octal to some and decimal to others,
is not taken for an address. Two ways to match:

  samples.py --bandog PATH      through `bandog match --json`, configuration included
  samples.py --match-main PATH  fail2ban's own reader reads the filters, and the small
                                program match-main does the matching

Prints each difference and "N passed, N failed". Exit status: 0, 1, or 77 when fail2ban's
tests are not installed.
"""

import argparse
import collections
import datetime
import ipaddress
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

F2B = "/usr/lib/python3/dist-packages/fail2ban"
NOW = 1124013600
ZONE = "CET-01CEST-02,M3.5.0,M10.5.0"
NOTE = re.compile(r"^#+ ?(failJSON|(?:file|filter)Options|addFILE):(.+)$")
CONTROL = ("time", "match", "desc", "constraint")
SKIP = 77

# One filter with one set of options: what is fed to it in order, and what must come out.
Run = collections.namedtuple("Run", "name base opts lines")
Check = collections.namedtuple("Check", "place text want")


class Plan:
    """All runs of one filter's sample files."""

    def __init__(self, logs, name, base):
        self.logs, self.name, self.base = logs, name, base
        self.runs = {}
        self.active = []  # [(key, opts)]; empty: no filterOptions yet
        self.common = {}
        self.is_blocked = False

    def use(self, key, opts):
        opts = {k: v for k, v in opts.items() if not k.startswith("test.")}
        self.runs.setdefault(key, Run(self.name, self.base, opts, []))

    def set_options(self, sets):
        self.active, self.is_blocked = [], False
        for own in sets if isinstance(sets, list) else [sets]:
            opts = {**self.common, **own}
            # Conditions are Python expressions over `name` and `opts`.
            if opts.get("test.condition"):
                names = {"name": self.name, "opts": opts}
                self.is_blocked = not eval(opts["test.condition"], {}, names)
            if self.is_blocked:
                continue
            plain = {k: v for k, v in opts.items() if not k.startswith("test.")}
            key = opts.get("test.filter-name") or (str(plain) if plain else "")
            self.use(key, opts)
            self.active.append((key, opts))

    def add_line(self, place, line, want):
        if not self.active:
            self.use("", {})
            self.active = [("", {})]
        for key, opts in self.active:
            names = {"name": self.name, "opts": opts}
            if want.get("constraint") and not eval(want["constraint"], {}, names):
                continue
            if opts.get("logtype") == "journal" and opts.get("test.prefix-line"):
                # It stays for the option sets that come next, as it does in fail2ban.
                line = opts["test.prefix-line"].encode() + line
            self.runs[key].lines.append(Check(place, line, want))

    def read(self):
        queue = [self.name]
        for file in queue:  # grows while it is read
            with open(os.path.join(self.logs, file), "rb") as f:
                lines = f.read().split(b"\n")
            if lines and not lines[-1]:
                lines.pop()
            numbered = enumerate(lines, 1)
            for number, raw in numbered:
                text = raw.decode("utf-8", "replace").rstrip("\r\n")
                note = NOTE.match(text)
                want = {}
                if note:
                    want = json.loads(note.group(2))
                    if note.group(1) == "fileOptions":
                        self.common = want
                        continue
                    if note.group(1) == "filterOptions":
                        self.set_options(want)
                        continue
                    if note.group(1) == "addFILE":
                        queue.append(want)
                        continue
                    number, raw = next(numbered)
                elif self.is_blocked or text.startswith("#") or not text.strip():
                    continue
                if not self.is_blocked:
                    place = "%s:%d" % (file, number)
                    self.add_line(place, raw.rstrip(b"\r\n"), want)
        return list(self.runs.values())


class MatchMain:
    """fail2ban's reader, then match-main."""

    def __init__(self, path):
        sys.path.insert(0, os.path.dirname(F2B))
        from fail2ban.client.filterreader import FilterReader

        self.reader, self.path = FilterReader, path

    def definition(self, run):
        reader = self.reader(run.name, "jail", run.opts.copy(), basedir=run.base)
        reader.read()
        reader.getOptions({})
        for command in reader.convert():
            values = command[3] if command[0] == "multi-set" else [command[3]]
            for value in values:
                yield command[2], str(value).encode()

    def command(self, run, folder):
        path = os.path.join(folder, "definition")
        with open(path, "wb") as f:
            for key, value in self.definition(run):
                f.write(b"%s %d\n%s\n" % (key.encode(), len(value), value))
        return [self.path, path]


class Bandog:
    """The real command."""

    def __init__(self, path):
        self.path = path

    def command(self, run, folder):
        opts = ",".join('%s="%s"' % item for item in sorted(run.opts.items()))
        name = run.name + ("[%s]" % opts if opts else "")
        args = [self.path, "match", "--filter", name, "--config-dir", run.base]
        return args + ["--json", "--now", "2005-08-14T12:00:00"]


def feed(engine, run):
    """Failures by line number."""
    with tempfile.TemporaryDirectory() as folder:
        args = engine.command(run, folder)
        if run.opts.get("logtype") == "journal":
            args.append("--journal")
        text = b"".join(check.text + b"\n" for check in run.lines)
        done = subprocess.run(args + ["-"], input=text, stdout=subprocess.PIPE,
                              env={**os.environ, "TZ": ZONE}, check=False)
    if done.returncode not in (0, 1):
        sys.exit("%s: exit status %d" % (" ".join(args), done.returncode))
    found = collections.defaultdict(list)
    for line in done.stdout.splitlines():
        failure = json.loads(line)
        found[failure["line"]].append(failure)
    return found


def stamp_of(text):
    form = "%Y-%m-%dT%H:%M:%S" + (".%f" if "." in text else "")
    at = datetime.datetime.strptime(text, form)
    return time.mktime(at.timetuple()) + at.microsecond / 1e6


def value_of(failure, key):
    fields = failure["fields"]
    if key == "attempts":
        return failure.get("attempts", 1)
    if key == "users":
        return sorted(fields.get("users", fields.get("user", "")).split("\n"))
    if key == "host" and key not in fields:
        return failure["id"]
    return fields.get(key)


def is_refused(host):
    """Written like an IPv4 address, but none."""
    if not re.fullmatch(r"\d+(?:\.\d+){3}", host):
        return False
    try:
        ipaddress.IPv4Address(host)
    except ValueError:
        return True
    return False


def is_same(key, got, want):
    if isinstance(want, list):
        return got == sorted(want)
    if key == "host" and got is not None and ":" in want:
        return got.lower() == want.lower()  # an IPv6 address becomes canonical
    return got == want


def compare(check, found):
    """What is wrong, or None."""
    must_match = bool(check.want.get("match", False))
    if must_match and is_refused(check.want.get("host", "")):
        must_match = False
    if bool(found) != must_match:
        return "must not match: %s" % found[0] if found else "must match"
    if not found:
        return None
    if len(found) != 1:
        return "%d failures" % len(found)
    for key, want in check.want.items():
        if key in CONTROL:
            continue
        got = value_of(found[0], key)
        if not is_same(key, got, want):
            return "%s is %r, must be %r" % (key, got, want)
    at = check.want.get("time")
    if at and found[0]["time"] != stamp_of(at):
        return "time is %s, must be %s (%s)" % (found[0]["time"], stamp_of(at), at)
    return None


def replay(engine, run):
    found = feed(engine, run)
    n_failed = 0
    for i, check in enumerate(run.lines, 1):
        problem = compare(check, found.get(i, []))
        if problem:
            n_failed += 1
            print("%s %s: %s\n    %s" % (
                check.place, run.opts or "", problem,
                check.text.decode("utf-8", "replace")))
    return len(run.lines) - n_failed, n_failed


def own_test_filters(folder, config):
    """fail2ban's zzz-* filters, with their include path made to fit; None: no such."""
    source = os.path.join(F2B, "tests", "config", "filter.d")
    if not os.path.isdir(source):
        return None
    target = os.path.join(folder, "filter.d")
    os.mkdir(target)
    for name in os.listdir(source):
        shutil.copy(os.path.join(source, name), target)
        with open(os.path.join(target, name), "r+", encoding="utf-8") as f:
            text = re.sub(r"(?:\.\./)+config/", config.rstrip("/") + "/", f.read())
            f.seek(0)
            f.truncate()
            f.write(text)
    return folder


def names_in(base, prefix=""):
    for file in sorted(os.listdir(os.path.join(base, "filter.d"))):
        if file.startswith(prefix or tuple("abcdefghijklmnopqrstuvwxyz0123456789")):
            if file.endswith(".conf") and not file.endswith("common.conf"):
                yield file[: -len(".conf")]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--bandog", metavar="PATH")
    which.add_argument("--match-main", metavar="PATH")
    parser.add_argument("--config-dir", default="/etc/fail2ban")
    parser.add_argument("--logs", default=os.path.join(F2B, "tests", "files", "logs"))
    parser.add_argument("names", nargs="*", help="only these filters")
    args = parser.parse_args()
    os.environ["TZ"] = ZONE
    time.tzset()
    if not os.path.isdir(args.logs) or not os.path.isdir(args.config_dir):
        print("fail2ban's tests are not installed")
        return SKIP
    engine = Bandog(args.bandog) if args.bandog else MatchMain(args.match_main)
    n_passed = n_failed = 0
    with tempfile.TemporaryDirectory() as folder:
        filters = [(args.config_dir, name) for name in names_in(args.config_dir)]
        base = own_test_filters(folder, args.config_dir)
        if base:
            filters += [(base, name) for name in names_in(base, "zzz-")]
        for base, name in filters:
            if args.names and name not in args.names:
                continue
            for run in Plan(args.logs, name, base).read():
                passed, failed = replay(engine, run)
                n_passed += passed
                n_failed += failed
    print("%d passed, %d failed" % (n_passed, n_failed))
    return 1 if n_failed else 0


if __name__ == "__main__":
    sys.exit(main())
