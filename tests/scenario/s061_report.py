#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# What the kernel dropped is told once, whatever is restarted or killed: hits, passed, stopped.
# asan: yes
import html.parser
import json
import os
import re
import shutil
import signal
import threading
import time

import harness

JAILS = r"""[DEFAULT]
filter = fail
maxretry = 3
findtime = 1h
bantime = 1h
logpath = {nothing}
[mail]
enabled = true
logpath = {log}
port = 25
[hand]
enabled = true
port = 2525
[short]
enabled = true
port = 2526
[many]
enabled = true
logpath = {many}
maxretry = 1000
"""
KILLS = ["keeper", "engine", "keeper", "engine", "keeper"]
ACTIONS = "/etc/fail2ban/action.d"
REJECTING = """[reject]
enabled = true
action = nftables[port="2527", protocol="tcp"]
"""
FILTER = r"""[Definition]
failregex = fail "<b>" from <HOST>$
            other from <HOST>$
"""
REASON = 'fail "<b>" from <HOST>$'
BANNED = ["198.51.100.7", "198.51.100.8", "2001:db8:1000::7"]
PASSING = "203.0.113.5"
BY_HAND = "198.18.0.1"
PATIENCE = 3.5  # seconds until a client gives up; new kernels send 4 SYNs in these
WATCH = """
add table inet watch
add set inet watch seen4 { type ipv4_addr; flags dynamic; size 1000; counter; }
add set inet watch seen6 { type ipv6_addr; flags dynamic; size 1000; counter; }
add chain inet watch first { type filter hook prerouting priority -400; }
add rule inet watch first tcp flags & (syn | ack) == syn update @seen4 { ip saddr }
add rule inet watch first tcp flags & (syn | ack) == syn update @seen6 { ip6 saddr }
"""


class Truth:
    """What must be told: counted by another table, in front of ours."""

    def __init__(self, s):
        self.s = s
        self.packets = self.tried = 0
        self.of = {}  # by address: packets

    def attempt(self, sources, port, n=2, answer="timeout"):
        """n connections from each at once, which the kernel stops."""
        self.s.run(["nft", "-f", "-"], input=WATCH)
        got = []

        def one(source):
            got.append(self.s.connect(source, port, PATIENCE))

        threads = [threading.Thread(target=one, args=(source,)) for source in sources * n]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.s.equal(set(got), {answer}, "attempts of who is banned")
        self.tried += len(threads)
        seen = {**self.s.nft_set("seen4", "watch"), **self.s.nft_set("seen6", "watch")}
        self.s.nft("delete table inet watch")
        for source in sources:
            n_packets = seen[source]["counter"]["packets"]
            before = self.of.get(source, 0)
            self.of[source] = before + n_packets
            self.packets += n_packets


def report(s, since="-1h"):
    return s.bandog_json("report", "--since", since)


def check(s, truth, passed, what):
    """The head, and that each way to sum gives the same."""
    told = s.wait_for(lambda: report_or_none(s), 10, f"a report after {what}")
    s.equal((told["passed"], told["packets"]), (passed, truth.packets), what)
    if linear_timeouts() >= 3:  # each attempt was four packets
        s.equal(told["stopped"], truth.tried, what)
    s.equal(told["hits"], told["passed"] + told["stopped"], what)
    for by in ("hours", "jails", "reasons", "networks", "addresses"):
        for key in ("hits", "passed", "stopped", "bans", "packets", "bytes"):
            s.equal(sum(row[key] for row in told[by]), told[key], f"{what}: {key} in {by}")
    for source, n_packets in truth.of.items():
        s.equal(s.bandog_json("why", source)["month"]["packets"], n_packets, f"{what}: why")
    return told


def report_or_none(s):
    done = s.bandog("report", "--since", "-1h", "--json", check=False)
    return json.loads(done.stdout) if done.returncode == 0 else None


def fail(s, log, source, n):
    for _ in range(n):
        s.append(log, f'app: fail "<b>" from {source}')


def is_banned(s, source):
    return s.bandog("banned", source, check=False).returncode == 0


def nothing_yet(s, daemon):
    s.step("nothing to tell: it says so, and the engine sleeps")
    s.check("nothing came and nothing was stopped since" in s.bandog("report").stdout,
            "it does not say so")
    s.equal(report(s)["hits"], 0)
    time.sleep(1)
    before = switches(daemon.role("engine"))
    time.sleep(3)
    s.equal(switches(daemon.role("engine")), before, "times that the engine woke up")


