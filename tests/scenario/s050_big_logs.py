#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# bandog scan over months of logs: compressed, rotated, of two servers, damaged, long.
# asan: yes
import bz2
import calendar
import gzip
import heapq
import itertools
import json
import lzma
import os
import pty
import random
import re
import select
import shutil
import signal
import subprocess
import threading
import time

import harness

OK, FAILED, INTERRUPTED, TERMINATED, PIPE = 0, 2, 130, 143, 141
IS_ASAN = "ASAN_OPTIONS" in os.environ
MEMBER_LINES = 20000 if IS_ASAN else 100000
MEMBERS = 36
CORES = min(8, len(os.sched_getaffinity(0)))
# Beside what is read: the slots of lines that a long log is shared in (cli/scan_cores.h).
MEMORY_KIB = 2048 + (2 * CORES + 2) * 1024

FILTER = "[Definition]\nfailregex = ^ \\S+ mail: failed from <HOST>$\n"
JAIL = "[mail]\nenabled = true\nmaxretry = 3\nfindtime = 10m\nbantime = 10m\nfilter = mail\n" \
       "logpath = /var/log/none\n"
DAY = 86400


class Log:
    """Lines with their times; deterministic. Many addresses fail, some of them too often."""

    def __init__(self, n, begin, seed=1, host="mx", step=20):
        chance, at, self.lines = random.Random(seed), begin, []
        for i in range(n):
            at += chance.choice((0, 0, 1, step))
            text = (f"failed from 198.51.100.{chance.randrange(100)}"
                    if chance.random() < .4 else f"connect {i} of no interest at all")
            when = time.strftime("%b %e %H:%M:%S", time.localtime(at))
            self.lines.append((at, f"{when} {host} mail: {text}\n"))

    def text(self, begin=0, end=None):
        return "".join(line for _, line in self.lines[begin:end]).encode()


def decisions(s, *words, code=OK, stdin=None):
    """What a scan decides (without the summary), the summary, and what it says."""
    done = subprocess.run(
        s.namespaces.prefix("server") + [s.program("bandog"), "scan", "--json", *s.folders(),
                                         *words],
        stdin=stdin or subprocess.DEVNULL, capture_output=True, text=True, timeout=60,
        check=False)
    s.equal(done.returncode, code, f"{words}: {done.stderr}")
    *orders, last = [json.loads(line) for line in done.stdout.splitlines()]
    return orders, last["summary"], done.stderr


def put(s, name, content, changed=None):
    path = os.path.join(s.dir, name)
    with open(path, "wb") as f:
        f.write(content)
    if changed:
        os.utime(path, (changed, changed))
    return path


def by_program(*words):
    if not shutil.which(words[0]):
        return None
    return lambda text: subprocess.run(words, input=text, stdout=subprocess.PIPE,
                                       check=True).stdout


PACKERS = {"gz": gzip.compress, "bz2": bz2.compress, "xz": lzma.compress,
           "zst": by_program("zstd", "-qc"), "lz4": by_program("lz4", "-qc"),
           "Z": by_program("compress", "-c"), "lz": by_program("lzip", "-c")}


