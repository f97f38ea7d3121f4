# SPDX-License-Identifier: GPL-2.0-or-later
"""How a scenario ends, and what it says on the way."""

import os

EXIT_SKIPPED = 77


class Failure(Exception):
    """The scenario did not turn out as it should."""


class Skip(Exception):
    """The scenario cannot be run here."""


def say(text):
    print(text, flush=True)


def tail(path, n_lines=25):
    try:
        with open(path, encoding="utf-8", errors="backslashreplace") as f:
            lines = f.read().splitlines()[-n_lines:]
    except OSError:
        return ""
    return "".join(f"\n    {os.path.basename(path)}: {line}" for line in lines)
