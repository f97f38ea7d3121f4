# SPDX-License-Identifier: GPL-2.0-or-later
"""Logs of a mail server, written for tests: who attacks, who is honest, and what is wanted.

Each log is made of what clients do, which many pieces here write as Postfix and Dovecot do;
beside that there is ordinary traffic. Everything is deterministic. Nothing here is from a real
log: addresses are those of documentation and benchmarks (RFC 5737, RFC 2544, RFC 3849).
"""

import random
import time

DAY, HOUR, MINUTE = 86400, 3600, 60
BEGIN = 1793577600  # 2026-11-02 00:00 UTC


class Log:
    """Lines with their times, in any order; text() puts them in order."""

    def __init__(self, name, seed, iso=False):
        self.name, self.chance, self.iso = name, random.Random(seed), iso
        self.lines, self.n = [], 0
        self.never, self.must = set(), set()
        self.min_stopped = None
        self.no_ban = False

    def put(self, at, program, text):
        self.n += 1
        self.lines.append((at, self.n, f"{program}: {text}"))

    def text(self):
        return "".join(f"{self.stamp(at)} mx {text}\n" for at, _, text in sorted(self.lines))

    def stamp(self, at):
        if self.iso:
            return time.strftime("%Y-%m-%dT%H:%M:%S.", time.gmtime(at)) + "000000+00:00"
        return time.strftime("%b %e %H:%M:%S", time.gmtime(at))

    def pid(self):
        return self.chance.randrange(1000, 60000)

    def queue_id(self):
        return "".join(self.chance.choice("0123456789ABCDEF") for _ in range(10))

    def between(self, begin, end):
        return self.chance.uniform(begin, end)


class Client:
    """Somebody who speaks SMTP to us."""

    def __init__(self, log, address, name="unknown", helo=None):
        self.log, self.who = log, f"{name}[{address}]"
        self.address, self.helo = address, helo or (name if name != "unknown" else "localhost")

    def session(self, at, *lines, service="smtpd", says="ehlo=1 quit=1 commands=2", after=3):
        pid = self.log.pid()
        program = f"postfix/{service}[{pid}]"
        self.log.put(at, program, f"connect from {self.who}")
        for i, line in enumerate(lines):
            self.log.put(at + i + 1, program, line)
        self.log.put(at + len(lines) + after, program, f"disconnect from {self.who} {says}")

    def reject(self, at, reply, rcpt="someone@example.org", sender="sender@example.net"):
        self.session(at, f"NOQUEUE: reject: RCPT from {self.who}: {reply}; from=<{sender}> "
                     f"to=<{rcpt}> proto=ESMTP helo=<{self.helo}>",
                     says="ehlo=1 mail=1 rcpt=0/1 quit=1 commands=3/4")

    def unknown_recipient(self, at, rcpt):
        self.reject(at, f"550 5.1.1 <{rcpt}>: Recipient address rejected: User unknown in virtual"
                    " mailbox table", rcpt)

    def deliver(self, at, rcpt="someone@example.org", sender="sender@example.net",
                extra="", service="smtpd"):
        """A message that is taken and delivered."""
        log, queue, pid = self.log, self.log.queue_id(), self.log.pid()
        program = f"postfix/{service}[{pid}]"
        log.put(at, program, f"connect from {self.who}")
        log.put(at + 1, program, f"{queue}: client={self.who}{extra}")
        log.put(at + 1, f"postfix/cleanup[{log.pid()}]",
                f"{queue}: message-id=<{queue.lower()}@example.net>")
        log.put(at + 1, "postfix/qmgr[812]",
                f"{queue}: from=<{sender}>, size={log.chance.randrange(900, 90000)}, nrcpt=1 "
                "(queue active)")
        log.put(at + 2, program, f"disconnect from {self.who} ehlo=2 starttls=1 mail=1 rcpt=1 "
                "data=1 quit=1 commands=7")
        log.put(at + 2, f"postfix/lmtp[{log.pid()}]",
                f"{queue}: to=<{rcpt}>, relay=mx.example.org[private/dovecot-lmtp], delay=0.4, "
                "delays=0.2/0.01/0.02/0.17, dsn=2.0.0, status=sent (250 2.0.0 <" + rcpt +
                "> xQ4 Saved)")
        log.put(at + 2, "postfix/qmgr[812]", f"{queue}: removed")

    def is_sent_to(self, at, rcpt="partner@example.net"):
        """We deliver to it."""
        log, queue = self.log, self.log.queue_id()
        log.put(at, "postfix/qmgr[812]",
                f"{queue}: from=<someone@example.org>, size=4711, nrcpt=1 (queue active)")
        log.put(at + 2, f"postfix/smtp[{log.pid()}]",
                f"{queue}: to=<{rcpt}>, relay={self.who}:25, delay=1.9, "
                "delays=0.1/0.01/0.9/0.89, dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4XyZ)")
        log.put(at + 2, "postfix/qmgr[812]", f"{queue}: removed")

    def logs_in(self, at, user="kim@example.org"):
        self.deliver(at, rcpt="partner@example.net", sender=user, service="submission/smtpd",
                     extra=f", sasl_method=PLAIN, sasl_username={user}")
        self.log.put(at + 5, "dovecot", f"imap-login: Login: user=<{user}>, method=PLAIN, "
                     f"rip={self.address}, lip=192.0.2.25, mpid={self.log.pid()}, TLS, "
                     f"session=<{self.log.queue_id()}>")

    def guess(self, at, n=1, method="LOGIN", reason="UGFzc3dvcmQ6", service="smtpd", user=None):
        """Wrong passwords, a connection for each."""
        behind = f", sasl_username={user}" if user else ""
        for i in range(n):
            self.session(at + 4 * i, f"warning: {self.who}: SASL {method} authentication failed: "
                         f"{reason}{behind}", says="ehlo=1 auth=0/1 quit=1 commands=2/3",
                         service=service, after=1)


