#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# bandog's verbs as people use them: without a daemon, with one, and what they answer.
# asan: yes
import json
import os
import re
import shutil
import time

import harness

ROOT = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..")
OK, NO, FAILED, USAGE = 0, 1, 2, 64
ASK_DAEMON = [["status"], ["banned"], ["why", "198.51.100.7"], ["ban", "mail", "198.51.100.7"],
              ["unban", "198.51.100.7"], ["unban", "--all"], ["reload"], ["stop"], ["ping"]]
VERBS = ["status", "banned", "why", "ban", "unban", "reload", "stop", "ping", "check", "match",
         "scan"]

FILTER = "[Definition]\nfailregex = ^ \\S+ mail: failed from <HOST>$\n"
JAILS = """\
[DEFAULT]
maxretry = 3
bantime = 10m

[mail]
enabled = true
port = smtp
filter = mail
logpath = {log}

[other]
enabled = true
filter = mail
logpath = {log}

[scan]
enabled = true
port = smtp
"""


def answer(s, code, *words):
    """Run a verb that must end with that code; what it said on both ways."""
    done = s.bandog(*words, check=False)
    s.equal(done.returncode, code, f"{words}: {done.stdout}{done.stderr}")
    return done.stdout, done.stderr


def lines(s, code, *words):
    return [json.loads(line) for line in answer(s, code, *words)[0].splitlines()]


def contains(s, text, *wanted):
    for part in wanted:
        s.check(part in text, f"{part!r} is not in {text!r}")


# Without a daemon


def words_only(s):
    s.step("version, help and wrong usage")
    bandog = s.program("bandog")
    done = s.run([bandog, "--version"])
    s.check(re.fullmatch(r"bandog \d+\.\d+\.\d+\S*\n", done.stdout), done.stdout)
    overview = s.run([bandog, "--help"]).stdout
    for verb in VERBS:
        contains(s, overview, f"\n  {verb} ")
        s.check(s.run([bandog, verb, "--help"]).stdout.startswith(f"usage: bandog {verb} "),
                f"help of {verb}")
    for wrong in ([], ["nonsense"], ["ban", "mail"], ["ban", "--for", "x", "mail", "192.0.2.9"],
                  ["unban"], ["unban", "--all", "192.0.2.9"], ["status", "a", "b"],
                  ["ping", "x"], ["why"], ["match", "x"], ["scan"], ["check", "--no-such"],
                  ["scan", "--since", "yesteryear", "x"], ["scan", "--limit", "0", "x"]):
        done = s.run([bandog, *wrong], check=False)
        s.equal((done.returncode, done.stdout), (USAGE, ""), f"{wrong}")
        s.check(done.stderr, f"{wrong}: not a word")


def nobody_answers(s):
    s.step("without a daemon each verb says so")
    for words in ASK_DAEMON:
        for more in ([], ["--json"]):
            out, err = answer(s, FAILED, *words, *more)
            s.equal((out, err), ("", f"bandog: no bandogd runs with {s.run_dir}\n"), words)


def mistakes(s):
    s.step("check names all mistakes at once, each with its place")
    shutil.copytree(os.path.join(ROOT, "etc"), s.config_dir, dirs_exist_ok=True)
    s.equal(s.bandog_json("check")["errors"], 0, "errors in what is shipped")
    counts = s.bandog_json("check", "--verbose")
    s.check(counts["literals"] > 10 and counts["on_every_line"] == 0, f"regexes: {counts}")
    wrong = {
        "jail.d/a.conf": ("[sshd]\nmaxretry = many\nlogpaht = /x\nbantime = 1x\n"
                          "port = smtp,smpt\n\n[mine]\nenabled = yes\nfilter = none-such\n"
                          "logpath = /x\n\n[yours]\nenabled = yes\nfilter = broken\n"
                          "logpath = /x\nignoreip = 192.0.2.0/33\n"),
        "filter.d/broken.conf": "[Definition]\nfailregex = ^good <HOST>$\n  ^bad (<HOST>$\n",
    }
    for name, text in wrong.items():
        s.config(name, text)
    out, err = answer(s, NO, "check")
    found = re.findall(r"^(\S+?):(\d+):(\d+): (error|warning): (.*)$", err, re.M)
    said = {}
    for path, line, column, _, text in found:
        name = os.path.relpath(path, s.config_dir)
        if name in wrong:
            said[wrong[name].splitlines()[int(line) - 1][int(column) - 1:]] = text
    for place, word in (("many", "many"), ("logpaht = /x", "'logpath'"), ("1x", "1x"),
                        ("smtp,smpt", "smpt"), ("none-such", "none-such"),
                        ("192.0.2.0/33", "192.0.2.0/33"), ("^bad (<HOST>$", "")):
        s.check(place in said, f"nothing is said of {place!r}: {err}")
        contains(s, said[place], word)
    n = len([x for x in found if x[3] == "error"])
    contains(s, out, f" {n} errors, ")
    s.equal(s.bandog_json("check", check=False)["errors"], n)
    for name in wrong:
        os.unlink(os.path.join(s.config_dir, name))


