# SPDX-License-Identifier: GPL-2.0
"""Reads the modules of a Rust crate and which file imports from which.

It knows as much of Rust as imports need: comments and literals, mod and use
declarations, nested use trees, paths in code, re-exports, and items that exist only in
tests. It expands no macro.
"""

import re
from pathlib import Path

TOKEN = re.compile(
    r"""
    (?P<skip>\s+|//[^\n]*|/\*)
    |(?P<raw>b?r(?P<hashes>\#*)")
    |(?P<string>[bc]?"(?:[^"\\]|\\.)*")
    |(?P<char>b?'(?:[^'\\]|\\(?:x[0-9a-fA-F]{2}|u\{[0-9a-fA-F_]+\}|.))')
    |(?P<lifetime>'[A-Za-z_]\w*)
    |(?P<word>(?:r\#)?[A-Za-z_]\w*)
    |(?P<path>::)
    |(?P<other>.)
    """,
    re.VERBOSE | re.DOTALL,
)
WORD = re.compile(r"[A-Za-z_]\w*$")
TEST_ATTRIBUTE = re.compile(r"cfg\((?:all\()?(?:test|GENP_KUNIT)\b|kunit_tests|^test$")


def _after_comment(text, at):
    depth = 0
    for found in re.compile(r"/\*|\*/").finditer(text, at):
        depth += 1 if found.group() == "/*" else -1
        if depth == 0:
            return found.end()
    return len(text)


def tokens(text):
    """The tokens of a file as (text, line); a string is one token that begins with '"'."""
    at, line, found = 0, 1, []
    while at < len(text):
        match = TOKEN.match(text, at)
        end = match.end()
        if match.lastgroup == "skip" and match.group() == "/*":
            end = _after_comment(text, at)
        elif match["raw"] is not None:
            close = text.find('"' + match["hashes"], end)
            end = len(text) if close < 0 else close + 1 + len(match["hashes"])
            found.append(('"', line))
        elif match["skip"] is None and match["char"] is None and match["lifetime"] is None:
            found.append((match.group(), line))
        line += text.count("\n", at, end)
        at = end
    return found


class Module:
    """A module: where it is, what is in it, and whether only tests have it."""

    def __init__(self, path, file, folder, test, parent=None):
        self.path, self.file, self.folder, self.test, self.parent = path, file, folder, test, parent
        self.children = {}
        self.imported = []  # (name, path as written)
        self.names = {}  # name that is imported -> path from the crate's root
        self.uses = []  # (path, line, test)


class Crate:
    """The modules of a crate, from its root file on."""

    def __init__(self, root):
        root = Path(root)
        self.modules = {}
        self.root = Module((), root, root.parent, False)
        self._read(self.root)
        # Twice: what one declaration imports can begin the path of another one.
        for _ in range(2):
            for module in self.modules.values():
                for name, path in module.imported:
                    full = self.absolute(module, path)
                    if full:
                        module.names.setdefault(name, full)

    def _read(self, module):
        self.modules[module.path] = module
        Reader(self, module).items(tokens(module.file.read_text()))

    def declare(self, parent, name, attribute, test):
        """A `mod name;`."""
        named = re.search(r'path="([^"]*)"', attribute)
        if named:
            places = [parent.file.parent / named[1]]
        else:
            places = [parent.folder / f"{name}.rs", parent.folder / name / "mod.rs"]
        file = next((place for place in places if place.exists()), None)
        if file is None:
            return  # generated when it is built
        folder = file.parent if named or file.name == "mod.rs" else parent.folder / name
        child = Module(parent.path + (name,), file, folder, test or parent.test, parent)
        parent.children[name] = child
        self._read(child)

    def inline(self, parent, name, test):
        """A `mod name { ... }`."""
        child = Module(parent.path + (name,), parent.file, parent.folder / name, test or parent.test, parent)
        parent.children[name] = child
        self.modules[child.path] = child
        return child

    def absolute(self, module, path):
        """A path as written in a module, from the crate's root; None if it leads out of the crate."""
        first = path[0]
        if first == "crate":
            return path[1:]
        at = module
        if first in ("self", "super"):
            rest = path
            while rest and rest[0] in ("self", "super"):
                at = at.parent if rest[0] == "super" and at else at
                rest = rest[1:]
            return at.path + rest if at else None
        if first in module.children:
            return module.path + path
        if first in module.names:
            return module.names[first] + path[1:]
        return None

    def owner(self, path, seen=()):
        """The module that has what a path from the root names, re-exports followed."""
        at, rest = self.root, path
        while rest and rest[0] in at.children:
            at, rest = at.children[rest[0]], rest[1:]
        if rest and rest[0] in at.names and path not in seen:
            other = at.names[rest[0]] + rest[1:]
            if other != path:
                return self.owner(other, seen + (path,))
        return at

    def imports(self):
        """All imports between files, as (module, module, line, test)."""
        for module in list(self.modules.values()):
            for path, line, test in module.uses:
                full = self.absolute(module, path)
                if full is None:
                    continue
                target = self.owner(full)
                if target.file != module.file:
                    yield module, target, line, test or module.test


