# SPDX-License-Identifier: GPL-2.0-or-later
"""Failures that are counted while they are written, so that a lost or doubled one shows.

Each Case is a jail with a log of its own and two addresses. All that is written for a
case goes to both, but `near` gets one failure less. At the end `far` is topped up to
MAXRETRY and must be banned by exactly so many; `near` stands one below and must not be.
"""
import datetime
import os

FILTER = r"""
[Definition]
failregex = app: fail \d+ from <HOST>(?: .*)?$
"""
MAXRETRY = 100


def stamp(at=None):
    """RFC 3339 with microseconds, as rsyslog writes it."""
    when = datetime.datetime.fromtimestamp(at) if at else datetime.datetime.now()
    return when.astimezone().isoformat(timespec="microseconds")


def line(address, number, at=None):
    return f"{stamp(at)} mx app: fail {number} from {address}"


class Case:
    n_cases = 0

    def __init__(self, s, name, path=None, glob=None, backend="auto"):
        Case.n_cases += 1
        self.s = s
        self.name = name
        self.path = path or s.log(f"{name}/app.log")
        self.glob = glob or self.path
        self.backend = backend
        self.is_polled = backend == "polling"
        self.far = f"198.51.100.{Case.n_cases}"
        self.near = f"203.0.113.{Case.n_cases}"
        self.wanted = {self.far: 0, self.near: -1}

    def jail(self):
        return (f"[{self.name}]\nenabled = true\nfilter = fail\nlogpath = {self.glob}\n"
                f"backend = {self.backend}\nmaxretry = {MAXRETRY}\nfindtime = 1h\n"
                f"bantime = 1h\nport = 25\n\n")

    def count(self, address):
        """One more failure of that address is about to be written. None: leave it out."""
        self.wanted[address] += 1
        return self.wanted[address] or None

    def text(self, n=1, end="\n"):
        """Lines for n failures of each of the two."""
        lines = []
        for _ in range(n):
            for address in (self.far, self.near):
                number = self.count(address)
                if number is not None:
                    lines.append(line(address, number) + end)
        return "".join(lines)

    def write(self, n=1, to=None):
        """To a path or an open file; the log itself without one."""
        write(to or self.path, self.text(n))

    def seen(self):
        return {address: failures(self.s, self.name, address) for address in self.wanted}

    def settled(self):
        return {address: max(n, 0) for address, n in self.wanted.items()}

    def wait(self, seconds=None):
        seconds = seconds or (15 if self.is_polled else 6)
        self.s.wait_for(lambda: self.seen() == self.settled(), seconds,
                        f"{self.settled()} in {self.name}", lambda: f", got {self.seen()}")

    def check(self):
        self.s.equal(self.seen(), self.settled(), self.name)

    def finish(self):
        """The last straw: exactly MAXRETRY ban, one less does not."""
        self.check()
        self.write(MAXRETRY - self.wanted[self.far])
        ban = self.s.wait_for(lambda: ban_of(self.s, self.name, self.far), 6,
                              f"the ban of {self.far} in {self.name}")
        self.s.equal(ban["failures"], MAXRETRY, self.name)
        self.s.wait_for(lambda: failures(self.s, self.name, self.near) == MAXRETRY - 1, 6,
                        f"{MAXRETRY - 1} failures of {self.near}")
        self.s.equal(ban_of(self.s, self.name, self.near), None, self.name)


def write(to, text):
    data = text if isinstance(text, bytes) else text.encode()
    if isinstance(to, str):
        with open(to, "ab", buffering=0) as f:
            f.write(data)
    else:
        to.write(data)


def keep_open(path):
    """As a writer that has not noticed yet that its log was rotated."""
    return open(path, "ab", buffering=0)


def failures(s, jail, address):
    account = s.bandog_json("why", address)["account"]
    return sum(a["failures"] for a in account if a["jail"] == jail)


def ban_of(s, jail, address):
    bans = [b for b in s.bandog_json("why", address)["bans"] if b["jail"] == jail]
    return bans[0] if bans else None


def status(s, jail):
    return s.bandog_json("status", jail)["jail"]


def recreate(path):
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o644))
