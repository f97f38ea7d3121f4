# SPDX-License-Identifier: GPL-2.0-or-later
"""What it is all for: honest mail while hundreds of addresses fill the mail server's slots.

A real Postfix in a network namespace, attackers and honest senders in another one (storm.c),
one guard after the other. Each begins with a new network, a new Postfix and an empty log.
Figures are of the second half of the storm.
"""

import contextlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import time

from common import BUILD, FAIL2BAN, FAIL2BAN_CONFIG, ROOT, percentile
from report import Goal, Table, number

sys.path.insert(1, os.path.join(ROOT, "tests", "scenario"))
import harness  # noqa: E402
from outcome import Failure, Skip  # noqa: E402

SECONDS, QUICK_SECONDS = 120, 40
GIVE_UP_SEC = 10
SLOTS = 50
MAILS_PER_SEC = 10
# The pace of the attackers: with it 0.3 of the honest mail gets through where nobody guards, and
# some 0.7 with fail2ban.
ATTACKERS = 400
RECIPIENTS = 6
REST_MS = "300-1200"
IDLE_SEC = 10
SETTINGS = [f"default_process_limit = {SLOTS}", f"smtpd_timeout = {IDLE_SEC}s"]
CRON_SEC = 60
LATE_SEC = 20
SHARE, MEDIAN_MS, RATIO = 0.99, 20, 200
ATTACKER_NETS = [bytes([198, 18]), bytes.fromhex("20010db81001")]
ESTABLISHED, CLOSE_WAIT = "01", "08"


class Nobody:
    name = "nobody"
    needs = []  # these have to exist

    def __init__(self, s, postfix):
        self.s, self.log = s, postfix.log

    def start(self):
        pass

    def tick(self, second):
        """Called in each second of the storm."""

    def banned(self):
        return None


class Script(Nobody):
    """As people write it; cron runs it each minute."""
    name = "shell script"

    def start(self):
        self.list = os.path.join(self.s.dir, "blocked")

    def tick(self, second):
        if second and second % CRON_SEC == 0:
            self.s.start([os.path.join(ROOT, "tests/bench/blocker.sh"), self.log, self.list,
                          "eth0"])

    def banned(self):
        if not os.path.exists(self.list):
            return 0
        with open(self.list, encoding="ascii") as f:
            return len(f.readlines())


def postfix_of_fail2ban(folder):
    """All of /etc/fail2ban as it is, with its jail for Postfix switched on."""
    shutil.copytree(FAIL2BAN_CONFIG, folder, dirs_exist_ok=True)
    with open(os.path.join(folder, "jail.local"), "w", encoding="ascii") as f:
        f.write("[postfix]\nenabled = true\n")


def log_folder(log):
    """What a daemon is to find as /var/log. Debian's jail for sshd wants its log, too."""
    folder = os.path.dirname(log)
    open(os.path.join(folder, "auth.log"), "a", encoding="ascii").close()
    return folder


class Fail2ban(Nobody):
    name = "fail2ban"
    needs = [FAIL2BAN, FAIL2BAN_CONFIG]

    def start(self):
        s, folder = self.s, os.path.join(self.s.dir, "fail2ban")
        postfix_of_fail2ban(folder)
        with open(os.path.join(folder, "fail2ban.local"), "w", encoding="ascii") as f:
            f.write(f"[Definition]\nlogtarget = {s.dir}/f2b.log\nsocket = {s.dir}/f2b.sock\n"
                    f"pidfile = {s.dir}/f2b.pid\ndbfile = {s.dir}/f2b.sqlite3\n")
        s.start(["sh", "-c", harness.Daemon.MOUNT, "sh", "/var/log", log_folder(self.log), "--",
                 FAIL2BAN, "-c", folder, "-xf", "start"])
        s.wait_for(lambda: self.status().returncode == 0, 30, "fail2ban")

    def status(self):
        return self.s.run(["fail2ban-client", "-s", f"{self.s.dir}/f2b.sock", "status",
                           "postfix"], check=False)

    def banned(self):
        return int(re.search(r"Currently banned:\s*(\d+)", self.status().stdout)[1])


class Bandog(Nobody):
    name = "bandog, fail2ban's configuration"
    needs = [FAIL2BAN_CONFIG]

    def configure(self):
        postfix_of_fail2ban(self.s.config_dir)

    def start(self):
        self.configure()
        self.s.bandogd(mounts={"/var/log": log_folder(self.log)})

    def banned(self):
        return self.s.bandog_json("status", "postfix")["jail"]["banned_now"]


class BandogShipped(Bandog):
    name = "bandog, its own"
    needs = []

    def configure(self):
        shutil.copytree(os.path.join(ROOT, "etc"), self.s.config_dir, dirs_exist_ok=True)


class BandogLate(Bandog):
    """The slots are full when it begins: what there is to know of an attacker comes slowly."""
    name = "bandog, begun in the storm"

    def start(self):
        pass

    def tick(self, second):
        if second == LATE_SEC:
            super().start()


GUARDS = [Nobody, Script, Fail2ban, Bandog, BandogShipped, BandogLate]
QUICK_GUARDS = [Nobody, Fail2ban, Bandog]


