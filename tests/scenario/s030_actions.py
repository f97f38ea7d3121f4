#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Actions that are commands: fail2ban's own files, hostile values, repairs, reloads, mail.
# asan: yes
import os
import shutil
import socket
import threading
import time

import harness

ACTIONS = "/etc/fail2ban/action.d"
FILTER = r"""[Definition]
failregex = ^\s*\S+ door\[\d+\]: refused <F-USER>.*</F-USER> from <HOST>$
"""
# Writes one line for each thing it is told.
TELL = """\
[Definition]
actionstart = echo "start" >> <file>
actionstop = echo "stop" >> <file>
actionreload = echo "reload" >> <file>
actionflush = echo "flush" >> <file>
actioncheck = test ! -e <file>.broken
actionrepair = rm <file>.broken; echo "repair" >> <file>
actionban = test ! -e <file>.broken && printf '%%s|' "ban" <ip> <family> <F-USER> "<F-USER>" '<F-USER>' <failures> <bantime> <restored> <extra> >> <file> && echo >> <file>
actionunban = echo "unban <ip>" >> <file>
[Init]
extra = -
"""
SLOW = """\
[Definition]
actionban = echo "ban <ip>" >> <file>; sleep 30
actionunban = echo "unban <ip>" >> <file>
timeout = 1
[Init]
timeout = 1
"""
# One place for both families, as one table with two sets.
BOTH = """\
[Definition]
actionstart = mkdir <dir>
actionstop = rm -r <dir>
actioncheck = test -d <dir>
actionban = touch <dir>/<kind>-<ip>
actionunban = rm <dir>/<kind>-<ip>
[Init]
kind = four
[Init?family=inet6]
kind = six
"""
PAST = """\
[Definition]
actionban = printf '%%s\\n' "<jail.name> <ipfailures> <ipjailfailures>" "<ipmatches>" == "<ipjailmatches>" <ip-host> >> <file>; echo end >> <file>
"""
HOSTILE = """x' "y" `touch {0}/no1` $(touch {0}/no2) ; touch {0}/no3 | & * a  b\\"""
JAIL = """\
[DEFAULT]
enabled = true
filter = door
maxretry = 1
bantime = 600
port = 25
[tell]
logpath = {0}/tell.log
action = tell[file={0}/told]
[slow]
logpath = {0}/slow.log
action = slow[file={0}/slow-told]
         tell[actname=after, file={0}/after-slow]
[other]
logpath = {0}/slow.log
action = tell[actname=other, file={0}/beside-slow]
[both]
logpath = {0}/both.log
action = both[dir={0}/both]
[ipt]
logpath = {0}/ipt.log
action = iptables-multiport[native=no, port=25, name=ipt]
[ipset]
logpath = {0}/ipset.log
native = no
action = iptables-ipset[port=25, name=ips]
[nft]
logpath = {0}/nft.log
native = no
action = nftables[port=25, name=nf]
[route]
logpath = {0}/route.log
action = route
[dummy]
logpath = {0}/dummy.log
action = dummy[target={0}/dummy.out]
[mail]
logpath = {0}/mail.log
action = sendmail-whois-lines[dest=root@example.test, mailcmd="{0}/sendmail", logpath={0}/mail.log]
         sendmail[dest=root@example.test, mailcmd="{0}/sendmail", actname=second]
[mail2]
logpath = {0}/mail2.log
action = mail[dest=root@example.test]
         mail-whois[dest=root@example.test]
         mail-whois-lines[dest=root@example.test, logpath={0}/mail2.log]
[past]
logpath = {0}/past.log
action = past[file={0}/past]
[past2]
logpath = {0}/past2.log
action = past[file={0}/past]
[smtp]
logpath = {0}/smtp.log
action = smtp.py[host="127.0.0.1:2525", dest="a@example.test, b@example.test", sender=f2b@example.test, matches=matches]
"""
SENDMAIL = """#!/bin/sh
cat >> {0}/letters
echo "=====" >> {0}/letters
"""


# mail(1) and whois(1) as the actions find them in their path.
MAIL = """#!/bin/sh
{{ echo "args: $*"; cat; echo =====; }} >> {0}/mails
"""
WHOIS = """#!/bin/sh
echo "netname: TEST $1"
"""