class Reader:
    """Walks over the items of one file."""

    def __init__(self, crate, module):
        self.crate, self.module = crate, module
        self.depth = 0
        self.open = []  # inline modules: (depth outside, module outside)
        self.attribute = ""  # of the next item
        self.test_until = None  # the depth at which an item of tests ends

    def items(self, found):
        self.found, self.at = found, 0
        while self.at < len(found):
            word, line = found[self.at]
            test = self.test_until is not None
            if word == "#" and self._peek(1) in ("[", "!"):
                self._attributes()
            elif word == "mod" and WORD.match(self._peek(1)) and self._peek(2) in (";", "{"):
                self._mod(test)
            elif word == "use":
                self.at += 1
                self._tree((), line, test)
                self._end_of_item()
            elif WORD.match(word) and self._peek(-1) not in ("::", ".") and self._peek(1) == "::":
                self._path(line, test)
            else:
                self._other(word)

    def _other(self, word):
        self.at += 1
        if word == "{":
            self.depth += 1
            self.attribute = ""
        elif word == "}":
            self.depth -= 1
            if self.open and self.open[-1][0] == self.depth:
                self.module = self.open.pop()[1]
            self._end_of_item()
        elif word == ";":
            self._end_of_item()

    def _end_of_item(self):
        self.attribute = ""
        if self.test_until == self.depth:
            self.test_until = None

    def _mod(self, test):
        name, end = self._peek(1), self._peek(2)
        self.at += 3
        if end == ";":
            self.crate.declare(self.module, name, self.attribute, test)
            self._end_of_item()
        else:
            self.open.append((self.depth, self.module))
            self.module = self.crate.inline(self.module, name, test)
            self.depth += 1
            self.attribute = ""

    def _attributes(self):
        """One attribute; what it says of a whole file counts for none of its items."""
        whole = self._peek(1) == "!"
        text = self._attribute_text()
        if whole:
            return
        self.attribute += " " + text
        if self.test_until is None and TEST_ATTRIBUTE.search(text):
            self.test_until = self.depth

    def _peek(self, ahead):
        at = self.at + ahead
        return self.found[at][0] if 0 <= at < len(self.found) else ""

    def _attribute_text(self):
        """The text of an attribute, without blanks."""
        depth, text = 0, ""
        while self.at < len(self.found):
            word = self.found[self.at][0]
            self.at += 1
            depth += {"[": 1, "]": -1}.get(word, 0)
            text += word
            if word == "]" and depth == 0:
                break
        return text.lstrip("#![").rstrip("]")

    def _path(self, line, test):
        """A path in code."""
        path = [self._peek(0)]
        self.at += 1
        while self._peek(0) == "::" and WORD.match(self._peek(1)):
            path.append(self._peek(1))
            self.at += 2
        self.module.uses.append((tuple(path), line, test))

    def _tree(self, prefix, line, test):
        """A tree of a use declaration, up to and with what ends it."""
        path = prefix
        while self.at < len(self.found):
            word = self._peek(0)
            self.at += 1
            if word == "::":
                if not path:
                    path = ("",)  # from the list of crates
            elif word == "{":
                while self._peek(0) != "}" and self.at < len(self.found):
                    self._tree(path, line, test)
                self.at += 1
                path = None
            elif word in (",", ";", "}"):
                if word == "}":
                    self.at -= 1
                self._leaf(path, None, line, test)
                return
            elif word == "as":
                self._leaf(path, self._peek(0), line, test)
                path = None
                self.at += 1
            elif word != "*":
                path = path + (word,)

    def _leaf(self, path, name, line, test):
        if not path or path[0] == "":
            return
        if len(path) > 1 and path[-1] == "self":
            path = path[:-1]
        module = self.module
        module.uses.append((path, line, test))
        if name != "_":
            module.imported.append((name or path[-1], path))
