#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Our fail2ban-client beside fail2ban's own, with fail2ban's own server.

Two servers of the same configuration; each command is given to the one by fail2ban's
client, to the other by ours: what they print, what they log and how they exit must be the
same. Then answers of all forms, also such as no server gives, are handed to ours and to
fail2ban's beautifier. What is ours alone, start and reload, is in tests/scenario.

Prints each difference and "N passed, N failed". Exit status: 0, 1, or 77 when fail2ban is
not installed.
"""

import io
import os
import pickle
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(HERE, "..", "scenario"))
sys.path.append("/usr/lib/python3/dist-packages")
import knock  # noqa: E402

SKIP = 77
END = b"<F2B_END_COMMAND>"
F2B = "fail2ban.exceptions"
# They change the configuration, which is read in another way here.
LEFT_OUT = ("reload", "restart", "start", "stop")
MORE = [
    ["--timeout", "3", "ping"], ["ping", "5"], ["ping", "0.5"], ["-v", "version"],
    ["-q", "status", "nobody"], ["-qq", "status", "nobody"], ["stop", "nobody"],
    ["status", "one", "cymru", "x"], ["flushlogs"], ["-s", "{socket}", "version"],
    ["--socket={socket}", "ping"], ["get", "dbfile"], ["get", "logtarget"],
    ["set", "logtarget", "STDERR"], ["get", "one", "actionproperties", "note"],
    ["get", "one", "actionmethods", "note"], ["get", "one", "failregex"],
    ["get", "one", "addfailregex"], ["set", "one", "addfailregex", "it's <HOST> \u20ac"],
    ["set", "one", "delfailregex", "1"], ["echo", "it's", "\u20ac \\ \"x\"", ""],
    ["get", "two", "logpath"], ["stop", "two"], ["stop"],
]
TIMES = ["1d12h", "1h30", "1.5h", "1h-30m", "10 * 60", "1y", "-1", "600", "1mo", "2w 1d"]


class Result:
    """What a run of a client gave, without what differs from run to run."""

    def __init__(self, code, out, err):
        self.code, self.out = code, out.decode()
        # What fail2ban's client tells of reading its files is not told here.
        self.err = [re.sub(r"^\S+ \S+ (\S+ +)\[\d+\]", r"\1", line)
                    for line in err.decode().splitlines() if " ERROR " in line]

    def __eq__(self, other):
        return self.__dict__ == other.__dict__

    def __repr__(self):
        return "%d %r %r" % (self.code, self.out, self.err)


class Pair:
    def __init__(self, bandog):
        self.dir = tempfile.mkdtemp()
        self.ours = os.path.join(self.dir, "bin", "fail2ban-client")
        os.mkdir(os.path.dirname(self.ours))
        os.symlink(os.path.abspath(bandog), self.ours)
        self.passed = self.failed = 0
        self.servers = []

    def configure(self):
        self.config = os.path.join(self.dir, "etc")
        log, more = (os.path.join(self.dir, n) for n in ("knock.log", "more.log"))
        files = {
            "filter.d/knock.conf": knock.FILTER,
            "action.d/note.conf": knock.ACTION.format(dir=self.dir),
            "jail.conf": knock.JAILS.format(log=log),
            "fail2ban.conf": "[Definition]\nloglevel = INFO\nlogtarget = STDERR\n"
                             "syslogsocket = auto\nallowipv6 = auto\ndbfile = :memory:\n"
                             "dbmaxmatches = 10\ndbpurgeage = 1d\n"
                             "[Thread]\nstacksize = 0\n",
        }
        for name, text in files.items():
            path = os.path.join(self.config, name)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with open(path, "w") as f:
                f.write(text)
        for path in (log, more):
            open(path, "w").close()
        self.more = more

    def socket(self, name):
        return os.path.join(self.dir, name + ".sock")

    def start(self, name):
        with open(os.path.join(self.dir, name + ".log"), "wb") as log:
            self.servers.append(subprocess.Popen(
                ["fail2ban-server", "-f", "-c", self.config, "-s", self.socket(name), "-p",
                 os.path.join(self.dir, name + ".pid"), "--logtarget", "STDERR", "start"],
                stdout=log, stderr=log))
        end = time.time() + 30
        while time.time() < end:
            if os.path.exists(self.socket(name)) and \
                    self.run("fail2ban-client", name, ["ping"]).code == 0:
                return
            time.sleep(0.2)
        sys.exit("fail2ban's server does not start: " + self.dir)

    def begin(self, program, name, words, stdin=b""):
        words = [w.replace("{socket}", self.socket(name)).replace("{more}", self.more)
                 for w in words]
        child = subprocess.Popen(
            [program, "-c", self.config, "-s", self.socket(name)] + words,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        child.given = stdin
        return child

    def end(self, name, child):
        out, err = child.communicate(child.given, timeout=60)
        out, err = (t.replace(self.socket(name).encode(), b"SOCKET") for t in (out, err))
        out = re.sub(rb"Fail2Ban v.*\n(.+\n)?", b"BANNER\n", out)
        out = re.sub(rb"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", b"TIME", out)
        return Result(child.returncode, out, err)

    def run(self, program, name, words, stdin=b""):
        return self.end(name, self.begin(program, name, words, stdin))

    def compare(self, words, stdin=b""):
        children = [self.begin("fail2ban-client", "theirs", words, stdin),
                    self.begin(self.ours, "ours", words, stdin)]
        wanted, got = [self.end(n, c) for n, c in zip(("theirs", "ours"), children)]
        if words[-1] == "ignoreip":  # a set: in no order
            wanted.out, got.out = (sorted(r.out.split("\n")) for r in (wanted, got))
        self.judge(" ".join(words) + " " + stdin.decode(), wanted, got)

    def judge(self, what, wanted, got):
        if wanted == got:
            self.passed += 1
            return
        self.failed += 1
        print("FAIL %s\n    wanted %r\n    got    %r" % (what, wanted, got))

    def close(self):
        for child in self.servers:
            child.terminate()
            child.wait(30)
        shutil.rmtree(self.dir)


class UnknownJailException(Exception):
    __module__ = F2B


class DuplicateJailException(Exception):
    __module__ = F2B


STATUS = [("Filter", [("Currently failed", 1), ("File list", ["/a", "/b c"])]),
          ("Actions", [("Currently banned", 0), ("Banned IP list", [])])]
FORMS = [
    (["ping"], "pong"), (["version"], "1.0"), (["start", "x"], None), (["stop"], None),
    (["stop"], "x"), (["stop", "x"], None), (["stop", "x"], 3), (["add", "x"], "x"),
    (["flushlogs"], "rolled over"), (["echo"], ["a", "b"]), (["status"], []),
    (["status"], [("Number of jail", 2), ("Jail list", "a, b")]),
    (["status"], [("Number of jail", 0), ("Jail list", ["a", 1, None])]),
    (["status", "x"], STATUS), (["status", "x"], []), (["status", "x"], [("F", [])]),
    (["get", "syslogsocket"], "auto"), (["get", "logtarget"], "/a"),
    (["get", "loglevel"], "INFO"), (["get", "loglevel"], 20), (["get", "loglevel"], 40),
    (["get", "dbfile"], None), (["get", "dbfile"], "/a"), (["get", "dbpurgeage"], None),
    (["get", "dbpurgeage"], 86400), (["set", "dbpurgeage", "1"], 1.5),
    (["get", "x", "logpath"], []), (["get", "x", "logpath"], ["/a"]),
    (["set", "x", "addlogpath", "/b"], ["/a", "/b"]),
    (["set", "x", "dellogpath", "/b"], ["/a", "/b", "/c"]),
    (["get", "x", "logencoding"], "auto"), (["get", "x", "journalmatch"], []),
    (["get", "x", "journalmatch"], [["_A=1", "+", "_B=2"], ["_C=3"]]),
    (["get", "x", "datepattern"], None), (["get", "x", "datepattern"], (None, "Default")),
    (["get", "x", "datepattern"], ("%Y", "Year")), (["get", "x", "ignoreip"], []),
    (["get", "x", "ignoreip"], ["a"]), (["set", "x", "addignoreip", "b"], ["a", "b"]),
    (["get", "x", "failregex"], []), (["get", "x", "failregex"], ["^a"]),
    (["get", "x", "ignoreregex"], ["^a", "^b", "^c"]), (["get", "x", "actions"], []),
    (["get", "x", "actions"], ["a", "b"]), (["get", "x", "actionproperties", "a"], []),
    (["get", "x", "actionproperties", "a"], ["p", "q"]),
    (["get", "x", "actionmethods", "a"], ["p"]), (["get", "x", "actionmethods", "a"], []),
    (["get", "x", "banip"], []), (["get", "x", "banip"], ["a", "b"]),
    (["get", "x", "banip", ","], ["a", "b"]),
    (["get", "x", "banip", "--with-time"], ["a", "b"]), (["set", "x", "banip", "a"], 1),
    (["banned"], [{"a": ["1", "2"]}, {"b": []}]), (["banned", "1"], [["a"], []]),
    (["get", "x", "maxretry"], 5), (["get", "x", "findtime"], 600.0),
    (["get", "x", "ignoreself"], True), (["get", "x", "usedns"], "it's"),
    (["get", "x", "y"], {"a": (1,), "b": None}), (["get", "x", "y"], ()),
    (["get", "x", "y"], [1e16, 0.1, -1, True, "\u20ac\n'\"", "\x00"]),
]
MISTAKES = [
    UnknownJailException("x"), DuplicateJailException("x"), IndexError("list"),
    Exception("Invalid command"), ValueError("a", "b"), KeyError("x"), Exception(),
    Exception("two\nlines"), RuntimeError(3),
]


def serve_once(listener, reply):
    peer, _ = listener.accept()
    with peer:
        data = b""
        while not data.endswith(END):
            data += peer.recv(65536)
        # As a server may: in pieces.
        whole = pickle.dumps(reply, pickle.HIGHEST_PROTOCOL) + END
        for i in range(0, len(whole), 1000):
            peer.sendall(whole[i:i + 1000])
        peer.recv(100)


def give(pair, words, reply):
    path = os.path.join(pair.dir, "forms.sock")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen()
        thread = threading.Thread(target=serve_once, args=(listener, reply))
        thread.start()
        r = subprocess.run([pair.ours, "-s", path] + words, capture_output=True, timeout=20)
        thread.join()
    os.unlink(path)
    return r.returncode, r.stdout.decode()


def compare_forms(pair):
    from fail2ban.client.beautifier import Beautifier
    import fail2ban.exceptions as own

    for words, value in FORMS:
        wanted = io.StringIO()
        print(Beautifier(words).beautify(value), file=wanted)
        pair.judge("%r of %r" % (value, words), (0, wanted.getvalue()),
                   give(pair, words, (0, value)))
    for mistake in MISTAKES:
        mistake = getattr(own, type(mistake).__name__, type(mistake))(*mistake.args)
        wanted = io.StringIO()
        print(Beautifier(["x"]).beautifyError(mistake), file=wanted)
        pair.judge("%r" % mistake, (255, wanted.getvalue()),
                   give(pair, ["x"], (1, mistake)))


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: client_cli.py BANDOG")
    if not shutil.which("fail2ban-server"):
        print("fail2ban is not installed")
        return SKIP
    os.environ.update(LC_ALL="C.UTF-8", PYTHONDONTWRITEBYTECODE="1")
    pair = Pair(sys.argv[1])
    try:
        pair.configure()
        compare_forms(pair)
        for text in TIMES:
            pair.compare(["--str2sec", text])
        pair.compare(["status"])  # nobody there yet
        pair.compare(["ping"])
        for name in ("theirs", "ours"):
            pair.start(name)
        pair.compare(["-i"], b"")
        pair.compare(["-i", "ping"], b"status 'one'\n\necho a\\ b \"c d\" 'e'\nexit\n")
        pair.compare(["-i"], b"status nobody\nquit\n")
        for words in knock.COMMANDS + MORE:
            if words[0] not in LEFT_OUT or words in MORE:
                pair.compare(words)
        pair.compare(["status"])  # gone
    finally:
        pair.close()
    print("%d passed, %d failed" % (pair.passed, pair.failed))
    return 1 if pair.failed else 0


if __name__ == "__main__":
    sys.exit(main())