def _is_attacker(address):
    """@address: of either family, as /proc/net/tcp has it."""
    raw = b"".join(int(address[i:i + 8], 16).to_bytes(4, sys.byteorder)
                   for i in range(0, len(address), 8))
    if raw.startswith(b"\0" * 10 + b"\xff\xff"):
        raw = raw[12:]
    return raw.startswith(tuple(ATTACKER_NETS))


def _held_slots(pid):
    """Connections of attackers that a process of Postfix has taken. One without an inode is
    still in the listener's queue."""
    held = 0
    for name in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{name}", encoding="ascii") as f:
            for words in map(str.split, f.readlines()[1:]):
                port = int(words[1].rpartition(":")[2], 16)
                held += (port == 25 and words[3] in (ESTABLISHED, CLOSE_WAIT)
                         and words[9] != "0" and _is_attacker(words[2].partition(":")[0]))
    return held


def _storm(s, guard, seconds, postfix):
    """Return: the lines of storm, and how many slots the attackers held in each second."""
    path = os.path.join(s.dir, "storm.out")
    total = seconds + GIVE_UP_SEC  # so long lasts the last message
    with open(path, "w", encoding="ascii") as out:
        child = s.start([f"{BUILD}/tests/bench/storm", str(total), str(ATTACKERS),
                         str(MAILS_PER_SEC), str(RECIPIENTS), REST_MS, s.server4, s.server6],
                        "client", out)
    begin, held = time.monotonic(), []
    while child.poll() is None:
        if len(held) > total + GIVE_UP_SEC:
            raise Failure("the storm does not end")
        guard.tick(len(held))
        held.append(_held_slots(postfix.child.pid))
        time.sleep(max(0, begin + len(held) - time.monotonic()))
    with open(path, encoding="ascii") as f:
        text = f.read()
    s.equal(child.returncode, 0, f"storm: {text}")
    return [line.split() for line in text.splitlines()], held


@contextlib.contextmanager
def _own_signals():
    """Who cleans up behind a scenario ignores signals from then on; another one follows."""
    kinds = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = [signal.getsignal(signo) for signo in kinds]
    for signo in kinds:
        signal.signal(signo, harness.on_signal)
    try:
        yield
    finally:
        for signo, handler in zip(kinds, before):
            signal.signal(signo, handler)


def _figures(lines, held, seconds):
    half = seconds // 2
    never = float("inf")
    took = [int(us) / 1000 if int(us) >= 0 else never for kind, begin, us in
            (line for line in lines if line[0] == "mail") if half <= int(begin) / 1e6 < seconds]

    def at(p):
        ms = percentile(took, p)
        return None if ms == never else ms
    return {"mails": len(took), "share": sum(ms < never for ms in took) / len(took),
            "p50_ms": at(50), "p99_ms": at(99), "held": statistics.mean(held[half:seconds]),
            "held_by_second": held}


def _measure(kind, seconds):
    with _own_signals(), harness.Scenario(BUILD) as s:
        postfix = s.postfix(*SETTINGS)
        guard = kind(s, postfix)
        guard.start()
        lines, held = _storm(s, guard, seconds, postfix)
        return {**_figures(lines, held, seconds), "banned": guard.banned()}


def measure(b):
    seconds = QUICK_SECONDS if b.quick else SECONDS
    subprocess.run(["ninja", "-C", BUILD, "--quiet", "tests/bench/storm"], check=True,
                   stdout=subprocess.DEVNULL)
    guards = {}
    try:
        for kind in QUICK_GUARDS if b.quick else GUARDS:
            if all(map(os.path.exists, kind.needs)):
                guards[kind.name] = _measure(kind, seconds)
    except Skip as e:
        print(f"tests/bench/run: no storm: {e}", file=sys.stderr)
        return None
    except Failure as e:
        raise SystemExit(f"tests/bench/run: storm: {e}") from None
    return {"seconds": seconds, "guards": guards}


def _median_ratio(r):
    """How many times as long fail2ban's mail takes; at least, where half never got through."""
    ours, peer = (r["guards"].get(kind.name) for kind in (Bandog, Fail2ban))
    if not ours or not peer or not ours["p50_ms"]:
        return None
    return (peer["p50_ms"] or GIVE_UP_SEC * 1000) / ours["p50_ms"]


def goals(r):
    ours = r["guards"].get(Bandog.name) or r["guards"].get(BandogShipped.name)
    result = [Goal("storm, honest mail taken within 10 s", ours["share"], "of 1", least=SHARE),
              Goal("storm, until it is taken, p50", ours["p50_ms"], "ms", most=MEDIAN_MS)]
    if Fail2ban.name in r["guards"]:
        result.append(Goal("the same, beside fail2ban", _median_ratio(r), "x", least=RATIO))
    return result


def tables(r):
    rows = []
    for name, g in r["guards"].items():
        times = [number(ms) if ms is not None else f"> {GIVE_UP_SEC * 1000:,}"
                 for ms in (g["p50_ms"], g["p99_ms"])]
        rows.append([name, f"{g['share']:.3f}", *times,
                     "" if g["banned"] is None else str(g["banned"]), number(g["held"])])
    return [Table(f"storm, {ATTACKERS} attackers at {SLOTS} slots, honest mail of the second half "
                  f"of {r['seconds']} s",
                  ["guard", "taken within 10 s", "p50, ms", "p99, ms", "banned",
                   "slots held by attackers"], rows)]
