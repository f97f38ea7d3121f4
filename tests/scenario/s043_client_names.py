#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# fail2ban-client and fail2ban-server by name: start, ask, reload, restart and stop bandogd.
# asan: yes
import os
import re
import subprocess

import harness
from knock import A, ACTION, B, FILTER, JAILS

TOOL = os.path.join(os.path.dirname(os.path.realpath(__file__)), "../../tools/fail2ban-names")
GOOD, BAD = 0, 255


def put_names(s, *options):
    build = os.path.join(s.dir, "build")
    return s.run([TOOL, build, *options], check=False).returncode


def install(s):
    s.step("the names are put beside bandog, and nobody's file is overwritten")
    s.names = os.path.join(s.dir, "bin")
    os.makedirs(os.path.join(s.dir, "build", "etc"))
    os.mkdir(s.names)
    with open(os.path.join(s.dir, "build", "etc", "places"), "w") as f:
        f.write(f"share='{s.dir}/share'\nbin='{s.names}'\n")
    s.check(put_names(s) != 0 and not os.listdir(s.names), "without bandog")
    os.symlink(s.program("bandog"), os.path.join(s.names, "bandog"))
    theirs = os.path.join(s.names, "fail2ban-client")
    with open(theirs, "w") as f:
        f.write("theirs")
    s.equal(put_names(s), 1)
    s.check(not os.path.islink(theirs), "overwritten")
    s.equal(sorted(os.listdir(s.names)),
            ["bandog", "fail2ban-client", "fail2ban-regex", "fail2ban-server"])
    s.equal(put_names(s, "--force"), 0)
    s.equal(os.readlink(theirs), "bandog")
    s.equal(put_names(s), 0, "again")
    s.equal(put_names(s, "--remove"), 0)
    s.equal(sorted(os.listdir(s.names)), ["bandog", "fail2ban-client"])
    with open(theirs) as f:
        s.equal(f.read(), "theirs")
    s.equal(put_names(s, "--force"), 0)


def call(s, name, *words, stdin=""):
    done = s.run([os.path.join(s.names, name), "-c", s.config_dir, "-s", s.sock, *words],
                 check=False, seconds=60, input=stdin)
    return done.returncode, done.stdout.rstrip("\n"), done.stderr


def client(s, *words, stdin=""):
    return call(s, "fail2ban-client", *words, stdin=stdin)


def says(s, code, out, *words):
    got = client(s, *words)
    s.equal(got[:2], (code, out), got[2])


def without_daemon(s):
    s.step("without a daemon: no command, a test, a dump, a time")
    code, out, err = client(s, "status")
    s.equal((code, out), (BAD, ""))
    s.check(re.search(r"fail2ban +\[\d+\]: ERROR   Failed to access socket path: ", err), err)
    s.equal(client(s, "reload")[0], BAD)
    says(s, GOOD, "OK: configuration test is successful", "-t")
    says(s, GOOD, "5400", "--str2sec", "1h30m")
    code, out, _ = client(s, "-d")
    s.equal(code, GOOD)
    for line in ("['add', 'one', 'polling']", "['set', 'one', 'findtime', '10m']",
                 "['set', 'one', 'maxretry', 3]", "['start', 'one']"):
        s.check(line in out.splitlines(), line + " is not in " + out)
    s.check(client(s, "--nosuch")[0] == BAD and client(s)[0] == BAD, "wrong usage")


def life(s):
    s.step("start, once")
    says(s, GOOD, "Server ready", "start")
    says(s, GOOD, "Server replied: pong", "ping")
    code, out, err = client(s, "start")
    s.equal((code, out), (BAD, ""))
    s.check("Server already running" in err, err)

    s.step("commands, also from standard input")
    s.check(client(s, "version")[1].endswith(")"), "version")
    says(s, GOOD, "1", "set", "one", "banip", A)
    code, out, _ = client(s, "-i", stdin=f"set one banip '{B}'\nget one banip\nquit\n")
    s.equal(code, GOOD)
    s.check(f"fail2ban> 1\nfail2ban> {A} {B}\n" in out, out)
    s.equal(s.bandog_json("banned")["bans"][0]["ip"], A)

    s.step("reload: done, refused, of one jail")
    says(s, GOOD, "OK", "reload")
    says(s, GOOD, "OK", "reload", "one")
    says(s, BAD, "Sorry but the jail 'nobody' does not exist", "reload", "nobody")
    says(s, GOOD, "OK", "reload", "--if-exists", "nobody")
    s.config("jail.d/broken.conf", "this is no option\n")
    s.equal(client(s, "reload")[0], BAD)
    code, out, err = client(s, "-t")
    s.equal((code, out), (BAD, ""))
    s.check("test configuration failed" in err and "broken.conf:1" in err, err)
    s.equal(client(s, "-d")[0], BAD)
    os.unlink(os.path.join(s.config_dir, "jail.d", "broken.conf"))
    says(s, GOOD, "OK", "reload", "--unban", "one")
    says(s, GOOD, "", "get", "one", "banip")

    s.step("restart keeps bans")
    says(s, GOOD, "1", "set", "one", "banip", A)
    says(s, GOOD, "Shutdown successful\nServer ready", "restart")
    s.wait_for(lambda: client(s, "get", "one", "banip")[1] == A, 10, "the ban")
    says(s, GOOD, "OK", "restart", "one")

    s.step("stop")
    says(s, GOOD, "Shutdown successful", "stop")
    s.wait_for(lambda: client(s, "ping")[0] == BAD, 15, "the end")


def server(s):
    s.step("fail2ban-server as a unit file starts it: in the foreground")
    child = s.start([os.path.join(s.names, "fail2ban-server"), "-c", s.config_dir, "-s", s.sock,
                     "-xf", "--logtarget=sysout", "start"], output=subprocess.DEVNULL)
    s.wait_for(lambda: client(s, "ping")[0] == GOOD, 20, "the daemon")
    s.equal(call(s, "fail2ban-server", "status")[1].splitlines()[1], "|- Number of jail:\t2")
    child.terminate()
    s.wait_for(lambda: client(s, "ping")[0] == BAD, 15, "the end")

    s.step("fail2ban-server alone goes to the background")
    s.equal(call(s, "fail2ban-server")[:2], (GOOD, "Server ready"))
    says(s, GOOD, "Shutdown successful", "stop")
    s.wait_for(lambda: client(s, "ping")[0] == BAD, 15, "the end")

    s.step("a configuration that cannot be read starts nothing")
    s.config("jail.conf", "this is no option\n")
    s.equal(client(s, "start")[0], BAD)
    s.equal(client(s, "ping")[0], BAD)


def scenario(s):
    log = s.log("knock.log")
    s.config("filter.d/knock.conf", FILTER)
    s.config("action.d/note.conf", ACTION.format(dir=s.dir))
    s.config("jail.conf", JAILS.format(log=log))
    install(s)
    s.sock = os.path.join(s.run_dir, "fail2ban.sock")
    without_daemon(s)
    life(s)
    server(s)


harness.main(scenario)
