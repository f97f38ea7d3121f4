#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
# The demonstration, which README.md names first, ends well: all abusers banned, nobody else.
import os

import harness

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))


def scenario(s):
    s.step("tools/demo, in a network of its own")
    out = s.run([os.path.join(ROOT, "tools", "demo"), s.build], ns=None, check=False, seconds=120)
    s.equal(out.returncode, 0, out.stdout[-2000:])
    s.check("9 addresses banned, 0 of them honest" in out.stdout, out.stdout[-500:])


harness.main(scenario)
