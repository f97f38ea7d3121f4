#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# The harness itself: two networks, any source address, nft sets, a Postfix that rejects.
import os
import signal
import subprocess
import sys
import time

import harness


def network(s):
    s.step("clients reach the server from any of their addresses")
    listener = s.listen(2525)
    sources = ["198.51.100.7", "203.0.113.250", "198.19.255.1", "2001:db8:1000::7",
               "2001:db8:1fff:ffff::1"]
    for source in sources:
        s.equal(s.connect(source, 2525), "ok", source)
    s.wait_for(lambda: len(listener.peers) == len(sources), 5, "all connections")
    s.equal(sorted(listener.peers), sorted(sources))
    s.equal(s.connect("198.51.100.7", 2526), "refused")
    s.equal(s.connect("2001:db8:1000::7", 2526), "refused")
    s.step("the server's default gateway is the client side, nothing else is there")
    route = s.run(["ip", "-j", "route", "show", "default"]).stdout
    s.check(harness.GATEWAY4 in route, route)
    links = s.run(["ip", "-o", "link"]).stdout.splitlines()
    s.equal(len(links), 2, "interfaces of the server")


def firewall(s):
    s.step("a set in nftables is read back, and drops")
    s.equal(s.nft_set("nothing4"), {})
    s.nft("""
        table inet bandog {
            set host4 { type ipv4_addr; flags timeout; }
            set net6 { type ipv6_addr; flags interval; }
            set plain { type ipv4_addr . inet_service; }
            chain input {
                type filter hook input priority 0;
                ip saddr @host4 drop
                ip6 saddr @net6 reject with tcp reset
            }
        }
        add element inet bandog host4 { 198.51.100.7 timeout 10m }
        add element inet bandog net6 { 2001:db8:1000::/48 }
        add element inet bandog plain { 198.51.100.9 . 25 }
        """)
    hosts = s.nft_set("host4")
    s.equal(list(hosts), ["198.51.100.7"])
    s.equal(hosts["198.51.100.7"]["timeout"], 600)
    s.equal(s.nft_set("net6"), {"2001:db8:1000::/48": {}})
    s.equal(s.nft_set("plain"), {"198.51.100.9 . 25": {}})
    s.equal(s.connect("198.51.100.7", 2525, 0.3), "timeout")
    s.equal(s.connect("198.51.100.8", 2525), "ok")
    s.equal(s.connect("2001:db8:1000::7", 2525), "refused")
    s.equal(s.connect("2001:db8:1001::7", 2525), "ok")
    s.nft("delete", "table", "inet", "bandog")
    s.equal(s.connect("198.51.100.7", 2525), "ok")


def rejects(s, postfix, source):
    def rcpt(helo, recipient):
        replies = s.dialog(source, [f"EHLO {helo}", "MAIL FROM:<bob@remote.test>",
                                    f"RCPT TO:<{recipient}>", "QUIT"])
        s.equal([code for code, _ in replies[:3]], [220, 250, 250], f"{source} {replies}")
        return replies[3]

    def logged(text):
        name = "[" + source + "]"
        return [line for line in postfix.lines()
                if "reject: RCPT from unknown" + name + ": " + text in line]

    s.equal(rcpt("client.test", "alice@example.test")[0], 250)
    for helo, recipient, code, dsn in (
            ("client.test", "someone@elsewhere.test", 554, "5.7.1"),
            ("client.test", "nobody@example.test", 550, "5.1.1"),
            ("no-reverse.test", "alice@example.test", 450, "4.7.1")):
        s.equal(logged(f"{code} {dsn}"), [])
        got = rcpt(helo, recipient)
        s.equal(got[0], code, str(got))
        s.check(got[1].startswith(dsn), str(got))
        s.wait_for(lambda c=code, d=dsn: logged(f"{c} {d}"), 5, f"{code} {dsn} in the log")


def mail(s):
    s.step("a Postfix of our own answers and logs, over both families")
    postfix = s.postfix()
    for source in ("198.51.100.20", "2001:db8:1000::20"):
        rejects(s, postfix, source)
    s.step("a message for the valid user is taken")
    replies = s.dialog("198.51.100.21", ["HELO client.test", "MAIL FROM:<bob@remote.test>",
                                         "RCPT TO:<alice@example.test>", "DATA",
                                         "Subject: x\r\n\r\nhello\r\n.", "QUIT"])
    s.equal([code for code, _ in replies], [220, 250, 250, 250, 354, 250, 221])
    s.wait_for(lambda: [x for x in postfix.lines() if "status=sent" in x], 10, "delivery",
               lambda: "".join("\n" + x for x in postfix.lines()[-15:]))
    postfix.stop()
    s.wait_for(lambda: not s.pids(), 5, "the last process of Postfix")
    s.equal(s.connect("198.51.100.20", 25), "refused")