def kinds(s, log):
    s.step("plain or compressed, told by content: the same decisions")
    text = log.text()
    wanted, summary, _ = decisions(s, put(s, "plain", text))
    s.equal(summary["lines"], len(log.lines))
    s.check(len(wanted) > 40, f"a test without bans: {summary}")
    for name, packer in PACKERS.items():
        if not packer:
            continue
        path = put(s, "packed.log", packer(text))
        s.equal(decisions(s, path)[0], wanted, name)
        with open(path, "rb") as f:
            s.equal(decisions(s, "-", stdin=f)[0], wanted, f"{name} on standard input")
        s.equal(decisions(s, put(s, "packed.log", packer(b"")))[1]["lines"], 0, name)
        if name != "Z":
            third = len(text) // 3
            path = put(s, "packed.log", packer(text[:third]) + packer(text[third:]))
            s.equal(decisions(s, path)[0], wanted, f"two of {name} behind each other")
    feed = subprocess.Popen(["cat", put(s, "packed.log", gzip.compress(text))],
                            stdout=subprocess.PIPE)
    s.equal(decisions(s, "-", stdin=feed.stdout)[0], wanted, "a pipe")
    feed.stdout.close()
    feed.wait()
    out = s.run([s.program("bandog"), "match", *s.folders(), "--filter", "mail",
                 put(s, "packed.log", gzip.compress(text))]).stdout
    s.check(out.startswith(f"{len(log.lines)} lines: {summary['matched']} failures"), out[:99])
    out = s.run([s.program("bandog"), "fail2ban-regex", os.path.join(s.dir, "packed.log"),
                 "failed from <HOST>$"]).stdout
    s.check(f"{summary['matched']} matched" in out, out)
    return wanted


def rotated(s, log, wanted):
    s.step("rotated logs in any order of arguments: the decisions of the whole")
    quarter, names = len(log.lines) // 4, ["mail.log.3.gz", "mail.log.2.xz", "mail.log.1",
                                           "mail.log"]
    packers = [gzip.compress, lzma.compress, bytes, bytes]
    for i, name in enumerate(names):
        part = log.lines[i * quarter:(i + 1) * quarter if i < 3 else None]
        put(s, name, packers[i]("".join(x for _, x in part).encode()), part[-1][0])
    for order in itertools.permutations(names):
        got = decisions(s, *(os.path.join(s.dir, x) for x in order))[0]
        s.equal(got, wanted, " ".join(order))


def merged(s, begin):
    s.step("logs of two servers, and one that overlaps a part: those of the merged log")
    logs = {name: Log(n, begin + late, seed, name)
            for name, n, late, seed in (("a", 6000, 0, 2), ("b", 5000, 333, 3),
                                        ("c", 2000, 20000, 4))}
    # At the same time the log that begins earlier comes first.
    whole = heapq.merge(*(logs[x].lines for x in "abc"), key=lambda x: x[0])
    wanted = decisions(s, put(s, "whole", "".join(x for _, x in whole).encode()))[0]
    s.check(len(wanted) > 20, "a test without bans")
    paths = [put(s, x, (gzip.compress if x == "b" else bytes)(logs[x].text()))
             for x in "abc"]
    for order in itertools.permutations(paths):
        s.equal(decisions(s, *order)[0], wanted, f"{order}")


def years(s):
    s.step("a date without a year is one of the year before the file was last changed")
    year = time.localtime().tm_year - 2
    new_year = time.mktime((year, 1, 1, 0, 0, 0, 0, 0, -1))
    old = Log(400, new_year - 600, seed=5, step=10)
    end = old.lines[-1][0]
    s.check(end > new_year, "a test without a change of the year")
    wanted, _, _ = decisions(s, "--now", f"@{end}", put(s, "old", old.text()))
    s.check(wanted, "a test without bans")
    path = put(s, "old", gzip.compress(old.text()), end)
    s.equal(decisions(s, path)[0], wanted)
    recent = Log(400, time.time() - 5 * DAY, seed=6)
    got, _, _ = decisions(s, put(s, "recent", recent.text()), path)
    s.equal([x for x in got if x["at"] <= end + 600][:len(wanted)], wanted)
    s.check(got[-1]["at"] > new_year + 300 * DAY, f"{got[-1]}")


