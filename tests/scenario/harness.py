# SPDX-License-Identifier: GPL-2.0-or-later
"""A small internet for scenario tests: a server, many clients, a daemon, a mail server.

A scenario is an executable tests/scenario/sNNN_name.py:

    #!/usr/bin/env python3
    # SPDX-License-Identifier: GPL-2.0-or-later
    # What it shows, in a sentence.
    # asan: yes          (also run it with the sanitizer build)
    # alone: yes         (run nothing beside it)
    import harness

    def scenario(s):
        s.step("three failures ban an address")
        log = s.log("mail.log")
        s.config("jail.local", f"[postfix]\\nenabled = true\\nlogpath = {log}\\n")
        s.bandogd()
        s.listen(25)
        s.append(log, "postfix/smtpd[1]: NOQUEUE: reject: RCPT from x[198.51.100.7]: ...")
        s.wait_for(lambda: "198.51.100.7" in s.nft_set("NAME"), 5, "the ban")
        s.equal(s.connect("198.51.100.7", 25), "timeout")
        s.equal(s.connect("198.51.100.8", 25), "ok")

    harness.main(scenario)

It is run as: sNNN_name.py BUILD-DIRECTORY. Exit 0: all well; 77: cannot run here, the last
line says why; 1: failed. Everything is cleaned up in any case (also on SIGTERM and
SIGINT); KEEP=1 in the environment keeps the temporary folder and says where it is.

The network. Two namespaces joined by a veth pair:

    server   192.0.2.1/24    2001:db8::1/64     default route to the client side
    client   192.0.2.254/24  2001:db8::fe/64    and every address of CLIENT_NETS

Any address of CLIENT_NETS may be the source of a connection, without further set-up.

Scenario `s`:
    s.build, s.dir                 build directory; temporary folder (mode 0755)
    s.config_dir, s.state_dir, s.run_dir    what the daemon is given
    s.server4, s.server6           addresses of the server
  words
    s.step(text)                   print what comes now
    s.check(condition, text)       Failure(text) unless true
    s.equal(got, wanted[, text])   Failure that shows both
    s.wait_for(fn, seconds, what)  poll until fn() is true; its value, or Failure
    s.skip(why)                    end the scenario with exit status 77
  programs
    s.run([...], ns="server", **)  run in a namespace ("server", "client" or None);
                                   check=False to look at the exit status oneself
    s.start([...], ns, output)     start in the background; ended at the end. Popen
    s.pids("server")               of all processes in that namespace
    s.program(name)                path of a built program
  daemon
    s.config(name, text)           write a file under config_dir, folders included
    s.bandogd(*options, ready=fn)  start it and wait until it answers. Daemon:
                                   .pid .stop() .kill() .reload() .output() .alive()
                                   .processes() .role("engine"): its pid or None;
                                   mounts={"/var/log": folder}: what it alone finds there
    s.bandog(verb, *words)         run the client program, CompletedProcess; check=False
                                   where it may answer no
    s.bandog_json(verb, *words)    the same with --json, parsed
  firewall
    s.nft("list", "ruleset")       text output of nft in the server namespace
    s.nft_json(...)                the same with -j, parsed: list of objects
    s.nft_set(name)                {"198.51.100.7": {"timeout": 600, "expires": 599}, ...}
                                   of inet bandog; {} when there is no such set (yet)
  clients
    s.connect(src, port, seconds)  "ok", "refused", "timeout" or "unreachable"; to the
                                   server's address of the family of src
    s.open(src, port, seconds)     a connected socket (OSError when not)
    s.dialog(src, lines, port)     SMTP: [(code, text), ...], greeting first; it ends
                                   early when the server hangs up
    s.listen(port)                 accept on all server addresses; .peers lists who came
  logs
    s.log(name)                    path of an empty log file in s.dir
    s.append(log, text[, at, host])     "Nov 24 04:05:06 mx " + text, flushed
    s.append_raw(log, text)        as it is, with a line end
  mail
    s.postfix(*settings, name, log)    start a real Postfix on port 25 of the server in the
                                   folder s.dir/name. Postfix: .log (path) .lines() .stop()
                                   VALID_USER@example.test is accepted (and discarded);
                                   another user there: 550 5.1.1; another domain:
                                   554 5.7.1; HELO no-reverse.test: 450 4.7.1
"""

