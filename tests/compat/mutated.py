#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Feed the same garbled lines to fail2ban and to match-main: mutated.py BUILD [FILTER...]

The lines are fail2ban's samples with pieces exchanged, doubled, dropped or replaced by
odd ones; id, time, rule, number of lines, users and fields must agree for each of them.
fail2ban is changed in memory where its newer version, which we follow, differs from an
installed 1.0: how IPv6 addresses look, and that a group which took no part hides nothing.

Where we differ on purpose: text that is no address is not compared, nor are lines for
which fail2ban raises an exception or does not return; which template dates are written by is
learnt only from lines that a failregex matches (fail2ban is made to do so too); a line without a date is of the time of
the one before, since the log is not read as it is written; what <F-NOFAIL> marks is expected
to be no failure, as in fail2ban's own tests. Not generated: '\\r', NEL and their like
inside of a line, at which fail2ban splits a line in two when it counts. SEED=n and
LINES_PER_RUN=n in the environment give other lines, or more. Exit status: 0, 1, or 77 without
fail2ban's tests.
"""

import json
import logging
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
import types

sys.dont_write_bytecode = True
import samples  # noqa: E402

SECONDS_PER_LINE = 3
N_SHOWN = 20
PIECES = [
    b"192.0.2.7", b"2001:db8::7", b"::ffff:192.0.2.9", b"300.1.1.1", b"a.example.com",
    b"[2001:DB8::9]", b"192.0.2.0/24", b"root", b"admin", b"user=<x>", b" ", b"  ", b"",
    b"\t", b"\xff", b"\xe9", b"from 192.0.2.3", b"port 22", b"[preauth]", b'"', b"'",
    b"ssh2", b"invalid user ", b"sshd[123]: ", b"<", b">", b"(", b")",
    "\u00e9".encode(), "\u00a0".encode(), "\u2003".encode(), "\U0001f600".encode(),
]
ADDRESSES = PIECES[:6]
INTERNAL = re.compile(r"matches|nofail-matches|users|ip|content|nofail|mlf\w+|skiplines\d+")


class Hang(Exception):
    """fail2ban's regexes have no limits."""


def on_alarm(_signo, _frame):
    raise Hang


def load_fail2ban():
    """Its filter module, with the two changes."""
    import fail2ban.server.ipdns as ipdns
    ipdns.IPAddr.IP_6_RE = r"(?:[0-9a-fA-F]{1,4}::?|:){1,7}(?:[0-9a-fA-F]{1,4}|(?<=:):)"
    path = os.path.join(samples.F2B, "server", "filter.py")
    with open(path, encoding="utf-8") as f:
        source = f.read()
    source = source.replace(
        "fail.update(currFail)",
        "fail.update((k, v) for k, v in currFail.items() if v is not None)")
    module = types.ModuleType("fail2ban.server.filter")
    module.__file__, module.__package__ = path, "fail2ban.server"
    sys.modules[module.__name__] = module
    exec(compile(source, path, "exec"), module.__dict__)
    from fail2ban.server.mytime import MyTime
    MyTime.setTime(samples.NOW)
    logging.disable(logging.CRITICAL)
    return module


class Learning:
    """fail2ban's date detector, of which lines that do not match can be taken back."""

    NAMES = ["_DateDetector__" + name
             for name in ("lastPos", "lastEndPos", "lastTemplIdx", "firstUnused")]

    def __init__(self, detector):
        self.detector = detector
        self.templates = detector.templates
        if not self.templates:  # they would come with the first line
            detector.addDefaultTemplate()

    def save(self):
        self.order = list(self.templates)
        self.counts = [(t, t.hits, t.lastUsed, t.distance, t.template.hits)
                       for t in self.templates]
        self.values = [getattr(self.detector, name) for name in self.NAMES]

    def restore(self):
        self.templates[:] = self.order
        for t, t.hits, t.lastUsed, t.distance, t.template.hits in self.counts:
            pass
        for name, value in zip(self.NAMES, self.values):
            setattr(self.detector, name, value)


def garble(rnd, line):
    if rnd.random() < 0.35:
        return line
    for _ in range(rnd.randint(1, 3)):
        parts = re.split(rb"(\s+)", line)
        at, how = rnd.randrange(len(parts)), rnd.randrange(6)
        if how == 0:
            parts[at] = rnd.choice(PIECES)
        elif how == 1:
            del parts[at]
        elif how == 2:
            parts.insert(at, rnd.choice(PIECES))
        elif how == 3:
            other = rnd.randrange(len(parts))
            parts[at], parts[other] = parts[other], parts[at]
        line = b"".join(parts)
        if how == 4:
            address = rnd.choice(ADDRESSES)
            line = re.sub(rb"\b\d+(\.\d+){3}\b", lambda _, a=address: a, line, count=1)
        elif how == 5:
            pid = b"[%d]" % rnd.randint(1, 3)
            line = re.sub(rb"\[\d+\]", lambda _, p=pid: p, line, count=1)
    return line.replace(b"\n", b"").replace(b"\r", b"")


