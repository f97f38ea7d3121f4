# SPDX-License-Identifier: GPL-2.0-or-later
"""What the parts of tests/bench/run share: a folder, a namespace, the daemons."""

import glob
import os
import shutil
import statistics
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("BUILD", "build"))
FAIL2BAN = "/usr/bin/fail2ban-server"
FAIL2BAN_CONFIG = "/etc/fail2ban"
CPUS = sorted(os.sched_getaffinity(0))
ONE_CPU = CPUS[-1]  # interrupts are rather on the first
OTHER_CPUS = ",".join(str(c) for c in CPUS[:-1] or CPUS)


class Bench:
    def __init__(self, quick):
        self.quick = quick
        # Not in /tmp: the reader also looks at the folders above those of logs, and there
        # is more room for large ones.
        self.dir = tempfile.mkdtemp(prefix="bandog-bench-",
                                    dir=os.environ.get("TMPDIR", "/var/tmp"))
        os.chmod(self.dir, 0o755)
        self.namespace = f"bandog-bench-{os.getpid()}"
        self.has_namespace = False
        self.running = []

    def need_namespace(self):
        if not self.has_namespace:
            subprocess.run(["ip", "netns", "add", self.namespace], check=True)
            self.has_namespace = True
            self.inside(["ip", "link", "set", "lo", "up"])

    def inside(self, words, **more):
        return subprocess.run(["ip", "netns", "exec", self.namespace, *words], check=True,
                              text=True, **more)

    def start(self, words, output=subprocess.DEVNULL):
        child = subprocess.Popen(["ip", "netns", "exec", self.namespace, *words],
                                 stdout=output, stderr=output)
        self.running.append(child)
        return child

    def stop(self, child):
        child.terminate()
        child.wait(20)
        self.running.remove(child)

    def write(self, name, text):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        return path

    def close(self):
        for child in self.running[:]:
            child.kill()
            child.wait()
        if self.has_namespace:
            subprocess.run(["ip", "netns", "del", self.namespace], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


def wait_for(condition, seconds, what, pause=0.05):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise SystemExit(f"tests/bench/run: waited {seconds} s for {what}")
        time.sleep(pause)


def percentile(values, p):
    return sorted(values)[min(len(values) - 1, int(len(values) * p / 100))]


def answers(b):
    return subprocess.run(
        [f"{BUILD}/bandog", "ping", "--run-dir", f"{b.dir}/run"], check=False,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def start_bandogd(b, config, before=()):
    """@before: words that the command begins with, such as those of taskset."""
    child = b.start([*before, f"{BUILD}/bandogd", "--foreground",
                     "--config-dir", f"{b.dir}/{config}", "--state-dir", f"{b.dir}/state",
                     "--run-dir", f"{b.dir}/run"])
    wait_for(lambda: answers(b), 20, "bandogd")
    return child


def pss_by_role(pids):
    """KiB of each process, by the name of its role."""
    result = {}
    for pid in pids:
        with open(f"/proc/{pid}/cmdline", encoding="utf-8") as f:
            role = next((w[7:] for w in f.read().split("\0") if w.startswith("--role=")),
                        "supervisor")
        with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as f:
            result[role] = next(int(line.split()[1]) for line in f if line.startswith("Pss:"))
    return result


def pss_kib(pids):
    return sum(pss_by_role(pids).values())


def cpu_sec(pids):
    """Of all threads that still are; more exact than the ticks of /proc/PID/stat."""
    total = 0
    for pid in pids:
        for path in glob.glob(f"/proc/{pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as f:
                total += int(f.read().split()[0])
    return total / 1e9


def children(pid):
    with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as f:
        return [int(x) for x in f.read().split()]


def family(child):
    return [child.pid, *children(child.pid)]


class Timed:
    """Seconds of a shell command, pipelines and all, that has one CPU to itself."""

    def __init__(self, command):
        self.command = command
        self.wall, self.cpu = [], []

    def run(self):
        begin = time.monotonic()
        child = subprocess.Popen(
            ["taskset", "-c", str(ONE_CPU), "sh", "-c", self.command], stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env={**os.environ, "LC_ALL": "C"})
        words = child.stderr.read()
        _, status, usage = os.wait4(child.pid, 0)
        self.wall.append(time.monotonic() - begin)
        self.cpu.append(usage.ru_utime + usage.ru_stime)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode not in (0, 1) or (child.returncode and words):
            raise SystemExit(f"tests/bench/run: {self.command}: {words.decode()}")

    def medians(self):
        return statistics.median(self.wall), statistics.median(self.cpu)


def time_all(timed, rounds):
    """In turns, so that what else the machine does is in all of them."""
    for _ in range(rounds):
        for t in timed:
            t.run()
