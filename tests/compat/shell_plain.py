#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Debian's action files with foreign tags: are they understood, and is the text readable?

usage: shell_plain.py ACTION-MAIN SHELL-MAIN

Every command of every file of action.d, with the options that actions_oracle.py gives, is
asked for its form. Those that hold a foreign tag must have the form "whole", and the value
in their environment must be the line of the log. Last line: `N passed, N failed`. Exit 77:
Debian's fail2ban is not installed.
"""
import json
import os
import re
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import actions_oracle  # exits 77 itself

LINES = ("Nov 26 02:00:00 mx sshd[7]: Failed password for invalid user \"a b\" from "
         "192.0.2.1 port 4 ssh2; $x `y` (z)\nsecond line\\with 'quotes'")
READABLE = LINES.replace("\\", "?")
FOREIGN = re.compile(r"<(?:matches|ipmatches|ipjailmatches|ip-host|F-\w+)>")
# At least these are there to be looked at.
WANTED = {"abuseipdb", "blocklist_de", "sendmail-geoip-lines", "sendmail-whois-matches",
          "sendmail-whois-ipmatches", "sendmail-whois-ipjailmatches", "xarf-login-attack"}


def main():
    if len(sys.argv) != 3:
        raise SystemExit(__doc__)
    passed = failed = 0
    seen = set()
    with tempfile.TemporaryDirectory(prefix="bandog-plain-") as folder:
        actions_oracle.write_folder(folder)
        out = subprocess.run([sys.argv[1], folder], stdout=subprocess.PIPE, check=True)
    rows = [json.loads(line) for line in out.stdout.decode().splitlines()]
    rows = [row for row in rows if FOREIGN.search(row[4])]
    text = b"".join(b"\0".join((row[4].encode(), b"mallory", LINES.encode(), b""))
                    for row in rows)
    out = subprocess.run([sys.argv[2]], input=text, stdout=subprocess.PIPE, check=True)
    answers = out.stdout.decode().split("\0")
    for n, (jail, action, option, family, command, _) in enumerate(rows):
        form, why, at, _, env = answers[5 * n:5 * n + 5]
        lines = [v.partition("=")[2] for v in env.split("\x1f") if "matches" in v[:24]]
        seen.add(action)
        if form == "whole" and all(v == READABLE for v in lines):
            passed += 1
            continue
        failed += 1
        print(f"{action} {option} {family}: {form}: {why}: {command[int(at):][:60]!r}\n{env}")
    for name in WANTED - seen:
        failed += 1
        print(f"{name} was not there")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
