#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The commands of every action of Debian's fail2ban: its expansion, and ours.

usage: actions_oracle.py ACTION-MAIN

A copy of /etc/fail2ban with one jail for each file of action.d (and some more with
parameters) is read by fail2ban's own reader and by ours. For each command option and
family two texts are compared: with all options put in, and with a ticket's values too.
Last line: `N passed, N failed`. Exit 77: Debian's fail2ban is not installed.
"""
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.append("/usr/lib/python3/dist-packages")
try:
    from fail2ban.client.jailsreader import JailsReader
    from fail2ban.server import action as their_action
    from fail2ban.server.action import CommandAction
except ImportError as reason:
    print("skipped: fail2ban's own reader is not installed (%s)" % reason)
    sys.exit(77)

logging.disable(logging.CRITICAL)
# The names of this host come from the ticket here, as all other values do.
their_action.ADD_REPL_TAGS = {
    k: v for k, v in their_action.ADD_REPL_TAGS.items() if not k.endswith("hostname")}
STOCK = "/etc/fail2ban"
OPTIONS = ("actionstart", "actionstop", "actionreload", "actionflush", "actioncheck",
           "actionrepair", "actionban", "actionprolong", "actionreban", "actionunban")
FAMILIES = ("", "inet4", "inet6")
TICKET = {
    "ip": "ADDR", "fid": "ADDR", "family": "FAMILY", "ip-rev": "REV.",
    "ip-host": "host.example", "failures": "3", "time": "1795420764", "bantime": "600",
    "bancount": "1", "matches": "LINES", "ipmatches": "IPLINES",
    "ipjailmatches": "IPJAILLINES", "ipfailures": "5", "ipjailfailures": "4",
    "restored": "0", "jail.name": "JAIL", "fq-hostname": "FQ", "sh-hostname": "SH",
    "F-*": {"user": "mallory"},
}
MORE = [
    'nftables[type=multiport, port="25,465", blocktype=drop]',
    'nftables[type=custom, rule_match-custom="meta mark 1"]',
    'iptables[type=oneport, port=25, chain="INPUT, FORWARD"]',
    # Not blocktype: newer releases let a parameter overrule the family's value as well,
    # as we do, the one that is compared with does not.
    'iptables[type=allports, returntype="ACCEPT", name=x]',
    'iptables-ipset[type=allports, default-ipsettime=10]',
    'sendmail-whois-lines[dest="a@example.org", logpath="/var/log/a b", sender=x]',
    'route[blocktype=blackhole]',
    'hostsdeny[file="/tmp/x y", daemon_list="sshd, smtpd"]',
    'dummy[name=z, init="a<br>b"]',
    'nsupdate[domain=bl.example, port=53, __keyfile=/k]',
    'cloudflare[cfuser=a, cftoken="b"]',
]


def specs():
    names = sorted(f[:-5] for f in os.listdir(STOCK + "/action.d") if f.endswith(".conf"))
    return names + MORE


def write_folder(folder):
    shutil.copytree(STOCK, folder, dirs_exist_ok=True)
    shutil.rmtree(folder + "/jail.d", ignore_errors=True)
    with open(folder + "/jail.conf", "w", encoding="utf-8") as f:
        f.write("[INCLUDES]\nbefore = paths-debian.conf\n")
        for n, spec in enumerate(specs()):
            f.write(f"[j{n}]\nenabled = true\nfilter = sshd\nlogpath = /dev/null\nport = ssh\n"
                    f"protocol = tcp\nmaxretry = 3\nbantime = 600\naction = {spec}\n")


def read_theirs(folder):
    """{(jail, actname): CommandAction} as fail2ban's server would hold them."""
    reader = JailsReader(basedir=folder, force_enable=True, share_config={})
    reader.read()
    if not reader.getOptions():
        raise SystemExit("fail2ban's reader failed")
    found = {}
    for command in reader.convert(allow_no_files=True):
        if command[0] == "set" and command[2] == "addaction" and len(command) == 4:
            found[(command[1], command[3])] = CommandAction(None, command[3])
        elif command[0] == "multi-set" and command[2] == "action":
            for name, value in command[4]:
                setattr(found[(command[1], command[3])], name, value)
        elif command[0] == "set" and command[2] == "action":
            setattr(found[(command[1], command[3])], command[4], command[5])
    return found


def theirs(action, option, family):
    condition = "family=" + family if family else ""
    text = action.replaceTag(f"<{option}>", action._properties, conditional=condition,
                             cache=None)
    # An option that an action does not have stays a tag there; nothing is run then.
    text = "" if text == f"<{option}>" else text
    return text, CommandAction.replaceDynamicTags(text, TICKET)


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    passed = failed = 0
    with tempfile.TemporaryDirectory(prefix="bandog-actions-") as folder:
        write_folder(folder)
        reference = read_theirs(folder)
        out = subprocess.run([sys.argv[1], folder], stdout=subprocess.PIPE, check=False)
        seen = set()
        for line in out.stdout.decode().splitlines():
            jail, name, option, family, text, script = json.loads(line)
            seen.add((jail, name))
            if (jail, name) not in reference:
                print(f"only ours: {jail} {name}")
                failed += 1
                continue
            want = theirs(reference[(jail, name)], option, family)
            if (text, script) == want:
                passed += 2
                continue
            failed += 1
            if failed < 6:
                print(f"{specs()[int(jail[1:])]} {option} {family}\n"
                      f"  theirs: {want[0]!r}\n          {want[1]!r}\n"
                      f"  ours:   {text!r}\n          {script!r}")
        for jail, name in set(reference) - seen:
            print(f"only theirs: {jail} {name}")
            failed += 1
        print(f"{len(seen)} actions")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed or not passed or out.returncode else 0


if __name__ == "__main__":
    sys.exit(main())
