#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0
"""Compares packaging/ with the tree: versions, crates, licences, files; and some of what
Buildroot's check-package looks for, which is not there to be run. Runs at the top of the tree."""

import hashlib
import re
import runpy
import sys
import tomllib
from pathlib import Path

BUILDROOT = Path("packaging/buildroot")
RECIPES = Path("packaging/yocto/meta-genp/recipes-kernel/genp")
HEADER = ["#" * 80, "#", None, "#", "#" * 80, ""]
LOCK = """
[[package]]
name = "here"
version = "1.0.0"

[[package]]
name = "fetched"
version = "2.1.0"
source = "registry"
checksum = "ab"
"""
# The attributes of an option, in Buildroot's order.
ORDER = ["bool", "default", "depends", "select", "help"]


def versions():
    version = tomllib.loads(Path("tools/Cargo.toml").read_text())["workspace"]["package"]["version"]
    found = {"genp.inc": re.findall(r'^PV = "(.*)\+git"$', (RECIPES / "genp.inc").read_text(), re.M)}
    for file in BUILDROOT.glob("package/*/*.mk"):
        found[file.name] = re.findall(r"^\w+_VERSION = (.*)$", file.read_text(), re.M)
    return [f"{name}: version {value}, not {version}" for name, value in found.items() if value != [version]]


def crates():
    script = runpy.run_path("packaging/yocto/crates")
    text = script["listing"](LOCK)
    if "here" in text or "/fetched/2.1.0 " not in text or '[fetched-2.1.0.sha256sum] = "ab"' not in text:
        yield f"packaging/yocto/crates makes this of a lock file: {text}"
    if script["main"](["--check"]):
        yield "the list of crates is old"


def licences():
    for file in RECIPES.iterdir():
        for name, value in re.findall(r"file://(\S+);md5=(\w+)", file.read_text()):
            if hashlib.md5(Path(name).read_bytes()).hexdigest() != value:
                yield f"{file}: {name} has changed"
    for file in BUILDROOT.glob("package/*/*.hash"):
        lines = [line for line in file.read_text().splitlines() if line and line[0] != "#"]
        named = re.findall(r"[\w./-]+", re.search(r"_LICENSE_FILES = ((?:.*\\\n)*.*)", file.with_suffix(".mk").read_text())[1])
        if [line.split()[-1] for line in lines] != named:
            yield f"{file}: not the files that {file.stem}.mk names"
        for line in lines:
            name = line.split()[-1]
            if line != f"sha256  {hashlib.sha256(Path(name).read_bytes()).hexdigest()}  {name}":
                yield f"{file}: {name} has changed"


def files():
    """What they install from the source exists."""
    for file in [*RECIPES.glob("*.bb"), *BUILDROOT.glob("package/*/*.mk")]:
        names = re.findall(r"(?:\$\{S\}|\$\(@D\))/([\w./*-]+)", file.read_text())
        names = [name for name in names if not name.startswith(("tools/target/", "tools/.cargo"))]
        yield from (f"{file}: there is no {name}" for name in names if not list(Path().glob(name)))
    for name in re.findall(r"--package ([\w-]+)", (RECIPES / "genp-tools_git.bb").read_text()):
        if not any(f'name = "{name}"' in file.read_text() for file in Path("tools").glob("*/Cargo.toml")):
            yield f"there is no package {name}"


def style():
    for file in [*BUILDROOT.glob("package/*/*.mk"), *BUILDROOT.glob("linux/*.mk")]:
        lines = file.read_text().splitlines()
        if any(want not in (None, line) for want, line in zip(HEADER, lines)):
            yield f"{file}: begins without Buildroot's header"
        after = [line for before, line in zip(lines, lines[1:]) if before.endswith("\\")]
        yield from (f"{file}: indented without tabs: {line}" for line in after if not line.startswith("\t"))
    for file in BUILDROOT.glob("package/*/Config.in"):
        place = 0
        for line in file.read_text().splitlines():
            if re.match("config|comment", line):
                place = 0
            elif line.startswith("\t  "):
                if len(line) > 1 + 2 + 62:
                    yield f"{file}: longer than 62 characters: {line.strip()}"
            elif line.startswith("\t"):
                word = ORDER.index(line.split()[0])
                if word < place:
                    yield f"{file}: in another order than {', '.join(ORDER)}: {line.strip()}"
                place = word
    for file in BUILDROOT.rglob("*"):
        if file.is_file() and (text := file.read_text()) and (re.search(r"[ \t]$|\n\n\n", text, re.M) or text[-1] != "\n" or text.endswith("\n\n")):
            yield f"{file}: empty lines or spaces too many, or no end of the last line"


def main():
    bad = [line for check in (versions, crates, licences, files, style) for line in check()]
    print("".join(f"{line}\n" for line in bad), end="")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
