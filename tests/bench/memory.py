# SPDX-License-Identifier: GPL-2.0-or-later
"""PSS of all roles together with one jail, and what each tracked address adds.

What one address adds is the growth between two large numbers of them, each with one failure:
the lines that are kept for `bandog why` have their bound, which the first number reaches.
"""

import json
import re
import subprocess
import time

from common import BUILD, family, pss_kib, start_bandogd, wait_for
from latency import FILTER, JAIL
from report import Goal, Table, number

BASE_MIB = 16
PER_ADDRESS = 60  # bytes
ALONE = "tests/unit/decide/bench_decide"


def _append(log, first, last):
    stamp = time.strftime("%b %e %H:%M:%S")
    with open(log, "a", encoding="ascii") as f:
        for i in range(first, last):
            f.write(f"{stamp} mx postfix/smtpd[1]: NOQUEUE: reject: RCPT from unknown"
                    f"[{20 + (i >> 16)}.{i >> 8 & 255}.{i & 255}.1]: 554 5.7.1 <x>: no\n")


def _wait_tracked(b, count):
    def tracked():
        out = subprocess.run([f"{BUILD}/bandog", "status", "--json", "--run-dir",
                              f"{b.dir}/run"], check=False, stdout=subprocess.PIPE, text=True)
        return out.returncode == 0 and json.loads(out.stdout)["tracked"] >= count
    wait_for(tracked, 120, f"{count} addresses to be tracked")
    time.sleep(2)


def _of_table(count):
    """Bytes an address takes in the engine's table alone."""
    subprocess.run(["ninja", "-C", BUILD, "--quiet", ALONE], check=True,
                   stdout=subprocess.DEVNULL)
    out = subprocess.run([f"{BUILD}/{ALONE}", str(count)], check=True, text=True,
                         stdout=subprocess.PIPE).stdout
    return {int(n): float(x) for n, x in re.findall(
        r"one failure each +(\d+) addresses:.* ([\d.]+) bytes/address", out)}


def measure(b):
    b.need_namespace()
    steps = (20_000, 60_000) if b.quick else (200_000, 600_000)
    log = b.write("memory.log", "")
    b.write("memory/filter.d/bench.conf", FILTER)
    b.write("memory/jail.conf", JAIL.format(log=log, maxretry=3, more=""))
    child = start_bandogd(b, "memory")
    pids = family(child)
    result = {"roles": len(pids), "start_kib": pss_kib(pids), "tracked": [], "tracked_kib": []}
    written = 0
    for count in (1, *steps):
        _append(log, written, count)
        _wait_tracked(b, count)
        written = count
        result["tracked"].append(count)
        result["tracked_kib"].append(pss_kib(pids))
    b.stop(child)
    kib, n = result["tracked_kib"], result["tracked"]
    result["bytes_per_address"] = (kib[2] - kib[1]) * 1024 / (n[2] - n[1])
    result["table_bytes"] = _of_table(100_000 if b.quick else 1_000_000)
    return result


def goals(r):
    first = r["tracked_kib"][0] / 1024
    return [Goal("memory of all roles, one jail", first, "MiB", most=BASE_MIB),
            Goal("memory for each tracked address more", r["bytes_per_address"], "bytes",
                 most=PER_ADDRESS),
            *(Goal(f"memory with {n:,} tracked addresses", kib / 1024, "MiB",
                   most=BASE_MIB + n * PER_ADDRESS / 2**20)
              for n, kib in list(zip(r["tracked"], r["tracked_kib"]))[1:])]


def tables(r):
    rows = [["after the start", number(r["start_kib"] / 1024), ""]]
    rows += [[f"{n:,} tracked", number(kib / 1024),
              number((kib - r["tracked_kib"][0]) * 1024 / n) if n > 1 else ""]
             for n, kib in zip(r["tracked"], r["tracked_kib"])]
    alone = ", ".join(f"{x} bytes with {n:,}" for n, x in r["table_bytes"].items())
    note = (f"From {r['tracked'][1]:,} to {r['tracked'][2]:,} each address adds "
            f"{number(r['bytes_per_address'])} bytes. The table alone: {alone}.")
    return [Table(f"memory, PSS of all {r['roles']} processes together, one jail",
                  ["addresses with one failure", "MiB", "bytes for each, kept lines and all"],
                  rows, note)]