def damaged(s, log, wanted):
    s.step("a damaged log: what can be read counts, its name is told, the code says so")
    packed = gzip.compress(log.text())
    cut = put(s, "cut.gz", packed[:len(packed) // 2])
    got, summary, said = decisions(s, cut, code=FAILED)
    s.equal(said, f"bandog scan: {cut}: cut off: its end is missing\n")
    s.check(summary["lines"] > len(log.lines) // 3, f"{summary}")
    s.check(len(got) > 10, f"{len(got)} orders")
    s.equal(got, wanted[:len(got)])
    other = put(s, "other", packed[:-8] + b"\x55" + packed[-7:])
    got, _, said = decisions(s, other, code=FAILED)
    s.equal(got, wanted)
    s.check(said.startswith(f"bandog scan: {other}: damaged: "), said)
    later = Log(300, log.lines[-1][0] + DAY, seed=7)
    _, both, said = decisions(s, put(s, "later", later.text()), "/no/such", cut, code=FAILED)
    s.equal(both["lines"], summary["lines"] + 300)
    s.equal(len(said.splitlines()), 2, said)
    for name in ("xz", "bz2"):
        packed = PACKERS[name](log.text())
        _, _, said = decisions(s, put(s, "cut", packed[:len(packed) * 2 // 3]), code=FAILED)
        s.check("/cut: cut off: " in said, said)
    bomb = put(s, "cut", b"\x1f\x8b\x08" + b"\xff" * 1000)
    s.equal(decisions(s, bomb, code=FAILED)[1]["lines"], 0)


# Long logs


class Running:
    """A scan with standard error on a terminal, and output into a file."""

    def __init__(self, s, *words, stdout=None, stdin=subprocess.DEVNULL):
        self.s = s
        self.out = os.path.join(s.dir, "output")
        self.master, slave = pty.openpty()
        with open(self.out, "wb") as out:
            self.child = subprocess.Popen(
                s.namespaces.prefix("server")
                + [s.program("bandog"), "scan", *s.folders(), *words],
                stdin=stdin, stdout=stdout or out, stderr=slave)
        s.children.append(self.child)
        os.close(slave)
        self.said = ""

    def listen(self, seconds, until=None):
        end = time.monotonic() + seconds
        while time.monotonic() < end and not (until and until in self.said):
            if not select.select([self.master], [], [], 0.05)[0]:
                continue
            try:
                self.said += os.read(self.master, 4096).decode()
            except OSError:  # the other side is closed
                return
        if until:
            self.s.check(until in self.said, f"no {until!r} in {self.said!r}")

    def end(self, number=None):
        """Exit code and output, after that signal."""
        if number:
            self.child.send_signal(number)
        code = self.child.wait(20)
        self.listen(0.2)
        os.close(self.master)
        with open(self.out, encoding="utf-8") as f:
            return code, f.read()


def progress(s, big, small):
    s.step("progress on a terminal, Ctrl-C: what was found so far")
    size = os.path.getsize(big)
    scan = Running(s, big)
    scan.listen(30, until="left")
    begin = time.monotonic()
    scan.listen(1)
    code, out = scan.end(signal.SIGINT)
    most = 2 + 5 * (time.monotonic() - begin)
    s.equal(code, INTERRUPTED, out)
    s.check(re.search(r"\r +\d+%  [0-9.]+ \w+ of [0-9.]+ \w+, \d+ lines/s, [0-9:]+ (h )?left"
                      r"\x1b\[K", scan.said), scan.said)
    s.check(scan.said.endswith("\r\x1b[K"), scan.said)
    s.check(scan.said.count("left") <= most, f"more than five a second: {scan.said!r}")
    found = re.search(r"^interrupted at (\S+ \S+), (\d+) of (\d+) bytes\n(\d+) lines, ", out,
                      re.M)
    s.check(found, out[-300:])
    s.check(0 < int(found[2]) < int(found[3]) == size, found[0])
    s.check(int(found[4]) > 1000, found[0])
    for words, path in ((["--quiet"], big), ([], small)):
        scan = Running(s, *words, path)
        scan.listen(1.6 if words else 0.1)
        code, out = scan.end(signal.SIGTERM if words else None)
        s.equal((code, scan.said), (TERMINATED if words else OK, ""), f"{words}")


def interrupted(s, big, log):
    s.step("interrupted while it waits for a pipe: all lines before are in it")
    scan = Running(s, "--json", "-", stdin=subprocess.PIPE)
    scan.child.stdin.write(log.text(0, 500))
    scan.child.stdin.flush()
    scan.listen(0.5)
    code, out = scan.end(signal.SIGINT)
    scan.child.stdin.close()
    summary = json.loads(out.splitlines()[-1])["summary"]
    s.equal((code, summary["lines"]), (INTERRUPTED, 500))
    s.equal(summary["interrupted"], {"at": calendar.timegm(time.gmtime(log.lines[499][0])),
                                     "bytes": len(log.text(0, 500))})
    s.step("a second Ctrl-C ends it at once; a reader that goes away ends it quietly")
    # Nobody reads what it prints.
    scan = Running(s, "--quiet", "--json", big, stdout=subprocess.PIPE)
    s.wait_for(lambda: is_stuck(scan.child.pid), 30, "it to be stuck")
    scan.child.send_signal(signal.SIGINT)
    time.sleep(0.3)
    s.check(scan.child.poll() is None, "it ended by itself")
    s.equal(scan.end(signal.SIGINT)[0], -signal.SIGINT)
    scan.child.stdout.close()
    scan = Running(s, "--quiet", "--json", big, stdout=subprocess.PIPE)
    s.check(json.loads(scan.child.stdout.readline())["do"] == "ban", "the first line")
    scan.child.stdout.close()
    s.equal((scan.end()[0], scan.said), (PIPE, ""))


def is_stuck(pid):
    """It waits, and has done nothing for a while."""
    seen = []
    for _ in range(2):
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            name, _, rest = f.read().rpartition(")")
        seen.append((name.endswith("(bandog"), rest.split()[0], rest.split()[11:13]))
        time.sleep(0.3)
    return seen[0] == seen[1] and seen[0][:2] == (True, "S")


def peak_kib(s, path):
    """The largest memory of a scan, as looked at until its end."""
    peak, done = 0, threading.Event()
    child = subprocess.Popen(
        s.namespaces.prefix("server") + [s.program("bandog"), "scan", "--quiet", *s.folders(),
                                         path], stdout=subprocess.DEVNULL)
    while child.poll() is None:
        with open(f"/proc/{child.pid}/comm", encoding="utf-8") as name, \
                open(f"/proc/{child.pid}/status", encoding="utf-8") as status:
            found = re.search(r"VmHWM:\s+(\d+) kB", status.read())
            if found and name.read() == "bandog\n":
                peak = max(peak, int(found[1]))
        done.wait(0.004)
    s.equal(child.returncode, OK)
    return peak


def memory(s, member):
    s.step("memory does not grow with the log")
    small = peak_kib(s, put(s, "small.gz", member))
    large = peak_kib(s, put(s, "large.gz", member * MEMBERS))
    s.check(small > 1000, f"{small} KiB")
    n_mib = len(gzip.decompress(member)) / 2**20
    text = f"{small} KiB for {n_mib:.0f} MiB, {large} KiB for {n_mib * MEMBERS:.0f} MiB"
    s.check(large <= small + MEMORY_KIB, text)
    harness.say("  " + text)


def scenario(s):
    s.config("filter.d/mail.conf", FILTER)
    s.config("jail.conf", JAIL)
    begin = time.time() - 40 * DAY
    log = Log(12000, int(begin))
    wanted = kinds(s, log)
    rotated(s, log, wanted)
    merged(s, int(begin))
    years(s)
    damaged(s, log, wanted)
    member = gzip.compress(Log(MEMBER_LINES, int(begin), seed=8, step=3).text(), 1)
    big = put(s, "big.gz", member * 200)
    progress(s, big, put(s, "small", log.text(0, 100)))
    interrupted(s, big, log)
    if not IS_ASAN:
        memory(s, member)


harness.main(scenario)
