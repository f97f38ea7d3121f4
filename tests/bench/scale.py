# SPDX-License-Identifier: GPL-2.0-or-later
"""Bans by the thousand and by the million: a burst, a restart, lifting all of them at once.

Beside bare programs that put as many addresses into a set of the kernel: `nft -f` and
`ipset restore`, without a log, a decision or a memory; and Debian's fail2ban, as far as it can.
"""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess
import time

from common import BUILD, FAIL2BAN, answers, start_bandogd, wait_for
from element import Elements
from latency import FILTER, JAIL
from report import Goal, Table, number

SIZES = (1_000, 10_000, 100_000, 1_000_000)
PEER_MAX = 1_000  # bans of fail2ban: two programs each
SETS = ("bench-ipv4", "bench-many4", "bench-ipv6", "bench-many6")
PATIENCE = 300
ALONE = "tests/bench/bench_nft"


def address(i):
    """Seven of ten are IPv4."""
    if i % 10 < 7:
        return f"{20 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.1"
    return f"2001:db8:{i >> 16:x}:{i & 0xffff:x}::1"


def _line(i):
    return (f"{time.strftime('%b %e %H:%M:%S')} mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from "
            f"unknown[{address(i)}]: 554 5.7.1 <x>: no\n")


class Kernel:
    def __init__(self, b):
        self.elements = Elements(b.namespace)

    def has(self, who):
        return any(self.elements.has(name, who) for name in SETS
                   if name.endswith("6") == (":" in who))

    def wait(self, who, yes=True):
        wait_for(lambda: all(self.has(w) == yes for w in who), PATIENCE,
                 f"{who} in the kernel: {yes}", pause=0.002)


def _last(count):
    """Of each family those that are told last, in whatever order."""
    return [address(i) for i in range(count - 20, count)] + [address(i) for i in range(20)]


def _stored(b):
    """Bans that a restart would find."""
    with contextlib.closing(sqlite3.connect(f"file:{b.dir}/state/bandog.db?mode=ro",
                                            uri=True)) as db:
        return db.execute("SELECT count(*) FROM bans").fetchone()[0]


def _bandog(b, count):
    log = b.write("scale.log", "")
    b.write("scale/filter.d/bench.conf", FILTER)
    b.write("scale/bandog.conf", "[Definition]\nmaxbanrate = 10000000\n")
    b.write("scale/jail.conf", JAIL.format(log=log, maxretry=1, more="bantime = 1d\n")
            .replace("bantime = 600\n", ""))
    shutil.rmtree(f"{b.dir}/state", ignore_errors=True)
    kernel, result = Kernel(b), {"count": count}
    lines = "".join(_line(i) for i in range(count))
    child = start_bandogd(b, "scale")
    begin = time.monotonic()
    with open(log, "a", encoding="ascii") as f:
        f.write(lines)
    kernel.wait(_last(count))
    result["burst"] = time.monotonic() - begin
    wait_for(lambda: _stored(b) >= count, PATIENCE, "the store", pause=0.1)
    result["stored"] = time.monotonic() - begin
    b.stop(child)
    wait_for(lambda: not kernel.has(address(0)), 20, "a clean stop")
    begin = time.monotonic()
    child = b.start([f"{BUILD}/bandogd", "--foreground", "--config-dir", f"{b.dir}/scale",
                     "--state-dir", f"{b.dir}/state", "--run-dir", f"{b.dir}/run"])
    wait_for(lambda: kernel.has(address(0)), PATIENCE, "the first ban", pause=0.002)
    kernel.wait(_last(count))
    result["restored"] = time.monotonic() - begin
    wait_for(lambda: answers(b), 20, "bandogd")
    begin = time.monotonic()
    asked = subprocess.Popen([f"{BUILD}/bandog", "unban", "--all", "--run-dir", f"{b.dir}/run"],
                             stdout=subprocess.DEVNULL)
    kernel.wait(_last(count), False)
    result["lifted"] = time.monotonic() - begin
    asked.wait()
    b.stop(child)
    kernel.elements.close()
    return result


def _timed(b, words, **more):
    begin = time.monotonic()
    b.inside(words, **more)
    return time.monotonic() - begin


def _nft(b, count):
    """Two sets as ours, counters too, from a file."""
    families = (("4", "ipv4_addr", [address(i) for i in range(count) if i % 10 < 7]),
                ("6", "ipv6_addr", [address(i) for i in range(count) if i % 10 >= 7]))
    path = b.write("scale.nft", "add table inet peer\n" + "".join(
        f"add set inet peer s{n} {{ type {kind}; flags timeout; counter; }}\n"
        f"add element inet peer s{n} {{ {', '.join(f'{a} timeout 1d' for a in who)} }}\n"
        for n, kind, who in families))
    seconds = _timed(b, ["nft", "-f", path])
    b.inside(["nft", "delete", "table", "inet", "peer"])
    return seconds