def samples(s):
    s.step("match shows what a shipped filter sees in its sample lines")
    for name in ("postfix", "dovecot", "sshd"):
        path = os.path.join(ROOT, "tests", "filters", name)
        with open(path + ".want", encoding="utf-8") as f:
            want = [line.split(" ", 3) for line in f if not line.startswith("#")]
        wanted = [(n, address, rule.split(":")[0])
                  for n, (address, rule, modes, _) in enumerate(want, 1)
                  if {"normal", "all"} & set(modes.split(","))]
        got = lines(s, OK, "match", "--filter", name, "--now", "2026-11-24", "--json",
                    path + ".log")
        s.equal([(x["line"], x["id"], x.get("name", "failregex")) for x in got], wanted, name)
        text, _ = answer(s, OK, "match", "--filter", name, path + ".log")
        n_abuse = len([x for x in got if x.get("class", "abuse") == "abuse"])
        s.check(text.startswith(f"{len(want)} lines: {n_abuse} failures, "), text[:200])
    answer(s, FAILED, "match", "--filter", "none-such", path + ".log")
    answer(s, FAILED, "match", "--filter", "sshd", "/no/such/log")


def replay(s):
    s.step("scan replays a log: who would have been banned, and when")
    now = int(time.time())
    log = s.log("old.log")
    for n in range(3):
        s.append(log, "mail: failed from 198.51.100.1", at=now - 7200 + n)
    for n in range(3):
        s.append(log, "mail: failed from 2001:db8:1000::2", at=now - 900 + n)
    s.append(log, "mail: failed from 198.51.100.3", at=now)
    use_own_jails(s, log)

    def bans(*words):
        *orders, last = lines(s, OK, "scan", "--jail", "mail", "--json", *words, log)
        found = [x for x in orders if x["do"] == "ban"]
        s.equal(last["summary"]["lines"], 7)
        s.equal((last["summary"]["bans"], last["summary"]["addresses"]), (len(found),) * 2)
        return [(x["ip"], x["at"], x["until"]) for x in found], last["summary"]["matched"]

    first = ("198.51.100.1", now - 7200 + 2, now - 7200 + 602)
    second = ("2001:db8:1000::2", now - 900 + 2, now - 900 + 602)
    s.equal(bans(), ([first, second], 7))
    s.equal(bans("--since", f"@{now - 3600}"), ([second], 4))
    s.equal(bans("--until", f"@{now - 3600}"), ([first], 3))
    s.equal(bans("--since", f"@{now - 3600}", "--until", f"@{now - 1800}"), ([], 0))
    text, _ = answer(s, OK, "scan", "--jail", "mail", log)
    contains(s, text, "ban      198.51.100.1  mail  3 failures, until ", "7 lines, 7 failures, "
             "2 bans of 2 addresses")
    answer(s, FAILED, "scan", "--jail", "none-such", log)
    answer(s, FAILED, "scan", "/no/such/log")


# The work of a shell script


def reject(address):
    return (f"postfix/smtpd[7]: NOQUEUE: reject: RCPT from unknown[{address}]: 554 5.7.1"
            " <x@y.test>: Relay access denied; from=<a@b.test> to=<x@y.test>")


class Script:
    """`bandog scan` as cron would run it, with a clock of its own."""

    def __init__(self, s):
        self.s, self.log = s, s.log("mail.log")
        self.now = int(time.time()) // 3600 * 3600 + 1200

    def words(self):
        return ["scan", "--last", "400", "--this-hour", "--limit", "5", "--grep", "reject:",
                "--now", f"@{self.now}"]

    def happen(self, address, n, before=0, text=None):
        for _ in range(n):
            self.s.append(self.log, text or reject(address), at=self.now - before)

    def run(self, code, *more):
        text, err = answer(self.s, code, *self.words(), *more, self.log)
        found = re.findall(r"^([0-9a-f.:]+) +(\d+) +(.*)$", text, re.M)
        return {a: (int(n), state.strip()) for a, n, state in found}, text, err