def logs(s):
    s.step("lines get today's stamp")
    log = s.log("var/mail.log")
    s.append(log, "postfix/smtpd[1]: connect from x[198.51.100.7]", at=1795395906)
    s.append_raw(log, b"\xff raw")
    with open(log, "rb") as f:
        first, second = f.read().splitlines()
    wanted = time.strftime("%b %e %H:%M:%S mx ", time.localtime(1795395906)).encode()
    s.check(first.startswith(wanted + b"postfix/smtpd[1]: connect"), repr(first))
    s.equal(second, b"\xff raw")


FAKE_BANDOGD = """#!/bin/sh
echo "started with $*" >&2
[ ! -e "$5/broken" ] || exit 3
trap 'rm "$7/pid"; exit 0' TERM
echo $$ >"$7/pid"
while :; do sleep 0.05; done
"""
FAKE_BANDOG = """#!/bin/sh
[ "$1" = ping ] && exec test -e "$7/pid"
echo '{"verb": "'"$1"'", "words": "'"$*"'"}'
"""


def failure_of(s, fn):
    try:
        fn()
    except harness.Failure as e:
        return str(e)
    s.check(False, "this should have failed")


def daemon(s):
    s.step("a daemon (here a stand-in) is started, asked, watched and ended")
    build, s.build = s.build, os.path.join(s.dir, "stand-in")
    os.mkdir(s.build)
    for name, text in (("bandogd", FAKE_BANDOGD), ("bandog", FAKE_BANDOG)):
        path = os.path.join(s.build, name)
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, 0o755)
    with open(s.config("jail.d/x.conf", "[x]\n"), encoding="ascii") as f:
        s.equal(f.read(), "[x]\n")
    bandogd = s.bandogd()
    s.check(bandogd.alive() and bandogd.pid in bandogd.processes(), "it is alive")
    s.check(f"--state-dir {s.state_dir}" in bandogd.output(), bandogd.output())
    s.equal(s.bandog_json("status", "x")["verb"], "status")
    bandogd.stop()
    s.equal(bandogd.processes(), [])
    s.equal(bandogd.sanitizer_report(), None)
    with open(bandogd.log, "a", encoding="ascii") as f:
        f.write("a.c:1:2: runtime error: shift\n")
    s.equal(bandogd.sanitizer_report(), "a.c:1:2: runtime error: shift")
    os.unlink(bandogd.log)
    open(os.path.join(s.state_dir, "broken"), "w", encoding="ascii").close()
    s.check("ended with status 3" in failure_of(s, s.bandogd), "an early end is told")
    s.build = build


def ending(s):
    """A scenario that is ended in the middle must leave nothing behind."""
    s.step("SIGTERM in the middle leaves nothing behind")
    inner = ("import sys; sys.path.insert(0, sys.argv.pop(1)); import harness\n"
             "def scenario(s):\n"
             "    s.start(['sleep', '1000'])\n"
             "    harness.say(s.dir); s.wait_for(lambda: False, 60, 'the end')\n"
             "harness.main(scenario)")
    child = subprocess.Popen([sys.executable, "-c", inner, os.path.dirname(__file__), s.build],
                             stdout=subprocess.PIPE, text=True)
    folder = child.stdout.readline().strip()
    names = [f"/run/netns/bd{child.pid}{letter}" for letter in "sc"]
    s.check(os.path.isdir(folder) and all(map(os.path.exists, names)), "it has begun")
    pids = s.wait_for(lambda: harness.pids_in(os.path.basename(names[0])), 5,
                      "a process in it")
    child.send_signal(signal.SIGTERM)
    s.equal(child.wait(20), 128 + signal.SIGTERM)
    child.stdout.close()
    for path in [folder, *names, f"/proc/{pids[0]}"]:
        s.check(not os.path.exists(path), path + " is still there")


def scenario(s):
    logs(s)
    network(s)
    firewall(s)
    daemon(s)
    ending(s)
    mail(s)


harness.main(scenario)
