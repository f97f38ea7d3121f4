#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# The two fail2ban configurations that bandog has to run word for word, on a real Postfix.
# asan: yes
import os
import re
import shutil
import signal

import harness
from clients import KNOCK_SECONDS, NO_REVERSE, RELAY, UNKNOWN, deliver, is_shut_out, offend

IN_USE = """\
[postfix]
enabled = true
port = smtp,ssmtp
filter = postfix
logpath = /var/log/mail.log
bantime = 86400
maxretry = 3
"""
FIRST_TRY = """\
[postfix]
enabled = true
filter = postfix
action = hostsdeny
logpath = /var/log/maillog
maxretry = 3
bantime = 900
findtime = 900
"""
FILTER = r"""# filter.d/postfix.conf
[Definition]
failregex = reject: RCPT from (.*)\[<HOST>\]: 554 5.7.1
            reject: RCPT from unknown\[<HOST>\]: 450 4.7.1
            reject: RCPT from (.*)\[<HOST>\]: 550 5.1.1
"""
# By the number of the regex that catches them.
ATTACKERS = [
    (RELAY, ["198.51.100.54", "2001:db8:1000::54"]),
    (NO_REVERSE, ["198.51.100.45", "2001:db8:1000::45"]),
    (UNKNOWN, ["198.51.100.55", "2001:db8:1000::55"]),
]
HONEST = ["203.0.113.10", "2001:db8:1000::10"]
DAY = 86400
SETS = {4: "postfix-ipv4", 6: "postfix-ipv6"}


def family(source):
    return 6 if ":" in source else 4


def element(s, source):
    return s.nft_set(SETS[family(source)]).get(source)


def honest_mail(s):
    for source in HONEST:
        deliver(s, source)


def three_strikes(s, source, code, is_banned):
    """Refused by Postfix twice, and the third time for good."""
    for _ in range(2):
        offend(s, source, code)
    s.check(not is_banned(source), f"{source} is banned after two failures")
    offend(s, source, code)
    s.wait_for(lambda: is_banned(source), 2, f"the ban of {source}")


def attacked(s):
    """The configuration in use: nftables, ports 25 and 465, for a day."""
    s.step("in use: those refused with 554, 450 and 550 are dropped after the third, "
           "IPv4 and IPv6")
    honest_mail(s)
    for code, sources in ATTACKERS:
        for source in sources:
            three_strikes(s, source, code, lambda x: element(s, x))
            timeout = element(s, source)["timeout"]
            s.check(DAY - 5 <= timeout <= DAY, f"{source} is in the kernel for {timeout} s")
    honest_mail(s)


def shut_out(s):
    s.step("they are shut out on the jail's ports, and each knock is counted")
    s.listen(465)
    s.listen(2525)
    for _, sources in ATTACKERS:
        for source in sources:
            before = element(s, source)["counter"]
            s.check(is_shut_out(s, source), f"{source} still reaches port 25")
            after = element(s, source)["counter"]
            for what in ("packets", "bytes"):
                s.check(after[what] > before[what], f"{source}: {what} {before} {after}")
    for source in ("198.51.100.54", "2001:db8:1000::54"):
        s.check(is_shut_out(s, source, 465), f"{source} still reaches port 465")
        s.equal(s.connect(source, 2525), "ok", f"{source} on a port that is not the jail's")
    honest_mail(s)


def explained(s):
    s.step("each ban is explained: rule, lines, what it has stopped")
    for rule, (code, sources) in enumerate(ATTACKERS):
        for source in sources:
            kernel = element(s, source)["counter"]
            answer = s.bandog_json("why", source)
            s.equal(len(answer["bans"]), 1, f"bans of {source}")
            ban = answer["bans"][0]
            s.equal((ban["ip"], ban["jail"], ban["failures"]), (source, "postfix", 3))
            s.equal(ban["until"] - ban["at"], DAY)
            s.equal([e["rule"] for e in ban["why"]], [rule] * 3, source)
            for evidence in ban["why"]:
                s.check(f"[{source}]: {code} " in evidence["line"], evidence["line"])
            s.check(ban["stopped"]["packets"] >= kernel["packets"] > 0,
                    f"{source}: {ban['stopped']}, the kernel says {kernel}")
    text = s.bandog("why", "198.51.100.54").stdout
    for wanted in ("198.51.100.54 is banned in postfix since ", "by rule, 3 failures",
                   "rule 0 ", "554 5.7.1 <someone@elsewhere.test>"):
        s.check(wanted in text, f"{wanted!r} is not in {text}")
    s.check(re.search(r"stopped since: [1-9]\d* packets, [1-9]\d* bytes", text), text)


def listed(s):
    s.step("the list of bans is that of the kernel; nobody honest is in it")
    wanted = sorted(source for _, sources in ATTACKERS for source in sources)
    bans = s.bandog_json("banned")["bans"]
    s.equal(sorted(ban["ip"] for ban in bans), wanted)
    s.equal(sorted([*s.nft_set(SETS[4]), *s.nft_set(SETS[6])]), wanted)
    jail = s.bandog_json("status", "postfix")["jail"]
    s.equal((jail["banned_now"], jail["failed_total"]), (6, 18))
    s.equal(s.bandog("banned", HONEST[0], check=False).returncode, 1)


