#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Graduated answers: refused by Postfix with a reason, then a reset, then silence, then silence on all ports.
# asan: yes
import os
import socket
import threading
import time

from clients import SAYINGS, UNKNOWN, VALID_USER, deliver, offend
import harness
from network import is_open

REFUSE_SEC, STEP_SEC = 25, 4
GRACE_SEC = 10  # what comes so soon was under way
JAIL = """[DEFAULT]
maxretry = 2
findtime = 1h
[mail]
enabled = true
filter = mail
logpath = {log}
port = 25
steps = refuse {refuse}s, reject {step}s, drop {step}s, dropall 1h
"""
# Any answer is a failure here: also the one that the mail server gives because of us.
FILTER = r"""[Definition]
failregex = reject: RCPT from \S+\[<HOST>\]: \d\d\d
            warning: non-SMTP command from \S+\[<HOST>\]:
"""
BOOTED = ["198.51.100.7", "2001:db8:1000::7"]  # goes on all the same
PATIENT = ["198.51.100.8", "2001:db8:1000::8"]  # comes again when it was told to
HONEST = ["203.0.113.9", "2001:db8:1000::9"]


def try_valid(s, source):
    helo = SAYINGS[UNKNOWN][0]
    return s.dialog(source, [f"EHLO {helo}", "MAIL FROM:<bob@remote.test>",
                             f"RCPT TO:<{VALID_USER}@example.test>", "QUIT"])


def talk_http(s, source):
    s.dialog(source, ["GET / HTTP/1.1"])


def step_of(s, source):
    bans = s.bandog_json("why", source)["bans"]
    return bans[0].get("step") if bans else None


def reaches(s, source, answer):
    s.wait_for(lambda: (step_of(s, source) or {}).get("answer") == answer, 5,
               f"{source} to be at the step {answer}: {s.bandog('why', source).stdout}")


def refused(s, daemon):
    s.step("weak evidence: Postfix refuses, says why, and hangs up")
    for source in BOOTED + PATIENT:
        for _ in range(2):
            offend(s, source, UNKNOWN)
        reaches(s, source, "refuse")
    for source in BOOTED + PATIENT:
        replies = try_valid(s, source)
        s.equal([code for code, _ in replies], [220, 250, 250, 421], f"replies to {source}")
        said = str(replies[-1][1])
        for word in ("4.7.28", "too many failures", source, "try again in 1 minute", "(mail)",
                     "ask postmaster@example.test"):
            s.check(word in said, f"'{word}' is not in '{said}'")
    for source in HONEST:
        deliver(s, source)
    why = s.bandog("why", PATIENT[0]).stdout
    s.check("step 1 of 4: the mail server refuses it" in why, why)
    s.check("its ports answer with a reset, for " in why, why)
    s.wait_for(lambda: step_of(s, PATIENT[0])["refused"] == 1, 3, "the refusal to be counted")
    s.check("count=1 answer=refuse" in daemon.output(), "the log does not tell the answer")
    s.check("steps     refuse" in s.bandog("status", "mail").stdout, "status has no steps")
    s.equal(s.nft_set("mail-ipv4"), {}, "in the set of the jail")


def ask(path, text):
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(path)
        sock.sendall(text)
        return sock.recv(4096)


def ask_without_listening(s, path):
    none, n = b"action=DUNNO\n\n", 200000
    with socket.socket(socket.AF_UNIX) as sock:
        sock.settimeout(5)
        sock.connect(path)
        asker = threading.Thread(target=sock.sendall, args=(b"\n" * n,), daemon=True)
        asker.start()
        time.sleep(0.5)
        got = 0
        while got < n * len(none):
            part = len(sock.recv(1 << 20))
            s.check(part, f"closed after {got} bytes")
            got += part
        asker.join()


def asked(s, path):
    s.step("asked by socketmap, by a user who has logged in, and in a language that it is not")
    found = s.run(["/usr/sbin/postmap", "-q", PATIENT[1], f"socketmap:unix:{path}:refuse"]).stdout
    s.check(found.startswith("421 4.7.28 too many failures"), f"socketmap: '{found}'")
    none = s.run(["/usr/sbin/postmap", "-q", HONEST[0], f"socketmap:unix:{path}:refuse"],
                 check=False)
    s.equal((none.returncode, none.stdout), (1, ""))
    user = f"request=x\nclient_address={PATIENT[0]}\nsasl_username=carol\n\n".encode()
    s.equal(ask(path, user), b"action=DUNNO\n\n")
    s.equal(ask(path, user * 100), b"action=DUNNO\n\n" * 100)
    s.equal(ask(path, b"GET / HTTP/1.1\r\n\r\n"), b"")
    ask_without_listening(s, path)
    mode = os.stat(path)
    s.equal((mode.st_mode & 0o777, mode.st_uid), (0o660, os.stat(os.path.dirname(path)).st_uid))


