# SPDX-License-Identifier: GPL-2.0
"""The parts of Documentation/coverage.rst that scripts write, and its tables."""


def percent(covered, count):
    return f"{100 * covered / count:.1f} %" if count else "-"


def room(name):
    """The room of genp/ that a file is in, and of genp/core the part."""
    parts = name.split("/")[1:-1]
    return "/".join(parts[:2] if parts[:1] == ["core"] else parts[:1]) or "."


def add_up(rows, key):
    """Sums of the rows, which are lists of numbers by name, by what key() says of the name."""
    sums = {}
    for name, numbers in rows.items():
        now = sums.setdefault(key(name), [0] * len(numbers))
        sums[key(name)] = [a + b for a, b in zip(now, numbers)]
    return dict(sorted(sums.items()))


def table(head, rows):
    """A simple table of reStructuredText."""
    cells = [[str(cell) for cell in row] for row in [head, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells)]
    rule = " ".join("=" * width for width in widths)

    def line(row):
        padded = [row[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(row[1:], widths[1:])]
        return " ".join(padded).rstrip()

    return [rule, line(cells[0]), rule, *map(line, cells[1:]), rule]


def write(page, part, lines):
    """Replaces the part of the page between its two marks."""
    begin, end = f".. {part}: written by scripts/coverage.\n", f".. {part} ends.\n"
    text = page.read_text()
    head, rest = text.split(begin)
    _, tail = rest.split(end)
    page.write_text(head + begin + "\n" + "\n".join(lines) + "\n\n" + end + tail)
