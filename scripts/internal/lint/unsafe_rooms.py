#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Finds `unsafe` in the module outside of the rooms that may have it.

unsafe_rooms.py FILE...   ends with 1 if one of these files has it and may not
"""

import sys
from pathlib import Path

from rust_modules import tokens

ROOMS = (Path("genp/sys"), Path("genp/entry"))


def main(files):
    bad = 0
    for file in map(Path, files):
        if any(room in file.parents for room in ROOMS):
            continue
        for word, line in tokens(file.read_text()):
            if word == "unsafe":
                bad = 1
                print(f"{file}:{line}: unsafe outside of {', '.join(map(str, ROOMS))}")
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
