#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Compare our reading of a fail2ban configuration with fail2ban's own.

usage: conf_oracle.py PROGRAM... [-- DIR]

PROGRAM DIR must print the JSON dump of every jail of DIR, all enabled. Without DIR these
are compared: /etc/fail2ban, and a copy of it with layers, parameters and references added.
Each compared value is one test. Exit 0: no difference; 1: some; 77: Debian's fail2ban is
not installed.
"""

import json
import logging
import os
import shlex
import shutil
import subprocess
import sys
import tempfile

sys.dont_write_bytecode = True
sys.path.append("/usr/lib/python3/dist-packages")
try:
    from fail2ban.client import jailreader
    from fail2ban.client.actionreader import ActionReader
    from fail2ban.client.jailsreader import JailsReader
    from fail2ban.helpers import (extractOptions, splitwords, splitWithOptions,
                                  substituteRecursiveTags, _as_bool)
    from fail2ban.server.action import CommandAction
    from fail2ban.server.mytime import MyTime
except ImportError as reason:
    print("skipped: fail2ban's own reader is not installed (%s)" % reason)
    sys.exit(77)

# The version that we claim to be stands in values that name the agent.
jailreader.version = "1.1.0"
logging.disable(logging.CRITICAL)

STOCK = "/etc/fail2ban"
BOOLS = ("actionstart_on_demand", "actionrepair_on_unban", "norestored")
# Tags that are left for run time.
NOT_NOW = CommandAction._escapedTags | set(("timeout", "bantime"))
# Honoured by us wherever it stands; fail2ban ignores it in [Definition].
OURS_ONLY = ("timeout",)


# What is laid over a copy of /etc/fail2ban.
LAYERS = {
    "jail.d/10-times.conf": """
[DEFAULT]
bantime = 1d12h
findtime: 1h30
ignoreip = 127.0.0.1/8 ::1, 192.0.2.1
           198.51.100.0/24 ; an inline comment
# a comment inside

ports = 1,2
[sshd]
maxretry = 2
ignoreip = %(default/ignoreip)s 203.0.113.5
[recidive]
bantime = -1
[nginx-http-auth]
findtime = 2 * 1h + 30
logpath = /tmp/1
  # comment, then more of the value
  /tmp/2
bantime = 1h-30m
""",
    "jail.d/20-more.conf": """
[sshd]
mode = aggressive
ignoreip = %(known/ignoreip)s example.org
logpath = /var/log/a b tail
          %(syslog_authpriv)s
          /var/log/c.log head
[sshd-ddos]
filter = sshd[mode=ddos, publickey=invalid]
port = %(sshd/port)s,%(ports)s
logpath = %(sshd_log)s
[sshd-extra]
filter = sshd[mode="extra", logtype=journal][publickey='any']
backend = systemd[journalflags=1]
logpath = %(sshd_log)s
[sshd-systemd]
backend = systemd
filter = sshd
""",
    "jail.local": """
[DEFAULT]
banaction = nftables-multiport
bantime = 2h
[one]
filter = sshd[mode=normal]
logpath = /var/log/auth.log
failregex = %(known/failregex)s
            ^extra %(__name__)s <HOST> 100%%$
datepattern = %%Y-%%m-%%d
action = %(action_mwl)s
         iptables-allports[name=foo, actname="bar"]
         iptables-allports[name=one-x, chain='A,B',
            blocktype="X Y"]
         dummy  mail[name="%(__name__)s", dest='a, b@c']
[two]
filter = postfix[mode=aggressive]
logpath = /var/log/mail.log
usedns = no
maxlines = 3
prefregex = ^mine<F-CONTENT>.*</F-CONTENT>$
journalmatch = _A=1 + _B=2
               _C=3
action = iptables-ipset-proto6[ipsettime=10]
         xarf-login-attack[service=x, sender="y"]
