# SPDX-License-Identifier: GPL-2.0-or-later
"""fail2ban's own code, driven line by line with a clock of our own and without threads.

Stock: reader, filter, fail manager and ban manager as they are; what is run here is only
the loop that fail2ban's threads run, so that the order of things is always the same. Of
newer versions it has what mutated.py gives it.

Reference: the same reader, the same filter and the same ban manager, but what differs on
purpose is decided as bandog's headers promise: true sliding windows (decide/tally.h), no
id that only looks like an address, nothing that <F-NOFAIL> marks, an ignoreregex wherever it matches.
"""

import collections
import ipaddress
import os
import re
import sys

import mutated
import samples

sys.path.insert(0, os.path.dirname(samples.F2B))
MODULE = mutated.load_fail2ban()

from fail2ban.client.jailsreader import JailsReader  # noqa: E402
from fail2ban.server import datedetector, utils  # noqa: E402
from fail2ban.server.database import Fail2BanDb  # noqa: E402
from fail2ban.server.mytime import MyTime  # noqa: E402
from fail2ban.server.observer import Observers, ObserverThread  # noqa: E402
from fail2ban.server.server import Server  # noqa: E402
from fail2ban.server.ticket import BanTicket, FailTicket  # noqa: E402
from fail2ban.server.transmitter import Transmitter  # noqa: E402

# A date is of whole seconds; a line is read a little later.
READ_AFTER_SEC = 0.5
TEMPLATES = list(datedetector.DateDetectorCache.DEFAULT_TEMPLATES)
Event = collections.namedtuple("Event", "do at end")
# What one jail did by address, how many failures it found and when the last was; which
# rules had a say in it, by address, and in all of its sessions and lines (has_late).
Result = collections.namedtuple("Result", "events n_hits rules last has_late")



class LogTime:
    """For sessions: in a replay the line says what the time is."""

    now = 0

    @classmethod
    def time(cls):
        return cls.now


utils.time = LogTime


class Observer(ObserverThread):
    """What it is told it does at once."""

    def add(self, *event):
        getattr(self, event[0])(*event[1:])

    def add_timer(self, *_):
        """Telling the actions of a longer ban is not a decision."""


def fresh_dates():
    """Counters of date templates are per filter, as in a process of its own."""
    datedetector.DD_patternCache.clear()
    datedetector.DateDetectorCache.DEFAULT_TEMPLATES = list(TEMPLATES)
    datedetector.DateDetector._defCache = datedetector.DateDetectorCache()


def plain(address):
    """Canonical text, IPv4 in IPv6 as IPv4; None: that is no address."""
    try:
        net = ipaddress.ip_network(str(address), strict=False)
    except ValueError:
        return None
    mapped = getattr(net.network_address, "ipv4_mapped", None)
    if mapped and net.prefixlen == 128:
        return str(mapped)
    return str(net.network_address) if net.num_addresses == 1 else str(net)


def counted(id_):
    """What is counted: an address in canonical form, an id as it is; None: neither."""
    text = str(id_)
    if plain(text):
        return plain(text)
    is_one = (re.fullmatch(r"[\d./\[\]]*\.[\d./\[\]]*", text)
              or (":" in text and re.fullmatch(r"[0-9A-Fa-f.:/\[\]]+", text)
                  and not re.fullmatch(r"(?:[0-9A-Fa-f]{2}:){5}[0-9A-Fa-f]{2}", text)))
    return None if is_one or not 0 < len(text.encode()) <= 256 else text


def commands(folder):
    """{jail: the commands that set it up}"""
    reader = JailsReader(basedir=folder, share_config={})
    reader.read()
    reader.getOptions()
    found = {}
    for command in reader.convert(allow_no_files=True):
        if command[0] == "config-error":
            raise ValueError(command[1])
        if command[0] != "start" and command[2:3] != ["addlogpath"]:
            found.setdefault(command[1], []).append(command)
    return found


