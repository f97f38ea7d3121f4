#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# The rules of the shipped filter on what a real Postfix writes: each client does one thing,
# and what is said of its address is what docs/mail.md promises.
# asan: no
import json
import os
import time

import harness
import mailserver
from passwords import PASSWORD, USER, PasswordServer, plain

SHIPPED = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "etc")
OPEN, SUBMISSION, SCREEN = 2526, 587, 2525  # services beside the one on port 25
SINK = "198.51.100.250"  # another mail server, which takes everything
MASTER = f"""
{OPEN}    inet  n       -       n       -       -       smtpd
    -o syslog_name=postfix/25
    -o smtpd_relay_restrictions=defer_unauth_destination
    -o smtpd_helo_restrictions=
{SUBMISSION}     inet  n       -       n       -       -       smtpd
    -o syslog_name=postfix/submission
    -o smtpd_client_restrictions=$mua_client
{SCREEN}    inet  n       -       n       -       1       postscreen
smtpd     pass  -       -       n       -       -       smtpd
dnsblog   unix  -       -       n       -       0       dnsblog
smtp      unix  -       -       n       -       -       smtp
"""
SETTINGS = [
    "mua_client = check_client_access inline:{ { 198.51.100.83 = REJECT } }",
    "smtpd_client_restrictions = check_client_access inline:{ { 198.51.100.13 = REJECT } }",
    "smtpd_helo_restrictions = check_helo_access inline:{ { example.test = REJECT } },"
    " reject_invalid_helo_hostname, reject_non_fqdn_helo_hostname",
    "smtpd_sender_login_maps = inline:{ { alice@example.test = alice }"
    " { boss@example.test = boss } }",
    "smtpd_sender_restrictions = check_sender_access inline:{ { spam@remote.test = REJECT } },"
    " reject_non_fqdn_sender, reject_sender_login_mismatch",
    "smtpd_relay_restrictions = check_recipient_access inline:{ { closed@example.test = REJECT }"
    " { later@example.test = 450 4.7.28 }  { full@example.test = 452 4.3.1 } },"
    " permit_sasl_authenticated, reject_unauth_destination",
    "smtpd_data_restrictions = reject_unauth_pipelining, reject_multi_recipient_bounce",
    "smtpd_forbid_bare_newline = reject",
    "smtpd_forbid_bare_newline_exclusions =",
    "smtpd_hard_error_limit = 4",
    "header_checks = regexp:{ { /^Subject: spam/ REJECT no spam } }",
    "local_recipient_maps = inline:{ { alice = x } { bob = x } { closed = x } { later = x }"
    " { full = x } }",
    f"transport_maps = inline:{{ {{ deliver.test = smtp:[{SINK}]:25 }} }}",
    "postscreen_greet_wait = 3s",
    "postscreen_greet_action = ignore",
    "postscreen_access_list = cidr:{ { 198.51.100.71 reject } { 198.51.100.72 permit } }",
    "postscreen_denylist_action = ignore",
]
EHLO, MAIL, RCPT = "EHLO client.test", "MAIL FROM:<bob@remote.test>", "RCPT TO:<alice@example.test>"
MESSAGE = ["DATA", "Subject: hello\r\n\r\nhow are you?\r\n."]
LOGIN = "AUTH PLAIN " + plain(USER, PASSWORD)
WRONG = "AUTH PLAIN " + plain(USER, "guess")

