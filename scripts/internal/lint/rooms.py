#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Judges which file imports from which: the order of the module's rooms, and circles.

rooms.py order ROOT-FILE   the rooms of the module whose root file that is
rooms.py circles FILE...   only circles, in the crates whose root files these are

Ends with 1 if anything was found. A parent module and its children may import from each
other: what is asked is whether the children, each with all below it, do so in a circle.
"""

import sys
from collections import defaultdict
from pathlib import Path

from rust_modules import Crate

# From left to right; a room imports from rooms on its left only. Rooms that share a
# place do not import from each other.
ORDER = [
    {"core"},
    {"sys"},
    {"frames"},
    {"stock"},
    {"pool"},
    {"partition"},
    {"registry"},
    {"threads", "driver"},
    {"entry"},
]
RANK = {room: place for place, rooms in enumerate(ORDER) for room in rooms}
# Imports from any room; no room imports from it.
TEST_ROOM = "kunit"
FOLDER = ("genp",)


def circles(edges):
    """The strongly connected components with more than one member, of {node: {node}}."""
    index, low, stack, found = {}, {}, [], []

    def visit(node):
        index[node] = low[node] = len(index)
        stack.append(node)
        for other in sorted(edges.get(node, ())):
            if other not in index:
                visit(other)
                low[node] = min(low[node], low[other])
            elif other in stack:
                low[node] = min(low[node], index[other])
        if low[node] == index[node]:
            members = stack[stack.index(node):]
            del stack[stack.index(node):]
            if len(members) > 1:
                found.append(sorted(members))

    for node in sorted(edges):
        if node not in index:
            visit(node)
    return found


def name(module):
    return "::".join(module.path) or str(module.file)


def room_of(module):
    """The room a module is in; None for the root file and the list of rooms."""
    below = module.path[len(FOLDER):]
    return below[0] if module.path[: len(FOLDER)] == FOLDER and below else None


def circle_findings(crate, imports):
    """Circles among the children of each module, with an import for each step."""
    levels = defaultdict(lambda: defaultdict(dict))
    for source, target, line, test in imports:
        if test:
            continue
        common = 0
        while source.path[common:common + 1] == target.path[common:common + 1] != ():
            common += 1
        if common < min(len(source.path), len(target.path)):
            step = (source.path[common], target.path[common])
            levels[source.path[:common]][step[0]].setdefault(step[1], (source, target, line))
    for parent, edges in sorted(levels.items()):
        for circle in circles(edges):
            where = name(crate.modules[parent])
            yield f"circle in {where}: {', '.join(circle)}"
            for one in circle:
                for other, (source, target, line) in sorted(edges[one].items()):
                    if other in circle:
                        yield f"    {source.file}:{line}: {name(source)} imports from {name(target)}"


def file_circle_findings(imports):
    """The files that reach each other; a parent and its children alone are no circle."""
    edges = defaultdict(set)
    for source, target, _, test in imports:
        shorter = min(len(source.path), len(target.path))
        if not test and source.path[:shorter] != target.path[:shorter]:
            edges[str(source.file)].add(str(target.file))
    for circle in circles(edges):
        # Of two files all is said already.
        if len(circle) > 2:
            yield f"{len(circle)} files in one circle: {' '.join(circle)}"


def order_findings(imports):
    """Imports to the right in the order of rooms."""
    strange = set()
    for source, target, line, test in imports:
        room, other = room_of(source), room_of(target)
        if room is None or room == TEST_ROOM or test or room == other:
            continue
        where = f"{source.file}:{line}"
        if other is None:
            yield f"{where}: room {room} imports from {target.file}, which is above all rooms"
        elif other == TEST_ROOM:
            yield f"{where}: room {room} imports from {TEST_ROOM} outside of tests"
        elif room in RANK and other in RANK and RANK[room] <= RANK[other]:
            yield f"{where}: room {room} imports from {name(target)}, which is not on its left"
        strange |= {one for one in (room, other) if one not in RANK and one != TEST_ROOM}
    for room in sorted(strange):
        yield f"room {room} has no place in the order"


def main(arguments):
    command, files = arguments[0], [Path(file) for file in arguments[1:]]
    findings = []
    for file in files:
        crate = Crate(file)
        imports = list(crate.imports())
        if command == "order":
            findings += order_findings(imports)
        findings += circle_findings(crate, imports)
        findings += file_circle_findings(imports)
    for finding in dict.fromkeys(findings):
        print(finding)
    if findings and command == "order":
        print("the order: " + " < ".join(", ".join(sorted(rooms)) for rooms in ORDER))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
