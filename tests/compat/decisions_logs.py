# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs for decisions_oracle.py: lines of several services in time order, as they come.

fail2ban's own sample lines get a new date and a new address; lines of sshd, Postfix,
Dovecot and nginx are made here. Attackers come in bursts, drip slowly or come back after
a ban; some lines are late, some have no date, some addresses are none.
"""

import datetime
import json
import os
import re
import time
from collections import namedtuple

# A line: when it was written (seconds), what its date says (None: none), and the text.
Line = namedtuple("Line", "at stamp text")
# A sample: what stands before the date, how the date is written, and what comes after.
Sample = namedtuple("Sample", "before kind after host")

MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
DAY = r"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
CLOCK = r"\d\d:\d\d:\d\d"
# In this order, and no date further right than here: both sides must find this one.
KINDS = [
    ("%Y-%m-%dT%H:%M:%S", re.compile(r"^(\W{0,2})\d{4}-\d\d-\d\dT" + CLOCK
                                     + r"([.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?(?= |\]|\))")),
    ("%Y-%m-%d %H:%M:%S", re.compile(r"^(\W{0,2})\d{4}-\d\d-\d\d " + CLOCK
                                     + r"([.,]\d+)?(?: ?(?:Z|[+-]\d\d:?\d\d))?(?= |\]|\))")),
    ("%Y/%m/%d %H:%M:%S", re.compile(r"^(\W{0,2})\d{4}/\d\d/\d\d " + CLOCK + r"()(?= )")),
    ("%a %b %d %H:%M:%S{} %Y", re.compile(r"^(\W{0,2})" + DAY + " " + MONTH + r" \d\d "
                                          + CLOCK + r"(\.\d+)? \d{4}(?=\])")),
    ("%d/%b/%Y:%H:%M:%S %z", re.compile(r"^([^\[]{1,60}\[)\d\d/" + MONTH + r"/\d{4}:"
                                        + CLOCK + r"() [+-]\d{4}(?=\])")),
    ("%b %e %H:%M:%S", re.compile("^(\\W{0,2})" + MONTH + r" [ \d]\d " + CLOCK + r"()(?= )")),
]
LOOKS_LIKE_DATE = re.compile(CLOCK + "|" + MONTH + r"[ /]|\d{4}[-/.]\d\d|\d{9}")
ADDRESS_END = r"(?![\w.:]*[\w:])"


def put_stamp(kind, fraction, t):
    """The date as fail2ban will read it; whole seconds count, fractions are cut there."""
    text = kind.replace("{}", fraction) if "{}" in kind else kind + fraction
    at = datetime.datetime.fromtimestamp(t).astimezone()
    return at.strftime(text)


def cut(text):
    """Sample without host of a line, or None: its date is not one of these."""
    for kind, regex in KINDS:
        m = regex.search(text)
        if m:
            rest = text[m.end():]
            if LOOKS_LIKE_DATE.search(rest[:40]):
                return None
            return Sample(m[1], (kind, m[2] or ""), rest, None)
    return None


def read_samples(folder):
    """{filter: [Sample...]}: every line of the file, in its order, whose date is known."""
    found = {}
    for name in sorted(os.listdir(folder)):
        path = os.path.join(folder, name)
        if not os.path.isfile(path):
            continue
        with open(path, encoding="utf-8", errors="replace") as f:
            lines = f.read().split("\n")
        samples, host = [], None
        for line in lines:
            note = re.match(r"# ?failJSON:(.*)", line)
            if note:
                want = json.loads(note[1])
                host = want.get("host") if want.get("match") else None
            elif line and not line.startswith("#"):
                sample = cut(line.rstrip("\r"))
                if sample:
                    samples.append(sample._replace(host=host))
                host = None
        if any(s.host for s in samples):
            found[name] = samples
    return found


def with_host(sample, address):
    """The text behind the date with its address exchanged."""
    if not sample.host or not re.fullmatch(r"[\d.]+|[0-9a-fA-F:.]+:[0-9a-fA-F:.]*", sample.host):
        return sample.after
    return re.sub(r"(?<![\w.:])" + re.escape(sample.host) + ADDRESS_END,
                  lambda _: address, sample.after)


def sshd_session(rnd, address):
    """Texts of one connection, in order."""
    pid, user = rnd.randint(1, 40), rnd.choice(["root", "admin", "o'neil", "x from 192.0.2.250"])
    head, port = f" mx sshd[{pid}]: ", rnd.randint(1024, 65535)
    tail = f"{address} port {port}"
    invalid = rnd.choice(["", "invalid user "])
    kinds = {
        "password": [f"Failed password for {invalid}{user} from {tail} ssh2"] * rnd.randint(1, 3),
        "keys": [f"Failed publickey for {invalid}{user} from {tail} ssh2: RSA SHA256:abc"],
        "invalid": [f"Invalid user {user} from {tail}"],
        "max": [f"error: maximum authentication attempts exceeded for {invalid}{user} from {tail}"
                " ssh2 [preauth]"],
        "good": [f"Accepted password for {user} from {tail} ssh2"],
        "closed": [f"Connection closed by authenticating user {user} {tail} [preauth]"],
        "bye": [f"Received disconnect from {tail}:11: Bye Bye [preauth]",
                f"Disconnected from {tail} [preauth]"],
        "nego": [f"Unable to negotiate with {tail}: no matching host key type found. Their offer:"
                 " ssh-dss [preauth]"],
        "pam": ["pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh "
                f"ruser= rhost={address}  user=root"],
        "noid": [f"Did not receive identification string from {tail}"],
    }
    texts = []
    for kind in rnd.sample(sorted(kinds), rnd.randint(1, 4)):
        texts += kinds[kind]
    return [head + text for text in texts]


def postfix_session(rnd, address):
    head = f" mx postfix/{rnd.choice(['smtpd', 'smtps/smtpd', 'submission/smtpd'])}[{rnd.randint(1, 40)}]: "
    client = f"{rnd.choice(['unknown', 'a.example.net'])}[{address}]"
    tail = "from=<a@example.org> to=<b@example.com> proto=ESMTP helo=<[198.51.100.99]>"
    texts = [
        f"NOQUEUE: reject: RCPT from {client}: 554 5.7.1 <b@example.com>: Relay access denied; {tail}",
        f"NOQUEUE: reject: RCPT from {client}: 550 5.1.1 <b@example.com>: Recipient address "
        f"rejected: User unknown in local recipient table; {tail}",
        f"NOQUEUE: reject: RCPT from {client}: 450 4.7.1 <x>: Helo command rejected: Host not "
        f"found; {tail}",
        f"NOQUEUE: reject: RCPT from {client}: 454 4.7.1 Service unavailable; Client host "
        f"[{address}] blocked using rbl.example.com; {tail}",
        f"warning: {client}: SASL LOGIN authentication failed: UGFzc3dvcmQ6",
        f"warning: {client}: SASL PLAIN authentication failed: authentication failure",
        f"lost connection after AUTH from {client}",
        f"improper command pipelining after EHLO from {client}: QUIT",
        f"connect from {client}", f"disconnect from {client} ehlo=1 auth=0/1 commands=1/2",
        f"too many errors after AUTH from {client}",
    ]
    return [head + text for text in rnd.choices(texts, k=rnd.randint(1, 3))]


def dovecot_session(rnd, address):
    user = rnd.choice(["bob", "bob@example.com", "x>, rip=192.0.2.251, lip=1.1.1.1"])
    lip = f"rip={address}, lip=192.0.2.1"
    texts = [
        f" mx dovecot: imap-login: Disconnected (auth failed, 3 attempts in 12 secs): user=<{user}>, "
        f"method=PLAIN, {lip}, TLS, session=<abc>",
        f" mx dovecot: pop3-login: Aborted login (auth failed, 1 attempts): user=<{user}>, "
        f"method=PLAIN, {lip}",
        f" mx dovecot: imap-login: Aborted login (no auth attempts in 10 secs): user=<>, {lip}",
        f" mx dovecot: imap-login: Login: user=<bob>, method=PLAIN, {lip}, mpid=1, TLS",
        f" mx dovecot: auth-worker(123): pam(bob,{address}): unknown user",
        f" mx auth: pam_unix(dovecot:auth): authentication failure; logname= uid=0 euid=0 "
        f"tty=dovecot ruser=bob rhost={address}",
    ]
    return rnd.choices(texts, k=rnd.randint(1, 2))


def nginx_session(rnd, address):
    head = f" [error] {rnd.randint(1, 99)}#0: *{rnd.randint(1, 999)} "
    tail = f', client: {address}, server: www.example.com, request: "GET /x HTTP/1.1", host: "w"'
    texts = [
        f'user "bob" was not found in "/etc/htpasswd"{tail}', f'user "bob": password mismatch{tail}',
        f'limiting requests, excess: 1.5 by zone "one"{tail}',
        f'open() "/var/www/x.php" failed (2: No such file or directory){tail}',
    ]
    return [head + text for text in rnd.choices(texts, k=rnd.randint(1, 2))]


SYSLOG, NGINX = ("%b %e %H:%M:%S", ""), ("%Y/%m/%d %H:%M:%S", "")
SERVICES = {"sshd": (SYSLOG, sshd_session), "postfix": (SYSLOG, postfix_session),
            "dovecot": (SYSLOG, dovecot_session), "nginx": (NGINX, nginx_session)}


def attackers(rnd, count):
    """Addresses, each perhaps in more than one spelling."""
    found = []
    for i in range(count):
        kind = rnd.random()
        if kind < 0.6:
            found.append([f"198.18.{rnd.randint(0, 3)}.{i + 1}"])
        elif kind < 0.85:
            found.append([f"2001:db8::{i + 1:x}", f"2001:DB8:0:0:0:0:0:{i + 1:X}"])
        elif kind < 0.95:
            found.append([f"198.18.9.{i + 1}", f"::ffff:198.18.9.{i + 1}"])
        else:
            found.append([f"300.1.1.{i + 1}"])
    return found


def arrivals(rnd, findtime, n_events):
    """Seconds after the begin at which one attacker knocks."""
    t, times = rnd.uniform(0, findtime * 2), []
    while len(times) < n_events:
        kind = rnd.random()
        if kind < 0.35:  # a burst
            for _ in range(rnd.randint(2, 8)):
                times.append(t)
                t += rnd.choice([0, 0, 1, 2, rnd.uniform(0, 9)])
        elif kind < 0.7:  # a drip around the edge of the window
            step = findtime * rnd.choice([0.2, 0.34, 0.5, 1.0])
            for _ in range(rnd.randint(2, 6)):
                times.append(t)
                t += step + rnd.choice([-1, 0, 0, 1])
        else:  # and again, after a while
            t += findtime * rnd.uniform(0.5, 4)
    return times[:n_events]


def texts_of(rnd, plan, samples, spellings):
    """(stamp kind, text before, text after) of what one knock writes."""
    address = rnd.choice(spellings)
    source = rnd.choice(plan)
    if source in SERVICES:
        kind, make = SERVICES[source]
        return [("", kind, text) for text in make(rnd, address)]
    lines = samples[source]
    first = rnd.randrange(len(lines))
    return [(s.before, s.kind, with_host(s, address))
            for s in lines[first:first + rnd.choice([1, 1, 1, 2, 4])]]


def make(rnd, begin, plan, samples, findtime, n_lines, max_late, is_live):
    """Lines by arrival. plan: names of services or of samples; max_late: seconds by which
    a date may be older than one that came before it."""
    events = []
    crowd = attackers(rnd, rnd.randint(2, 7))
    for spellings in crowd:
        for t in arrivals(rnd, findtime, n_lines // len(crowd) + 1):
            events.append((t, spellings))
    events.sort(key=lambda e: e[0])
    is_late = max_late and rnd.random() < 0.5
    lines = []
    for t, spellings in events:
        for before, kind, after in texts_of(rnd, plan, samples, spellings):
            at = int(begin + t)
            stamp = at
            if is_late and rnd.random() < 0.2:
                stamp -= rnd.randint(0, max_late)
            # Only with a dated line shortly before does fail2ban know better than "now".
            if is_live and rnd.random() < 0.01 and lines and lines[-1].stamp == at:
                lines.append(Line(at, None, (before + after).strip()))
                continue
            lines.append(Line(at, stamp, before + put_stamp(*kind, stamp) + after))
            t += rnd.choice([0, 0, 0, 1])
    lines = lines[:n_lines]
    return sorted(lines, key=lambda line: line.at)


def zone(name):
    os.environ["TZ"] = name
    time.tzset()