def _ipset(b, count):
    if not shutil.which("ipset"):
        return None
    families = ((4, "inet", lambda i: i % 10 < 7), (6, "inet6", lambda i: i % 10 >= 7))
    path = b.write("scale.ipset", "".join(
        f"create peer{n} hash:ip family {family} timeout 86400 maxelem {2 * SIZES[-1]} counters\n"
        + "".join(f"add peer{n} {address(i)}\n" for i in range(count) if is_in(i))
        for n, family, is_in in families))
    with open(path, encoding="ascii") as f:
        try:
            seconds = _timed(b, ["ipset", "restore"], stdin=f, stderr=subprocess.DEVNULL)
        except subprocess.CalledProcessError:
            return None  # no such module in this kernel
    b.inside(["ipset", "destroy"])
    return seconds


def _fail2ban(b, count):
    if not os.access(FAIL2BAN, os.X_OK):
        return None
    log = b.write("fail2ban-scale.log", "")
    for folder in ("filter.d", "action.d"):
        shutil.copytree(f"/etc/fail2ban/{folder}", f"{b.dir}/f2b-scale/{folder}",
                        dirs_exist_ok=True)
    b.write("f2b-scale/filter.d/bench.conf", FILTER)
    b.write("f2b-scale/fail2ban.conf",
            f"[Definition]\nloglevel = ERROR\nlogtarget = {b.dir}/f2b.out\n"
            f"socket = {b.dir}/f2b.sock\npidfile = {b.dir}/f2b.pid\ndbfile = {b.dir}/f2b.db\n")
    action = 'action = nftables[type=multiport, name=bench, port="25", protocol=tcp]'
    b.write("f2b-scale/jail.conf", JAIL.format(log=log, maxretry=1, more=action))
    elements = Elements(b.namespace, "f2b-table")

    def start():
        return b.start([FAIL2BAN, "-c", f"{b.dir}/f2b-scale", "-xf", "start"])

    def wait_last():
        wait_for(lambda: all(elements.has("addr-set-bench", address(i)) or
                             elements.has("addr6-set-bench", address(i))
                             for i in range(count - 20, count)), PATIENCE, "fail2ban's bans")
    child = start()
    wait_for(lambda: subprocess.run(
        ["fail2ban-client", "-s", f"{b.dir}/f2b.sock", "ping"], check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0, 30, "fail2ban")
    begin, lines = time.monotonic(), "".join(_line(i) for i in range(count))
    with open(log, "a", encoding="ascii") as f:
        f.write(lines)
    wait_last()
    result = {"burst": time.monotonic() - begin}
    b.stop(child)
    begin = time.monotonic()
    child = start()
    wait_last()
    result["restored"] = time.monotonic() - begin
    b.stop(child)
    elements.close()
    return result


def _at_the_socket(count):
    """Microseconds for one more ban beside so many, and for taking one away."""
    subprocess.run(["ninja", "-C", BUILD, "--quiet", ALONE], check=True, stdout=subprocess.DEVNULL)
    out = subprocess.run([f"{BUILD}/{ALONE}", str(count)], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    found = re.search(r"add one beside them +p50 +([\d.]+) us +p99 +([\d.]+) us", out)
    return {"p50": float(found[1]), "p99": float(found[2])}


def measure(b):
    b.need_namespace()
    sizes = SIZES[:3] if b.quick else SIZES
    rows = []
    for count in sizes:
        row = _bandog(b, count)
        row["nft"], row["ipset"] = _nft(b, count), _ipset(b, count)
        row["one"] = _at_the_socket(count)
        rows.append(row)
    return {"rows": rows, "fail2ban": _fail2ban(b, PEER_MAX)}


def goals(r):
    top = r["rows"][-1]
    if top["count"] < SIZES[-1]:
        return []
    return [Goal("a million bans restored at the start", top["restored"], "s", most=3),
            Goal("a million bans lifted at once", top["lifted"], "s", most=2),
            Goal("one more ban beside a million, p50", top["one"]["p50"], "us", most=10),
            Goal("one more ban beside a million, p99", top["one"]["p99"], "us", most=20)]


def tables(r):
    rows = [[f"{x['count']:,}", *(number(x[k]) for k in
             ("restored", "burst", "stored", "lifted", "nft", "ipset")),
             number(x["one"]["p50"]), number(x["one"]["p99"])] for x in r["rows"]]
    note, peer = "", r["fail2ban"]
    if peer:
        ours = next(x for x in r["rows"] if x["count"] == PEER_MAX)
        note = (f"fail2ban, {PEER_MAX:,} bans: restored in {number(peer['restored'])} s "
                f"({number(peer['restored'] / ours['restored'])} times as long), a burst in "
                f"{number(peer['burst'])} s ({number(peer['burst'] / ours['burst'])} times).")
    return [Table("bans, seconds", ["", "restored", "a burst", "stored", "lifted", "nft -f",
                                    "ipset restore", "one more, p50 us", "p99 us"], rows, note)]
