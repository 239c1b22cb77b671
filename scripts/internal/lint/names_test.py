#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Shows names.py a small tree and checks which names it does not find there."""

import os
import sys
import tempfile
from pathlib import Path

import names

TREE = {
    "genp/core/tlsf.rs": "// Ledger\npub struct Tlsf;\nimpl Tlsf {\n    pub fn alloc(&mut self) {}\n}\n",
    "genp/core/list.rs": "pub struct List;\nimpl List {\n    pub fn hold(&mut self) {}\n}\n",
    "scripts/run": "# run NAME\necho pool_mib\n",
    "Makefile": "check check-um:\n\t@scripts/run\n",
    "lint/foreign": "modinfo the distribution's\n",
}

# A span, and whether it is found.
SPANS = {
    "Tlsf": True,
    "Tlsf::alloc": True,
    "Tlsf::alloc()": True,
    "Tlsf::hold": False,
    "Ledger": False,
    "tlsf.rs": True,
    "core/tlsf.rs": True,
    "genp/core/": True,
    "genp/core/range.rs": False,
    "range.rs": False,
    "pool_mib=64": True,
    "pool_kib=64": False,
    "make check": True,
    "make check-um check": True,
    "make checks": False,
    "scripts/run NAME": True,
    "scripts/runs NAME": False,
    "modinfo": True,
    "pool_*": True,
    "stock_*": False,
}


def main():
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for path, text in TREE.items():
            Path(path).parent.mkdir(parents=True, exist_ok=True)
            Path(path).write_text(text)
        tree = names.Tree([Path(path) for path in TREE], "lint/foreign", [])
        for span, found in SPANS.items():
            unknown = list(tree.unknown(span))
            if found == bool(unknown):
                bad = 1
                print(f"{span}: expected {'to be found' if found else 'not to be found'}, unknown: {unknown}")
    return bad


if __name__ == "__main__":
    sys.exit(main())