def benchmark(n):
    """The n-th address of 198.18.0.0/15, each in a /24 of its own for the first 512."""
    return f"198.{18 + n // 256 % 2}.{n % 256}.{10 + n // 512 % 200}"


def ordinary(log, days, exclude=()):
    """What goes on anyway: partners that deliver and are delivered to, users, outgoing mail."""
    for i in range(6):
        if i in exclude:
            continue
        partner = Client(log, f"192.0.2.{100 + i}", f"mx{i}.partner{i}.example.net")
        log.never.add(partner.address)
        for day in range(days):
            for _ in range(log.chance.randrange(2, 6)):
                partner.deliver(BEGIN + day * DAY + log.between(0, DAY))
            partner.is_sent_to(BEGIN + day * DAY + log.between(0, DAY))
    for i in range(4):
        user = Client(log, f"2001:db8:{i + 1}::7")
        log.never.add(user.address)
        for day in range(days):
            for _ in range(3):
                user.logs_in(BEGIN + day * DAY + log.between(7 * HOUR, 22 * HOUR),
                             f"user{i}@example.org")


# The logs


def guessing(log, n, hours):
    """Many addresses, each in another network, each with few tries at a time."""
    ordinary(log, 2)
    users = [f"{name}@example.org" for name in ("info", "office", "kim", "sales", "admin")]
    for i in range(n):
        attacker = Client(log, benchmark(i))
        at = BEGIN + log.between(0, hours * HOUR)
        for _ in range(log.chance.randrange(2, 5)):
            attacker.guess(at, log.chance.randrange(1, 4), user=log.chance.choice(users))
            at += log.between(20 * MINUTE, 5 * HOUR)
    return log


def broad_guessing():
    """Forty new addresses an hour."""
    log = guessing(Log("password attack by many addresses", 1), 220, 5)
    log.min_stopped = 75
    return log