# Last part of the address: what its client says, on which port, and what is made of it.
SAYS = {
    10: ([EHLO, MAIL, "RCPT TO:<a@elsewhere.test>", "QUIT"], 25, ["relay"]),
    11: ([EHLO, MAIL, "RCPT TO:<a@elsewhere.test>", "QUIT"], OPEN, ["relay-later"]),
    12: ([EHLO, MAIL, RCPT, *MESSAGE, "QUIT"], 25, ["message", "accepted-unknown"]),
    13: ([EHLO, MAIL, RCPT, "QUIT"], 25, ["client-refused"]),
    14: (["HELO 203.0.113.1", MAIL, "RCPT TO:<a@elsewhere.test>", "QUIT"], OPEN,
         ["relay-probe"]),
    15: ([EHLO, "MAIL FROM:<>", "RCPT TO:<a@elsewhere.test>", "QUIT"], 25, ["relay-bounce"]),
    16: ([EHLO, MAIL, "RCPT TO:<a@elsewhere.test>", "QUIT"], SUBMISSION, ["relay-user"]),
    17: ([EHLO, MAIL, "RCPT TO:<guess@example.test>", "QUIT"], 25, ["unknown-recipient"]),
    18: ([EHLO, "VRFY guess@example.test", "QUIT"], 25, ["vrfy"]),
    19: (["EHLO example.test", MAIL, RCPT, "QUIT"], 25, ["client-refused"]),
    20: ([EHLO, "MAIL FROM:<spam@remote.test>", RCPT, "QUIT"], 25, ["sender-refused"]),
    21: ([EHLO, MAIL, "RCPT TO:<closed@example.test>", "QUIT"], 25, ["recipient-refused"]),
    22: (["EHLO User", MAIL, RCPT, "QUIT"], 25, ["helo-bot"]),
    23: (["EHLO mail_-.-server", MAIL, RCPT, "QUIT"], 25, ["helo-invalid"]),
    24: (["EHLO mailserver", MAIL, RCPT, "QUIT"], 25, ["helo-name"]),
    25: (["EHLO no-reverse.test", MAIL, RCPT, "QUIT"], 25, ["no-reverse-name"]),
    26: ([EHLO, "MAIL FROM:<bob@remote>", RCPT, "QUIT"], 25, ["sender-domain"]),
    27: ([EHLO, "MAIL FROM:<boss@example.test>", RCPT, "QUIT"], 25, ["sender-forged"]),
    28: ([EHLO, LOGIN, "MAIL FROM:<boss@example.test>", RCPT, "QUIT"], SUBMISSION,
         ["sender-not-own"]),
    29: ([EHLO, MAIL, "RCPT TO:<later@example.test>", "QUIT"], 25, ["own-answer"]),
    30: ([EHLO, MAIL, "RCPT TO:<full@example.test>", "QUIT"], 25, ["local-fault"]),
    31: (["HELO client.test\r\n" + MAIL, RCPT, "QUIT"], 25, ["pipelining", "message"]),
    32: ([EHLO, "MAIL FROM:<>", RCPT, "RCPT TO:<bob@example.test>", "DATA", "QUIT"], 25,
         ["message", "bounce-to-many"]),
    33: ([EHLO, MAIL, RCPT, "DATA", "Subject: x\n\nbare\r\n.", "QUIT"], 25,
         ["message", "bare-newline"]),
    34: (["GET / HTTP/1.1"], 25, ["not-smtp"]),
    35: (["HELO x.test", "X", "X", "X", "X", "X"], 25, ["errors"]),
    36: ([EHLO, "MAIL FROM:<a b@c d>", "QUIT"], 25, ["syntax"]),
    37: ([EHLO, "X" * 3000, "QUIT"], 25, ["too-long"]),
    38: ([EHLO, MAIL, RCPT], 25, ["message", "lost"]),
    39: (["X"], 25, ["lost-unknown"]),
    40: ([EHLO, "AUTH PLAIN"], 25, ["auth-lost", "auth-lost"]),
    41: ([EHLO, WRONG, "QUIT"], 25, ["password", "auth-lost"]),
    42: ([EHLO, WRONG, "QUIT"], SUBMISSION, ["password-user"]),
    43: ([EHLO, "AUTH PLAIN", "*", "QUIT"], SUBMISSION, ["password-aborted"]),
    44: ([EHLO, "AUTH GSSAPI", "QUIT"], SUBMISSION, ["mechanism"]),
    45: ([EHLO, LOGIN, "MAIL FROM:<alice@example.test>", "RCPT TO:<a@deliver.test>", *MESSAGE,
          "QUIT"], SUBMISSION, ["login"]),
    46: ([EHLO, MAIL, RCPT, "DATA", "Subject: spam from x[198.51.100.66]\r\n\r\nx\r\n.", "QUIT"],
         25, ["message", "content"]),
    47: ([EHLO, "AUTH PLAIN"], SUBMISSION, ["auth-lost-user"]),
    83: ([EHLO, MAIL, RCPT, "QUIT"], SUBMISSION, ["client-refused-user"]),
}
# To postscreen: bytes at once, a while of silence, and what is made of it.
SCREENED = {
    50: ((b"EHLO client.test\r\nQUIT\r\n", 3.5), ["screen-pregreet", "pipelining"]),
    51: ((b"EHLO ylmf-pc\r\n", 3.5), ["screen-bot", "lost"]),
    52: ((b"GET / HTTP/1.1\r\n\r\n", 3.5), ["screen-bot", "not-smtp"]),
    70: ((b"", 3.5), ["screen-passed", "lost", "screen-known", "lost"]),
    71: ((b"", 0.2), ["screen-denied", "screen-slow"]),
    72: ((b"", 0.2), ["screen-allowed", "lost"]),
}


def address(n):
    return f"198.51.100.{n}"


def knock(s, n, data, seconds):
    with s.open(address(n), SCREEN) as sock:
        sock.sendall(data)
        time.sleep(seconds)


def what_is_said(s, log):
    said = {}
    out = s.run([s.program("bandog"), "match", "--filter", "postfix", "--config-dir", SHIPPED,
                 "--json", log], ns=None).stdout
    for found in map(json.loads, out.splitlines()):
        if "line" in found:
            said.setdefault(found["id"], []).append(found)
    return said


def compare(s, postfix):
    s.step("and that is said of them")
    said = what_is_said(s, postfix.log)
    s.equal([x["name"] for x in said.pop(SINK, [])], ["delivered"])
    for n, wanted in {n: x[-1] for n, x in {**SAYS, **SCREENED}.items()}.items():
        got = [x["name"] for x in said.pop(address(n), [])]
        lines = [x for x in postfix.lines() if f"[{address(n)}]" in x]
        s.equal(got, wanted, "\n".join(["", *lines, f"{address(n)}"]))
    others = set(said) - {harness.GATEWAY4, harness.GATEWAY6}  # who looked whether it is up
    s.equal(others, set(), "of whom else something is said")


def scenario(s):
    passwords = PasswordServer(s.dir)
    mailserver.MASTER_CF += MASTER
    postfix = s.postfix(*passwords.settings(), *SETTINGS)
    s.start(["/usr/sbin/smtp-sink", "-u", "nobody", f"{SINK}:25", "100"], "client")
    s.step("clients do what they do")
    for n, (says, port, _) in SAYS.items():
        s.dialog(address(n), says, port)
    for n, (knocks, _) in SCREENED.items():
        knock(s, n, *knocks)
    knock(s, 70, b"", 0.2)
    s.wait_for(lambda: any(f"[{SINK}]:25" in x and "status=sent" in x for x in postfix.lines()),
               10, "the delivery", lambda: "\n".join(postfix.lines()[-30:]))
    # The last session ends in the log when it ends, and postscreen's a little later.
    s.wait_for(lambda: len(what_is_said(s, postfix.log)) > len(SAYS) + len(SCREENED), 5,
               "all to be told")
    postfix.stop()
    compare(s, postfix)


harness.main(scenario)
