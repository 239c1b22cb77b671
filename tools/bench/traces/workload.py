# SPDX-License-Identifier: GPL-2.0
"""What Python is recorded with: records made, written as JSON, read, sorted and
counted, as a program does that looks at logs."""

import collections
import json
import re

WORDS = "memory with a contract for machines that move and must not wait".split()


def record(number):
    words = [WORDS[(number * step) % len(WORDS)] for step in range(1, 6)]
    return {
        "id": number,
        "text": " ".join(words),
        "tags": sorted(set(words)),
        "load": number % 97 / 7,
    }


def main():
    lines = [json.dumps(record(number)) for number in range(500)]
    records = [json.loads(line) for line in lines]
    counts = collections.Counter()
    for found in records:
        counts.update(re.findall(r"[a-z]+", found["text"]))
    by_load = collections.defaultdict(list)
    for found in records:
        by_load[int(found["load"])].append(found["text"].upper())
    report = {key: sorted(texts)[:3] for key, texts in sorted(by_load.items())}
    print(counts.most_common(3), len(json.dumps(report)))


main()
