#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# The options of jails and of fail2ban.conf do what fail2ban's manual says of them.
# asan: yes
import os
import subprocess
import time

import harness
import nameserver

REMOTE = "/lib/systemd/systemd-journal-remote"
FILTER = r"""[Definition]
failregex = ^\s*\S+ knock\[\d+\]: refused <ADDR>$
"""


def jail(name, log, more=""):
    return (f"[{name}]\nenabled = true\nfilter = knock\nlogpath = {log}\nport = 25\n"
            f"maxretry = 2\n{more}\n")


def knock(s, log, source, times=2):
    for _ in range(times):
        s.append(log, f"knock[1]: refused {source}")


def wait_banned(s, name, source):
    s.wait_for(lambda: source in s.nft_set(f"{name}-ipv4"), 10, f"{source} in {name}")


def refuses_to_start(s, what):
    words = [s.program("bandogd"), "--foreground", *s.folders()]
    done = s.run(words, check=False)
    s.equal(done.returncode, 1, what)
    return done.stderr


def a_wrong_jail(s, log):
    s.step("a wrong jail is left out with its place, the others run")
    wrong = {
        "regex": "failregex = ^<ADDR> (unclosed",
        "missing": "filter = nowhere",
        "value": "maxretry = many",
        "params": "action = nftables[port=",
        "ports": "port = nonsense",
    }
    s.config("filter.d/knock.conf", FILTER)
    text = jail("knock", log)
    for name, line in wrong.items():
        text += f"[{name}]\nenabled = true\nfilter = knock\nlogpath = {log}.{name}\n"
        text += f"{line}\n" if not line.startswith("filter") else ""
        if line.startswith("filter"):
            text = text.replace(f"[{name}]\nenabled = true\nfilter = knock",
                                f"[{name}]\nenabled = true\n{line}")
    s.config("jail.conf", text)
    daemon = s.bandogd()
    status = s.bandog_json("status")
    s.equal([j["name"] for j in status["jails"]], ["knock"])
    s.equal({j["name"] for j in status["left_out"]}, set(wrong))
    for item in status["left_out"]:
        s.check("jail.conf:" in item["why"] and "error:" in item["why"], item["why"])
    s.check("jail regex is left out: " in s.bandog("status").stdout, "told to people")
    s.check("regex: this jail is left out: " in daemon.output(), "told in the log")
    knock(s, log, "198.51.100.1")
    wait_banned(s, "knock", "198.51.100.1")
    s.equal(s.bandog("check", check=False).returncode, 1, "bandog check")

    s.step("a reload is whole or not at all")
    s.equal(s.bandog("reload", check=False).returncode, 1, "reload with wrong jails")
    s.check("198.51.100.1" in s.nft_set("knock-ipv4"), "the ban stays")
    s.config("jail.conf", jail("knock", log))
    s.bandog("reload")
    s.equal(s.bandog_json("status")["left_out"], [])
    daemon.stop()

    s.step("no jail left, or a file that cannot be read: it does not start")
    s.config("jail.conf", jail("knock", log, "findtime = never"))
    s.check("'never'" in refuses_to_start(s, "no jail left"), "the reason")
    s.config("jail.conf", jail("knock", log) + "[other]\nwhat is this\n")
    s.check("jail.conf:9" in refuses_to_start(s, "a syntax error"), "the place")


def journal_entry(number, source):
    now = int(time.time() * 1e6) + number
    return (f"__REALTIME_TIMESTAMP={now}\n__MONOTONIC_TIMESTAMP={1000 + number}\n"
            "_BOOT_ID=00000000000000000000000000000001\n_HOSTNAME=mx\n"
            "SYSLOG_IDENTIFIER=knock\n_PID=1\n_COMM=knock\n"
            f"MESSAGE=refused {source}\n\n")