class Counts:
    """Failures of each address in true sliding windows."""

    def __init__(self, maxretry, findtime):
        self.maxretry, self.findtime = maxretry, findtime
        self.known = {}  # address: [times, heard of last]
        self.n_stale = 0

    def add(self, address, at, now, weight):
        """The end of the window that is full now, or None. weight: so often it counts."""
        times, heard = self.known.pop(address, ([], None))
        if times and now > heard + 2 * self.findtime:
            times = []
        if times and at < times[-1] - self.findtime:
            self.known[address] = times, heard
            self.n_stale += 1
            return None
        times = sorted(times + [at] * weight)
        times = [t for t in times if t >= times[-1] - 2 * self.findtime]
        for end in sorted({t for t in times if at <= t <= at + self.findtime}, reverse=True):
            if sum(end - self.findtime <= t <= end for t in times) >= self.maxretry:
                return end
        self.known[address] = times, max(times[-1], now)
        return None


class Jail:
    """One jail; events by address."""

    def __init__(self, name, commands_, is_live, database):
        server = Server(daemon=False)
        server._Server__db = database
        transmitter = Transmitter(server)
        fresh_dates()
        for command in commands_:
            status, value = transmitter.proceed(command)
            if status:
                raise ValueError(f"fail2ban refuses {command}: {value}")
        self.jail = server._Server__jails[name]
        self.jail.isAlive = lambda: True
        self.filter = self.jail.filter
        if not self.filter.dateDetector.templates:
            self.filter.dateDetector.addDefaultTemplate()
        self.filter.active = True
        self.filter.inOperation = is_live
        self.bans = self.jail.actions.banManager
        self.events = collections.defaultdict(list)
        self.rules = collections.defaultdict(collections.Counter)
        self.n_hits, self.last, self.has_late = 0, None, False

    def hit(self, at):
        self.n_hits += 1
        self.last = at if self.last is None else max(self.last, at)

    def check_unban(self):
        for ticket in self.bans.unBanList(MyTime.time()):
            end = ticket.getEndOfBanTime(self.bans.getBanTime())
            self.events[ticket.getID()].append(Event("unban", end, end))

    def lengthen(self, ticket):
        """Stock: fail2ban makes a ban first, and looks for its length then."""

    def prolong(self, old, ticket):
        """Stock: fail2ban has done it."""

    def check_ban(self):
        """What the thread of the actions does with a ticket, without the actions."""
        while True:
            ticket = self.jail.getFailTicket()
            if not ticket:
                return
            ticket, reason = BanTicket.wrap(ticket), {}
            count = self.lengthen(ticket)
            length = ticket.getBanTime(self.bans.getBanTime())
            is_new = self.bans.addBanTicket(ticket, reason=reason)
            if is_new:
                if count:
                    ticket.setBanCount(count, always=True)
                Observers.Main.add("banFound", ticket, self.jail, length)
            elif reason.get("prolong"):
                self.prolong(reason["ticket"], ticket)
            if is_new or reason.get("prolong"):
                end = (ticket if is_new else reason["ticket"]).getEndOfBanTime(
                    self.bans.getBanTime())
                self.events[ticket.getID()].append(
                    Event("ban" if is_new else "prolong", ticket.getTime(), end))

    def result(self):
        """Spellings of an address are one."""
        events, rules = collections.defaultdict(list), collections.defaultdict(set)
        for address, found in self.events.items():
            events[plain(address) or str(address)] += found
        for address, found in self.rules.items():
            rules[plain(address) or str(address)] |= set(found)
        return Result(dict(events), self.n_hits, dict(rules), self.last, self.has_late)


class Stock(Jail):
    def feed(self, text):
        """Failures of one line are counted; the latest of their times, or None."""
        seen = []
        add = self.filter.failManager.addFailure

        def watch(ticket, *args, **options):
            seen.append(ticket.getTime())
            return add(ticket, *args, **options)
        self.filter.failManager.addFailure = watch
        try:
            self.filter.processLineAndAdd(text)
        finally:
            self.filter.failManager.addFailure = add
        for at in seen:
            self.hit(at)
        return max(seen, default=None)


