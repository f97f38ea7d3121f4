#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# fail2ban's own client drives bandogd, and prints what it prints with fail2ban's server.
# asan: yes
import glob
import os
import pickle
import re
import shutil
import socket
import subprocess

import harness
from knock import A, ACTION, B, COMMANDS, FILTER, JAILS

END = b"<F2B_END_COMMAND>"

# Each of COMMANDS is given to both; what they print must be the same, line by line ...
# ... but for these. What ours says instead, and why it does.
DIFFERENT = {
    # A mistake is told in our own words, not in those of Python's parser.
    ("set", "loglevel", "LOUD"): r"Invalid log level 'LOUD'",
    # bandog.conf's default.
    ("get", "dbpurgeage"): None,
    # fail2ban 1.0.2 fails on its way to these words.
    ("add", "one"): r"The jail 'one' already exists",
}


def begin_client(s, sock, words):
    return subprocess.Popen(
        s.namespaces.prefix("server")
        + ["fail2ban-client", "-c", s.f2b_config, "-s", sock, *words],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def end_client(child):
    out, _ = child.communicate(timeout=60)
    return child.returncode, out.rstrip("\n")


def client(s, sock, words):
    return end_client(begin_client(s, sock, words))


def start_fail2ban(s):
    sock = os.path.join(s.dir, "peer.sock")
    s.start(["fail2ban-server", "-f", "-c", s.f2b_config, "-s", sock, "-p",
             os.path.join(s.dir, "peer.pid"), "--logtarget", os.path.join(s.dir, "peer.log"),
             "start"])
    s.wait_for(lambda: os.path.exists(sock) and client(s, sock, ["ping"])[0] == 0, 30,
               "fail2ban's server")
    return sock


def normal(words, text):
    """What differs between two runs of the same program."""
    text = re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d", "TIME", text)
    # A ban made again a little later ends later: from its first time there, its second here.
    text = re.sub(r"\+ 360\d = TIME", "+ 3600 = TIME", text)
    if words[:1] == ["get"] and words[-1] == "ignoreip":
        return "\n".join(sorted(text.split("\n")))
    return text


def compare(s, ours, theirs, words):
    both = [begin_client(s, sock, words) for sock in (ours, theirs)]
    got, wanted = [end_client(child) for child in both]
    got = got[0], normal(words, got[1])
    wanted = wanted[0], normal(words, wanted[1])
    if got == wanted:
        return None
    explained = DIFFERENT.get(tuple(words), "")
    if explained is None or (explained and re.fullmatch(explained, got[1], re.S)):
        return None
    return f"{' '.join(words)}\n  ours   {got!r}\n  theirs {wanted!r}"


def raw(s, path, data, seconds=5):
    """What comes back on a connection until its end."""
    with socket.socket(socket.AF_UNIX) as c:
        c.settimeout(seconds)
        c.connect(path)
        c.sendall(data)
        c.shutdown(socket.SHUT_WR)
        out = b""
        while chunk := c.recv(65536):
            out += chunk
        return out


def scenario(s):
    if not shutil.which("fail2ban-client"):
        s.skip("fail2ban is not installed")
    log, more = s.log("knock.log"), s.log("more.log")
    s.f2b_config = s.config_dir
    s.config("filter.d/knock.conf", FILTER)
    s.config("action.d/note.conf", ACTION.format(dir=s.dir))
    s.config("jail.conf", JAILS.format(log=log))
    s.config("fail2ban.conf", "[Definition]\nloglevel = INFO\nlogtarget = STDERR\n"
             "syslogsocket = auto\nallowipv6 = auto\ndbfile = " + os.path.join(s.dir, "peer.db")
             + "\ndbmaxmatches = 10\ndbpurgeage = 1d\n")
    daemon = s.bandogd()
    ours = os.path.join(s.run_dir, "fail2ban.sock")

    s.step("the socket is root's alone")
    s.equal(oct(os.stat(ours).st_mode & 0o777), "0o600")

    s.step("both print the same")
    theirs = start_fail2ban(s)
    wrong = []
    for words in COMMANDS:
        words = [w.format(more=more) if w == "{more}" else w for w in words]
        difference = compare(s, ours, theirs, words)
        if difference:
            wrong.append(difference)
    s.check(not wrong, f"{len(wrong)} of {len(COMMANDS)} differ:\n" + "\n".join(wrong))
    s.equal(client(s, theirs, ["stop"]), (0, "Shutdown successful"))

    s.step("a ban by the client is made, and an unban lifts it")
    client(s, ours, ["set", "one", "banip", A])
    s.equal(s.bandog_json("banned")["bans"][0]["ip"], A)
    s.wait_for(lambda: glob.glob(os.path.join(s.dir, "banned-one")), 10, "the action")
    client(s, ours, ["unban", "--all"])
    s.equal(s.bandog_json("banned")["bans"], [])

    s.step("failures count as changed at run time, until a reload")
    client(s, ours, ["set", "one", "maxretry", "1"])
    s.append(log, f"knock[1]: refused {B}")
    s.wait_for(lambda: client(s, ours, ["get", "one", "banip"])[1] == B, 10, "the ban")
    s.equal(client(s, ours, ["reload"]), (0, "OK"))
    s.equal(client(s, ours, ["get", "one", "maxretry"]), (0, "3"))
    s.equal(client(s, ours, ["get", "one", "banip"]), (0, B), "a reload keeps bans")
    s.check("one: set at run time: maxretry = " in daemon.output(), "told in the log")

    s.step("a wrong value changes nothing")
    code, said = client(s, ours, ["set", "one", "addfailregex", "(foo <HOST>"])
    s.equal(code, 255)
    s.check(said.startswith("Unable to compile regular expression '(foo <HOST>'"), said)
    code, said = client(s, ours, ["set", "one", "findtime", "junk"])
    s.equal((code, said), (255, "findtime: 'junk' is not a duration (try 600, 10m, 1h30m)"))
    s.equal(client(s, ours, ["get", "one", "findtime"]), (0, "600"))

    s.step("stop and start a jail")
    s.equal(client(s, ours, ["stop", "one"]), (0, "Jail stopped"))
    s.equal(client(s, ours, ["status", "one"])[0], 255)
    s.equal(client(s, ours, ["start", "one"]), (0, "Jail started"))
    s.equal(client(s, ours, ["status", "one"])[0], 0)

    s.step("several requests a connection, by each protocol of pickle")
    for protocol in (2, 3, 4, 5):
        ping = pickle.dumps(["ping"], protocol) + END
        answers = raw(s, ours, ping * 200 + b"<F2B_CLOSE_COMMAND>" + END).split(END)
        s.equal([pickle.loads(a) for a in answers[:-1]], [(0, "pong")] * 200)

    s.step("nonsense is answered in words, and harms nobody")
    marker = os.path.join(s.dir, "owned")

    class Evil:
        def __reduce__(self):
            return os.system, (f"touch {marker}",)

    for data in (pickle.dumps(Evil()), pickle.dumps([Evil()], 2), b"", b"\x80\x04junk",
                 b"\x80\x04" + b"(" * 5000, pickle.dumps("x"), b"\x80\x04]."):
        answer = pickle.loads(raw(s, ours, data + END).split(END)[0])
        s.check(isinstance(answer, str) and answer.startswith("ERROR: ")
                or answer[0] == 1, repr(answer))
    s.check(not os.path.exists(marker), "a pickle was run")
    try:
        raw(s, ours, b"\x80\x04" * (6 << 20))
    except OSError:
        pass
    slow = []
    for _ in range(40):
        c = socket.socket(socket.AF_UNIX)
        c.connect(ours)
        try:
            c.sendall(b"\x80\x04]")
        except OSError:
            pass
        slow.append(c)
    s.equal(s.bandog("ping").returncode, 0)
    for c in slow:
        c.close()
    s.wait_for(lambda: client(s, ours, ["ping"])[0] == 0, 10, "an answer again")

    s.step("what was set is gone with the daemon; stop stops it")
    client(s, ours, ["set", "one", "maxretry", "9"])
    s.equal(client(s, ours, ["stop"]), (0, "Shutdown successful"))
    s.wait_for(lambda: not daemon.alive(), 15, "the end")
    s.check(not os.path.exists(ours), "the socket is removed")


harness.main(scenario)
