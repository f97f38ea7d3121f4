#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# Logs are rotated in all the ways there are: no line is lost, none is counted twice.
# asan: yes
import contextlib
import os
import shutil
import threading
import time

import harness
from counted import FILTER, MAXRETRY, Case, keep_open, line, recreate, status, write

CAP = 16384  # longest line that is read whole


def rename(case):
    """By renaming, while the writer goes on for a while in the old file. Twice in a row."""
    case.write(5)
    writers = [keep_open(case.path)]
    for n in (1, 2):
        if n == 2:
            os.rename(case.path + ".1", case.path + ".2")
        os.rename(case.path, case.path + ".1")
        case.write(2, writers[-1])
        recreate(case.path)
        writers.append(keep_open(case.path))
        for writer in writers * 2:
            case.write(1, writer)
        if case.is_polled:
            case.wait()  # who looks every second does not see what comes and goes in one
    case.wait()
    for writer in writers:
        case.write(1, writer)
        writer.close()


def copytruncate(case):
    """By copying and cutting, to a shorter file and to one that soon is longer."""
    for n in (4, 20):
        case.write(5)
        case.wait()
        shutil.copy(case.path, case.path + ".1")
        os.truncate(case.path, 0)
        case.write(n)


def delete(case):
    """By deletion; the writer notices late."""
    with keep_open(case.path) as old:
        case.write(3, old)
        os.unlink(case.path)
        case.write(3, old)
        case.wait()
        case.write(1, old)
        recreate(case.path)
        case.write(4)
        case.write(1, old)


def later(case):
    """The log comes later, and its directory too."""
    os.makedirs(os.path.dirname(case.path), exist_ok=True)
    case.write(4)
    case.wait()
    shutil.rmtree(os.path.dirname(case.path))
    time.sleep(0.2)
    os.makedirs(os.path.dirname(case.path))
    case.write(3)


def glob(case):
    """A pattern gets new files: made there, moved there; and others do not count."""
    folder = os.path.dirname(case.path)
    case.write(2)
    case.write(3, f"{folder}/b.log")
    case.write(2, f"{folder}/c.part")
    os.rename(f"{folder}/c.part", f"{folder}/c.log")
    write(f"{folder}/d.txt", line(case.far, 0) + "\n")
    case.wait()
    case.write(1, f"{folder}/b.log")
    case.write(1, f"{folder}/c.log")


def wide_glob(case):
    """A pattern that fits rotated logs as well: app.log*."""
    case.write(4)
    case.wait()
    with keep_open(case.path) as old:
        os.rename(case.path, case.path + ".1")
        recreate(case.path)
        case.write(3)
        case.write(2, old)
    case.wait()
    os.rename(case.path + ".1", case.path + ".2")
    os.rename(case.path, case.path + ".1")
    case.write(2)


def symlink(case):
    """The path is a link that is set to the next file."""
    folder = os.path.dirname(case.path)
    for name in ("first", "second"):
        write(f"{folder}/{name}", "")
        os.symlink(name, f"{folder}/next")
        os.rename(f"{folder}/next", case.path)
        case.write(3)
        case.wait()
    case.write(1, f"{folder}/first")
    case.write(1)


def partial(case):
    """A line is written in pieces, and a rotation comes in between."""
    text = case.text(2)
    for i in range(0, len(text), 37):
        write(case.path, text[i:i + 37])
        time.sleep(0.02)
    text = case.text(2)
    with keep_open(case.path) as old:
        write(old, text[:-30])
        time.sleep(0.2)
        os.rename(case.path, case.path + ".1")
        recreate(case.path)
        case.write(2)
        case.s.equal(case.seen()[case.near] == case.wanted[case.near], False)
        write(old, text[-30:])


def odd_bytes(case):
    """Endless lines, NUL, broken UTF-8, CR LF: they do not hurt their neighbours."""
    def both(before, after):
        for address in (case.far, case.near):
            number = case.count(address)
            if number is not None:
                text = line(address, number)
                head, tail = text.split("app:")
                write(case.path, head.encode() + before + b"app:" + tail.encode() + after)

    case.write(1)
    both(b"", b" " + b"x" * 2 * CAP + b"\n")
    # What lies behind the cap is no line of its own.
    both(b"", b" " + b"x" * CAP + line(case.near, 0).encode() + b"\n")
    write(case.path, b"y" * 1000000 + b"\n")
    write(case.path, b"z" * CAP + line(case.near, 0).encode() + b"\n")
    case.write(1)
    both(b"a\0b ", b"\n")
    both(b"", b" \0\0\n")
    both(b"\xff\xfe \xc3( \xed\xa0\x80 ", b"\n")
    both(b"", b" \xf0\x9f\n")
    both(b"", b"\r\n")
    write(case.path, b"\0" * 70000 + b"\n\r\n\n\xff\n")
    write(case.path, case.text(2, "\r\n"))


LIVE = [rename, copytruncate, delete, later, glob, wide_glob, symlink, partial, odd_bytes]
POLLED = [rename, copytruncate, delete, later, glob, partial]