class Reference(Jail):
    def __init__(self, name, commands_, is_live, database):
        super().__init__(name, commands_, True, database)
        self.filter.inOperation = is_live
        self.filter.checkFindTime = is_live
        self.counts = Counts(self.filter.getMaxRetry(), self.filter.getFindTime())
        self.pending = []

    def check_unban(self):
        self.bans._nextUnbanTime = 0
        super().check_unban()

    def lengthen(self, ticket):
        """The length first, so a late ban that would still last is made; a ban is one
        among those of its own jail, also where no ban grows. Return: which one it is."""
        if self.bans._inBanList(ticket):
            return None
        own = self.jail.database.getBan(ticket.getID(), self.jail)
        base = self.bans.getBanTime()
        length = Observers.Main.incrBanTime(self.jail, base, ticket)
        if length != base:
            self.rules[ticket.getID()]["the length is known before the ban is made"] += 1
            ticket.setBanTime(length)
        ticket.restored = bool(own) and ticket.getTime() <= own[0][1]
        return own[0][0] + 1 if own else 1

    def prolong(self, old, ticket):
        """Also by a failure from before the ban it ends bantime after that failure."""
        length = ticket.getBanTime(self.bans.getBanTime())
        if ticket.getTime() < old.getTime() and length >= 0:
            old.setBanTime(length + ticket.getTime() - old.getTime())

    def is_ignored(self, text):
        return any(regex.search([(text, "", "")]) or regex.hasMatched()
                   for regex in self.filter._Filter__ignoreRegex)

    def address_of(self, id_, fail):
        """The address that counts, or None; says which rule it is that differs."""
        if fail.get("nofail") and fail.get("mlfid") is None:
            self.rules[id_]["what <F-NOFAIL> marks is no failure"] += 1
            return None
        if counted(id_) is None:
            self.rules[id_]["what only looks like an address is not banned"] += 1
            return None
        return id_

    def feed(self, text):
        latest = None
        if not self.filter.checkFindTime:
            self.has_late |= LogTime.now < MyTime.time() - self.filter.getFindTime()
        for _, id_, at, fail in self.filter.processLine(text):
            address = self.address_of(id_, fail)
            if address is None:
                continue
            if self.is_ignored(text):
                self.rules[address]["an ignoreregex counts wherever it matches"] += 1
                continue
            self.hit(at)
            latest = at if latest is None else max(latest, at)
            self.pending.append((address, at, fail))
        return latest

    def weight_of(self, address, at):
        """More for those who were banned before, as fail2ban's observer weighs them."""
        if not self.jail.getBanTimeExtra("increment"):
            return 1
        for count, banned_at, _ in self.jail.database.getBan(address, self.jail):
            if at > banned_at:
                return min((1 << min(count, 20)) // 2 + 1, self.filter.getMaxRetry())
        return 1

    def count(self):
        for address, at, fail in self.pending:
            if self.filter._inIgnoreIPList(address, FailTicket(address, at, data=fail)):
                continue
            self.rules[address]["a true sliding window"] += 1
            end = self.counts.add(counted(address), at, MyTime.time() - READ_AFTER_SEC,
                                  self.weight_of(address, at))
            if end is not None:
                self.jail.putFailTicket(FailTicket(address, end))
        self.pending.clear()


def drive(kind, folder, lines, is_live):
    """{jail: Result} of lines fed to all jails of a folder, as bandog scan does."""
    jails, latest = {}, 0
    Observers.Main = Observer()
    database = Fail2BanDb(":memory:")
    for name, commands_ in commands(folder).items():
        jails[name] = kind(name, commands_, is_live, database)
    for line in lines:
        LogTime.now = line.stamp or LogTime.now
        clock = max(latest, LogTime.now)
        for jail in jails.values():
            MyTime.setTime(clock + READ_AFTER_SEC)
            # A failure moves the clock of all jails; any other line is of no account.
            latest = max(latest, jail.feed(line.text) or 0)
            MyTime.setTime(latest + READ_AFTER_SEC)
            if hasattr(jail, "count"):
                for other in jails.values():
                    other.check_unban()
                jail.count()
            for other in jails.values():
                other.check_unban()
            jail.check_ban()
    return {name: jail.result() for name, jail in jails.items()}
