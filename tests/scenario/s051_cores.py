#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# bandog scan on many cores: decides, prints and counts as on one, whatever dies meanwhile.
# asan: yes
import gzip
import os
import random
import re
import signal
import subprocess
import time

import harness

OK, INTERRUPTED = 0, 130
SHARED_BYTES = 8 << 20  # before them there is one process

FILTERS = {
    "mail": "[Definition]\nfailregex = ^ \\S+ mail: failed from <HOST>$\n"
            "            ^ \\S+ mail: warning: <HOST>: .*$\n"
            "ignoreregex = nobody minds\n",
    # The address comes in one line of a session, the failure in another.
    "session": "[Definition]\nprefregex = ^ \\S+ auth\\[<F-MLFID>\\d+</F-MLFID>\\]: "
               "<F-CONTENT>.+</F-CONTENT>$\n"
               "failregex = ^<F-NOFAIL>peer</F-NOFAIL> is <HOST>$\n            ^refused$\n"
               "            ^<F-MLFGAINED>welcome</F-MLFGAINED>$\n",
    "lines": "[Definition]\nmaxlines = 3\nfailregex = ^ \\S+ web: begin<SKIPLINES>"
             "^ \\S+ web: bad end of <HOST>$\n",
}
JAIL = "[{0}]\nenabled = true\nfilter = {0}\nmaxretry = 3\nfindtime = 10m\nbantime = 5m\n" \
       "usedns = no\nlogpath = /var/log/none\n"
FORMATS = ["%b %e %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S", "%d/%b/%Y:%H:%M:%S",
           "[%d/%b/%Y:%H:%M:%S]"]