def counting(s):
    s.step("scan --limit: the shell script's work, remembered from run to run")
    script = Script(s)
    script.happen("198.51.100.99", 100)  # more than 400 lines ago
    script.happen("", 380, text="postfix/qmgr[1]: 4B: removed")
    script.happen("203.0.113.60", 50, before=3700, text="postfix/smtpd[7]: connect from "
                  "x[203.0.113.60]")
    script.happen("203.0.113.61", 9, before=3700)
    script.happen("198.51.100.4", 4)
    script.happen("198.51.100.5", 5)
    script.happen("2001:db8:1000::6", 6)
    script.happen(harness.GATEWAY4, 7)
    guarded = (7, "never blocked: it is this machine's gateway")
    s.equal(script.run(OK)[0], {
        "198.51.100.4": (4, "fine"), "198.51.100.5": (5, "blocked now (not applied)"),
        "2001:db8:1000::6": (6, "blocked now (not applied)"), harness.GATEWAY4: guarded})
    script.happen("198.51.100.4", 1)
    s.equal(script.run(OK)[0], {
        "198.51.100.4": (5, "blocked now (not applied)"),
        "198.51.100.5": (5, "blocked already"), "2001:db8:1000::6": (6, "blocked already"),
        harness.GATEWAY4: guarded})
    states = {x["ip"]: x["state"] for x in lines(s, OK, *script.words(), "--json", script.log)}
    s.equal(states, {"198.51.100.4": "already", "198.51.100.5": "already",
                     "2001:db8:1000::6": "already", harness.GATEWAY4: "protected"})
    return script


def straight_to_the_kernel(s, script):
    s.step("--apply without a daemon: port 25 on one interface, in a table of its own")
    s.listen(25)
    s.listen(2525)
    _, text, _ = script.run(NO, "--apply", "--port", "25", "--interface", "eth0")
    contains(s, text, "applied in the kernel, table bandog-scan: 3 addresses, port 25, "
             "interface eth0")
    blocked = s.nft_set("scan-ipv4", "bandog-scan") | s.nft_set("scan-ipv6", "bandog-scan")
    s.equal(sorted(blocked), ["198.51.100.4", "198.51.100.5", "2001:db8:1000::6"])
    for address in blocked:
        s.check(86390 <= blocked[address]["timeout"] <= 86400, str(blocked))
        s.equal(s.connect(address, 25, 0.4), "timeout", address)
        s.equal(s.connect(address, 2525), "ok", address)
    s.equal(s.connect("198.51.100.99", 25), "ok")
    for rule in re.findall(r"^.* drop$", s.nft("list", "table", "inet", "bandog-scan"), re.M):
        contains(s, rule, "tcp dport 25 ", 'iifname "eth0" ')
    s.equal(s.run(["nft", "list", "table", "inet", "bandog"], check=False).returncode, 1)
    for wrong in (["--port", "99999"], ["--interface", "x" * 16]):
        script.run(FAILED, "--apply", *wrong)
    s.nft("delete", "table", "inet", "bandog-scan")


def through_the_daemon(s, script):
    s.step("--apply with a daemon: through its jail")
    _, text, _ = script.run(NO, "--apply")
    contains(s, text, "applied by the running daemon, jail scan: 3 new")
    bans = s.bandog_json("banned", "--jail", "scan")["bans"]
    s.equal(sorted(x["ip"] for x in bans),
            ["198.51.100.4", "198.51.100.5", "2001:db8:1000::6"])
    s.equal(s.connect("198.51.100.5", 25, 0.4), "timeout")
    script.now += 2
    contains(s, script.run(NO, "--apply")[1], "jail scan: 0 new")
    s.equal(s.bandog_json("unban", "--jail", "scan", "--all"), {"unbanned": 3})
    s.equal(s.run(["nft", "list", "table", "inet", "bandog-scan"], check=False).returncode, 1)


# With a daemon


def use_own_jails(s, log):
    shutil.rmtree(s.config_dir)
    s.config("filter.d/mail.conf", FILTER)
    s.config("jail.conf", JAILS.format(log=log))


