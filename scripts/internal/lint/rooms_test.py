#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Shows rooms.py small trees, good and bad, and checks what it finds in each."""

import sys
import tempfile
from pathlib import Path

import rooms
from rust_modules import Crate

BASE = {
    "genp_rust.rs": "mod genp;\nuse genp::{entry, pool::Pool};\nfn f() { entry::start() }\n",
    "genp/mod.rs": "mod core;\nmod sys;\nmod pool;\nmod threads;\nmod driver;\nmod entry;\n#[cfg(GENP_KUNIT)]\nmod kunit;\n",
    "genp/core/mod.rs": "pub mod tlsf;\npub mod bounds;\npub(crate) use tlsf::Tlsf;\npub struct Shared;\n",
    "genp/core/tlsf.rs": "use super::Shared;\npub struct Tlsf(Shared);\n",
    "genp/core/bounds.rs": "use super::{tlsf::{self, Tlsf as T}, Shared};\nfn f(t: T) { tlsf::g() }\n",
    "genp/sys/mod.rs": "pub mod errno;\n",
    "genp/sys/errno.rs": "pub const EINVAL: i32 = 22;\n",
    "genp/pool/mod.rs": "mod lending;\npub struct Pool;\nuse lending::Lending;\n",
    "genp/pool/lending.rs": "use super::{super::{core::Tlsf, sys::errno::EINVAL}, Pool};\npub struct Lending;\n",
    "genp/threads/mod.rs": "use super::pool::Pool;\n",
    "genp/driver.rs": "use crate::genp::{core::bounds, pool};\n",
    "genp/entry.rs": "use super::driver;\npub fn start() {}\n",
    "genp/kunit/mod.rs": "use super::{entry, pool::Pool};\n",
}

# What is different from BASE, and words of the finding; None: nothing is found.
CASES = {
    "the tree itself": ({}, None),
    "text that only looks like an import": (
        {"genp/core/tlsf.rs": '// use super::super::pool;\n/* /* */ use super::super::pool; */\n'
         'const A: &str = "use super::super::pool;";\nconst B: &str = r#"super::super::pool::X "#;\n'
         "fn f<'a>(x: &'a u8) -> char { '\"' }\npub struct Tlsf;\n"},
        None,
    ),
    "tests import what they want": (
        {"genp/core/tlsf.rs": "pub struct Tlsf;\n#[cfg(test)]\nmod tests { use super::super::super::pool::Pool; }\n",
         "genp/sys/errno.rs": "#[cfg(GENP_KUNIT)]\nfn f() { super::super::pool::g() }\npub const EINVAL: i32 = 22;\n"},
        None,
    ),
    "an import after an item of tests counts": (
        {"genp/core/tlsf.rs": "#[cfg(test)]\nfn f() {}\nuse super::super::pool::Pool;\npub struct Tlsf;\n"},
        "room core imports from genp::pool",
    ),
    "an import after one of tests counts": (
        {"genp/core/tlsf.rs": "#[cfg(test)]\nuse super::bounds;\nuse super::super::pool::Pool;\npub struct Tlsf;\n"},
        "room core imports from genp::pool",
    ),
    "a nested tree to the right": (
        {"genp/core/tlsf.rs": "use super::{\n    super::{sys::errno, pool::{Pool}},\n    Shared,\n};\npub struct Tlsf;\n"},
        "room core imports from genp::pool",
    ),
    "a path in code to the right": (
        {"genp/sys/errno.rs": "fn f() -> usize {\n    super::super::pool::SIZE\n}\npub const EINVAL: i32 = 22;\n"},
        "genp/sys/errno.rs:2: room sys imports from genp::pool",
    ),
    "a path from the crate's root to the right": (
        {"genp/sys/errno.rs": "fn f() { crate::genp::pool::lending::g() }\npub const EINVAL: i32 = 22;\n"},
        "room sys imports from genp::pool::lending",
    ),
    "an import of what is above all rooms": (
        {"genp/sys/errno.rs": "use crate::Genp;\npub const EINVAL: i32 = 22;\n"},
        "which is above all rooms",
    ),
    "rooms that share a place": (
        {"genp/driver.rs": "use super::threads::Threads;\n"},
        "room driver imports from genp::threads",
    ),
    "the room of tests": (
        {"genp/entry.rs": "use super::kunit::pool;\npub fn start() {}\n"},
        "imports from kunit outside of tests",
    ),
    "a room without a place": (
        {"genp/mod.rs": BASE["genp/mod.rs"] + "mod misc;\n", "genp/misc.rs": "use super::pool::Pool;\n"},
        "room misc has no place",
    ),
    "a circle in a room": (
        {"genp/core/tlsf.rs": "use super::bounds;\npub struct Tlsf;\n"},
        "circle in genp::core: bounds, tlsf",
    ),
    "a circle through a re-export": (
        {"genp/core/mod.rs": BASE["genp/core/mod.rs"] + "pub use bounds::Bound;\n",
         "genp/core/tlsf.rs": "use super::Bound;\npub struct Tlsf;\n"},
        "circle in genp::core: bounds, tlsf",
    ),
    "a circle by way of a folder": (
        {"genp/pool/mod.rs": "mod lending;\nmod queue;\n", "genp/pool/lending.rs": "use super::queue::order::A;\n",
         "genp/pool/queue/mod.rs": "mod order;\nmod list;\n", "genp/pool/queue/order.rs": "",
         "genp/pool/queue/list.rs": "use super::super::lending::Lending;\n"},
        "circle in genp::pool: lending, queue",
    ),
}


def findings(files):
    with tempfile.TemporaryDirectory() as folder:
        for path, text in files.items():
            file = Path(folder, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        crate = Crate(Path(folder, "genp_rust.rs"))
        imports = list(crate.imports())
        found = [*rooms.order_findings(imports), *rooms.circle_findings(crate, imports)]
        return [line.replace(f"{folder}/", "") for line in found]


def main():
    bad = 0
    for case, (changes, wanted) in CASES.items():
        found = findings({**BASE, **changes})
        if wanted is None and found or wanted is not None and not any(wanted in line for line in found):
            bad = 1
            print(f"{case}: expected {wanted or 'nothing'}, found:", *found or ["nothing"], sep="\n    ")
    return bad


if __name__ == "__main__":
    sys.exit(main())
