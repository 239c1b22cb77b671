#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Finds names in the documentation that nothing in the tree has.

names.py FOREIGN PAGE...   names between backticks in these pages must be found in the
                           tree's code, among its paths, as a make target or a script,
                           or in the file FOREIGN: lines "NAME reason".

The files of the tree come by the standard input. Comments do not count as code: a name
that only comments use is gone. Ends with 1 if anything was found. Runs at the top of
the tree.
"""

import re
import sys
from pathlib import Path

SLASH_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|(//[^\n]*|/\*.*?\*/)', re.DOTALL)
HASH_COMMENT = re.compile(r"^[ \t]*#(?!!).*$", re.MULTILINE)
SLASHES = {".rs", ".c", ".h", ".pml"}
SOURCES = {".rs", ".c", ".h", ".sh", ".py", ".rst", ".md", ".pml", ".toml"}
WORD = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
SPAN = {".rst": re.compile(r"``(.+?)``", re.DOTALL), ".md": re.compile(r"(?<!`)`([^`]+)`(?!`)")}
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)


def text_of(path):
    try:
        return path.read_text()
    except (UnicodeDecodeError, FileNotFoundError, IsADirectoryError):
        return ""


def code_of(path):
    """A file's text without comments."""
    text = text_of(path)
    if path.suffix in SLASHES:
        return SLASH_COMMENT.sub(lambda found: " " if found[1] else found[0], text)
    return HASH_COMMENT.sub("", text)


class Tree:
    """What names there are."""

    def __init__(self, files, foreign, pages):
        self.paths = {str(part) for file in files for part in [file, *file.parents]}
        self.ends = {"/".join(Path(path).parts[at:]) for path in self.paths for at in range(len(Path(path).parts))}
        prose = {Path(page) for page in pages} | {Path(foreign)}
        # The lists and fixtures of lint name what nothing else has.
        prose |= {file for file in files if file.parent == Path(foreign).parent and file.suffix != ".sh"}
        code = [file for file in files if file not in prose and file.suffix not in (".rst", ".md", ".patch", ".trace")]
        self.code = {file: code_of(file) for file in code}
        self.words = {word for text in self.code.values() for word in WORD.findall(text)}
        self.words |= {part for path in self.paths for part in WORD.findall(path)}
        # What stands for something in the usage of a script, or is a name of a variable.
        self.capitals = {word for file in code for word in WORD.findall(text_of(file)) if word.isupper()}
        makefiles = [Path("Makefile"), Path("tools/install.mk")]
        text = "".join(text_of(file) for file in makefiles if file.exists())
        rules = re.findall(r"^([a-z][a-z _-]*):(?!=)", text, re.MULTILINE)
        self.targets = {target for rule in rules for target in rule.split()}
        self.foreign = {line.split()[0] for line in text_of(Path(foreign)).splitlines() if line and line[0] != "#"}
        self.holders = {}

    def is_word(self, word):
        if word.endswith("_"):
            return any(one.startswith(word) for one in self.words)
        return word in self.words or word in self.foreign or word.isupper() and word in self.capitals

    def has_member(self, owner, member):
        """Whether a file that implements or is `owner` has `member`."""
        if owner not in self.holders:
            item = re.compile(rf"\b(?:impl|struct|enum|union|trait|mod|type)\b[^{{;]*\b{owner}\b")
            self.holders[owner] = {
                word
                for file, text in self.code.items()
                if file.suffix == ".rs" and (file.stem == owner or file.parent.name == owner or item.search(text))
                for word in WORD.findall(text)
            }
        return member in self.holders[owner]

    def unknown(self, span):
        """The parts of a span that nothing has."""
        if span in self.foreign:
            return
        words = span.split()
        if words[0] == "make" and len(words) > 1:
            targets = [word for word in words[1:] if re.fullmatch(r"[a-z_-]+", word)]
            yield from (f"make {target}" for target in targets if target not in self.targets)
            words = [word for word in words if "=" in word]
        for piece in words:
            yield from self.unknown_piece(piece.strip("'\",;"))

    def unknown_piece(self, piece):
        bare = piece.rstrip("/")
        if bare in self.foreign or bare in self.ends or piece in self.ends:
            return
        if "/" in piece or Path(bare).suffix in SOURCES:
            yield from self.unknown_path(piece)
            return
        for qualified in re.findall(r"[A-Za-z_]\w*(?:::[A-Za-z_]\w*)+", piece):
            if qualified not in self.foreign:
                parts = qualified.split("::")
                if not all(self.has_member(owner, member) for owner, member in zip(parts, parts[1:])):
                    yield qualified
        yield from (word for word in WORD.findall(re.sub(r"[A-Za-z_]\w*(?:::[A-Za-z_]\w*)+", "", piece)) if not self.is_word(word))

    def unknown_path(self, piece):
        made = piece.startswith(("/", "~", "build", "tools/target"))
        if "*" in piece and not made:
            if not any(Path(path).match(piece) for path in self.paths):
                yield piece
        elif not made and (Path(piece).suffix in SOURCES or piece.endswith("/") or piece.split("/")[0] in self.paths):
            yield piece
        else:
            yield from (f"{piece}: {word}" for word in WORD.findall(piece) if not self.is_word(word))


def main(arguments):
    foreign, pages = arguments[0], arguments[1:]
    tree, bad = Tree([Path(line) for line in sys.stdin.read().splitlines()], foreign, pages), 0
    for page in pages:
        text = FENCE.sub(lambda found: "\n" * found[0].count("\n"), text_of(Path(page)))
        for found in SPAN[Path(page).suffix].finditer(text):
            for name in dict.fromkeys(tree.unknown(" ".join(found[1].split()))):
                bad = 1
                print(f"{page}:{text.count(chr(10), 0, found.start()) + 1}: nothing is called {name}")
    return bad


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