def looking(s, log):
    s.step("status, banned and ping of a daemon that has nothing to tell")
    status = s.bandog_json("status")
    s.equal([x["name"] for x in status["jails"]], ["mail", "other", "scan"])
    s.equal((status["bans"], status["enforcing"], status["dry_run"]), (0, True, False))
    contains(s, answer(s, OK, "status")[0], "\nmail ", "\nother ", "0 bans")
    jail = s.bandog_json("status", "mail")["jail"]
    s.equal((jail["maxretry"], jail["bantime"], jail["port"]), (3, 600, "smtp"))
    s.equal(jail["files"][0]["path"], log)
    contains(s, answer(s, OK, "status", "mail")[0], "3 failures within 10m: banned for 10m", log)
    contains(s, answer(s, FAILED, "status", "none-such")[1], "no jail 'none-such'")
    s.equal(answer(s, OK, "banned"), ("nobody is banned\n", ""))
    s.equal(answer(s, NO, "banned", "198.51.100.7"), ("not banned\n", ""))
    contains(s, answer(s, OK, "ping")[0], " answers")


def banning(s):
    s.step("ban: an address, a network, IPv6, for a time; it holds when the tool returns")
    s.equal(answer(s, OK, "ban", "mail", "198.51.100.7"), ("banned 198.51.100.7\n", ""))
    s.check(599 <= s.nft_set("mail-ipv4")["198.51.100.7"]["timeout"] <= 600, "10 minutes")
    s.equal(s.connect("198.51.100.7", 25, 0.4), "timeout")
    s.equal(s.connect("198.51.100.7", 2525), "ok")
    answer(s, OK, "ban", "mail", "--for", "1h", "203.0.113.0/24", "2001:db8:1000::7",
           "2001:db8:1001::/64")
    s.equal([s.connect(x, 25, 0.4) for x in ("203.0.113.77", "2001:db8:1000::7",
                                             "2001:db8:1001::77")], ["timeout"] * 3)
    s.check(3599 <= s.nft_set("mail-ipv6")["2001:db8:1000::7"]["timeout"] <= 3600, "an hour")
    answer(s, OK, "ban", "other", "--for", "-1", "198.51.100.8")
    s.check("timeout" not in s.nft_set("other-ipv4")["198.51.100.8"], "for ever")
    s.equal(s.connect("198.51.100.8", 2525, 0.4), "timeout", "a jail without ports")
    s.equal(s.bandog_json("ban", "mail", "203.0.113.9"),
            {"banned": [], "prolonged": 0, "already": 1, "refused": [], "enforced": True})
    for wrong in (["none-such", "198.51.100.9"], ["mail", "mx.example.test"]):
        answer(s, FAILED, "ban", *wrong)

    by_ip = {x["ip"]: x for x in s.bandog_json("banned")["bans"]}
    s.equal(sorted(by_ip), ["198.51.100.7", "198.51.100.8", "2001:db8:1000::7",
                            "2001:db8:1001::/64", "203.0.113.0/24"])
    s.equal(by_ip["198.51.100.8"]["until"], -1)
    contains(s, answer(s, OK, "banned")[0], "203.0.113.0/24", "never")
    contains(s, answer(s, OK, "banned", "203.0.113.77")[0], "203.0.113.0/24")
    answer(s, NO, "banned", "--jail", "other", "203.0.113.77")


def guarding(s):
    s.step("the guard refuses what would shut out ourselves, in words")
    before = s.bandog_json("banned")["bans"]
    own, gateway = "an address of this machine", "this machine's gateway"
    for address, why in ((harness.SERVER4, own), (harness.SERVER6, own), ("127.0.0.1", own),
                         ("::1", own), ("0.0.0.0/0", own), ("192.0.0.0/12", own),
                         (harness.GATEWAY4, gateway), (harness.GATEWAY6, gateway),
                         ("127.8.8.8", "a loopback"), ("fe80::99", "a loopback"),
                         ("224.0.0.1", "a loopback"), ("198.0.0.0/9", "a wider network")):
        out, _ = answer(s, NO, "ban", "mail", address)
        s.check(out.startswith(f"refused {address}: it is {why}"), out)
    refused = s.bandog_json("ban", "mail", "198.51.100.66", harness.GATEWAY4, check=False)
    s.equal(refused, {"banned": ["198.51.100.66"], "prolonged": 0, "already": 0,
                      "refused": [{"ip": harness.GATEWAY4, "reason": gateway}], "enforced": True})
    answer(s, OK, "unban", "198.51.100.66")
    s.equal(s.bandog_json("banned")["bans"], before, "who was banned stays so")
    s.check("198.51.100.7" in s.nft_set("mail-ipv4"), "also in the kernel")
    s.equal(s.connect(harness.GATEWAY4, 25), "ok")


