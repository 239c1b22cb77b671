#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compiles functions that panic and functions that do not, and checks what panics finds."""

import subprocess
import sys
import tempfile
from pathlib import Path

PANICS = Path(__file__).resolve().parent.parent / "panics"

# A body, and what its call is to; None: there is no call.
CASES = {
    "x + 1": "panic_const_add_overflow",
    "x - 1": "panic_const_sub_overflow",
    "x * 3": "panic_const_mul_overflow",
    "1 << x": "panic_const_shl_overflow",
    "1 >> x": "panic_const_shr_overflow",
    "9 / x": "panic_const_div_by_zero",
    "9 % x": "panic_const_rem_by_zero",
    "TABLE[x as usize]": "panic_bounds_check",
    "TABLE[x as usize..].len() as u32": "_fail",
    "TABLE.get(x as usize).copied().unwrap()": "unwrap_failed",
    "u8::try_from(x).expect(\"small\").into()": "unwrap_failed",
    "if x > 1 { panic!(\"large\") } else { x }": "panic",
    "x.saturating_add(1)": None,
    "x.wrapping_sub(1)": None,
    "x.wrapping_shl(x)": None,
    "x.checked_div(x).unwrap_or(0)": None,
    "(x & 1) + 1": None,
    "TABLE.get(x as usize).copied().unwrap_or(0)": None,
    "TABLE[x as usize % 4]": None,
}

FLAGS = "--edition=2021 --crate-type=lib --emit=obj -O -Coverflow-checks=y -Cpanic=abort".split()


def found(folder, body):
    """What panics prints about a function with this body, in line 3, and its verdict."""
    source = Path(folder, "planted.rs")
    source.write_text(
        "#![no_std]\npub static TABLE: [u32; 4] = [1, 2, 3, 4];\n"
        f"#[no_mangle] pub fn planted(x: u32) -> u32 {{ {body} }}\n"
    )
    built = source.with_suffix(".o")
    flags = [*FLAGS, "-Ccodegen-units=1", "-Csymbol-mangling-version=v0", "-o", built, source]
    subprocess.run(["rustc", *flags], check=True)
    run = subprocess.run([PANICS, built], capture_output=True, text=True)
    return run.returncode, run.stdout


def main():
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        for body, call in CASES.items():
            status, text = found(folder, body)
            if call is None:
                right = status == 0 and not text
            else:
                right = status == 1 and "planted.rs:3: planted calls" in text and call in text
            if not right:
                bad = 1
                print(f"{body}: expected {call or 'nothing'}, status {status}, found: {text}")
    return bad


if __name__ == "__main__":
    sys.exit(main())
