#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# The whole of fail2ban's configuration, every jail of it enabled: starts, bans, reloads, stops.
import os
import re
import shutil
import time

import harness

FAIL2BAN = "/etc/fail2ban"
TEST_NET = "198.51.100."
SYSLOG, ISO, NGINX = "%b %e %H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S"
APACHE, ACCESS = "[%a %b %d %H:%M:%S %Y]", "%d/%b/%Y:%H:%M:%S %z"
TAIL = ', server: www, request: "GET / HTTP/1.1", host: "www"'
# A line each that the filter of that jail must take for a failure; {t} is the date.
LINES = {
    "sshd": (SYSLOG, "{t} mx sshd[1]: Failed password for root from {ip} port 22 ssh2"),
    "postfix": (SYSLOG, "{t} mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown[{ip}]: "
                "554 5.7.1 <b@example.com>: Relay access denied; from=<> to=<b@example.com> "
                "proto=ESMTP helo=<x>"),
    "postfix-sasl": (SYSLOG, "{t} mx postfix/smtpd[1]: warning: unknown[{ip}]: SASL LOGIN "
                     "authentication failed: UGFzc3dvcmQ6"),
    "dovecot": (SYSLOG, "{t} mx dovecot: imap-login: Disconnected (auth failed, 3 attempts in 12 "
                "secs): user=<bob>, method=PLAIN, rip={ip}, lip=192.0.2.1, TLS"),
    "exim": (ISO, "{t} login authenticator failed for (x) [{ip}]: 535 Incorrect authentication "
             "data (set_id=bob)"),
    "nginx-http-auth": (NGINX, '{t} [error] 1#0: *1 user "bob": password mismatch, client: {ip}'
                        + TAIL),
    "nginx-limit-req": (NGINX, '{t} [error] 1#0: *1 limiting requests, excess: 1.5 by zone "one", '
                        "client: {ip}" + TAIL),
    "apache-auth": (APACHE, "{t} [error] [client {ip}] user bob not found: /"),
    "apache-shellshock": (APACHE, "{t} [error] [client {ip}] AH01215: /bin/bash: warning: "
                          "HTTP_TEST: ignoring function definition attempt"),
    "named-refused": (SYSLOG, "{t} mx named[1]: client {ip}#4795: query 'example.com/NS/IN' denied"),
    "pure-ftpd": (SYSLOG, "{t} mx pure-ftpd: (?@{ip}) [WARNING] Authentication failed for user [x]"),
    "xinetd-fail": (SYSLOG, "{t} mx xinetd[1]: FAIL: ftp address from={ip}"),
    "asterisk": (ISO, "[{t}] NOTICE[1638] chan_iax2.c: Host {ip} failed to authenticate as 'x'"),
    "pam-generic": (SYSLOG, "{t} mx login[1]: pam_unix(login:auth): authentication failure; "
                    "logname=LOGIN uid=0 euid=0 tty=tty1 ruser= rhost={ip}"),
    "recidive": (ISO, "{t},123 fail2ban.actions        [1]: NOTICE  [sshd] Ban {ip}"),
}


def take_configuration(s):
    """fail2ban's own files, none of them changed. Return: names of all jails."""
    shutil.copytree(FAIL2BAN, s.config_dir, dirs_exist_ok=True)
    # A setting of this machine must not say what this test does.
    for name in os.listdir(os.path.join(s.config_dir, "jail.d")):
        os.unlink(os.path.join(s.config_dir, "jail.d", name))
    with open(os.path.join(s.config_dir, "jail.conf"), encoding="utf-8") as f:
        names = re.findall(r"^\[(?!INCLUDES|DEFAULT)([^\]]+)\]", f.read(), re.M)
    s.config("jail.local", "".join(f"[{name}]\nenabled = true\nlogpath = {s.log(f'logs/{name}')}\n"
                                   for name in names))
    return names


def banned(s):
    return {(b["jail"], b["ip"]) for b in s.bandog_json("banned")["bans"]}


def scenario(s):
    if not os.path.exists(os.path.join(FAIL2BAN, "jail.conf")):
        s.skip("Debian's fail2ban is not installed")
    names = take_configuration(s)

    s.step(f"all {len(names)} jails start without an error")
    begin = time.monotonic()
    daemon = s.bandogd()
    s.step(f"  it answers after {time.monotonic() - begin:.2f} s")
    s.check("error:" not in daemon.output(), daemon.output())
    jails = {j["name"]: j for j in s.bandog_json("status")["jails"]}
    s.equal(sorted(jails), sorted(names))

    s.step(f"a failure for each of {len(LINES)} filters bans, in its jail and in no other")
    wanted = set()
    for i, (name, (form, text)) in enumerate(LINES.items(), 1):
        ip = TEST_NET + str(i)
        wanted.add((name, ip))
        line = text.format(t=time.strftime(form), ip=ip)
        for _ in range(s.bandog_json("status", name)["jail"]["maxretry"]):
            s.append_raw(os.path.join(s.dir, "logs", name), line)
    s.wait_for(lambda: banned(s) == wanted, 15, "the bans",
               lambda: f": missing {sorted(wanted - banned(s))}, more {sorted(banned(s) - wanted)}")
    s.listen(22)
    s.check(s.connect(TEST_NET + "1", 22) != "ok", "the ban is not enforced")
    s.equal(s.connect(TEST_NET + "99", 22), "ok")

    s.step("a reload keeps the jails and the bans")
    s.bandog("reload")
    s.equal(len(s.bandog_json("status")["jails"]), len(names))
    s.equal(banned(s), wanted)
    s.check(s.connect(TEST_NET + "1", 22) != "ok", "the ban is not enforced after the reload")

    s.step("it stops cleanly and takes its table with it")
    daemon.stop()
    s.check("table inet bandog" not in s.nft("list", "ruleset"), "the table is still there")


harness.main(scenario)
