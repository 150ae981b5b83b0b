# SPDX-License-Identifier: BSD-3-Clause
"""What the demo prints: a line per step as it happens, and in the end one report in aligned columns."""
import sys
import textwrap
import time

LABEL = 34  # columns of a row's label
WIDTH = 110


class Report:
    def __init__(self, out=sys.stdout):
        self.out = out
        self.began = time.monotonic()
        self.rows = []

    def step(self, text):
        print(f"{time.monotonic() - self.began:7.2f} s  {text}", file=self.out, flush=True)

    def heading(self, text):
        self.rows.append(("heading", text))

    def row(self, label, value, indent=0):
        self.rows.append(("row", " " * (2 * indent) + label, str(value)))

    def line(self, text):
        """A line as it stands, of what a command printed."""
        self.rows.append(("line", text))

    def show(self):
        for kind, *cells in self.rows:
            if kind == "line":
                print(f"  {cells[0]}".rstrip(), file=self.out)
                continue
            if kind == "heading":
                print(f"\n{cells[0]}", file=self.out)
                continue
            label, value = cells
            lines = textwrap.wrap(value, WIDTH - LABEL - 4, break_long_words=False) or [""]
            print(f"  {label:<{LABEL}}  {lines[0]}", file=self.out)
            for line in lines[1:]:
                print(f"  {'':<{LABEL}}  {line}", file=self.out)
        print(file=self.out, flush=True)


def milliseconds(nanoseconds):
    return f"{nanoseconds / 1e6:.3f} ms"


def microseconds(nanoseconds):
    return f"{nanoseconds / 1e3:.2f} µs"


def kibibytes(size):
    return f"{size / 1024:.0f} KiB"


def count(number):
    return f"{number:,}".rjust(9)