def explaining(s, log):
    s.step("why: a ban by hand, and failures that are not enough yet")
    ban = s.bandog_json("why", "203.0.113.77")["bans"][0]
    s.equal((ban["ip"], ban["by"], ban["failures"], ban["why"]), ("203.0.113.0/24", "user", 0, []))
    s.check(ban["stopped"]["packets"] > 0, str(ban))
    contains(s, answer(s, OK, "why", "203.0.113.77")[0], "203.0.113.0/24 is banned in mail",
             "by user", "stopped since: ")
    for _ in range(2):
        s.append(log, "mail: failed from 198.51.100.22")
    s.wait_for(lambda: s.bandog_json("why", "198.51.100.22")["account"], 5, "the failures")
    contains(s, answer(s, OK, "why", "198.51.100.22")[0],
             "in mail it has 2 of the 3 failures within 10m", "mail: failed from 198.51.100.22")
    contains(s, answer(s, OK, "why", "198.51.100.23")[0], "nothing speaks against")
    answer(s, FAILED, "why", "mx.example.test")


def reloading(s):
    s.step("reload: a broken file changes nothing, a good one holds, bans stay")
    s.config("jail.local", "[mail]\nmaxretry = many\n")
    out, err = answer(s, NO, "reload")
    s.equal(out, "not reloaded: the old configuration stays in force\n")
    contains(s, err, "/jail.local:2:12: error: maxretry: 'many'")
    answered = s.bandog_json("reload", check=False)
    s.equal(answered["reloaded"], False)
    contains(s, answered["messages"], "maxretry: 'many'")
    s.equal(s.bandog_json("status", "mail")["jail"]["maxretry"], 3)
    s.config("jail.local", "[mail]\nmaxretry = 4\n")
    contains(s, answer(s, OK, "reload")[0], "reloaded\n")
    s.equal(s.bandog_json("status", "mail")["jail"]["maxretry"], 4)
    s.equal(s.bandog_json("status")["bans"], 5)
    s.equal(s.connect("198.51.100.7", 25, 0.4), "timeout")
    s.equal([x["failures"] for x in s.bandog_json("why", "198.51.100.22")["account"]], [2, 2],
            "failures of before")


def lifting(s):
    s.step("unban: an address, all in a network, all")
    s.equal(answer(s, OK, "unban", "198.51.100.7"), ("1 unbanned\n", ""))
    s.equal(s.connect("198.51.100.7", 25), "ok")
    s.equal(answer(s, NO, "unban", "198.51.100.7"), ("0 unbanned\n", ""))
    answer(s, NO, "unban", "203.0.113.77")  # inside a banned network: that is not lifted
    s.equal(s.bandog_json("unban", "2001:db8:1000::/36"), {"unbanned": 2})
    s.equal(s.connect("2001:db8:1001::77", 25), "ok")
    s.equal(answer(s, NO, "unban", "--jail", "mail", "198.51.100.8")[0], "0 unbanned\n")
    s.equal(answer(s, OK, "unban", "--all")[0], "2 unbanned\n")
    s.equal((s.connect("203.0.113.77", 25), s.connect("198.51.100.8", 25)), ("ok", "ok"))
    s.equal(answer(s, NO, "unban", "--all")[0], "0 unbanned\n")


def stopping(s, bandogd):
    s.step("stop: it ends, and takes its drops along")
    answer(s, OK, "ban", "mail", "198.51.100.7")
    s.equal(answer(s, OK, "stop"), ("stopping\n", ""))
    s.equal(bandogd.child.wait(15), 0)
    s.wait_for(lambda: not bandogd.processes(), 5, "the last process")
    answer(s, FAILED, "ping")
    s.equal(s.connect("198.51.100.7", 25), "ok")


def scenario(s):
    words_only(s)
    nobody_answers(s)
    mistakes(s)
    samples(s)
    replay(s)
    script = counting(s)
    straight_to_the_kernel(s, script)
    log = s.log("live.log")
    use_own_jails(s, log)
    bandogd = s.bandogd()
    through_the_daemon(s, script)
    looking(s, log)
    banning(s)
    guarding(s)
    explaining(s, log)
    reloading(s)
    lifting(s)
    stopping(s, bandogd)


harness.main(scenario)
