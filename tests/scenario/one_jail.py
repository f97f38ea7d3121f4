# SPDX-License-Identifier: GPL-2.0-or-later
"""The jail of scenarios that are about something else: a line "knock[1]: refused ADDRESS" is a
failure, and closes port 25 after maxretry of them."""

FILTER = r"""[Definition]
failregex = ^\s*\S+ knock\[\d+\]: refused {tag}$
"""
JAIL = """\
[knock]
enabled = true
filter = knock
logpath = {log}
maxretry = {maxretry}
findtime = 600
bantime = 600
port = 25
"""


def configure(s, log, maxretry=1, tag="<ADDR>"):
    s.config("filter.d/knock.conf", FILTER.format(tag=tag))
    s.config("jail.conf", JAIL.format(log=log, maxretry=maxretry))


def fail(s, log, who):
    s.append(log, f"knock[1]: refused {who}")
