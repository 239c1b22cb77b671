#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Shows mutant-verdict what checks end with, and compares what it makes of that."""

import subprocess
import sys
import tempfile
from pathlib import Path

VERDICT = Path(__file__).resolve().parent.parent / "mutant-verdict"

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


def main():
    bad = 0
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