class Sink:
    """A mail server that takes everything (RFC 5321, the least of it)."""

    def __init__(self, s):
        with s.namespaces.inside("server"):
            self.socket = socket.create_server(("127.0.0.1", 2525))
        self.letters = []
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        while True:
            try:
                peer, _ = self.socket.accept()
            except OSError:
                return
            with peer, peer.makefile("rwb") as f:
                self.talk(f)

    def talk(self, f):
        def say(text):
            f.write(text.encode() + b"\r\n")
            f.flush()

        to, data = [], None
        say("220 sink")
        for line in f:
            text = line.decode("utf-8", "replace").rstrip("\r\n")
            if data is not None:
                if text == ".":
                    self.letters.append((to, "\n".join(data)))
                    to, data = [], None
                    say("250 taken")
                else:
                    data.append(text)
            elif text.upper().startswith("DATA"):
                data = []
                say("354 go on")
            elif text.upper().startswith("QUIT"):
                say("221 bye")
                return
            else:
                if text.upper().startswith("RCPT"):
                    to.append(text)
                say("250 fine")


def read(path):
    try:
        with open(path, encoding="utf-8", errors="backslashreplace") as f:
            return f.read()
    except FileNotFoundError:
        return ""


def refused(s, name, user, ip):
    s.append(os.path.join(s.dir, f"{name}.log"), f"door[1]: refused {user} from {ip}")


def tags(s):
    s.step("start, ban with hostile values, check, repair, unban")
    told = os.path.join(s.dir, "told")
    s.wait_for(lambda: read(told) == "start\n", 5, "actionstart")
    hostile = HOSTILE.format(s.dir)
    shown = hostile.replace("\\", "?")
    refused(s, "tell", hostile, "198.51.100.1")
    s.wait_for(lambda: read(told).count("ban|") == 1, 5, "actionban")
    s.equal(read(told).splitlines()[1],
            f"ban|198.51.100.1|inet4|{shown}|{shown}|{shown}|1|600|0|-|")
    refused(s, "tell", "-rf", "2001:db8:1000::7")
    s.wait_for(lambda: read(told).count("ban|") == 2, 5, "the second ban")
    s.equal(read(told).splitlines()[2], "ban|2001:db8:1000::7|inet6| -rf| -rf| -rf|1|600|0|-|")
    s.equal([f for f in os.listdir(s.dir) if f.startswith("no")], [])
    open(told + ".broken", "w", encoding="ascii").close()
    refused(s, "tell", "u", "198.51.100.3")
    s.wait_for(lambda: read(told).count("ban|") == 5, 5, "the repair and all bans again")
    lines = read(told).splitlines()[3:]
    s.equal(lines[0], "repair")
    s.check(lines[1].startswith("ban|198.51.100.3|"), "the ban that failed is tried again")
    s.equal(sorted(line.split("|")[1] for line in lines[2:]),
            ["198.51.100.1", "2001:db8:1000::7"])
    s.bandog("unban", "198.51.100.3")
    s.wait_for(lambda: read(told).endswith("unban 198.51.100.3\n"), 5, "actionunban")


def jails_do_not_wait(s):
    s.step("a command that hangs is ended, and delays no other jail")
    begin = time.monotonic()
    refused(s, "slow", "u", "198.51.100.9")
    s.wait_for(lambda: "ban|" in read(s.dir + "/beside-slow"), 5, "the other jail's ban")
    s.check(time.monotonic() - begin < 1, "it did not wait for the slow one")
    s.wait_for(lambda: "ban|" in read(s.dir + "/after-slow"), 6, "the next action of the jail")
    s.check("took too long" in s.daemon.output(), "the log says that it hung")
    s.bandog("unban", "198.51.100.9")
    s.wait_for(lambda: read(s.dir + "/slow-told") == "ban 198.51.100.9\nunban 198.51.100.9\n", 5,
               "the unban of what may have worked in part")


def families(s):
    s.step("a repair for one family puts back what it took from the other")
    path = s.dir + "/both"

    def there():
        return sorted(os.listdir(path)) if os.path.isdir(path) else None

    refused(s, "both", "u", "198.51.100.50")
    refused(s, "both", "u", "2001:db8:1000::50")
    s.wait_for(lambda: there() == ["four-198.51.100.50", "six-2001:db8:1000::50"], 5, "both bans")
    shutil.rmtree(path)
    refused(s, "both", "u", "2001:db8:1000::51")
    s.wait_for(lambda: there() == ["four-198.51.100.50", "six-2001:db8:1000::50",
                                   "six-2001:db8:1000::51"], 5, "all of them")