def live_cases(s):
    cases = []
    for stories, backend in ((LIVE, "auto"), (POLLED, "polling")):
        for story in stories:
            name = story.__name__.replace("_", "-") + ("-polled" if backend != "auto" else "")
            path = f"{s.dir}/{name}/app.log"
            if story is not later:
                os.mkdir(f"{s.dir}/{name}")
            if story not in (later, symlink):
                s.log(f"{name}/app.log")
            glob_text = {glob: f"{s.dir}/{name}/*.log", wide_glob: path + "*"}.get(story)
            cases.append((story, Case(s, name, path, glob_text, backend)))
    return cases


def while_it_looks(s, cases):
    for story, case in cases:
        s.step(f"{case.name}: {story.__doc__}")
        story(case)
        case.wait()
    s.step("every line was counted once: by address, and in the counters")
    time.sleep(1.5)  # what is counted twice may come late
    for _, case in cases:
        case.check()
        facts = status(s, case.name)
        s.equal(facts["failed_total"], sum(case.wanted.values()), case.name)


def away_rename(case):
    """renamed, once"""
    case.write(3)
    os.rename(case.path, case.path + ".1")
    case.write(3)


def away_thrice(case):
    """renamed three times; lines stand in four files"""
    for n in (1, 2, 3):
        case.write(2)
        for i in range(n, 1, -1):
            os.rename(f"{case.path}.{i - 1}", f"{case.path}.{i}")
        os.rename(case.path, case.path + ".1")
        case.write(1)


def away_dated(case):
    """renamed to dates, twice"""
    for day in (24, 25):
        case.write(2)
        os.rename(case.path, f"{case.path}-202611{day}")
        case.write(1)


def away_copied(case):
    """copied and cut"""
    case.write(3)
    shutil.copy(case.path, case.path + ".1")
    os.truncate(case.path, 0)
    case.write(4)


def away_deleted(case):
    """deleted after its last line was read; a new one came"""
    os.unlink(case.path)
    case.write(4)


def away_gone(case):
    """renamed, and the new one comes after the start"""
    case.write(2)
    os.rename(case.path, case.path + ".1")


def away_partial(case):
    """stopped within a line"""
    write(case.path, case.tail)
    case.write(1)


AWAY = [away_rename, away_thrice, away_dated, away_copied, away_deleted, away_gone,
        away_partial]


def away_cases(s):
    cases = []
    for story in AWAY:
        for backend in ("auto", "polling"):
            name = story.__name__.replace("_", "-") + ("-polled" if backend != "auto" else "")
            cases.append((story, Case(s, name, backend=backend)))
    return cases


def while_it_is_away(s, cases, daemon):
    for ending in ("a stop", "kill -9", "a stop, again"):
        s.step(f"after {ending}: rotated while nobody looked")
        for story, case in cases:
            for name in os.listdir(os.path.dirname(case.path)):
                if name != "app.log":
                    os.unlink(os.path.join(os.path.dirname(case.path), name))
            case.write(3)
            if story is away_partial:
                text = case.text(2)
                write(case.path, text[:-25])
                case.tail = text[-25:]
                case.wanted[case.near] -= 1  # that one is not complete yet
            case.wait()
            if story is away_partial:
                case.wanted[case.near] += 1
        if "stop" in ending:
            daemon.stop()
        else:
            time.sleep(0.3)  # checkpoints are taken every 100 ms
            daemon.kill()
            s.wait_for(lambda: not daemon.processes(), 2, "the end of all roles")
        for story, case in cases:
            story(case)
        daemon = s.bandogd()
        for story, case in cases:
            s.step(f"{case.name}: {story.__doc__}")
            if story is away_gone:
                case.write(2)
            case.wait()
    return daemon


def restarts(s, cases, daemon):
    s.step("restarts without any rotation count nothing again")
    for _ in range(2):
        daemon.stop()
        daemon = s.bandogd()
    time.sleep(1.5)
    for _, case in cases:
        case.check()
    return daemon


@contextlib.contextmanager
def busy_neighbour(s):
    """Files come and go all the time in a directory above the logs: polled ones must not starve."""
    over = threading.Event()

    def work():
        while not over.wait(0.05):
            path = os.path.join(s.dir, "neighbour")
            recreate(path)
            os.unlink(path)

    worker = threading.Thread(target=work, daemon=True)
    worker.start()
    try:
        yield
    finally:
        over.set()
        worker.join()


def scenario(s):
    s.config("filter.d/fail.conf", FILTER)
    live, away = live_cases(s), away_cases(s)
    s.config("jail.local", "".join(case.jail() for _, case in live + away))
    daemon = s.bandogd()
    with busy_neighbour(s):
        while_it_looks(s, live)
    daemon = while_it_is_away(s, away, daemon)
    daemon = restarts(s, live + away, daemon)
    s.step(f"{MAXRETRY} failures ban, {MAXRETRY - 1} do not")
    for _, case in live + away:
        case.finish()
    daemon.stop()


harness.main(scenario)
