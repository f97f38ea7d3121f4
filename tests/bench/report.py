# SPDX-License-Identifier: GPL-2.0-or-later
"""What was measured, as text for a terminal or as Markdown for docs/benchmarks.md."""


class Table:
    """@head names the columns; a row is a list of as many words."""

    def __init__(self, title, head, rows, note=""):
        self.title, self.head, self.rows, self.note = title, head, rows, note

    def text(self):
        cells = [self.head, *self.rows]
        widths = [max(len(row[i]) for row in cells) for i in range(len(self.head))]
        out = [self.title]
        for row in cells:
            words = [row[0].ljust(widths[0])]
            words += [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
            out.append(("  " + "  ".join(words)).rstrip())
        if self.note:
            out.append(f"  {self.note}")
        return "\n".join(out)

    def markdown(self):
        out = [f"**{self.title}**", "", "| " + " | ".join(self.head) + " |",
               "|" + "---|" * len(self.head)]
        out += ["| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |"
                for row in self.rows]
        if self.note:
            out += ["", self.note]
        return "\n".join(out)


class Goal:
    """@value is to be at least @least, or at most @most.

    @cpu is the same by processor time, which other work on the machine hardly disturbs; or None.
    """

    def __init__(self, what, value, unit, least=None, most=None, cpu=None):
        self.what, self.value, self.unit, self.cpu = what, value, unit, cpu
        self.least, self.most = least, most

    def is_reached(self):
        if self.value is None:
            return False
        return self.value >= self.least if self.most is None else self.value <= self.most

    def row(self):
        sign, bound = (">=", self.least) if self.most is None else ("<=", self.most)
        return [self.what, f"{sign} {number(bound)} {self.unit}", number(self.value),
                number(self.cpu) if self.cpu is not None else "",
                "not measured" if self.value is None else
                "reached" if self.is_reached() else "missed"]


def goals_table(goals):
    return Table("goals", ["work", "goal", "measured", "by processor time", ""],
                 [g.row() for g in goals])


def number(x):
    """Three digits that count, or all before the point, thousands apart."""
    if x is None:
        return "-"
    if x == 0 or abs(x) >= 100 or x == int(x):
        return f"{x:,.0f}"
    return f"{x:.1f}" if abs(x) >= 10 else f"{x:.2f}"