def slow_guessing():
    """Eleven new ones an hour, hardly more than what strays in on some days; and who is banned
    is not heard of again, so there seem to be fewer."""
    log = guessing(Log("slow password attack by many addresses", 1), 220, 20)
    log.min_stopped = 70
    return log


def slowest_guessing():
    """Eight new ones an hour, for a day: only by the day they are many."""
    log = guessing(Log("password attack by eight new addresses an hour", 3), 152, 19)
    log.min_stopped = 70
    return log


def one_guesser():
    """The plain case: one address that does not stop."""
    log = Log("password attack by one address", 2, iso=True)
    ordinary(log, 2)
    attacker = Client(log, "203.0.113.66")
    for i in range(120):
        attacker.guess(BEGIN + HOUR + i * 7, user="info@example.org")
    log.must.add(attacker.address)
    log.min_stopped = 90
    return log


def typos():
    """A server of people who send us mail every day, and now and then to a wrong address."""
    log = Log("honest server whose users mistype", 3)
    ordinary(log, 3, exclude=(0,))
    partner = Client(log, "192.0.2.100", "mx0.partner0.example.net")
    log.never.add(partner.address)
    for day in range(3):
        for _ in range(8):
            partner.deliver(BEGIN + day * DAY + log.between(7 * HOUR, 18 * HOUR))
        partner.is_sent_to(BEGIN + day * DAY + 8 * HOUR)
        # Each wrong address again and again: its user tries it again.
        for wrong in ("kimm@example.org", "ofice@example.org"):
            for i in range(4):
                partner.unknown_recipient(BEGIN + day * DAY + 9 * HOUR + 70 * i, wrong)
    return log


def badly_set_up():
    """Honest servers without a proper name, or with a wrong HELO: they try again for hours."""
    log = Log("honest servers that are badly set up", 4, iso=True)
    ordinary(log, 3)
    replies = (
        "450 4.7.1 Client host rejected: cannot find your reverse hostname, [{a}]",
        "450 4.7.25 Client host rejected: cannot find your hostname, [{a}]",
        "450 4.7.1 <srv01.local>: Helo command rejected: Host not found",
        "504 5.5.2 <srv01>: Helo command rejected: need fully-qualified hostname",
        "450 4.1.8 <news@shop.invalid>: Sender address rejected: Domain not found",
        "454 4.7.1 Service unavailable; Client host [{a}] blocked using dnsbl.example; listed",
    )
    for i, reply in enumerate(replies):
        server = Client(log, f"198.51.100.{10 + i}", helo="srv01.local")
        log.never.add(server.address)
        for day in range(3):
            for n in range(40):
                server.reject(BEGIN + day * DAY + 8 * HOUR + n * 240 + i * 11,
                              reply.format(a=server.address))
    # A client that breaks off, as one behind a bad line does.
    broken = Client(log, "198.51.100.30", "mail.slow.example.net")
    log.never.add(broken.address)
    for n in range(30):
        broken.session(BEGIN + 7 * HOUR + n * 300,
                       f"timeout after DATA (1460 bytes) from {broken.who}",
                       says="ehlo=1 mail=1 rcpt=1 data=0/1 commands=3/4")
        broken.session(BEGIN + 7 * HOUR + n * 300 + 60,
                       f"lost connection after DATA (0 bytes) from {broken.who}",
                       says="ehlo=1 mail=1 rcpt=1 data=0/1 commands=3/4")
    return log


