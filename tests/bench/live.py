# SPDX-License-Identifier: GPL-2.0-or-later
"""What the daemon takes while logs are written, and while nothing happens.

50 logs, two jails for each. Lines are written one at a time, to one log after the other, so
that hardly two are found together: the dearest way to get them.
"""

import json
import subprocess
import time

import logs
import scan
from common import BUILD, OTHER_CPUS, cpu_sec, family, start_bandogd, wait_for
from report import Table, number

LOGS = 50
PER_SECOND = 10_000
SECONDS = 10
FAILING = 0.01
TICK_SEC = 0.001


def switches(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status", encoding="ascii") as f:
            total += sum(int(line.split()[1]) for line in f if "ctxt_switches" in line)
    return total


def _configure(b):
    scan.configure(b, "live", ["postfix", "sshd"])
    paths = [b.write(f"live-logs/{i}.log", "") for i in range(LOGS)]
    b.write("live/jail.conf", "".join(
        f"[{f}-{i}]\nenabled = true\nfilter = {f}[mode=aggressive]\nlogpath = {path}\n"
        "backend = auto\nmaxretry = 5\nusedns = no\nignoreself = false\nport = 25\n"
        for i, path in enumerate(paths) for f in ("postfix", "sshd")))
    return paths


def _write_all(paths, count):
    """@count lines, PER_SECOND of them a second. Return: the seconds that it took."""
    lines = logs.messages("mixed", count, failing=FAILING)
    files = [open(path, "ab", buffering=0) for path in paths]
    begin, done = time.monotonic(), 0
    while done < count:
        due = min(count, int((time.monotonic() - begin) * PER_SECOND))
        stamp = time.strftime("%b %e %H:%M:%S mx ")
        for i in range(done, due):
            files[i % LOGS].write(f"{stamp}{next(lines)}\n".encode())
        done = due
        time.sleep(TICK_SEC)
    for f in files:
        f.close()
    return time.monotonic() - begin


def _spent(pids, work):
    cpu, switched, begin = cpu_sec(pids), switches(pids), time.monotonic()
    work()
    return {"seconds": time.monotonic() - begin, "cpu_sec": cpu_sec(pids) - cpu,
            "switches": switches(pids) - switched}


def _lines_read(b):
    out = subprocess.run([f"{BUILD}/bandog", "status", "--json", "--run-dir", f"{b.dir}/run"],
                         check=True, stdout=subprocess.PIPE, text=True)
    return sum(jail["lines"] for jail in json.loads(out.stdout)["jails"])


def measure(b):
    b.need_namespace()
    seconds = 3 if b.quick else SECONDS
    paths = _configure(b)
    child = start_bandogd(b, "live", ["taskset", "-c", OTHER_CPUS])
    pids = family(child)
    count = PER_SECOND * seconds
    _write_all(paths, PER_SECOND)  # regexes are made into machine code with the first lines
    time.sleep(1)

    def work():
        _write_all(paths, count)
        wait_for(lambda: _lines_read(b) >= 2 * (count + PER_SECOND), 60, "lines to be read")
    busy = _spent(pids, work)
    time.sleep(2)
    idle = _spent(pids, lambda: time.sleep(seconds))
    b.stop(child)
    return {"logs": LOGS, "jails": 2 * LOGS, "lines": count, "roles": len(pids),
            "busy": busy, "idle": idle}


def goals(_):
    return []


def tables(r):
    rows = [[words, number(x["seconds"]), number(100 * x["cpu_sec"] / x["seconds"]) + " %",
             number(x["switches"] / x["seconds"])]
            for words, x in ((f"{PER_SECOND:,} lines a second", r["busy"]),
                             ("no lines", r["idle"]))]
    busy = r["busy"]
    return [Table(f"live, {r['logs']} logs, {r['jails']} jails, all {r['roles']} processes",
                  ["", "seconds", "of one CPU", "context switches a second"], rows,
                  f"{number(busy['cpu_sec'] / r['lines'] * 1e6)} us of processor time a line.")]