def switches(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as f:
        return int(re.search(r"^voluntary_ctxt_switches:\s*(\d+)", f.read(), re.M)[1])


def ban(s, log, truth):
    s.step("failures pass, bans stop")
    fail(s, log, PASSING, 2)
    for source in BANNED:
        fail(s, log, source, 3)
    for source in BANNED:
        s.wait_for(lambda x=source: is_banned(s, x), 5, f"the ban of {source}")
    s.bandog("ban", "hand", BY_HAND)
    told = check(s, truth, 11, "bans")
    s.equal((told["stopped"], told["bans"], told["blocked"]), (0, 4, 4))
    truth.attempt(BANNED, 25)
    truth.attempt([BY_HAND], 2525)
    told = check(s, truth, 11, "attempts")
    s.step(f"{told['hits']} hits, {told['passed']} passed, {told['stopped']} stopped")
    return told


def linear_timeouts():
    try:
        with open("/proc/sys/net/ipv4/tcp_syn_linear_timeouts", encoding="ascii") as f:
            return int(f.read())
    except OSError:
        return 0


def rows(s, told, truth):
    s.step("by jail, reason, network and address")
    jails = {row["jail"]: row for row in told["jails"]}
    s.equal(set(jails), {"mail", "hand"})
    s.equal(jails["hand"]["packets"], truth.of[BY_HAND])
    s.equal(jails["hand"]["passed"], 0)
    reasons = {(row["jail"], row["rule"]): row for row in told["reasons"]}
    s.equal(set(reasons), {("mail", 0), ("hand", -2)})
    s.equal(reasons["mail", 0]["reason"], REASON)
    s.equal((reasons["mail", 0]["bans"], reasons["hand", -2]["bans"]), (3, 1))
    networks = {row["network"]: row for row in told["networks"]}
    s.equal(networks["198.51.100.0/24"]["packets"],
            truth.of[BANNED[0]] + truth.of[BANNED[1]])
    s.equal(networks["198.51.100.0/24"]["blocked"], 2)
    s.equal(networks["2001:db8:1000::/64"]["passed"], 3)
    s.equal(networks["203.0.113.0/24"]["blocked"], 0)
    s.check(f"({truth.of[BANNED[0]]} packets) were stopped" in s.bandog("why", BANNED[0]).stdout,
            "why does not tell")
    for row in told["addresses"]:
        s.equal(row["packets"], truth.of.get(row["ip"], 0), row["ip"])


class Page(html.parser.HTMLParser):
    def __init__(self, s):
        super().__init__()
        self.s = s
        self.tags, self.texts = [], []
        self.open = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        for name, value in attrs:
            self.s.check(name not in ("src", "href", "onload", "onclick"),
                         f"<{tag} {name}={value}>")
        if tag not in ("meta", "link", "img", "br"):
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)

    def handle_endtag(self, tag):
        self.s.equal(tag, self.open.pop() if self.open else None, "the tag that is closed")

    def handle_data(self, data):
        self.texts.append(data)


def shown(s, told):
    s.step("the table")
    text = s.bandog("report").stdout
    for wanted in (r"^hits +{hits}", r"^passed +{passed} .*%", r"^stopped +{stopped} .*%"
                   r".*estimated from {packets} packets", r"^blocked +{blocked}",
                   r"^198\.51\.100\.0/24 .*#-", r"^203\.0\.113\.5 +#+ +2 +2 +0 +0$"):
        wanted = wanted.format(**told)
        s.check(re.search(wanted, text, re.M), f"no {wanted!r} in:\n{text}")
    for section in ("HOUR", "JAIL", "REASON", "NETWORK", "ADDRESS"):
        s.check(f"BY {section} " in text, f"nothing by {section}")
    s.check(REASON in text, "no text of the rule")
    s.check(max(map(len, text.splitlines())) <= 80, "wider than 80 columns")
    s.check("\x1b" not in text and text.isascii(), "colours or blocks in a pipe")
    s.step("the page")
    path = os.path.join(s.dir, "report.html")
    s.equal(s.bandog("report", "--html", path).stdout, "")
    with open(path, encoding="utf-8") as f:
        source = f.read()
    page = Page(s)
    page.feed(source)
    page.close()
    s.equal(page.open, [], "tags left open")
    s.check("script" not in page.tags and "link" not in page.tags, "it loads something")
    s.check("b" in page.tags and page.tags.count("svg") > 5, f"no plots: {page.tags}")
    s.check("http://" not in source and "https://" not in source, "an address of the net")
    s.check("prefers-color-scheme: dark" in source, "no dark mode")
    s.check(REASON in page.texts, f"the reason is not shown as it is: {page.texts}")
    s.check(f"{told['packets']:,} packets" in source, "no packets")
    s.check(os.listdir(s.dir).count("report.html") == 1 and
            not [x for x in os.listdir(s.dir) if x.startswith("report.html.")],
            "something was left beside it")
    s.equal(s.bandog("report", "--html", "/nowhere/x.html", check=False).returncode, 2)


