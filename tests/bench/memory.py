# SPDX-License-Identifier: GPL-2.0-or-later
"""PSS of all roles together with one jail, and what each tracked address adds.

What one address adds is the growth between two large numbers of them, each with one failure:
the lines that are kept for `bandog why` have their bound, which the first number reaches.
"""

import json
import re
import shutil
import statistics
import subprocess
import time

from common import BUILD, family, pss_by_role, start_bandogd, wait_for
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


def _one_round(b, steps):
    """KiB of each role after each step."""
    log = b.write("memory.log", "")
    b.write("memory/filter.d/bench.conf", FILTER)
    b.write("memory/jail.conf", JAIL.format(log=log, maxretry=3, more=""))
    shutil.rmtree(f"{b.dir}/state", ignore_errors=True)  # what was tracked before
    child = start_bandogd(b, "memory")
    result, written = [], 0
    for count in steps:
        _append(log, written, count)
        _wait_tracked(b, count)
        written = count
        result.append(pss_by_role(family(child)))
    b.stop(child)
    return result


def measure(b):
    b.need_namespace()
    steps = (0, 1, 20_000, 60_000) if b.quick else (0, 1, 200_000, 600_000)
    rounds = [_one_round(b, steps) for _ in range(1 if b.quick else 5)]

    def medians(of):
        return [statistics.median(of(r[i]) for r in rounds) for i in range(len(steps))]
    kib = medians(lambda roles: sum(roles.values()))
    grown = [sum(r[-1].values()) - sum(r[-2].values()) for r in rounds]
    return {"tracked": steps, "kib": kib, "rounds": len(rounds),
            "by_role_kib": {role: medians(lambda roles, role=role: roles[role])
                            for role in rounds[0][0]},
            "bytes_per_address": statistics.median(grown) * 1024 / (steps[-1] - steps[-2]),
            "table_bytes": _of_table(100_000 if b.quick else 1_000_000)}


def goals(r):
    after = list(zip(r["tracked"], r["kib"]))
    return [Goal("memory of all roles, one jail", r["kib"][1] / 1024, "MiB", most=BASE_MIB),
            Goal("memory for each tracked address more", r["bytes_per_address"], "bytes",
                 most=PER_ADDRESS),
            *(Goal(f"memory with {n:,} tracked addresses", kib / 1024, "MiB",
                   most=BASE_MIB + n * PER_ADDRESS / 2**20) for n, kib in after[2:])]


def tables(r):
    rows = [[role, *(number(kib / 1024) for kib in values)]
            for role, values in r["by_role_kib"].items()]
    rows.append(["all", *(number(kib / 1024) for kib in r["kib"])])
    alone = ", ".join(f"{x} bytes with {n:,}" for n, x in r["table_bytes"].items())
    note = (f"From {r['tracked'][-2]:,} to {r['tracked'][-1]:,} each address adds "
            f"{number(r['bytes_per_address'])} bytes. The table alone: {alone}.")
    return [Table(f"memory, MiB (PSS), one jail, by addresses with one failure each, medians of "
                  f"{r['rounds']}",
                  ["", *(f"{n:,}" for n in r["tracked"])], rows, note)]
