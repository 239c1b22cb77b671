#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Shows mutant-verdict what checks end with, and mutant-survivors what cargo-mutants found, and
compares what they make of that."""

import subprocess
import sys
import tempfile
from pathlib import Path

TOOLS = Path(__file__).resolve().parent.parent
VERDICT = TOOLS / "mutant-verdict"
SURVIVORS = TOOLS / "mutant-survivors"

HANGS = "a waiter, for a wake-up"
TEST_FAILED = "test a_budget_is_a_budget ... FAILED\ntest other ... ok\n"
JUDGED = "what failed:\n  um: # pace.c:181: expected 1\n  um: not ok 6 creating\n  um: genp-test: end genp_pace 1\n"
ALARM = "what failed:\n  um: # died of signal 14\n  um: not ok 1 who_comes\n  um: genp-test: end genp_crowd 1\n"
PROGRAM = "what failed:\n  rt: genp-test: end genp_crowd 124\n"
GUEST = "what failed:\n  rt: the guest ended with status 125: see the console\n"
COMPLAINT = "what failed:\n  rt: the guest ended with status 99: see the console\n"
COMPILER = "error[E0308]: mismatched types\n"

# The status of a check and its log, and what it shows of a mutant that is not to hang, and
# of one that is.
CASES = [
    (0, "", "SURVIVED", "SURVIVED"),
    (101, TEST_FAILED, "caught", "caught"),
    (124, "", "RAN OUT OF TIME", "caught by time"),
    (124, "test other ... ok\n", "RAN OUT OF TIME", "caught by time"),
    # What a test finds before another one hangs is found.
    (124, TEST_FAILED, "caught", "caught"),
    (101, COMPILER, "not built", "not built"),
    # A check that fails without a word of which test.
    (1, "", "caught", "caught"),
    (1, JUDGED, "caught", "caught"),
    (1, ALARM, "RAN OUT OF TIME", "caught by time"),
    (1, ALARM + "  um: not ok 2 next\n", "caught", "caught"),
    (1, PROGRAM, "RAN OUT OF TIME", "caught by time"),
    (1, GUEST, "RAN OUT OF TIME", "caught by time"),
    (1, COMPLAINT, "caught", "caught"),
]


def verdict(log, status, *hangs):
    command = [VERDICT, str(status), log, *hangs]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


MUTANT = "genp/core/a.rs:7:5: replace < with <= in f"
REASON = """[[reason]]
why = "equal"
[reason.of]
"genp/core/a.rs" = { "replace < with <= in f" = %d }
"""

# What survived, how many may, whether all mutants were tried, and whether that is all right.
SURVIVED = [
    ([], 0, "whole", True),
    ([MUTANT], 0, "whole", False),
    ([MUTANT], 1, "whole", True),
    ([MUTANT, MUTANT.replace("7", "9")], 1, "whole", False),
    ([], 1, "whole", False),
    # The others may have needed it.
    ([], 1, "part", True),
]


def judge_survivors(folder):
    bad = 0
    reasons, found = Path(folder, "reasons.toml"), Path(folder, "mutants.out")
    found.mkdir()
    for missed, most, share, is_right in SURVIVED:
        Path(found, "missed.txt").write_text("".join(line + "\n" for line in missed))
        reasons.write_text(REASON % most if most else "")
        command = [SURVIVORS, reasons, share, folder]
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        if ended.returncode != (0 if is_right else 1):
            bad = 1
            print(f"{missed} of which {most} may, share {share}: {ended.returncode}, {ended.stdout!r}")
    return bad


def main():
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        bad |= judge_survivors(folder)
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder, "log")
        for status, text, plain, hanging in CASES:
            log.write_text(text)
            for expected, *hangs in ((plain,), (plain, ""), (hanging, HANGS)):
                said = verdict(log, status, *hangs)
                if said != expected:
                    bad = 1
                    print(f"status {status}, hangs {hangs}, {text!r}: {said!r}, expected {expected!r}")
    return bad


if __name__ == "__main__":
    sys.exit(main())