def greylisting():
    """First contact is put off; the honest come back in time."""
    log = Log("greylisting", 5)
    ordinary(log, 2)
    for i in range(60):
        server = Client(log, benchmark(300 + i), f"out{i}.sender{i}.example.com")
        log.never.add(server.address)
        at = BEGIN + log.between(0, 30 * HOUR)
        for wait in (0, 90, 200):
            server.reject(at + wait, "450 4.2.0 <someone@example.org>: Recipient address rejected:"
                          " Greylisted, see https://postgrey.example.org/help/example.org.html")
        server.deliver(at + 600)
    # postscreen's deep tests put off newcomers, too.
    for i in range(30):
        address = benchmark(400 + i)
        log.never.add(address)
        at, program = BEGIN + log.between(0, 30 * HOUR), f"postfix/postscreen[{log.pid()}]"
        for n in range(3):
            log.put(at + 60 * n, program, f"CONNECT from [{address}]:4{n}123 to [192.0.2.25]:25")
            log.put(at + 60 * n + 6, program, f"NOQUEUE: reject: RCPT from [{address}]:4{n}123: "
                    "450 4.3.2 Service currently unavailable; from=<a@example.net>, "
                    "to=<someone@example.org>, proto=ESMTP, helo=<mx.example.net>")
            log.put(at + 60 * n + 7, program, f"PASS NEW [{address}]:4{n}123")
    return log


def local_faults():
    """Our own disk, resolver, milter, tables and password server fail: nobody is to blame."""
    log = Log("local faults with many clients", 6)
    ordinary(log, 3)
    at = BEGIN + DAY + 10 * HOUR
    replies = (
        "451 4.3.0 <someone@example.org>: Temporary lookup failure",
        "452 4.3.1 Insufficient system storage",
        "451 4.3.5 Server configuration error",
        "451 4.7.1 Service unavailable - try again later",
        "450 4.7.1 Client host rejected: cannot find your hostname, [{a}]",
        "554 5.7.1 Service unavailable; Client host [{a}] blocked using dead.dnsbl.example",
    )
    for k, reply in enumerate(replies):
        for i in range(40):
            server = Client(log, benchmark(k * 40 + i), f"mx{i}.fault{k}.example.com")
            log.never.add(server.address)
            # They were here before, and deliver again when it is over.
            server.deliver(BEGIN + log.between(0, 20 * HOUR))
            for n in range(6):
                server.reject(at + k * HOUR + i + n * 120, reply.format(a=server.address))
            server.deliver(BEGIN + 2 * DAY + log.between(0, 20 * HOUR))
        for i in range(6):  # nor are our partners spared
            partner = Client(log, f"192.0.2.{100 + i}", f"mx{i}.partner{i}.example.net")
            for n in range(3):
                partner.reject(at + k * HOUR + 2 * i + n * 240,
                               reply.format(a=partner.address))
    users = [Client(log, f"2001:db8:{i + 1}::7") for i in range(4)]
    for i, user in enumerate(users):
        for n in range(12):
            user.guess(at + 20 * i + n * 60, method="PLAIN", service="submission/smtpd",
                       reason="Connection lost to authentication server")
    return log


def recipients_lost():
    """The table of our users is empty for a while: all mail is refused, also good mail."""
    log = Log("a table of recipients that was lost", 7, iso=True)
    ordinary(log, 4)
    at = BEGIN + 3 * DAY + 9 * HOUR
    for i in range(6):
        partner = Client(log, f"192.0.2.{100 + i}", f"mx{i}.partner{i}.example.net")
        for n in range(12):
            partner.unknown_recipient(at + 3 * i + n * 20, f"user{n}@example.org")
    return log