def firewalls(s):
    s.step("iptables, ipset, nftables and route as commands")
    for name in ("ipt", "ipset", "nft", "route"):
        refused(s, name, "u", "198.51.100.20")
        refused(s, name, "u", "2001:db8:1000::20")

    def out(*words):
        return s.run(list(words), "server", check=False).stdout

    s.wait_for(lambda: "-s 198.51.100.20/32" in out("iptables", "-S", "f2b-ipt"), 10, "iptables")
    s.wait_for(lambda: "2001:db8:1000::20/128" in out("ip6tables", "-S", "f2b-ipt"), 5, "ip6tables")
    if s.run(["ipset", "list", "-n"], "server", check=False).returncode == 0:
        s.wait_for(lambda: "198.51.100.20" in out("ipset", "list", "f2b-ips"), 5, "ipset")
    s.wait_for(lambda: "198.51.100.20" in out("nft", "list", "set", "inet", "f2b-table", "addr-set-nf"),
               5, "nft")
    s.wait_for(lambda: "unreachable 198.51.100.20" in out("ip", "route"), 5, "route")
    s.run(["iptables", "-F"], "server")
    s.run(["iptables", "-X", "f2b-ipt"], "server")
    refused(s, "ipt", "u", "198.51.100.21")
    s.wait_for(lambda: out("iptables", "-S", "f2b-ipt").count("-s 198.51.100.2") == 2, 5,
               "both bans after the chain was deleted")
    refused(s, "dummy", "u", "198.51.100.22")
    s.wait_for(lambda: "+198.51.100.22" in read(s.dir + "/dummy.out"), 5, "dummy")


def letters(s, sink):
    s.step("mail by commands, and by ourselves")
    refused(s, "mail", "~!touch {0}/no4".format(s.dir), "198.51.100.30")
    path = s.dir + "/letters"
    s.wait_for(lambda: read(path).count("banned 198.51.100.30") == 2, 10, "both letters")
    s.check("To: root@example.test" in read(path), "it has a recipient")
    refused(s, "mail2", "u", "198.51.100.33")
    path = s.dir + "/mails"
    s.wait_for(lambda: read(path).count("banned 198.51.100.33") == 3, 10, "three letters")
    s.wait_for(lambda: "netname: TEST 198.51.100.33" in read(path), 5, "what whois said")
    s.wait_for(lambda: "refused u from 198.51.100.33" in read(path), 5, "the lines of the log")
    refused(s, "smtp", "mallory\r\n.\r\nQUIT", "198.51.100.31")
    refused(s, "smtp", ".", "198.51.100.32")
    s.wait_for(lambda: len([x for x in sink.letters if "banned" in x[1]]) == 1, 10, "the letter")
    to, text = [x for x in sink.letters if "banned" in x[1]][0]
    s.equal(to, ["RCPT TO:<a@example.test>", "RCPT TO:<b@example.test>"])
    s.check("198.51.100.32 is banned by jail smtp after 1 failures" in text, text)
    s.check("refused . from 198.51.100.32" in text, "the line is in it")


def reloads(s):
    s.step("reload: the same action goes on, a changed one is done anew, a new one gets the bans")
    told = os.path.join(s.dir, "told")
    before = read(told).count("\n")
    s.daemon.reload()
    s.wait_for(lambda: read(told).endswith("reload\n"), 5, "actionreload")
    s.equal(read(told).count("\n"), before + 1)
    s.config("jail.local", JAIL.format(s.dir).replace(
        f"tell[file={s.dir}/told]", f"tell[file={s.dir}/told, extra=new]\n"
        f"         tell[actname=more, file={s.dir}/more]"))
    s.daemon.reload()
    s.wait_for(lambda: read(told).count("|new|") == 2, 5, "its bans with the new option")
    lines = read(told).splitlines()[before + 1:]
    s.equal(lines[:3], ["flush", "stop", "start"])
    s.equal(sorted(line.split("|")[1] for line in lines[3:]), ["198.51.100.1", "2001:db8:1000::7"])
    s.wait_for(lambda: read(s.dir + "/more").count("ban|") == 2, 5, "the new action's bans")
    refused(s, "tell", "u", "198.51.100.8")
    s.wait_for(lambda: read(s.dir + "/more").count("ban|") == 3, 5, "a ban after the reload")
    s.bandog("unban", "198.51.100.8")
    s.wait_for(lambda: "unban 198.51.100.8" in read(s.dir + "/more"), 5, "and its end")
    s.config("jail.local", "[tell]\nenabled = true\nfilter = door\nlogpath = {0}/tell.log\n"
             "action = tell[file={0}/told, extra=new]\nmaxretry = 1\nbantime = 600\n".format(s.dir))
    s.daemon.reload()
    s.wait_for(lambda: read(s.dir + "/more").endswith("flush\nstop\n"), 5, "the end of an action")
    s.wait_for(lambda: not s.run(["iptables", "-S", "f2b-ipt"], "server", check=False).stdout,
               5, "the end of a jail")
    s.wait_for(lambda: not os.path.exists(s.dir + "/both"), 5, "the end of another one")


