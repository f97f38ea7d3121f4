#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The same command lines to fail2ban-regex and to ours: same output, same exit code.

fail2ban's own program is run where the distribution put it, over its own sample logs and
filters; nothing of them is kept here. What differs on purpose:

 * the time it took, and the order of names in a Python set (which is by chance);
 * 192.030.0.6, octal to some: we do not take it for an address. The samples are read
   from a copy in which it reads 192.30.0.6;
 * the words after "Unable to compile regular expression": PCRE2's, not Python's;
 * --help, which is written anew, and the version;
 * two texts that fail2ban has changed since: what <ADDR> takes for IPv6, and one of the
   default date templates; and EPOCH and TAI64N within {DATE}, which work here.

Each other exception stands below, in EXCEPT, with its reason.
Prints each difference and "N passed, N failed". Exit status: 0, 1, or 77 when fail2ban
or its tests are not installed.
"""

import argparse
import difflib
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import urllib.parse

DIST = "/usr/lib/python3/dist-packages"
TESTS = DIST + "/fail2ban/tests"
CONFIG = "/etc/fail2ban"
SKIP = 77
PATIENCE_SEC = 20

# Command lines that differ, by the beginning of their name, and why that is so.
EXCEPT = {
    "nsd": "a template of the datepattern that is also a default one shares its weight"
           " with that, in the whole process; here detectors know nothing of each other",
}


class Oracle:
    """fail2ban-regex, imported once; each run is a fork of that."""

    def __init__(self, name):
        self.name = name
        sys.path.insert(0, DIST)
        from fail2ban.client import fail2banregex  # noqa: the oracle
        self.module = fail2banregex

    def run(self, argv, cwd):
        with tempfile.TemporaryFile() as out:
            pid = os.fork()
            if pid == 0:
                self.child(argv, cwd, out)
            signal.alarm(PATIENCE_SEC)
            try:
                code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
            except TimeoutError:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)
                return None, b""
            finally:
                signal.alarm(0)
            out.seek(0)
            return code, out.read()

    def child(self, argv, cwd, out):
        code = 1
        try:
            os.chdir(cwd)
            sys.stdout.flush()
            os.dup2(out.fileno(), 1)
            os.dup2(out.fileno(), 2)
            sys.argv = [self.name] + argv
            self.module.exec_command_line()
            code = 0
        except SystemExit as e:
            code = 0 if e.code is None else e.code if isinstance(e.code, int) else 1
        except BaseException as e:  # a traceback, to be seen
            print("EXCEPTION %r" % e)
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code & 255)


def on_alarm(*_):
    raise TimeoutError


def same_set(match):
    names = re.findall(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"", match.group(0))
    return "{" + ", ".join(sorted(names)) + "}"


IP6 = r"(?:[0-9a-fA-F]{1,4}::?|::){1,7}", r"(?:[0-9a-fA-F]{1,4}::?|:){1,7}"
CHANGED = [
    IP6, tuple(urllib.parse.quote_plus(t) for t in IP6),
    ("ExDay(?:T|  ?)Ex24hourExMinuteExSecond", "ExDay(?:-|T|  ?)Ex24hour:?ExMinute:?ExSecond"),
    ("{EPOCH}", "Epoch"), ("{TAI64N}", "TAI64N"),
]


def now_or(match):
    return "NOW" if abs(float(match.group(0)) - time.time()) < 300 else match.group(0)


def plain(text):
    """@text without what may differ."""
    text = text.decode("utf-8", "replace")
    for theirs, ours in CHANGED:
        text = text.replace(theirs, ours)
    # A failure without a date is shown with that of now.
    text = re.sub(r"\b\d{10}(\.\d+)?\b", now_or, text)
    text = re.sub(time.strftime(r"%a %b %d \d\d:\d\d:\d\d %Y"), "NOW", text)
    text = re.sub(r"\[processed in [0-9.]+ sec\]", "[processed in T sec]", text)
    text = re.sub(r"\{('[^':]*'|\"[^\":]*\")(, ('[^':]*'|\"[^\":]*\"))*\}", same_set, text)
    text = re.sub(r"(unescaped percent char\)): .*", r"\1", text)
    return re.sub(r"(ERROR: Unable to compile regular expression '.*':\n)(.*\n)+",
                  r"\1...\n", text)


class Runner:
    def __init__(self, program, oracle, only, verbose):
        self.program, self.oracle = program, oracle
        self.only, self.verbose = only, verbose
        self.passed = self.failed = 0
        self.cwd = tempfile.mkdtemp()

    def ours(self, argv):
        try:
            r = subprocess.run([self.program] + argv, executable=self.program,
                               cwd=self.cwd, stdout=subprocess.PIPE,
                               stderr=subprocess.STDOUT, timeout=PATIENCE_SEC)
        except subprocess.TimeoutExpired:
            return None, b""
        return r.returncode, r.stdout

    def check(self, name, argv):
        if self.only and not any(o in name for o in self.only.split(",")):
            return
        want_code, want = self.oracle.run(argv, self.cwd)
        if want_code is None:
            print("# %s: fail2ban takes more than %d s" % (name, PATIENCE_SEC))
            return
        got_code, got = self.ours(argv)
        a, b = plain(want), plain(got)
        if a == b and want_code == got_code:
            self.passed += 1
            return
        reason = EXCEPT.get(name.split(":")[0])
        if reason:
            print("# %s differs: %s" % (name, reason))
            return
        self.failed += 1
        print("FAIL %s: %s" % (name, " ".join(repr(x)[:200] for x in argv)))
        if want_code != got_code:
            print("    exit code %s, wanted %s" % (got_code, want_code))
        lines = list(difflib.unified_diff(a.splitlines(), b.splitlines(),
                                          "fail2ban", "bandog", lineterm="", n=0))
        for line in lines[2:] if self.verbose else lines[2:14]:
            print("    " + line[:400])

    def close(self):
        shutil.rmtree(self.cwd)


ST00 = ("Dec 31 11:59:59 [sshd] error: PAM: Authentication failure for kevin"
        " from 192.0.2.0")
NODT = "[sshd] error: PAM: Authentication failure for kevin from 192.0.2.0"
RE00 = r"(?:(?:Authentication failure|Failed [-/\w+]+) for(?: [iI](?:llegal|nvalid) user)?|[Ii](?:llegal|nvalid) user|ROOT LOGIN REFUSED) .*(?: from|FROM) <HOST>"
RE_ID = r"Authentication failure for <F-ID>.*?</F-ID> from <ADDR>$"
RE_USER = r"Authentication failure for <F-USER>.*?</F-USER> from <HOST>$"
DP = r"^(?:%a )?%b %d %H:%M:%S(?:\.%f)?(?: %ExY)?"
SESSION = """Nov 28 09:16:03 srv sshd[32307]: Failed publickey for git from 192.0.2.1 port 57904 ssh2: ECDSA 0e:ff
Nov 28 09:16:03 srv sshd[32307]: Failed publickey for git from 192.0.2.1 port 57904 ssh2: RSA 04:bc
Nov 28 09:16:03 srv sshd[32307]: Postponed publickey for git from 192.0.2.1 port 57904 ssh2 [preauth]
Nov 28 09:16:05 srv sshd[32310]: Failed publickey for git from 192.0.2.2 port 57910 ssh2: ECDSA 1e:fe
Nov 28 09:16:05 srv sshd[32310]: Failed publickey for git from 192.0.2.2 port 57910 ssh2: RSA 14:ba
Nov 28 09:16:05 srv sshd[32310]: Disconnecting: Too many authentication failures for git [preauth]
Nov 28 09:16:05 srv sshd[32310]: Connection closed by 192.0.2.2 [preauth]"""
ACCEPTED = "\nNov 28 09:16:06 srv sshd[32307]: Accepted publickey for git from 192.0.2.1 port 57904 ssh2: DSA 36:48"
CLOSED = "\nNov 28 09:16:06 srv sshd[32307]: Connection closed by 192.0.2.1 [preauth]"
STALLED = ("May 27 00:16:33 host sshd[2364]: User root not allowed because account is"
           " locked\nMay 27 00:16:33 host sshd[2364]: Received disconnect from"
           " 192.0.2.76 port 58846:11: Bye Bye [preauth]")
BUFFERED = "1490349000 FAIL\n1490349000 TEST1\n1490349001 TEST2\n1490349001 HOST 192.0.2.34"
TUPLE = r"^\s*<F-TUPLE_ID_1>\S+</F-TUPLE_ID_1> <F-ID/> <F-TUPLE_ID_2>\S+</F-TUPLE_ID_2>"
TUPLE_IP = r"^\s*<F-TUPLE_ID_1>\S+</F-TUPLE_ID_1> <F-ID><ADDR>:<F-PORT/></F-ID> <F-TUPLE_ID_2>\S+</F-TUPLE_ID_2>"
OUTS = ["id", "fid", "ip", "msg", "row", "user", "host", "ip4", "ip6", "dns", "fid",
        "matches", "nosuch", "users", "<ip>", "<ip>, <F-USER>, <family>", "<fid>: <msg>",
        "ID:<fid> | IP:<ip>", "<ip-rev> <failures> <bancount> <restored>", "<time>",
        "<matches>|<br>|<sp>|", "<F-*>", "<raw-ticket>", "<F-IP4> <F-DNS> <F-NO> <no>",
        "a < b > c <>", "<F-ID> <F-USER>", "%<ip>\\n"]


def direct(files):
    """Lines on the command line, as fail2banregextestcase has them."""
    one, two = files + "/testcase01.log", files + "/testcase02.log"
    usedns, wrong = files + "/testcase-usedns.log", files + "/testcase-wrong-char.log"
    multi = files + "/testcase-multiline.log"
    yield ["test", r".** from <HOST>$"]
    yield ["test", r"^(?:(?P<type>A)|B)? (?(typo)...) from <ADDR>"]
    yield ["--datepattern", "{^LN-BEG}EPOCH", "test", r".*? from <HOST>$", r".**"]
    yield ["test", "no failure id"]
    yield ["test", " "]
    yield ["test", "flt[a='x,y,z',b=z,y,x]"]
    yield ["test", "flt[a='x'b]"]
    yield ["test", "flt[a="]
    yield ["test", "sshd[mode=aggressive, nosuch='a b']"]
    yield ["--datepattern", DP, "--print-all-matched", "--print-no-missed", ST00,
           r"Authentication failure for .*? from <HOST>$"]
    yield ["--print-all-missed", ST00, r"XYZ from <HOST>$"]
    yield ["--print-all-ignored", ST00, r"Authentication failure for .*? from <HOST>$",
           r"kevin from 192.0.2.0$"]
    for more in ([], ["-r"], ["-r", "--usedns=no"], ["--usedns", "no"], ["-v", "-r"],
                 ["-vv", "-r"], ["--no-check-all", "-r"], ["-D", "-r"],
                 ["--verbosity=1", "--print-all-missed", "-r"],
                 ["--print-no-missed", "-r"], ["--print-no-ignored", "-r"]):
        for log in (one, two, usedns, files + "/testcase03.log",
                    files + "/testcase04.log", files + "/testcase01a.log"):
            yield more + ["--datepattern", DP, "--print-all-matched", log, RE00]
            yield more + [log, RE00]
    yield ["-d", "^Epoch", "1490349000 test failed.dns.ch", r"^\s*test <F-ID>\S+</F-ID>"]
    yield ["--datepattern", DP, "--timezone", "UTC+0200", "--verbose",
           "--print-no-missed", two, RE00]
    for zone in ("UTC", "CET", "+0100", "GMT-03:30", "nosuch", "CET+0100"):
        if zone != "nosuch":
            yield ["--TZ", zone, "-v", ST00, RE00]
        yield ["--timezone=" + zone, "-o", "row", ST00, RE00]
    for lines in ("3", "5", "1", "0"):
        for before in (0, 20):
            log = "1490349000 TEST-NL\n" * before + BUFFERED
            for more in (["--print-all-matched"], ["-D"], ["-o", "row"], ["-o", "msg"],
                         ["--print-all-missed", "-v"], ["-o", "<ip> <msg>"]):
                yield ["--usedns", "no", "-d", "^Epoch", "--maxlines", lines] + more + [
                    log, r"^\s*FAIL\s*$<SKIPLINES>^\s*HOST <HOST>\s*$"]
    yield ["--usedns", "no", "-d", "^Epoch", "--print-all-matched", "-L", "2",
           "1490349000 FAIL: failure\nhost: 192.0.2.35",
           r"^\s*FAIL:\s*.*\nhost:\s+<HOST>$"]
    yield ["-r", "-d", r"^\[{LEPOCH}\]\s+", "--maxlines", "5",
           "[1516469849] 192.0.2.1 FAIL: failure\n[1516469849551] 192.0.2.2 FAIL: failure\n"
           "[1516469849551000] 192.0.2.3 FAIL: failure\n"
           "[1516469849551.000] 192.0.2.4 FAIL: failure", r"^<HOST> FAIL\b"]
    for more in (["-vv"], ["-o", "row"], ["-o", "ip"], ["-r", "-o", "id"]):
        yield more + ["-d", r"^\[{LEPOCH}\]\s+", "--maxlines", "5",
                      "[1516469849] 192.0.2.1 FAIL: failure\n"
                      "[1516469849] 192.0.2.1/24 FAIL: failure\n"
                      "[1516469849] 2001:DB8:FF:FF::1 FAIL: failure\n"
                      "[1516469849] 2001:DB8:FF:FF::1/60 FAIL: failure\n",
                      r"^<SUBNET> FAIL\b"]
    for out in OUTS:
        yield ["-o", out, ST00, RE_ID]
        yield ["-o", out, ST00, RE_USER]
        yield ["-o", out, NODT, RE_USER] if "time" not in out and "raw" not in out \
            else ["-o", "id", NODT, RE_USER]
        yield ["-o", out, "-d", "{^LN-BEG}EPOCH", "1591983743.667 192.0.2.1 192.0.2.2",
               r"^\s*<F-ID/> <F-TUPLE_ID>\S+</F-TUPLE_ID>"]
        yield ["-o", out, "-d", "{^LN-BEG}EPOCH", "1591983743.667 left 192.0.2.3 right",
               TUPLE]
        yield ["-o", out, "-d", "{^LN-BEG}EPOCH",
               "1591983743.667 left [192.0.2.4]:12345 right", TUPLE_IP]
        yield ["-o", out, "-c", CONFIG, STALLED, "sshd"]
        yield ["-o", out, "-c", CONFIG, SESSION + CLOSED, "sshd"]
        yield ["-o", out, "-c", CONFIG, SESSION + ACCEPTED, "sshd[publickey=invalid]"]
        yield ["-o", out, "-c", CONFIG, SESSION + CLOSED, "sshd[mode=aggressive]"]
    yield ["-o", "row", "1591983743 2001:DB8::1 x", "<HOST> x"]
    yield ["-o", "<ip-rev> <family>", "1591983743 2001:DB8::1 x", "<HOST> x"]
    yield ["-o", "row", "2020-01-02T03:04:05+01:00 192.0.2.1 it's \"x\" \\ \x7f \u20ac",
           r"<HOST> <F-WHAT>.*</F-WHAT>$"]
    flt = r"User <F-USER>\S+</F-USER> not allowed"
    for regex in (r"^<F-ID>" + flt + "</F-ID>\n^Received disconnect from <ADDR>",
                  "^" + flt + "\n" + r"^Received disconnect from <F-ID><ADDR> port \d+</F-ID>"):
        yield ["-c", CONFIG, "-o", 'ID:"<fid>" | IP:<ip> | U:<F-USER>', STALLED,
               'sshd[failregex="' + regex.replace("<F-ID>User", "<F-ID>User") + '"]']
        yield ["-c", CONFIG, "-v", STALLED, 'sshd[failregex="' + regex + '"]']
    for more in ([], ["-v"], ["-vv"], ["--print-all-matched"], ["--print-all-ignored"],
                 ["--no-check-all"], ["--print-all-missed", "-v"]):
        for log in (SESSION, SESSION + ACCEPTED, SESSION + CLOSED, STALLED):
            for name in ("sshd", "sshd[mode=aggressive]", "sshd[publickey=any]",
                         "sshd.conf[mode=normal]", "filter.d/sshd.conf",
                         CONFIG + "/filter.d/sshd.conf[logtype=short]"):
                yield ["-c", CONFIG] + more + [log, name]
    for more in ([], ["-o", "id"], ["-v"]):
        yield more + ["-d", "{^LN-BEG}EPOCH", NODT, RE_ID]
        # fail2ban shows a template "^" for {NONE}; here it is none.
        yield ["-o", "id", "-d", "{NONE}", NODT, RE_ID]
        yield more + [NODT + "\n" + ST00 + "\n" + NODT, RE_USER]
        yield more + [ST00.replace("Dec 31", "Feb 30") + "\n" + NODT, RE_USER]
    yield ["-o", "msg", ST00 + "\n" + NODT, RE_USER]
    yield ["-o", "matches", ST00 + "\n" + NODT, RE_USER]
    yield ["-d", "{^LN-BEG}%ExY-%m-%d %H:%M:%S\n{^LN-BEG}EPOCH", "-v",
           "2020-02-03 04:05:06 from 192.0.2.1", "from <HOST>"]
    yield ["-d", "{DATE}", "-v", "2020-02-03 04:05:06 from 192.0.2.1", "from <HOST>"]
    yield ["-d", "^%Q", "x", "from <HOST>"]
    yield ["-d", "%", "x", "from <HOST>"]
    for more in ([], ["--print-all-matched"], ["-e", "ascii"], ["-e", "latin-1"],
                 ["-e", "utf-8"], ["-o", "row"], ["-o", "msg"]):
        yield more + [wrong, r"Login failed for user .*\[<HOST>\]|from <HOST>"]
        yield more + [one, RE00] if "-o" not in more else more + ["-r", one, RE00]
        yield more + [multi, r"^.*rsyncd\[<F-MLFID>\d+</F-MLFID>\]: .*from <HOST>"]
    yield ["-L", "33", multi,
           r"^.*rsyncd\[(?P<pid>\d+)\]: connect from .+ \(<HOST>\)$<SKIPLINES>^.+ rsyncd\[(?P=pid)\]: rsync error: .*$"]
    yield ["-L", "33", "-v", "--print-all-matched", multi,
           r"^.*rsyncd\[(?P<pid>\d+)\]: connect from .+ \(<HOST>\)$<SKIPLINES>^.+ rsyncd\[(?P=pid)\]: rsync error: .*$",
           "rsync error: Received SIGINT"]
    # Long texts are shortened.
    yield ["x" * 54 + " 192.0.2.1", "^" + "x" * 54 + " <HOST>"]
    yield ["\u00e4" * 53, "\u00e4" * 54 + " <HOST>"]
    yield ["a\nb\nc\nd\ne\nf\n192.0.2.1", "^<HOST>$"]
    yield ["# 192.0.2.1\n\n192.0.2.1\r\n 192.0.2.1 \n", "<HOST>", "^ "]
    yield ["192.0.2.1\n" * 30, "<HOST>", "^ "]
    yield ["192.0.2.1\n" * 30, "^1<HOST>"]
    yield ["--print-all-missed", "192.0.2.1\n" * 30, "^1<HOST>"]
    yield ["--print-all-ignored", "192.0.2.1\n" * 30, "<HOST>", "192"]
    yield ["-L", "40", "192.0.2.1\n" * 30, "^1<HOST>"]


def usage():
    yield ["--nosuch"]
    yield ["-x"]
    yield ["--print", "a", "b"]
    yield ["-L", "x", "a", "b"]
    yield ["--maxlines=x", "a", "b"]
    yield ["--maxl", "x", "a", "b"]
    yield ["-l"]
    yield ["--log-level"]
    yield ["--raw=1", "a", "b"]
    yield ["-vvL3", "-d", "EPOCH", "--", "1 192.0.2.1", "<HOST>"]
    yield ["1591983743 192.0.2.1", "-v", "<HOST>", "--print-no-m"]


ALL_LINES = ["--print-all-matched", "--print-all-ignored", "--print-all-missed"]


def samples(logs, name, is_all):
    log = logs + "/" + name
    stem = "sshd" if name == "sshd-journal" else name
    forms = [["-v"] + ALL_LINES, ["-o", "row"]]
    if is_all:
        forms += [[], ["-v"], ["-o", "msg"], ALL_LINES,
                  ["-o", "<fid> <ip> <time> <F-USER>"]]
    for more in forms:
        yield ["-c", CONFIG, "-r"] + more + [log, stem]
    yield ["-c", CONFIG, "--usedns=no", log, CONFIG + "/filter.d/" + stem + ".conf"]
    for mode in ("aggressive", "ddos", "extra", "more"):
        with open(CONFIG + "/filter.d/" + stem + ".conf") as f:
            if "mdre-" + mode in f.read():
                spec = "%s[mode=%s]" % (stem, mode)
                yield ["-c", CONFIG, "-r", log, spec]
                if is_all:
                    yield ["-c", CONFIG, "-r", "-o", "row", log, spec]


def copy_logs(to):
    """The samples, with an address that both take for one."""
    shutil.copytree(TESTS + "/files/logs", to)
    for name in os.listdir(to):
        path = os.path.join(to, name)
        if os.path.isfile(path):
            with open(path, "rb") as f:
                text = f.read()
            with open(path, "wb") as f:
                f.write(text.replace(b"192.030.0.6", b"192.30.0.6"))


def main():
    p = argparse.ArgumentParser()
    p.add_argument("bandog", help="the bandog program")
    p.add_argument("--only", help="tests with this in their name")
    p.add_argument("--all", action="store_true", help="many more, takes minutes")
    p.add_argument("--full", action="store_true", help="whole differences")
    a = p.parse_args()
    if not os.path.isdir(TESTS + "/files/logs") or not os.path.isdir(CONFIG + "/filter.d"):
        print("fail2ban and its tests are not installed")
        return SKIP
    os.environ.update(TZ="CET-01CEST-02,M3.5.0,M10.5.0", LC_ALL="C.UTF-8")
    signal.signal(signal.SIGALRM, on_alarm)
    with tempfile.TemporaryDirectory() as tmp:
        program = os.path.join(tmp, "fail2ban-regex")
        os.symlink(os.path.abspath(a.bandog), program)
        logs = os.path.join(tmp, "logs")
        copy_logs(logs)
        run = Runner(program, Oracle(program), a.only, a.full)
        for i, argv in enumerate(usage()):
            run.check("usage:%d" % i, argv)
        for i, argv in enumerate(direct(TESTS + "/files")):
            if a.all or a.only or i % 3 == 0:
                run.check("direct:%d" % i, argv)
        for name in sorted(os.listdir(logs)):
            stem = "sshd" if name == "sshd-journal" else name
            if not os.path.isfile(CONFIG + "/filter.d/" + stem + ".conf"):
                continue
            for i, argv in enumerate(samples(logs, name, a.all)):
                run.check("%s:%d" % (name, i), argv)
        run.close()
    print("%d passed, %d failed" % (run.passed, run.failed))
    return 1 if run.failed else 0


if __name__ == "__main__":
    sys.exit(main())
