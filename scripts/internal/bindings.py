# SPDX-License-Identifier: GPL-2.0
#
# bindings.py [--check]: see scripts/bindings. Runs in the top of the checkout. bindgen knows
# the layout of what is in the header; what the header says of it in comments, kernel-doc
# beside its structures and the rest of the line beside constants, is added here.

import difflib
import re
import subprocess
import sys
import tempfile

HEADER = "include/uapi/linux/genp.h"
OUT = "tools/libgenp/src/abi/generated.rs"
TOP = """// SPDX-License-Identifier: MIT OR Apache-2.0
// Generated from include/uapi/linux/genp.h by scripts/bindings. Not to be edited.

"""


def commands(header):
    """The names of all commands, without GENP_, in the order of the header."""
    return re.findall(r"^#define GENP_(\w+)\s+_IO\w*\(", header, re.M)


def bindgen(header):
    """What bindgen makes of the header: commands as constants, which it cannot fold itself."""
    with tempfile.NamedTemporaryFile("w", suffix=".h") as constants:
        for name in commands(header):
            constants.write(f"static const unsigned long GENP_IOCTL_{name} = GENP_{name};\n")
        constants.flush()
        arguments = ["--use-core", "--with-derive-default", "--no-layout-tests", "--no-doc-comments"]
        arguments += ["--disable-header-comment", "--rust-target", "1.85"]
        arguments += ["--allowlist-type", "genp_.*", "--allowlist-var", "GENP_.*"]
        clang = ["--", "-D__BINDGEN__", "-include", HEADER]
        return subprocess.run(["bindgen", constants.name, *arguments, *clang], check=True,
                              capture_output=True, text=True).stdout


def words(text):
    """A comment of C as one line of Markdown."""
    text = re.sub(r"\s*\n\s*\*\s*", " ", text).strip()
    text = re.sub(r"&(\w+)", r"`\1`", text)
    text = re.sub(r"(?<!\w)@(\w+)", r"`\1`", text)
    text = re.sub(r"(?<![`\w])(GENP_\w+\*?)", r"`\1`", text)
    return text.replace("[", r"\[").replace("<", r"\<")


def structures(header):
    """What kernel-doc says: of (structure, "") and of (structure, field)."""
    found = {}
    for name, comment in re.findall(r"/\*\*\n \* struct (\w+) - (.*?)\*/", header, re.S):
        about, *fields = re.split(r"^ \* @", comment, flags=re.M)
        found[name, ""] = words(about)
        for field in fields:
            # What comes after an empty line is about all fields.
            field = re.split(r"^ \*$", field, flags=re.M)[0]
            for one in field.partition(":")[0].split(","):
                found[name, one.strip()] = words(field.partition(":")[2])
    return found


def constants(header):
    """What is beside constants, else what is above the first of several."""
    found, above = {}, ""
    for line in re.sub(r"\n \*(?!/)", " ", header).split("\n"):
        if comment := re.fullmatch(r"/\*\s(.*?)\s*(\*/)?", line):
            above = comment[1]
        elif define := re.match(r"#define (GENP_\w+)\s+[^/]*(?:/\*\s*(.*?)\s*\*/)?", line):
            found[define[1]] = words(define[2] or above)
        elif not line:
            above = ""
    return found


def documented(rust, header):
    """The items of bindgen with their comments."""
    fields, values, inside = structures(header), constants(header), ""
    for line in rust.split("\n"):
        text = ""
        if item := re.match(r"pub struct (\w+)", line):
            inside = item[1]
            text = fields[inside, ""]
        elif item := re.match(r"    pub (\w+):", line):
            text = fields[inside, item[1].rstrip("_")]
        elif item := re.match(r"pub const GENP_IOCTL_(\w+):", line):
            text = f"The command `GENP_{item[1]}`."
        elif item := re.match(r"pub const (\w+):", line):
            text = values[item[1]] or "As of the header."
        elif item := re.match(r"pub type (\w+) =", line):
            text = "As in C."
        else:
            yield line
            continue
        indent = re.match(r" *", line)[0]
        if not text:
            sys.exit(f"genp: {HEADER} has no comment on what is here in Rust: {line.strip()}")
        yield f"{indent}/// {text[0].upper()}{text[1:]}"
        yield line


def table(header):
    names = commands(header)
    entries = "".join(f"    GENP_IOCTL_{name},\n" for name in names)
    return f"/// All commands.\npub const GENP_COMMANDS: [u64; {len(names)}] = [\n{entries}];\n"


def main():
    with open(HEADER, encoding="utf-8") as file:
        header = file.read()
    made = TOP + "\n".join(documented(bindgen(header), header)) + table(header)
    if sys.argv[1:] != ["--check"]:
        with open(OUT, "w", encoding="utf-8") as file:
            file.write(made)
        return
    with open(OUT, encoding="utf-8") as file:
        found = file.read()
    if found != made:
        sys.stdout.writelines(difflib.unified_diff(
            found.splitlines(True), made.splitlines(True), OUT, HEADER, n=1))
        sys.exit(f"{OUT} is not what {HEADER} says: run scripts/bindings")


main()