def killed(s, daemon):
    s.step("its process is killed, and the engine's: it goes on refusing")
    for role in ("policy", "engine"):
        pid = daemon.role(role)
        os.kill(pid, 9)
        s.wait_for(lambda: daemon.role(role) not in (None, pid), 10, "another process")
        s.wait_for(lambda: [c for c, _ in try_valid(s, PATIENT[0])][-1] == 421, 10,
                   "it to be refused again")


def goes_on(s, started):
    s.step("who tries again as he was told stays where he is; who does other things goes on")
    wait = started + GRACE_SEC + 1 - time.monotonic()
    time.sleep(max(0, wait))
    held = {source: s.open(source, 25, 5) for source in BOOTED}
    for source in PATIENT:
        for _ in range(4):
            s.equal([code for code, _ in try_valid(s, source)][-1], 421)
    for source in BOOTED:
        talk_http(s, source)
        talk_http(s, source)
    for source in BOOTED:
        reaches(s, source, "reject")
        s.equal(s.connect(source, 25), "refused", f"{source} at the second step")
        s.equal(s.connect(source, 2525), "ok", f"{source} on another port")
        s.wait_for(lambda x=source: not is_open(held[x]), 2, "what it held to be cut")
    for source in PATIENT:
        s.equal(step_of(s, source)["answer"], "refuse")
    for source in HONEST:
        deliver(s, source)


def comes_back(s, answer, ports):
    for source in BOOTED:
        s.wait_for(lambda x=source: not s.bandog_json("why", x)["bans"], STEP_SEC + 3, "the end")
        before = s.bandog("why", source).stdout
        s.check("the next lasts for" in before, before)
        talk_http(s, source)
        talk_http(s, source)
        reaches(s, source, answer)
        got = {port: s.connect(source, port) for port in ports}
        s.equal(got, ports, f"{source} at the step {answer}")


def scenario(s):
    postfix = s.postfix(
        "smtpd_client_restrictions = check_policy_service"
        " { unix:private/bandog, default_action=DUNNO }",
        "smtpd_forbidden_commands = GET", "smtpd_hard_error_limit = 20")
    socket_path = os.path.join(postfix.dir, "queue/private/bandog")
    s.config("bandog.conf", f"[Definition]\npolicysocket = {socket_path}\n"
             "refusetext = ask postmaster@example.test\n")
    s.config("jail.conf", JAIL.format(log=postfix.log, refuse=REFUSE_SEC, step=STEP_SEC))
    s.config("filter.d/mail.conf", FILTER)
    s.listen(2525)
    for source in HONEST:
        deliver(s, source)  # there is no bandog yet: default_action
    daemon = s.bandogd()
    started = time.monotonic()
    refused(s, daemon)
    asked(s, socket_path)
    killed(s, daemon)
    goes_on(s, started)
    s.step("it comes back: its port is silent; and then all of them")
    comes_back(s, "drop", {25: "timeout", 2525: "ok"})
    comes_back(s, "dropall", {25: "timeout", 2525: "timeout"})
    why = s.bandog("why", BOOTED[0]).stdout
    s.check("step 4 of 4: all that it sends is dropped" in why, why)
    s.step("who was patient is let in")
    for source in PATIENT:
        s.wait_for(lambda x=source: not s.bandog_json("why", x)["bans"], REFUSE_SEC, "the end")
        deliver(s, source)
    s.step("a restart keeps the step; without steps there is no socket")
    daemon.stop()
    s.check(not os.path.exists(socket_path), "the socket is still there")
    daemon = s.bandogd()
    s.equal(step_of(s, BOOTED[0])["answer"], "dropall")
    s.equal(s.connect(BOOTED[0], 2525), "timeout")
    s.check(os.path.exists(socket_path), "there is no socket")
    s.config("jail.conf", JAIL.format(log=postfix.log, refuse=1, step=1).replace("steps", "#"))
    daemon.reload()
    s.wait_for(lambda: not os.path.exists(socket_path), 5, "the socket to go")
    s.wait_for(lambda: not daemon.role("policy"), 5, "its process to go")
    s.wait_for(lambda: s.connect(BOOTED[0], 25) == "timeout", 3, "the jail's one answer")
    s.equal(s.connect(BOOTED[0], 2525), "ok")
    s.equal(step_of(s, BOOTED[0]), None)
    deliver(s, HONEST[0])
    daemon.stop()


harness.main(scenario)