def past(s):
    s.step("what an address did before")
    ip, path = "198.51.100.40", s.dir + "/past"
    for n, name in enumerate(("past", "past2", "past"), 1):
        refused(s, name, f"u{n}", ip)
        s.wait_for(lambda n=n: read(path).count("end") == n, 5, "the command")
        s.bandog("unban", ip)
        time.sleep(1.1)  # another second, another ban
    third = read(path).split("end\n")[2].splitlines()
    s.equal(third[0], "past 3 2")
    said = [line.split("refused ")[1].split()[0] if "refused" in line else line
            for line in third[1:]]
    s.equal(said, ["u3", "u2", "u1", "==", "u3", "u1", "bad.example.test"])
    for n, (ip, host) in enumerate((("198.51.100.41", "badid.ex-amplen"),
                                    ("198.51.100.42", "None"))):
        refused(s, "past", "u", ip)
        s.wait_for(lambda n=n: read(path).count("end") == n + 4, 5, "the command")
        s.equal(read(path).splitlines()[-2], host)


def killed(s):
    s.step("a runner that was killed leaves nothing double")

    def rules():
        return s.run(["iptables", "-S", "f2b-ipt"], "server", check=False).stdout.count("-s ")

    old = s.daemon.role("runner")
    before = rules()
    os.kill(old, 9)
    s.wait_for(lambda: s.daemon.role("runner") not in (None, old), 5, "a new runner")
    s.wait_for(lambda: "flushing what they left" in s.daemon.output(), 5, "the flush")
    refused(s, "ipt", "u", "198.51.100.24")
    s.wait_for(lambda: rules() == before + 1, 10, "each ban once, and the new one")
    s.bandog("unban", "198.51.100.24")
    s.wait_for(lambda: rules() == before, 5, "the unban")


def restart(s):
    s.step("stop undoes all; a start does it again, as restored")
    told = os.path.join(s.dir, "told")
    s.daemon.stop()
    s.check(read(told).endswith("flush\nstop\n"), "flush and stop at the end")
    before = read(told).count("\n")
    s.bandogd()
    s.wait_for(lambda: read(told).count("\n") == before + 3, 5, "start and two bans")
    lines = read(told).splitlines()[before:]
    s.equal(lines[0], "start")
    for line in lines[1:]:
        words = line.split("|")
        s.equal([words[3], words[8]], ["", "1"])
        s.check(500 < int(words[7]) <= 600, "the time that is left")


def scenario(s):
    if not os.path.isdir(ACTIONS):
        s.skip("Debian's fail2ban package is not installed")
    shutil.copytree(ACTIONS, s.config_dir + "/action.d", dirs_exist_ok=True)
    s.config("action.d/tell.conf", TELL)
    s.config("action.d/slow.conf", SLOW)
    s.config("action.d/past.conf", PAST)
    s.config("action.d/both.conf", BOTH)
    s.config("filter.d/door.conf", FILTER)
    s.config("jail.local", JAIL.format(s.dir))
    os.mkdir(s.dir + "/bin")
    for name, text in (("sendmail", SENDMAIL), ("bin/mail", MAIL), ("bin/whois", WHOIS)):
        with open(os.path.join(s.dir, name), "w", encoding="ascii") as f:
            f.write(text.format(s.dir))
        os.chmod(os.path.join(s.dir, name), 0o755)
    for name in ("tell", "slow", "both", "ipt", "ipset", "nft", "route", "dummy", "mail", "mail2", "smtp", "past", "past2"):
        s.log(name + ".log")
    sink = Sink(s)
    with open(s.dir + "/hosts", "w", encoding="ascii") as f:
        f.write("127.0.0.1 localhost\n198.51.100.40 bad.example.test\n"
                "198.51.100.41 bad`id`;.ex-ample\\n\n198.51.100.42 -x$(id)\n")
    s.daemon = s.bandogd(mounts={"/usr/local/bin": s.dir + "/bin", "/etc/hosts": s.dir + "/hosts"})
    tags(s)
    jails_do_not_wait(s)
    families(s)
    firewalls(s)
    letters(s, sink)
    past(s)
    killed(s)
    reloads(s)
    restart(s)


harness.main(scenario)