def no_logs(s):
    s.step("no log yet: one jail waits, one is skipped, one reads the journal instead")
    if not os.access(REMOTE, os.X_OK):
        s.skip("systemd-journal-remote is not installed")
    folder = os.path.join(s.dir, "journal")
    os.mkdir(folder)
    s.config("filter.d/both.conf", FILTER.replace("[Definition]", "[Definition]\n"
                                                  "journalmatch = _COMM=knock"))
    late, never = os.path.join(s.dir, "late.log"), os.path.join(s.dir, "never.log")
    s.config("jail.conf", jail("waits", late) + jail("skipped", never, "skip_if_nologs = true")
             + jail("knock", never, f"backend = auto[journalpath={folder}]")
             .replace("filter = knock", "filter = both"))
    daemon = s.bandogd()
    status = s.bandog_json("status")
    s.equal({j["name"] for j in status["jails"]}, {"waits", "knock"})
    s.equal([j["name"] for j in status["left_out"]], ["skipped"])
    with open(late, "w", encoding="ascii"):
        os.chmod(late, 0o644)
    knock(s, late, "198.51.100.2")
    wait_banned(s, "waits", "198.51.100.2")
    text = "".join(journal_entry(i, "198.51.100.3") for i in range(2))
    made = os.path.join(s.dir, "made.journal")
    subprocess.run([REMOTE, f"--output={made}", "-"], input=text.encode(), check=True,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    os.chmod(made, 0o640)
    os.rename(made, os.path.join(folder, "a.journal"))
    wait_banned(s, "knock", "198.51.100.3")
    daemon.stop()


def ignored(s, log):
    s.step("ignoreip: a name, a file that changes, a netmask")
    resolv, listed = os.path.join(s.dir, "resolv.conf"), os.path.join(s.dir, "friends")
    for path, text in ((resolv, "nameserver 127.0.0.1\n"), (listed, "# friends\n203.0.113.7\n")):
        with open(path, "w", encoding="ascii") as f:
            f.write(text)
        os.chmod(path, 0o600 if path == listed else 0o644)
    nameserver.ANSWERS["office.example.test"] = (["203.0.113.5"], ["2001:db8:1000::5"])
    server = nameserver.NameServer(s)
    words = f"office.example.test file:{listed} 203.0.113.64/255.255.255.192"
    s.config("jail.conf", jail("knock", log, f"ignoreip = {words}"))
    # Written while nobody looked: decided only when the name and the file are known.
    for source in ("203.0.113.5", "203.0.113.7", "203.0.113.65"):
        knock(s, log, source)
    knock(s, log, "203.0.113.1")
    daemon = s.bandogd(mounts={"/etc/resolv.conf": resolv})
    wait_banned(s, "knock", "203.0.113.1")
    s.equal([b["ip"] for b in s.bandog_json("banned")["bans"] if b["ip"].startswith("203")],
            ["203.0.113.1"])
    s.check(server.asked, "the name server was asked")

    s.step("a list that is replaced counts anew, one that goes away still counts")
    with open(listed + ".new", "w", encoding="ascii") as f:
        f.write("203.0.113.8, nonsense\n")
    os.rename(listed + ".new", listed)
    s.wait_for(lambda: "first in line 1" in daemon.output(), 5, "the new list")
    knock(s, log, "203.0.113.8")
    knock(s, log, "203.0.113.7")
    wait_banned(s, "knock", "203.0.113.7")
    os.unlink(listed)
    s.wait_for(lambda: "still counts" in daemon.output(), 5, "the list that went")
    knock(s, log, "203.0.113.8")
    knock(s, log, "203.0.113.9")
    wait_banned(s, "knock", "203.0.113.9")
    s.check("203.0.113.8" not in s.nft_set("knock-ipv4"), "the old list counts")

    s.step("a reload keeps what is known")
    s.config("jail.conf", jail("knock", log, f"ignoreip = {words} 192.0.2.99"))
    s.bandog("reload")
    knock(s, log, "203.0.113.5")
    knock(s, log, "203.0.113.10")
    wait_banned(s, "knock", "203.0.113.10")
    s.check("203.0.113.5" not in s.nft_set("knock-ipv4"), "the name counts")
    daemon.stop()


def encodings(s):
    s.step("logencoding: what is written in another encoding is read")
    s.config("filter.d/names.conf", r"""[Definition]
failregex = ^\s*\S+ knock\[\d+\]: user "\S+ \u00c5berg" refused <ADDR>$
""")
    text, logs = "", {}
    for name in ("latin-1", "utf-16", "utf_16_be"):
        logs[name] = s.log(f"{name}.log")
        text += jail(name.replace("_", "-"), logs[name], f"logencoding = {name}").replace(
            "filter = knock", "filter = names")
    s.config("jail.conf", text + jail("klingon", logs["latin-1"], "logencoding = klingon"))
    daemon = s.bandogd()
    s.equal([j["name"] for j in s.bandog_json("status")["left_out"]], ["klingon"])
    stamp = time.strftime("%b %d %H:%M:%S ")
    for name, log in logs.items():
        # U+010A is a letter with the byte of a line end in it.
        odd = "x" if name == "latin-1" else "\u010a"
        line = f'{stamp}mx knock[1]: user "{odd} \u00c5berg" refused 198.51.100.60\r\n'
        data = (line * 2).encode(name if name != "utf-16" else "utf-16-le")
        with open(log, "ab", buffering=0) as f:
            f.write(data[:51])
            time.sleep(0.05)
            f.write(data[51:])
        wait_banned(s, name.replace("_", "-"), "198.51.100.60")
    daemon.stop()


def scenario(s):
    log = s.log("knock.log")
    a_wrong_jail(s, log)
    no_logs(s)
    ignored(s, log)
    encodings(s)


harness.main(scenario)
