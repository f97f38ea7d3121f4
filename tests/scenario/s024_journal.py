#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# A jail that reads systemd's journal: real journal files, kill -9, a journal that vacuums.
# asan: yes
import os
import subprocess
import time

import harness

REMOTE = "/lib/systemd/systemd-journal-remote"
JAIL = """\
[sshd]
enabled = true
filter = knocks
backend = systemd[journalpath={journal}]
journalmatch = _SYSTEMD_UNIT=ssh.service
maxretry = {maxretry}
findtime = 600
bantime = 600
port = 22
"""
FILTER = r"""[Definition]
failregex = ^\S+ sshd\[\d+\]: Failed password for .* from <ADDR> port \d+$
"""


class Journal:
    """Journal files in a folder; each add() makes one, as a rotation would."""

    def __init__(self, s):
        self.s = s
        self.dir = os.path.join(s.dir, "journal")
        os.mkdir(self.dir)
        self.parts = []
        self.number = 0

    def add(self, source, count, unit="ssh.service"):
        path = os.path.join(self.dir, f"part{len(self.parts):03}.journal")
        text = "".join(self.entry(source, unit) for _ in range(count))
        # Made elsewhere and moved in: journald's files are whole when they appear, too.
        made = os.path.join(self.s.dir, os.path.basename(path))
        subprocess.run([REMOTE, f"--output={made}", "-"], input=text.encode(), check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        os.chmod(made, 0o640)
        os.rename(made, path)
        self.parts.append(path)

    def entry(self, source, unit):
        self.number += 1
        now = int(time.time() * 1e6) + self.number
        return (f"__REALTIME_TIMESTAMP={now}\n__MONOTONIC_TIMESTAMP={1000 + self.number}\n"
                "_BOOT_ID=00000000000000000000000000000001\n_HOSTNAME=mx\n"
                f"SYSLOG_IDENTIFIER=sshd\n_PID=7\n_SYSTEMD_UNIT={unit}\n"
                f"MESSAGE=Failed password for root from {source} port 4242\n\n")

    def vacuum(self, keep):
        while len(self.parts) > keep:
            os.unlink(self.parts.pop(0))


def failures(s):
    return s.bandog_json("status", "sshd")["jail"]["failed_total"]


def kill_role(daemon, role):
    os.kill(daemon.role(role), 9)


def scenario(s):
    if not os.access(REMOTE, os.X_OK):
        s.skip("systemd-journal-remote is not installed")
    journal = Journal(s)
    s.config("filter.d/knocks.conf", FILTER)
    s.config("jail.conf", JAIL.format(journal=journal.dir, maxretry=3))

    s.step("what is in the journal at the start counts")
    journal.add("198.51.100.1", 3)
    journal.add("198.51.100.2", 2)
    daemon = s.bandogd()
    s.wait_for(lambda: "198.51.100.1" in s.nft_set("sshd-ipv4"), 10, "the first ban")
    s.equal(sorted(s.nft_set("sshd-ipv4")), ["198.51.100.1"])

    s.step("new entries count as they come; other units' do not")
    journal.add("198.51.100.3", 3, unit="other.service")
    journal.add("198.51.100.2", 1)
    s.wait_for(lambda: "198.51.100.2" in s.nft_set("sshd-ipv4"), 10, "the second ban")
    s.check("198.51.100.3" not in s.nft_set("sshd-ipv4"), "another unit's entries counted")

    s.step("a reader and an engine that are killed neither lose nor repeat an entry")
    journal.add("198.51.100.4", 2)
    s.wait_for(lambda: failures(s) == 8, 10, "eight failures")
    time.sleep(0.3)  # a checkpoint
    kill_role(daemon, "engine")
    s.wait_for(lambda: s.bandog("ping", check=False).returncode == 0, 10, "the engine")
    kill_role(daemon, "reader")
    journal.add("198.51.100.5", 3)
    s.wait_for(lambda: "198.51.100.5" in s.nft_set("sshd-ipv4"), 15, "the third ban")
    s.check("198.51.100.4" not in s.nft_set("sshd-ipv4"), "two entries counted as three")
    journal.add("198.51.100.4", 1)
    s.wait_for(lambda: "198.51.100.4" in s.nft_set("sshd-ipv4"), 10, "the fourth ban")

    s.step("entries that came while it was stopped are read, vacuumed ones are passed over")
    daemon.stop()
    journal.add("198.51.100.6", 2)
    journal.vacuum(keep=1)
    journal.add("198.51.100.6", 1)
    s.bandogd()
    s.wait_for(lambda: "198.51.100.6" in s.nft_set("sshd-ipv4"), 10, "the fifth ban")
    s.equal(sorted(s.nft_set("sshd-ipv4")),
            [f"198.51.100.{i}" for i in (1, 2, 4, 5, 6)])


harness.main(scenario)