[three]
filter = postfix[prefregex="^given", failregex="^one <HOST>
    ^two <HOST>"]
failregex = ^three <HOST>
logpath =
action =
[four]
filter = layered[word=param]
logpath = /tmp/x
action = layered[port="1,2", tail="<known/tail>+"]
[five]
filter = layered
logpath = /tmp/x
logtimezone = UTC+0200
maxretry = 7
action = layered
[mail-broken]
filter = sshd
action = mail['s']
[dovecot]
mode = aggressive
""",
    "filter.d/layered.conf": """
[INCLUDES]
before = common.conf
         layered-base.conf
after = layered-after.conf
[DEFAULT]
_daemon = layered
words = <word>s
[Definition]
prefregex = ^%(__prefix_line)s<F-CONTENT>.+</F-CONTENT>$
failregex = ^%(base)s-<word>-<words>-<more>: <HOST>$
            <re-<kind>>
            ^<other/thing> <default/_daemon> %(other/thing)s

            <list>
re-a = ^a <HOST>
re-b = ^b1 <HOST>
       ^b2 %(re-a)s
kind = b
list = ^l1 <HOST>
       <re-a>
ignoreregex = <nothing> <HOST> <F-ID>
maxlines = 2
[other]
thing = thing <word>
[Init]
word = init
more = %(words)s
""",
    "filter.d/layered-base.conf": """
[DEFAULT]
base = base
[Definition]
kind = a
""",
    "filter.d/layered-base.local": """
[DEFAULT]
base = %(_daemon)s-local
""",
    "filter.d/layered-after.conf": """
[Definition]
ignoreregex = after
""",
    "filter.d/layered.local": """
[Definition]
failregex = %(known/failregex)s
            ^local <HOST>
""",
    "filter.d/layered.d/a.conf": """
[Init]
word = dword
""",
    "action.d/layered.conf": """
[Definition]
actionstart = start <name> %(maxretry)s <findtime>
              <more> ; cut
              <cmd>; kept \; kept
actionban = ban <ip> <matches> <port> <bantime> <tail> <F-USER>
actionunban = <actionban> | <actname>
norestored = yes
more = %(bantime)s-<word>
word = def
[Init]
port = 0
tail = t
cmd = cmd4 <tail>
[Init?family=inet6]
cmd = cmd6 <tail>
tail = t6
""",
    "action.d/layered.local": """
[Init]
word = <known/tail>
""",
}


class Score:
    def __init__(self):
        self.passed = 0
        self.failed = 0

    def check(self, jail, what, theirs, ours):
        if theirs == ours:
            self.passed += 1
            return
        self.failed += 1
        print("[%s] %s:\n  fail2ban: %r\n  we:       %r" % (jail, what, theirs, ours))


def lines(value):
    return [line for line in (value or "").split("\n") if line != ""]


def own_text(value):
    return value if value else None


def filter_of(jail):
    """What a jail's stream of commands leaves in the server."""
    got = {"failregex": [], "ignoreregex": [], "prefregex": None, "datepattern": None,
           "maxlines": 1, "usedns": None, "journalmatch": []}
    name = jail.getName()
    for cmd in jail.convert(allow_no_files=True):
        if cmd[0] == "multi-set" and cmd[2] in ("addfailregex", "addignoreregex"):
            got[cmd[2][3:]] += cmd[3]
        elif cmd[0] == "set" and cmd[1] == name:
            if cmd[2] in ("addfailregex", "addignoreregex"):
                got[cmd[2][3:]].append(cmd[3])
            elif cmd[2] == "addjournalmatch":
                got["journalmatch"].append(cmd[3:])
            elif cmd[2] in got:
                got[cmd[2]] = cmd[3]
    return got


def compare_filter(score, name, jail, ours):
    theirs = filter_of(jail)
    ours = ours["filter"]
    spec = jail.options.get("filter") or ""
    score.check(name, "filter", own_text(extractOptions(spec)[0] if spec else ""),
                ours["name"])
    for what in ("failregex", "ignoreregex"):
        score.check(name, what, theirs[what], ours[what])
    for what in ("prefregex", "datepattern"):
        score.check(name, what, own_text(theirs[what]), ours[what])
    score.check(name, "maxlines", int(theirs["maxlines"]), ours["maxlines"])
    score.check(name, "usedns", theirs["usedns"] or "warn", ours["usedns"])
    score.check(name, "journalmatch", theirs["journalmatch"],
                [shlex.split(m) for m in lines(ours["journalmatch"])])


def compare_options(score, name, jail, ours):
    o = jail.options
    score.check(name, "maxretry", int(o.get("maxretry", 3)), ours["maxretry"])
    score.check(name, "maxmatches", int(o.get("maxmatches", 5)), ours["maxmatches"])
    score.check(name, "findtime", float(MyTime.str2seconds(o.get("findtime", "600"))),
                ours["findtime"])
    score.check(name, "bantime", int(MyTime.str2seconds(o.get("bantime", "600"))),
                ours["bantime"])
    score.check(name, "ignoreip", splitwords(o.get("ignoreip", "")), ours["ignoreip"])
    score.check(name, "ignoreself", o.get("ignoreself", True), ours["ignoreself"])
    score.check(name, "ignorecommand", own_text(o.get("ignorecommand")),
                ours["ignorecommand"])
    score.check(name, "backend", o["backend"], ours["backend"])
    score.check(name, "logencoding", own_text(o.get("logencoding")), ours["logencoding"])
    score.check(name, "logtimezone", own_text(o.get("logtimezone")), ours["logtimezone"])
    paths = []
    for path in lines(o.get("logpath")):
        parts = path.rsplit(" ", 1)
        paths.append({"glob": parts[0], "tail": len(parts) > 1 and parts[1] == "tail"})
    score.check(name, "logpath", paths, ours["logpath"])


def options_of(action):
    opts = action.getCombined(ignore=NOT_NOW)
    sent = set(action._configOpts) | set(action._initOpts)
    return {k: v for k, v in opts.items() if k in sent and not k.startswith("known/")}


def with_later_rules(theirs, given, action):
    """Two things that we do and fail2ban 1.0 does not.

    Since 1.1.1 a parameter also replaces the option's conditional variants. And the value
    of an option that has variants gets its own tags resolved when it is read.
    """
    raw = dict(action._opts)
    raw.update(action._initOpts)
    variants = [name for name in theirs if "?" in name]
    kept = set(name.partition("?")[0] for name in variants)
    for plain in kept & set(theirs):
        theirs[plain] = substituteRecursiveTags(
            raw, ignore=(kept - {plain}) | NOT_NOW, addrepl=action.getCombOption)[plain]
    for name in variants:
        plain = name.partition("?")[0]
        if plain in given and name not in given:
            theirs[name] = theirs[plain]
    return theirs


def as_text(name, value):
    return _as_bool(str(value)) if name in BOOLS else value


def compare_action(score, jail, action, given, ours):
    where = "%s/%s" % (jail, ours["actname"])
    score.check(jail, "actname", action.getName(), ours["actname"])
    score.check(where, "params", given, ours["params"])
    score.check(where, "has_file", True, ours["has_file"])
    theirs = with_later_rules(options_of(action), given, action)
    for name in sorted(set(theirs) | set(ours["options"])):
        if name in OURS_ONLY and name not in theirs:
            continue
        score.check(where, name, as_text(name, theirs.get(name)),
                    as_text(name, ours["options"].get(name)))


def compare_actions(score, name, jail, ours):
    theirs = jail._JailReader__actions
    specs = [s.strip() for s in splitWithOptions(jail.options["action"]) if s.strip()]
    score.check(name, "actions", [extractOptions(s)[0] for s in specs],
                [a["name"] for a in ours["actions"]])
    if len(theirs) != len(ours["actions"]):
        return
    for action, spec, mine in zip(theirs, specs, ours["actions"]):
        if isinstance(action, ActionReader):
            compare_action(score, name, action, extractOptions(spec)[1], mine)
        else:
            score.check(name, "python action", json.loads(action[5]), mine["params"])


def compare(score, jails, ours):
    mine = {j["name"]: j for j in ours["jails"]}
    score.check("*", "jails in order", [j.getName() for j in jails],
                [j["name"] for j in ours["jails"]])
    for jail in jails:
        name = jail.getName()
        if name not in mine:
            continue
        theirs_broken = bool(jail.options.get("config-error"))
        score.check(name, "broken", theirs_broken, mine[name]["broken"])
        if theirs_broken:
            continue
        compare_options(score, name, jail, mine[name])
        compare_filter(score, name, jail, mine[name])
        compare_actions(score, name, jail, mine[name])


def run(score, program, folder):
    reader = JailsReader(basedir=folder, force_enable=True, share_config={})
    reader.read()
    reader.getOptions()
    result = subprocess.run(program + [folder], stdout=subprocess.PIPE, check=False)
    has_broken = any(jail.options.get("config-error") for jail in reader.jails)
    score.check("*", "exit status", 1 if has_broken else 0, result.returncode)
    compare(score, reader.jails, json.loads(result.stdout))


def run_layered(score, program):
    with tempfile.TemporaryDirectory() as parent:
        folder = os.path.join(parent, "layered")
        shutil.copytree(STOCK, folder)
        for name, content in LAYERS.items():
            path = os.path.join(folder, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w", encoding="utf-8") as out:
                out.write(content)
        run(score, program, folder)


def main(argv):
    folder = None
    if "--" in argv:
        at = argv.index("--")
        folder, argv = argv[at + 1], argv[:at]
    if not argv:
        print(__doc__)
        return 2
    if not os.path.exists(os.path.join(folder or STOCK, "jail.conf")):
        print("skipped: there is no %s/jail.conf" % (folder or STOCK))
        return 77
    score = Score()
    run(score, argv, folder or STOCK)
    if not folder:
        run_layered(score, argv)
    print("%d passed, %d failed" % (score.passed, score.failed))
    return 1 if score.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