def make_log(seed, n, begin):
    """Dates of many kinds, for a while of one and then of any; also none, or no such day."""
    chance, at, form, lines = random.Random(seed), begin, FORMATS[0], []
    for i in range(n):
        at += chance.choice((0, 0, 1, 5))
        if chance.random() < .01:
            form = chance.choice(FORMATS)
        host = f"198.51.100.{chance.randrange(60)}"
        text = chance.choice((
            f"mail: failed from {host}", f"mail: failed from {host}",
            f"mail: warning: {host}: nobody minds", f"mail: failed from host{i}.example",
            f"auth[{i % 7}]: peer is {host}", f"auth[{i % 7}]: refused", f"auth[{i % 7}]: welcome",
            "web: begin", f"web: bad end of {host}", f"mail: failed from {host} not quite",
            f"connect {i} of no interest", f"at 2005-08-14 11:59:{i % 60:02} it was seen"))
        when = time.strftime(form if chance.random() < .95 else chance.choice(FORMATS),
                             time.localtime(at))
        kind = chance.random()
        if kind < .03:
            when = ""
        elif kind < .04:
            when = "Feb 30 10:00:00"
        elif kind < .045:
            text += " " + "x" * chance.choice((200, 3000, 40000))
        elif kind < .05:
            text += chr(0xdc80 + chance.randrange(128))
        lines.append(f"{when} mx {text}\n")
        if text == "web: begin":
            lines.append(f"{when} mx web: bad end of {host}\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


class Scans:
    def __init__(self, s):
        self.s = s
        self.words = s.namespaces.prefix("server") + [s.program("bandog"), "scan", "--json",
                                                      *s.folders()]
        self.out, self.err = (os.path.join(s.dir, x) for x in ("printed", "said"))

    def start(self, *words):
        """It prints into files, as nobody reads what it prints until it ends."""
        with open(self.out, "wb") as out, open(self.err, "wb") as err:
            child = subprocess.Popen([*self.words, *words], stdin=subprocess.PIPE, stdout=out,
                                     stderr=err)
        self.s.children.append(child)
        return child

    def end(self, child, content=None):
        """The rest of its input, its exit code, what it printed and what it said."""
        if content:
            child.stdin.write(content)
            child.stdin.close()
        child.wait(60)
        with open(self.out, "rb") as out, open(self.err, encoding="utf-8") as err:
            return child.returncode, without_seconds(out.read()), err.read()

    def result(self, *words, content=None, code=OK):
        """All that is printed but the seconds, and what is said."""
        done = subprocess.run([*self.words, *words], input=content, capture_output=True,
                              timeout=120, check=False)
        self.s.equal(done.returncode, code, done.stderr)
        return without_seconds(done.stdout), done.stderr.decode()


def without_seconds(out):
    return re.sub(rb'"seconds":[0-9.e+-]+', b"", out)


def put(s, name, content):
    path = os.path.join(s.dir, name)
    with open(path, "wb") as f:
        f.write(content)
    return path


def children(pid):
    """Of the scan; the words before it (nsenter and such) become it."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
            return [int(x) for x in f.read().split()]
    except OSError:
        return []


def alike(s, scans, what, *logs, content=None):
    wanted, said = scans.result("--cores", "1", *logs, content=content)
    s.equal(said, "", what)
    s.check(wanted.count(b'"ban"') > 20, f"{what}: a test without bans")
    for cores in ("2", "3", "8"):
        for slot in ("90", "1500", "20000", "150000"):
            got, said = scans.result("--cores", cores, "--slot-bytes", slot, *logs,
                                     content=content)
            s.equal((got, said), (wanted, ""), f"{what}, {cores} cores, {slot} bytes")
    return wanted


def same_decisions(s, scans, begin):
    s.step("many formats of dates, sessions, maxlines: byte for byte what one core prints")
    text = make_log(1, 6000, begin)
    alike(s, scans, "plain", put(s, "plain", text))
    s.step("compressed, from a pipe, and logs that are merged line by line")
    alike(s, scans, "gzip", put(s, "packed", gzip.compress(text)))
    alike(s, scans, "a pipe", "-", content=text)
    logs = [put(s, f"part{i}", make_log(i, 1500, begin + 100 * i)) for i in range(3)]
    alike(s, scans, "merged", *logs)


def only_kinds(s, scans, begin):
    s.step("jails of one kind alone: none can be searched apart, or all")
    log = put(s, "kinds", make_log(9, 4000, begin))
    for jail in FILTERS:
        words = ("--jail", jail, log)
        wanted = scans.result("--cores", "1", *words)
        s.check(b'"ban"' in wanted[0], f"{jail}: a test without bans")
        s.equal(scans.result("--cores", "3", "--slot-bytes", "3000", *words), wanted, jail)


def long_pipe(s, scans, text, *words):
    """A scan that has read most of a long log, and its workers."""
    child = scans.start("--quiet", *words, "-")
    child.stdin.write(text[:-(len(text) // 4)])
    child.stdin.flush()
    s.wait_for(lambda: len(children(child.pid)) == 3, 30, "three workers")
    return child, children(child.pid)


def deaths(s, scans, text):
    s.step("a long log is shared without being asked to; killed workers change nothing")
    wanted, _ = scans.result("--cores", "1", "-", content=text)
    s.equal(scans.result("-", content=text), (wanted, ""))
    for n in (0, 1, 3):
        child, workers = long_pipe(s, scans, text, "--cores", "3")
        for pid in workers[:n]:
            os.kill(pid, signal.SIGKILL)
        code, out, said = scans.end(child, text[-(len(text) // 4):])
        s.equal(code, OK, said)
        s.equal(out, wanted, f"{n} workers killed")
        s.equal(said, "" if not n else f"bandog scan: {n} of 3 worker processes died; "
                "what they had was searched without them\n")
        s.check(not any(os.path.exists(f"/proc/{pid}") for pid in workers), "left behind")


def interrupted(s, scans, text):
    s.step("Ctrl-C: all lines that were read are decided, and the workers end")
    child, workers = long_pipe(s, scans, text, "--cores", "3")
    time.sleep(0.5)
    for pid in [child.pid, *workers]:  # as a terminal does it
        os.kill(pid, signal.SIGINT)
    code, out, said = scans.end(child)
    s.equal((code, said), (INTERRUPTED, ""))
    child.stdin.close()
    n = int(re.search(rb'"lines":(\d+)', out.splitlines()[-1])[1])
    part = b"".join(text.splitlines(keepends=True)[:n])
    wanted, _ = scans.result("--cores", "1", "-", content=part)
    s.equal(out.splitlines()[:-1], wanted.splitlines()[:-1])
    s.check(not any(os.path.exists(f"/proc/{pid}") for pid in workers), "left behind")
    s.step("a scan that is killed takes its workers along")
    child, workers = long_pipe(s, scans, text, "--cores", "3")
    child.kill()
    child.wait(10)
    child.stdin.close()
    s.wait_for(lambda: not any(is_alive(pid) for pid in workers), 10, "the workers to end")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii") as f:
            return f.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def scenario(s):
    for name, text in FILTERS.items():
        s.config(f"filter.d/{name}.conf", text)
    s.config("jail.conf", "".join(JAIL.format(name) for name in FILTERS))
    begin = int(time.time() - 40 * 86400)
    scans = Scans(s)
    same_decisions(s, scans, begin)
    only_kinds(s, scans, begin)
    s.config("jail.conf", JAIL.format("mail") + JAIL.format("session"))
    text = make_log(5, 5000, begin)
    text *= SHARED_BYTES * 2 // len(text)
    deaths(s, scans, text)
    interrupted(s, scans, text)


harness.main(scenario)
