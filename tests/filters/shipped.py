# SPDX-License-Identifier: GPL-2.0-or-later
"""A shipped filter, read as an administrator reads it: which regex belongs to which rule."""

import os
import re
import shutil
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ETC = os.path.join(HERE, "..", "..", "etc")
NOW = "2026-11-24 12:00:00"
PLAIN = "failregex"  # what stands for the name of a rule where there is none


def run(command):
    r = subprocess.run(command, capture_output=True, text=True, errors="replace")
    if r.returncode not in (0, 1) or (r.returncode and not r.stdout):
        sys.exit(f"{' '.join(command)}: exit code {r.returncode}\n{r.stderr}")
    return r.stdout


class Rule:
    def __init__(self, name, options, modes):
        self.name = name
        self.regexes = options["regex"].splitlines()
        self.cls = options.get("class", "abuse")
        self.weight = float(options.get("weight", "1"))
        self.distinct, self.free = options.get("distinct"), options.get("free")
        self.via = options.get("via")
        self.modes = modes  # None: all

    def shown_weight(self):
        """As docs/mail.md has it."""
        return (f"{self.weight:g}" + (f" each {self.distinct}" if self.distinct else "")
                + (f" beyond {self.free}" if self.free else ""))


def sections(text):
    """section -> option -> value, its lines without the indentation"""
    found, options, last = {}, None, None
    for line in text.splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("["):
            options = found.setdefault(line.strip("[] "), {})
        elif line[0].isspace():
            options[last] = (options[last] + "\n" + line.strip()).lstrip("\n")
        else:
            last, value = (x.strip() for x in line.split("=", 1))
            options[last] = value
    return found


class Filter:
    def __init__(self, name):
        self.name = name
        with open(os.path.join(ETC, "filter.d", name + ".conf"), encoding="utf-8") as f:
            self.text = f.read()
        found = sections(self.text)
        self.definition = found["Definition"]
        self.rules = []
        for title, options in found.items():
            if title.startswith("Rule "):
                modes = self.resolve(options["mode"]).split() if "mode" in options else None
                self.rules.append(Rule(title[5:], options, modes))

    def resolve(self, value):
        while "%(" in value:
            value = re.sub(r"%\(([\w-]+)\)s", lambda m: self.definition[m[1]], value)
        return value

    def plain(self, mode):
        """The failregexes of that mode, with references left in."""
        out = []
        for line in self.definition.get("mdre-" + mode, "").splitlines():
            other = re.fullmatch(r"%\(mdre-([\w-]+)\)s", line)
            out += self.plain(other[1]) if other else [line] if line else []
        return out

    def rules_of(self, mode):
        return [r for r in self.rules if r.modes is None or mode in r.modes]

    def index(self, mode):
        """(rule, regex) of each regex, in the order in which they are tried."""
        return [(PLAIN, x) for x in self.plain(mode)] + [
            (r.name, x) for r in self.rules_of(mode) for x in r.regexes]

    def flatten(self, mode, folder):
        """The same as a filter of plain failregexes, for who knows no [Rule]s: no weights,
        and nothing of what is known by a queue id."""
        regexes = self.plain(mode) + [x for r in self.rules_of(mode) if not r.via
                                      for x in r.regexes]
        text = self.text.split("\n[Rule ")[0]
        option = "failregex = " + "\n            ".join(regexes)
        text = re.sub(r"^failregex = .*$", lambda m: option, text, flags=re.M)
        where = os.path.join(folder, "filter.d")
        os.makedirs(where, exist_ok=True)
        shutil.copy(os.path.join(ETC, "filter.d", "common.conf"), where)
        with open(os.path.join(where, self.name + ".conf"), "w", encoding="utf-8") as f:
            f.write(text)