def killed(s, daemon, truth):
    n_bans = report(s)["bans"]
    for role in ("engine", "keeper", "enforcer", "front"):
        s.step(f"kill -9 of the {role} loses nothing that was told, and doubles nothing")
        was = daemon.role(role)
        os.kill(was, signal.SIGKILL)
        s.wait_for(lambda r=role, w=was: daemon.role(r) not in (None, w), 10, role)
        s.wait_for(lambda: all(is_banned(s, x) for x in BANNED), 10, "the bans")
        check(s, truth, 11, f"the death of the {role}")
        if role != "front":
            truth.attempt(BANNED, 25, 1)
            check(s, truth, 11, f"attempts after the death of the {role}")
    s.step("engine and keeper at once, while packets come")
    thread = threading.Thread(target=truth.attempt, args=(BANNED, 25, 3))
    thread.start()
    time.sleep(1.5)
    report(s)
    for role in ("keeper", "engine"):
        os.kill(daemon.role(role), signal.SIGKILL)
    thread.join()
    told = s.wait_for(lambda: report_or_none(s), 15, "a report")
    s.check(told["packets"] <= truth.packets, f"{told['packets']} of {truth.packets}")
    s.check(told["passed"] == 11 and told["bans"] == n_bans, f"{told['passed']}, {told['bans']}")
    return truth.packets - told["packets"]


def lifted(s, truth):
    s.step("what was stopped is told when the ban was lifted, or ran out")
    truth.attempt([BY_HAND], 2525)
    s.bandog("unban", BY_HAND)
    s.bandog("ban", "--for", "6s", "short", "198.18.0.2")
    truth.attempt(["198.18.0.2"], 2526)
    s.wait_for(lambda: not is_banned(s, "198.18.0.2"), 10, "the end of the ban")


def storm(s, daemon):
    s.step("failures by the ten thousand, while engine and keeper are killed: each once")
    n = 0
    with open(os.path.join(s.dir, "many.log"), "ab", buffering=0) as log:
        for role in KILLS:
            end = time.monotonic() + 0.7
            while time.monotonic() < end:
                at = time.strftime("%b %d %H:%M:%S")
                log.write("".join(f"{at} mx app: other from 203.0.113.{i % 250}\n"
                                  for i in range(n, n + 100)).encode())
                n += 100
                time.sleep(0.005)
            if daemon.role(role):
                os.kill(daemon.role(role), signal.SIGKILL)

    def passed():
        told = report_or_none(s)
        return sum(r["passed"] for r in told["jails"] if r["jail"] == "many") if told else 0

    s.wait_for(lambda: passed() >= n, 20, f"{n} failures")
    s.equal(passed(), n, "failures that were told")
    s.step(f"{n} failures, {len(KILLS)} kills")


def rejected(s, truth):
    s.step("who is answered asks once")
    s.bandog("ban", "reject", "198.18.0.3")
    truth.attempt(["198.18.0.3"], 2527, 3, "refused")
    check(s, truth, 11, "attempts that were rejected")


def scenario(s):
    log = s.log("app.log")
    can_reject = os.path.exists(f"{ACTIONS}/nftables.conf")
    if can_reject:
        shutil.copytree(ACTIONS, os.path.join(s.config_dir, "action.d"))
    s.config("jail.conf", JAILS.format(log=log, many=s.log("many.log"), nothing=s.log("nothing.log"))
             + (REJECTING if can_reject else ""))
    s.config("filter.d/fail.conf", FILTER)
    daemon = s.bandogd()
    for port in (25, 2525, 2526):
        s.listen(port)
    truth = Truth(s)
    nothing_yet(s, daemon)
    told = ban(s, log, truth)
    rows(s, told, truth)
    shown(s, told)
    lifted(s, truth)
    check(s, truth, 11, "the ends of bans")
    if can_reject:
        rejected(s, truth)

    s.step("a firewall that was flushed and repaired")
    s.nft("flush", "ruleset")
    s.wait_for(lambda: s.nft_set("mail-ipv4"), 10, "the repair")
    truth.attempt(BANNED, 25, 1)
    check(s, truth, 11, "the repair")

    s.step("a reload")
    daemon.reload()
    s.wait_for(lambda: "reloaded: " in daemon.output(), 5, "the reload")
    truth.attempt(BANNED, 25, 1)
    check(s, truth, 11, "the reload")

    s.step("a clean stop takes what came last along")
    truth.attempt(BANNED, 25, 1)
    daemon.stop()
    daemon = s.bandogd()
    check(s, truth, 11, "a restart")
    truth.attempt(BANNED, 25, 1)
    check(s, truth, 11, "attempts after the restart")

    s.step("kill -9 of all of it: the kernel's counters went on")
    daemon.kill()
    s.wait_for(lambda: not daemon.processes(), 10, "the end of its processes")
    daemon = s.bandogd()
    check(s, truth, 11, "kill -9")
    truth.attempt(BANNED, 25, 1)
    check(s, truth, 11, "attempts after kill -9")

    lost = killed(s, daemon, truth)
    s.step(f"lost by that: {lost} packets")
    truth.attempt(BANNED, 25, 1)
    s.equal(report(s)["packets"], truth.packets - lost, "packets after that")
    storm(s, daemon)
    daemon.stop()


harness.main(scenario)