def outbound_only():
    """A server that sends, and is refused by others. No client does anything wrong."""
    log = Log("outbound mail only", 8)
    for i in range(1500):
        at, queue = BEGIN + log.between(0, 2 * DAY), log.queue_id()
        address = benchmark(i % 500)
        log.put(at, "postfix/qmgr[812]",
                f"{queue}: from=<news@example.org>, size=20480, nrcpt=1 (queue active)")
        say = log.chance.choice((
            "dsn=2.0.0, status=sent (250 2.0.0 Ok: queued as 4XyZ)",
            f"dsn=5.1.1, status=bounced (host mx.example.com[{address}] said: 550 5.1.1 "
            f"<r{i}@example.com>: Recipient address rejected: User unknown in virtual mailbox "
            "table (in reply to RCPT TO command))",
            f"dsn=4.7.1, status=deferred (host mx.example.com[{address}] said: 450 4.7.1 "
            "Client host rejected: cannot find your reverse hostname, [192.0.2.25] (in reply to "
            "RCPT TO command))",
            f"dsn=5.7.1, status=bounced (host mx.example.com[{address}] said: 554 5.7.1 Service "
            f"unavailable; Client host [192.0.2.25] blocked using zen.example (in reply to RCPT "
            "TO command))",
            f"dsn=4.4.1, status=deferred (connect to mx.example.com[{address}]:25: Connection "
            "timed out)",
            f"dsn=4.7.8, status=deferred (SASL authentication failed; server "
            f"mx.example.com[{address}] said: 535 5.7.8 Error: authentication failed:)",
        ))
        log.put(at + 3, f"postfix/smtp[{log.pid()}]",
                f"{queue}: to=<r{i}@example.com>, relay=mx.example.com[{address}]:25, delay=3, "
                f"delays=0.1/0.01/1.9/0.99, {say}")
        if "bounced" in say:
            log.put(at + 3, f"postfix/bounce[{log.pid()}]",
                    f"{queue}: sender non-delivery notification: {log.queue_id()}")
        log.put(at + 4, "postfix/qmgr[812]", f"{queue}: removed")
    log.no_ban = True
    return log


def stale_password():
    """A telephone that goes on with the password of yesterday."""
    log = Log("user with a stale password", 9)
    ordinary(log, 4)
    phone = Client(log, "203.0.113.20", "host20.provider.example.net")
    log.never.add(phone.address)
    user = "lee@example.org"
    for day in range(2):
        for n in range(4):
            phone.logs_in(BEGIN + day * DAY + (8 + 3 * n) * HOUR, user)
    at = BEGIN + 2 * DAY + 8 * HOUR
    for n in range(60):
        log.put(at + 300 * n, "dovecot", f"auth: passwd-file({user},{phone.address},"
                f"<{log.queue_id()}>): Password mismatch (SHA1 of given password: 275e5d)")
        log.put(at + 300 * n + 2, "dovecot", "imap-login: Disconnected: Connection closed (auth "
                f"failed, 1 attempts in 2 secs): user=<{user}>, method=PLAIN, "
                f"rip={phone.address}, lip=192.0.2.25, TLS, session=<{log.queue_id()}>")
        if n % 6 == 0:
            phone.guess(at + 300 * n + 60, method="PLAIN", service="submission/smtpd",
                        reason="authentication failure", user=user)
    phone.logs_in(at + 6 * HOUR, user)
    return log


def dictionary():
    """A spammer who guesses recipients."""
    log = Log("guessing of recipients", 10, iso=True)
    ordinary(log, 2)
    fast, slow = Client(log, "203.0.113.80"), Client(log, "203.0.113.81")
    for n in range(90):
        fast.unknown_recipient(BEGIN + HOUR + 9 * n, f"name{n}@example.org")
    for n in range(40):
        slow.unknown_recipient(BEGIN + 5 * HOUR + 45 * n, f"word{n}@example.org")
    log.must |= {fast.address, slow.address}
    log.min_stopped = 75
    return log


def snowshoe():
    """Forty neighbours, each with little, and one of their messages even gets through."""
    log = Log("snowshoe", 11)
    ordinary(log, 2)
    for n in range(40):
        client = Client(log, f"203.0.113.{128 + n}", f"m{n}.offers.example.com")
        at = BEGIN + 2 * HOUR + n * 500
        client.deliver(at, sender=f"deal{n}@offers.example.com")
        for i in range(3):
            client.reject(at + 30 + 20 * i, "554 5.7.1 Service unavailable; Client host "
                          f"[{client.address}] blocked using zen.example; listed")
            client.unknown_recipient(at + 35 + 20 * i, f"guess{n * 3 + i}@example.org")
    log.min_stopped = 50
    return log


LOGS = (broad_guessing, slow_guessing, slowest_guessing, one_guesser, typos, badly_set_up,
        greylisting, local_faults,
        recipients_lost, outbound_only, stale_password, dictionary, snowshoe)