import errno
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

from mailserver import Postfix, VALID_USER  # noqa: F401 (scenarios take it from here)
from network import (CLIENT_NETS, GATEWAY4, GATEWAY6, SERVER4, SERVER6,  # noqa: F401
                     TEMP_PREFIX, Listener, Namespaces, pids_in, sweep)
from outcome import EXIT_SKIPPED, Failure, Skip, say, tail


class Daemon:
    """bandogd in the foreground, with its stderr in a file."""

    # "ip netns exec" gives it mounts of its own: nobody else sees these.
    MOUNT = ('while [ "$1" != -- ]; do mount --bind "$2" "$1" || exit; shift 2; done;'
             ' shift; exec "$@"')

    def __init__(self, scenario, options, mounts):
        self.scenario = scenario
        self.log = os.path.join(scenario.dir, "bandogd.log")
        words = [scenario.program("bandogd"), "--foreground", *scenario.folders(), *options]
        if mounts:
            pairs = [path for pair in mounts.items() for path in pair]
            words = ["sh", "-c", self.MOUNT, "sh", *pairs, "--", *words]
        with open(self.log, "ab") as out:
            self.child = scenario.start(words, "server", out)
        self.pid = self.child.pid

    def alive(self):
        return self.child.poll() is None

    def output(self):
        with open(self.log, encoding="utf-8", errors="backslashreplace") as f:
            return f.read()

    def reload(self):
        self.child.send_signal(signal.SIGHUP)

    def stop(self, seconds=15):
        """SIGTERM: it must end well, and leave no process."""
        self.child.terminate()
        try:
            status = self.child.wait(seconds)
        except subprocess.TimeoutExpired:
            raise Failure(f"bandogd did not end within {seconds} s of SIGTERM") from None
        self.scenario.check(status == 0, f"bandogd ended with status {status}")
        self.scenario.wait_for(lambda: not self.processes(), 5, "the last process of bandogd")

    def processes(self):
        """All processes of that program in the server's namespace: bandogd, bandog-ROLE."""
        return [pid for pid in self.scenario.pids()
                if command(pid).startswith(("bandogd", "bandog-"))]

    def role(self, name):
        found = [pid for pid in self.scenario.pids()
                 if command(pid).rstrip() == f"bandog-{name}"]
        return found[0] if found else None

    def kill(self):
        """SIGKILL to the supervisor alone: what its children do then is their matter."""
        self.child.kill()
        self.child.wait()

    def sanitizer_report(self):
        found = re.search(r"^.*(ERROR: \w+Sanitizer|runtime error:).*$", self.output(), re.M)
        return found[0] if found else None


def command(pid):
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as f:
            return f.read()
    except OSError:
        return ""


