# SPDX-License-Identifier: GPL-2.0-or-later
"""Filters that are made only to test [Rule]s, in rules/filter.d: who is told, by which rule,
and who shows rules, and how. In rules/NAME.want "ADDRESS RULE:MODE,MODE why" names the rule,
"-" a failregex."""

import json
import os
import subprocess

from shipped import HERE, NOW, run


def check_rules(program, check):
    """Filters with [Rule]s: who is told, and by which of them."""
    folder = os.path.join(HERE, "rules")
    for file in sorted(os.listdir(folder)):
        if not file.endswith(".want"):
            continue
        name = file[: -len(".want")]
        log = os.path.join(folder, name + ".log")
        with open(os.path.join(folder, file), encoding="utf-8") as f:
            text = f.read().splitlines()
        modes = text[0].split(":", 1)[1].split()
        for mode in modes:
            spec, seen, rules = f'{name}[mode="{mode}"]', {}, set()
            for text_line in run([program, "match", "--config-dir", folder, "--filter", spec,
                                  "--json", "--now", NOW, log]).splitlines():
                found = json.loads(text_line)
                seen[found["line"]] = [found["id"], found.get("name", "-")]
                rules.add(found["rule"])
            for n, line in enumerate(text[1:], 1):
                address, rule, *_ = line.split(" ", 2)
                rule, _, in_modes = rule.partition(":")
                expected = [address, rule] if mode in in_modes.split(",") else None
                check(seen.get(n) == expected,
                      f"rules/{spec} line {n}: expected {expected}, found {seen.get(n)}")
            check(rules == set(range(max(rules) + 1)),
                  f"rules/{spec}: no line shows some of the regexes, only {sorted(rules)}")


def check_shown(program, check):
    """Each command that shows regexes names the rule, with its class and weight."""
    folder = os.path.join(HERE, "rules")
    log = os.path.join(folder, "everything.log")
    out = run([program, "check", "--config-dir", folder, "--verbose"])
    check("rule unknown-recipient (abuse, weight 0.5), each rcpt once a day beyond 2" in out
          and "rule login (good, weight -2): 1 regex" in out, f"check --verbose: {out}")
    out = run([program, "check", "--config-dir", folder, "--dump"])
    check("Rule helo/weight = 0.25  # " in out and "Rule milter/via = qid  # " in out,
          f"check --dump: {out}")
    dump = json.loads(run([program, "check", "--config-dir", folder, "--dump", "--json"]))
    rules = {r["name"]: r for r in dump["jails"][0]["filter"]["rules"]}
    check("queue-full" not in rules and rules["client"]["bind"] == "qid"
          and rules["helo"]["class"] == "misconfiguration", f"check --dump --json: {rules}")
    why = []
    for line in run([program, "scan", "--config-dir", folder, "--json", log]).splitlines():
        why += json.loads(line).get("why", [])
    check(any((w.get("name"), w.get("class"), w.get("weight")) == ("milter", "abuse", 2)
              for w in why), f"scan --json: {why}")
    out = subprocess.run(["fail2ban-regex", "-c", folder, log, "everything"],
                         executable=program, capture_output=True, text=True).stdout
    check("[2] milter (abuse, weight 2): ^cleanup" in out, f"fail2ban-regex: {out}")
