# SPDX-License-Identifier: GPL-2.0-or-later
"""The logs that tests/bench makes: the same bytes for the same kind and count.

mail   40 % of the lines concern Debian's postfix filter
mixed  40 % concern one of ten filters, as on a server that does everything
calm   none of them has a word that the filters look for

A log begins on the 14th of November and lasts twelve hours. grow() makes a longer one of
copies, each a day later than the one before, so that time goes on.
"""

import os
import random
import time

FIRST_DAY = 14
MAX_DAYS = 10


def _mail_failure(i, ip, kind):
    if kind < 0.5:
        return (f"postfix/smtpd[{i % 30000}]: NOQUEUE: reject: RCPT from unknown[{ip}]: 554 5.7.1 "
                f"<x{i}@example.net>: Relay access denied; from=<a@example.org> "
                f"to=<x{i}@example.net> proto=ESMTP helo=<User>")
    if kind < 0.75:
        return (f"postfix/smtpd[{i % 30000}]: warning: unknown[{ip}]: SASL LOGIN authentication "
                "failed: UGFzc3dvcmQ6")
    return f"postfix/smtpd[{i % 30000}]: lost connection after AUTH from unknown[{ip}]"


def _calm(i, qid, kind):
    if kind < 1 / 3:
        return (f"postfix/smtpd[{i % 30000}]: connect from mail.example.org"
                f"[203.0.113.{i % 250}]")
    if kind < 2 / 3:
        return (f"postfix/qmgr[811]: {qid}: from=<u{i}@example.org>, size={i}, nrcpt=1 "
                "(queue active)")
    return (f"postfix/smtp[{i % 30000}]: {qid}: to=<v{i}@example.com>, relay=mx.example.com"
            "[203.0.113.9]:25, delay=0.7, dsn=2.0.0, status=sent (250 ok)")


# One a filter, but postfix: program and message with the address {a} and a number {i}.
MIXED = {
    "sshd": "sshd[{i}]: Failed password for root from {a} port 4{i} ssh2",
    "sshd ": "sshd[{i}]: Invalid user u{i} from {a} port 4{i}",
    "dovecot": "dovecot: imap-login: Disconnected (auth failed, 1 attempts in 2 secs): "
               "user=<u{i}@example.org>, method=PLAIN, rip={a}, lip=203.0.113.1, TLS, "
               "session=<Ab0{i}>",
    "dovecot ": "dovecot: auth: passwd-file(u{i}@example.org,{a}): unknown user",
    "courier-auth": "imapd: LOGIN FAILED, user=u{i}, ip=[::ffff:{a}]",
    "cyrus-imap": "cyrus/imap[{i}]: badlogin: host.example.net [{a}] plaintext u{i} "
                  "SASL(-13): authentication failure: checkpass failed",
    "sendmail-reject": "sm-mta[{i}]: ruleset=check_relay, arg1=[{a}], arg2={a}, "
                       "relay=host.example.net [{a}], reject=421 4.3.2 Connection rate limit "
                       "exceeded.",
    "proftpd": "proftpd[{i}]: mx.example.org (host.example.net[{a}]) - USER u{i}: no such "
               "user found from host.example.net [{a}] to 203.0.113.1:21",
    "pure-ftpd": "pure-ftpd: (?@{a}) [WARNING] Authentication failed for user [u{i}]",
    "vsftpd": "vsftpd[{i}]: pam_unix(vsftpd:auth): authentication failure; logname= uid=0 euid=0 "
              "tty=ftp ruser=u{i} rhost={a}",
    "named-refused": "named[{i}]: client {a}#4{i}: query (cache) 'example.org/NS/IN' denied",
}


def _mixed_failure(i, ip, kind):
    if kind < 0.3:
        return _mail_failure(i, ip, kind / 0.3)
    name = list(MIXED)[int((kind - 0.3) / 0.7 * len(MIXED)) % len(MIXED)]
    return MIXED[name].format(a=ip, i=i % 30000)


FAILURES = {"mail": _mail_failure, "mixed": _mixed_failure, "calm": None}


def messages(kind, count, failing=0.4, seed=7):
    """Program and message of each line, without date and host."""
    rand = random.Random(seed)
    attackers = [f"198.18.{rand.randrange(256)}.{rand.randrange(256)}" for _ in range(5000)]
    failure = FAILURES[kind]
    for i in range(count):
        which = rand.random()
        if failure and which < failing:
            yield failure(i, rand.choice(attackers), which / failing)
        else:
            yield _calm(i, f"{rand.getrandbits(40):010X}", rand.random())


def generate(path, kind, count):
    with open(path, "w", encoding="ascii") as f:
        for i, text in enumerate(messages(kind, count)):
            t = 6 * 3600 + i * 43200 // count
            f.write(f"Nov {FIRST_DAY} {t // 3600:02}:{t // 60 % 60:02}:{t % 60:02} mx {text}\n")
    _date(path)


def grow(path, out, times):
    """@times copies, one a day."""
    assert times <= MAX_DAYS
    with open(path, "rb") as f:
        text = b"\n" + f.read()
    old = f"\nNov {FIRST_DAY} ".encode()
    with open(out, "wb") as f:
        for day in range(FIRST_DAY, FIRST_DAY + times):
            f.write(text.replace(old, f"\nNov {day} ".encode())[1 if day == FIRST_DAY else 0:-1])
        f.write(b"\n")
    _date(out)


def _date(path):
    """Changed last on the 24th: dates without a year are then of the year before now's."""
    year = time.localtime().tm_year - 1
    when = time.mktime((year, 11, 24, 12, 0, 0, 0, 0, -1))
    os.utime(path, (when, when))