class Theirs:
    """fail2ban's own answer for each line."""

    def __init__(self, module, definition, is_journal):
        self.module, self.is_journal = module, is_journal
        f = self.filter = module.Filter(None)
        f.returnRawHost, f.checkFindTime, f.active = True, False, True
        setters = {"addfailregex": f.addFailRegex, "addignoreregex": f.addIgnoreRegex,
                   "maxlines": lambda v: f.setMaxLines(int(v)),
                   "datepattern": f.setDatePattern}
        for key, value in definition:
            if key == "prefregex":
                f.prefRegex = value.decode()
            elif key in setters:
                setters[key](value.decode())
        self.learning = Learning(f.dateDetector)
        self.is_matched = False
        for regex in f._Filter__failRegex:
            regex.hasMatched = self.noting(regex.hasMatched)

    def noting(self, has_matched):
        def has_matched_and_noted():
            answer = has_matched()
            self.is_matched = self.is_matched or answer
            return answer
        return has_matched_and_noted

    def feed(self, line):
        self.is_matched = False
        self.learning.save()
        answer = self.answer(line)
        if not self.is_matched:
            self.learning.restore()
        return answer

    def answer(self, line):
        """None: no answer to compare with. Else a failure or {}."""
        text = self.module.FileContainer.decode_line("samples", "UTF-8", line).rstrip("\r\n")
        signal.alarm(SECONDS_PER_LINE)
        try:
            if self.is_journal:
                found = self.filter.processLine(("", "", text), samples.NOW)
            else:
                found = self.filter.processLine(text)
        except Hang:
            raise
        except Exception:  # an unknown time zone, for one
            return None
        finally:
            signal.alarm(0)
        return self.normal(*found[0]) if found else {}

    def time_of(self, at):
        """Without a date fail2ban says "now"; in a log that is read later, as here, we
        say what the last line with a date said."""
        last = self.filter._Filter__lastDate
        if at is None:
            return last if last and not self.is_journal else samples.NOW
        return at

    def normal(self, rule, ident, at, data):
        if data.get("nofail"):
            return {}
        address = data.get("ip4") or data.get("ip6")
        if address and not self.module.IPAddr(address).isValid:
            return None
        users = data.get("users") or ()
        return {
            "rule": rule, "id": str(ident), "time": self.time_of(at),
            "attempts": max(1, len(data.get("matches", ()))),
            "users": sorted(users) if len(users) > 1 else None,
            "fields": {k: str(v) for k, v in data.items()
                       if v is not None and not INTERNAL.fullmatch(k)},
        }


def normal_of_ours(failures):
    if not failures:
        return {}
    (failure,) = failures
    fields = failure["fields"]
    users = fields.pop("users", None)
    return {
        "rule": failure["rule"], "id": failure["id"], "time": failure["time"],
        "attempts": failure.get("attempts", 1),
        "users": None if users is None else sorted(users.split("\n")),
        "fields": fields,
    }


def compare_run(engine, module, run, seed, n_lines):
    """(passed, failed, not compared) of one filter with one set of options."""
    rnd = random.Random("%s %s %s" % (seed, run.name, sorted(run.opts.items())))
    pool = [check.text for check in run.lines]
    if not pool:
        return 0, 0, 0
    theirs = Theirs(module, engine.definition(run), run.opts.get("logtype") == "journal")
    lines, answers = [], []
    for i in range(n_lines):
        source = pool[i % len(pool)] if rnd.random() < 0.7 else rnd.choice(pool)
        lines.append(garble(rnd, source))
    try:
        for line in lines:
            answers.append(theirs.feed(line))
    except Hang:
        del lines[len(answers):]
    garbled = run._replace(lines=[samples.Check("", line, {}) for line in lines])
    found = samples.feed(engine, garbled)
    n_failed = n_skipped = 0
    for i, (line, want) in enumerate(zip(lines, answers), 1):
        got = normal_of_ours(found.get(i, []))
        if want is None:
            n_skipped += 1
        elif got != want:
            n_failed += 1
            if n_failed <= N_SHOWN:
                print("%s %s line %d: %r\n    theirs %s\n    ours   %s" % (
                    run.name, run.opts or "", i, line, want, got))
    return len(lines) - n_failed - n_skipped, n_failed, n_skipped


def in_child(work):
    """fail2ban counts hits of its date templates per process: a new one for each run."""
    r, w = os.pipe()
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        os.close(r)
        os.write(w, json.dumps(work()).encode())
        sys.stdout.flush()
        os._exit(0)
    os.close(w)
    with os.fdopen(r, "rb") as f:
        answer = f.read()
    if os.waitpid(child, 0)[1] != 0 or not answer:
        sys.exit("a run died")
    return json.loads(answer)


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    logs = os.path.join(samples.F2B, "tests", "files", "logs")
    config = "/etc/fail2ban"
    if not os.path.isdir(logs) or not os.path.isdir(config):
        print("fail2ban's tests are not installed")
        return samples.SKIP
    os.environ["TZ"] = samples.ZONE
    time.tzset()
    program = os.path.join(sys.argv[1], "tests", "unit", "match", "match-main")
    engine = samples.MatchMain(program)
    module = load_fail2ban()
    signal.signal(signal.SIGALRM, on_alarm)
    seed = os.environ.get("SEED", "1")
    n_lines = int(os.environ.get("LINES_PER_RUN", "200"))
    totals = [0, 0, 0]
    with tempfile.TemporaryDirectory() as folder:
        filters = [(config, name) for name in samples.names_in(config)]
        own = samples.own_test_filters(folder, config)
        if own:
            filters += [(own, name) for name in samples.names_in(own, "zzz-")]
        for base, name in filters:
            if sys.argv[2:] and name not in sys.argv[2:]:
                continue
            for run in samples.Plan(logs, name, base).read():
                counts = in_child(
                    lambda r=run: compare_run(engine, module, r, seed, n_lines))
                totals = [a + b for a, b in zip(totals, counts)]
    print("%d passed, %d failed, %d not compared" % tuple(totals))
    return 1 if totals[1] else 0


if __name__ == "__main__":
    sys.exit(main())