class Scenario:
    server4, server6 = SERVER4, SERVER6

    def __init__(self, build):
        self.build = os.path.abspath(build)
        self.namespaces = Namespaces()
        self.children = []
        self.daemons = []
        self.dir = None

    def __enter__(self):
        if os.geteuid() != 0:
            raise Skip("this needs root, for network namespaces")
        sweep()
        # Without "_", which the form of foreign values in commands depends on.
        self.dir = tempfile.mkdtemp(prefix=f"{TEMP_PREFIX}{os.getpid()}-")
        while "_" in self.dir:
            os.rmdir(self.dir)
            self.dir = tempfile.mkdtemp(prefix=f"{TEMP_PREFIX}{os.getpid()}-")
        try:
            os.chmod(self.dir, 0o755)
            for name in ("config", "state", "run"):
                folder = os.path.join(self.dir, name)
                os.mkdir(folder, 0o755)
                setattr(self, name + "_dir", folder)
            self.namespaces.create()
        except BaseException:
            self.clean_up()
            raise
        return self

    def __exit__(self, kind, error, trace):
        try:
            reports = [d.sanitizer_report() for d in self.daemons]
            if kind not in (None, Skip):
                for daemon in self.daemons[-1:]:
                    say("what bandogd said last:" + tail(daemon.log, 40))
        finally:
            self.clean_up()
        if kind is None and any(reports):
            raise Failure("; ".join(filter(None, reports)))

    def clean_up(self):
        # From here on nothing may interrupt.
        for signo in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signo, signal.SIG_IGN)
        for child in reversed(self.children):
            if child.poll() is None:
                child.terminate()
        deadline = time.monotonic() + 5
        for child in self.children:
            try:
                child.wait(max(0, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        self.namespaces.remove()
        if os.environ.get("KEEP"):
            say(f"kept: {self.dir}")
        else:
            shutil.rmtree(self.dir, ignore_errors=True)

    # Words

    @staticmethod
    def step(text):
        say("- " + text)

    @staticmethod
    def check(condition, text):
        if not condition:
            raise Failure(text)

    @staticmethod
    def equal(got, wanted, text=""):
        if got != wanted:
            raise Failure(f"{text + ': ' if text else ''}got {got!r}, wanted {wanted!r}")

    @staticmethod
    def wait_for(fn, seconds=10, what="it", why_not=None):
        deadline = time.monotonic() + seconds
        while True:
            value = fn()
            if value:
                return value
            if time.monotonic() > deadline:
                why = why_not() if why_not else f" (last: {value!r})"
                raise Failure(f"waited {seconds} s for {what}{why}")
            time.sleep(0.02)

    @staticmethod
    def skip(why):
        raise Skip(why)

    # Programs

    def run(self, words, ns="server", check=True, seconds=30, **options):
        """subprocess.run() with text output captured."""
        done = subprocess.run(self.namespaces.prefix(ns) + list(words), check=False,
                              timeout=seconds, capture_output=True, text=True,
                              stdin=None if "input" in options else subprocess.DEVNULL,
                              **options)
        if check and done.returncode != 0:
            raise Failure(f"{' '.join(words)} ended with status {done.returncode}:"
                          f" {done.stdout}{done.stderr}")
        return done

    def start(self, words, ns="server", output=subprocess.DEVNULL):
        child = subprocess.Popen(self.namespaces.prefix(ns) + list(words),
                                 stdin=subprocess.DEVNULL, stdout=output,
                                 stderr=subprocess.STDOUT, start_new_session=True)
        self.children.append(child)
        return child

    def pids(self, ns="server"):
        return pids_in(self.namespaces.names[ns])

    def program(self, name):
        for folder, _, files in os.walk(self.build):
            path = os.path.join(folder, name)
            if name in files and os.access(path, os.X_OK):
                return path
        raise Failure(f"there is no program {name} in {self.build}")

    # Daemon

    def folders(self):
        return ["--config-dir", self.config_dir, "--state-dir", self.state_dir,
                "--run-dir", self.run_dir]

    def config(self, name, text):
        path = os.path.join(self.config_dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def bandogd(self, *options, ready=None, seconds=20, mounts=None):
        daemon = Daemon(self, options, mounts)
        self.daemons.append(daemon)

        def is_ready():
            if not daemon.alive():
                raise Failure(f"bandogd ended with status {daemon.child.returncode}"
                              + tail(daemon.log))
            return (ready or self.answers)()

        self.wait_for(is_ready, seconds, "bandogd to answer", lambda: tail(daemon.log))
        return daemon

    def answers(self):
        return self.bandog("ping", check=False).returncode == 0

    def bandog(self, verb, *words, check=True):
        return self.run([self.program("bandog"), verb, *self.folders(), *words], check=check)

    def bandog_json(self, verb, *words, check=True):
        done = self.bandog(verb, "--json", *words, check=check)
        try:
            return json.loads(done.stdout)
        except ValueError as e:
            raise Failure(f"bandog {verb} --json: {e}: {done.stdout!r} {done.stderr}") from None

    # Firewall

    def nft(self, *words):
        return self.run(["nft", *words]).stdout

    def nft_json(self, *words):
        return json.loads(self.nft("-j", *words))["nftables"]

    def nft_set(self, name, table="bandog"):
        done = self.run(["nft", "-j", "list", "set", "inet", table, name], check=False)
        if done.returncode != 0:
            if "No such file" in done.stderr:
                return {}
            raise Failure(f"nft list set {name}: {done.stderr}")
        found = {}
        for item in json.loads(done.stdout)["nftables"]:
            for element in item.get("set", {}).get("elem", []):
                facts = element.get("elem", {}) if isinstance(element, dict) else {}
                found[element_text(facts.get("val", element))] = {
                    key: value for key, value in facts.items() if key != "val"}
        return found

    # Clients

    def open(self, src, port, seconds=2):
        return self.namespaces.connect(src, port, seconds)

    def connect(self, src, port, seconds=1):
        try:
            self.open(src, port, seconds).close()
            return "ok"
        except (ConnectionRefusedError, ConnectionResetError):
            return "refused"  # reset: the listener closed at this very moment
        except TimeoutError:
            return "timeout"
        except OSError as e:
            if e.errno in (errno.EHOSTUNREACH, errno.ENETUNREACH, errno.EACCES):
                return "unreachable"
            raise

    def dialog(self, src, lines, port=25, seconds=10):
        """Send line after line, each after the reply to the one before."""
        replies = []
        with self.open(src, port, seconds) as sock, sock.makefile("rb") as stream:
            for line in [None, *lines]:
                try:
                    if line is not None:
                        sock.sendall(line.encode() + b"\r\n")
                    reply = read_reply(stream)
                except ConnectionError:
                    break
                if reply is None:
                    break
                replies.append(reply)
        return replies

    def listen(self, port):
        return Listener(self.namespaces, port)

    # Logs

    def log(self, name):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        open(path, "a", encoding="ascii").close()
        os.chmod(path, 0o644)
        return path

    @staticmethod
    def append(log, text, at=None, host="mx"):
        """at: seconds since 1970; without it, now."""
        t = time.localtime(at)
        stamp = time.strftime("%b ", t) + f"{t.tm_mday:2} " + time.strftime("%H:%M:%S", t)
        Scenario.append_raw(log, f"{stamp} {host} {text}")

    @staticmethod
    def append_raw(log, text):
        data = text if isinstance(text, bytes) else text.encode()
        with open(log, "ab") as f:
            f.write(data + b"\n")

    # Mail

    def postfix(self, *settings, name="postfix", log="mail.log"):
        return Postfix(self, settings, name, log)


def element_text(value):
    """An element of a set as people write it."""
    if isinstance(value, dict) and "prefix" in value:
        return f"{value['prefix']['addr']}/{value['prefix']['len']}"
    if isinstance(value, dict) and "concat" in value:
        return " . ".join(element_text(part) for part in value["concat"])
    if isinstance(value, dict) and "range" in value:
        return "-".join(element_text(part) for part in value["range"])
    return str(value)


def read_reply(stream):
    """One SMTP reply, lines joined; None at the end of the connection."""
    texts = []
    while True:
        line = stream.readline().decode("utf-8", "replace")
        if not line.endswith("\n"):
            return None
        texts.append(line[4:].rstrip())
        if line[3:4] != "-":
            return int(line[:3]), "\n".join(texts)


def on_signal(signo, _frame):
    raise SystemExit(128 + signo)


def main(scenario):
    """Run scenario(s) in a fresh network and end the process with its result."""
    if len(sys.argv) != 2:
        sys.exit(f"usage: {os.path.basename(sys.argv[0])} BUILD-DIRECTORY")
    for signo in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(signo, on_signal)
    start = time.monotonic()
    try:
        with Scenario(sys.argv[1]) as s:
            scenario(s)
    except Skip as e:
        say(f"skipped: {e}")
        sys.exit(EXIT_SKIPPED)
    except Failure as e:
        name = os.path.basename(sys.argv[0])
        at = [frame.lineno for frame in traceback.extract_tb(e.__traceback__)
              if os.path.basename(frame.filename) == name]
        say(f"FAILED ({name}, lines {', '.join(map(str, at)) or '?'}): {e}")
        sys.exit(1)
    say(f"done in {time.monotonic() - start:.1f} s")
    sys.exit(0)