def lifted(s):
    s.step("who is unbanned can send again at once")
    for source in ("198.51.100.55", "2001:db8:1000::55"):
        s.bandog("unban", source)
        s.equal(element(s, source), None, source)
        deliver(s, source)


def in_use(s):
    s.config("jail.conf", IN_USE)
    s.config("filter.d/postfix.conf", FILTER)
    done = s.bandog("check")
    s.equal(done.stderr, "", "what the check says")
    postfix = s.postfix()
    bandogd = s.bandogd(mounts={"/var/log": os.path.dirname(postfix.log)})
    attacked(s)
    shut_out(s)
    explained(s)
    listed(s)
    lifted(s)
    bandogd.stop()
    postfix.stop()
    s.equal(s.run(["nft", "list", "table", "inet", "bandog"], check=False).returncode, 1,
            "after the end: nft's status")


FOREIGN = b"# ours, by hand\nsshd: .example.net EXCEPT mx.example.net\n\n\tALL: \xe4 10.0.0.0/8 \n"
LATER = b"in.fingerd: ALL\n"


def private_etc(s):
    """What bandogd reads of /etc, and a hosts.deny that is not the machine's."""
    folder = os.path.join(s.dir, "etc")
    os.mkdir(folder)
    for name in ("passwd", "group", "nsswitch.conf", "services", "protocols", "localtime",
                 "resolv.conf", "hosts", "ld.so.cache"):
        if os.path.exists("/etc/" + name):
            shutil.copy("/etc/" + name, folder)
    with open(os.path.join(folder, "hosts.deny"), "wb") as f:
        f.write(FOREIGN)
    return folder


def first_try(s):
    s.step("first try: hosts.deny instead of the kernel")
    shutil.rmtree(s.state_dir)
    s.config("jail.conf", FIRST_TRY)
    s.equal(s.bandog("check").stderr, "", "what the check says")
    postfix = s.postfix(name="first-try", log="maillog")
    etc = private_etc(s)
    bandogd = s.bandogd(mounts={"/var/log": os.path.dirname(postfix.log), "/etc": etc})
    deny = os.path.join(etc, "hosts.deny")

    def content():
        with open(deny, "rb") as f:
            return f.read()

    def written(source):
        pattern = f"[{source}]" if family(source) == 6 else source
        return f"ALL: {pattern}\n".encode() in content()

    honest_mail(s)
    for code, sources in ATTACKERS:
        for source in sources:
            three_strikes(s, source, code, written)
    honest_mail(s)
    s.step("its lines are those of tcp_wrappers, in one block; foreign lines stay")
    s.equal(content()[:len(FOREIGN)], FOREIGN)
    block = content()[len(FOREIGN):].decode("ascii").splitlines()
    s.check(block[0].startswith("# bandog") and block[-1].startswith("# bandog"), str(block))
    s.equal(sorted(block[1:-1]), sorted(
        "ALL: " + ("[%s]" % x if family(x) == 6 else x)
        for _, sources in ATTACKERS for x in sources))
    s.equal(s.nft_set(SETS[4]), {}, "in the kernel")
    s.equal(s.connect("198.51.100.54", 25, KNOCK_SECONDS), "ok", "no drop")
    ban = s.bandog_json("why", "198.51.100.54")["bans"][0]
    s.equal(ban["until"] - ban["at"], 900)
    s.bandog("ban", "postfix", "198.18.0.0/16", "2001:db8:1800::/40")
    for line in (b"ALL: 198.18.0.0/255.255.0.0\n", b"ALL: [2001:db8:1800::]/40\n"):
        s.wait_for(lambda x=line: x in content(), 2, f"{line}")

    s.step("the gateway is never written, even while the enforcer is away")
    os.kill(bandogd.role("enforcer"), signal.SIGKILL)
    s.bandog("ban", "postfix", harness.GATEWAY4, "198.18.0.0/15", check=False)

    def is_lifted():
        s.check(b"192.0.2." not in content() and b"198.18.0.0/255.254" not in content(),
                "it is written")
        return s.bandog("banned", harness.GATEWAY4, check=False).returncode == 1

    s.wait_for(is_lifted, 10, "its ban to be lifted")

    s.step("an unban takes its line away, and only that; so does the end")
    with open(deny, "ab") as f:
        f.write(LATER)
    s.bandog("unban", "198.51.100.54")
    s.wait_for(lambda: not written("198.51.100.54"), 2, "the line to go")
    s.check(written("2001:db8:1000::54"), "the other lines stay")
    s.bandog("unban", "--all")
    s.wait_for(lambda: content() == FOREIGN + LATER, 2, "the block to go", content)
    three_strikes(s, "198.51.100.54", RELAY, written)
    bandogd.stop()
    s.equal(content(), FOREIGN + LATER)
    postfix.stop()


def machines_own():
    if not os.path.exists("/etc/hosts.deny"):
        return None
    with open("/etc/hosts.deny", "rb") as f:
        return f.read()


def scenario(s):
    before = machines_own()
    in_use(s)
    first_try(s)
    s.equal(machines_own(), before, "the machine's own hosts.deny")


harness.main(scenario)
