# SPDX-License-Identifier: MIT OR Apache-2.0
"""pages.py VERSION DIR HEADER...: writes the manual pages of libgenp, one for each function,
from the comments of its headers, which are kernel-doc with paragraphs "Cost:", "Context:" and
"Return:", and libgenp(7) from what is at the top of the headers. Ends with 1 if a function has
no comment, or an argument none. Their date is SOURCE_DATE_EPOCH or that of the headers."""

import datetime
import os
import re
import sys

COMMENT = re.compile(r"/\*\*\n \* (genp_\w+)\(\) - (.*?)\n(.*?) \*/\n(.*?;)\n", re.S)
FUNCTION = re.compile(r"^[a-z].*?\b(genp_\w+)\([^;{]*\);", re.M)
STRUCTURE = re.compile(r"/\*\*\n \* struct (genp_\w+) - (.*?)\n(.*?) \*/\n(struct .*?^};)\n", re.S | re.M)


def heading(name, section, version):
    newest = max(os.path.getmtime(header) for header in sys.argv[3:])
    when = int(os.environ.get("SOURCE_DATE_EPOCH", newest))
    date = datetime.datetime.fromtimestamp(when, datetime.timezone.utc).date()
    return f'.TH {name} {section} "{date}" "libgenp {version}" "Library of GenP"\n'


def escaped(text):
    """Text as roff takes it."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text, flags=re.M)


def formatted(text):
    """A paragraph: arguments in italics, functions and files in bold."""
    text = escaped(" ".join(text.split()))
    text = re.sub(r"@(\w+)", r"\\fI\1\\fP", text)
    return re.sub(r"\b(genp_\w+)\(\)", r"\\fB\1\\fP(3)", text)


def sections(body):
    """The arguments, the paragraphs before the first name with a colon, and those with one."""
    lines = [re.sub(r"^ \* ?", "", line) for line in body.split("\n")]
    arguments, text, named = {}, [], {}
    for paragraph in "\n".join(lines).strip().split("\n\n"):
        for piece in re.split(r"\n(?=@|[A-Z][a-z]+: )", paragraph):
            if argument := re.match(r"@(\w+):\s*(.*)", piece, re.S):
                arguments[argument[1]] = argument[2]
            elif name := re.match(r"([A-Z][a-z]+): (.*)", piece, re.S):
                named[name[1]] = name[2]
            elif piece.strip():
                text.append(piece)
    return arguments, text, named


def sentence(text):
    return formatted(text[0].upper() + text[1:])


def listed(items):
    return "".join(f".TP\n\\fI{name}\\fP\n{formatted(what)}\n" for name, what in items.items())


def declaration(code):
    lines = [line.strip() for line in code.split("\n")]
    inner = [f".B \"    {escaped(line)}\"" for line in lines[1:] if line != "};"]
    end = [".B };"] if lines[-1] == "};" else []
    return "\n".join([".nf", f".B {escaped(lines[0])}", *inner, *end, ".fi"]) + "\n"


def page(name, summary, body, code, header, structures, version):
    arguments, text, named = sections(body)
    for parameter in re.findall(r"(\w+)(?:\[\w*\])?[,)]", code[code.index("("):]):
        if parameter not in arguments and parameter != "void":
            sys.exit(f"{header}: {name}() says nothing of its argument {parameter}")
    for section in ("Cost", "Context", "Return"):
        if section not in named:
            sys.exit(f"{header}: {name}() has no paragraph '{section}:'")
    out = heading(name, 3, version)
    out += f".SH NAME\n{name} \\- {escaped(summary)}\n"
    out += ".SH LIBRARY\nGenP library\n.RI ( libgenp \", \" \\-lgenp )\n"
    out += f".SH SYNOPSIS\n.nf\n.B #include <genp.h>\n.fi\n.P\n{declaration(code)}"
    out += ".SH DESCRIPTION\n" + "".join(f"{formatted(part)}\n.P\n" for part in text)
    out = re.sub(r"\.P\n$", "", out)
    if not text:
        out += f"{sentence(summary)}.\n"
    out += ("\n.P\nArguments:\n" + listed(arguments)).lstrip("\n") if arguments else ""
    for kind, (about, fields, layout) in structures.items():
        if f"struct {kind} " in code:
            out += f".SS struct {kind}: {escaped(about)}\n{declaration(layout)}{listed(fields)}"
    out += f".SH RETURN VALUE\n{sentence(named['Return'])}\n"
    out += f".SH COST\n{sentence(named['Cost'])}\n"
    out += f".SH CONTEXT\n{sentence(named['Context'])}\n"
    out += ".SH SEE ALSO\n"
    others = sorted(set(re.findall(r"\b(genp_\w+)\(\)", body)) - {name})
    out += "".join(f"\\fB{other}\\fP(3),\n" for other in others) + "\\fBlibgenp\\fP(7)\n"
    return out


def overview(texts, version):
    """What holds for all functions: the comments at the top of the headers."""
    out = heading("libgenp", 7, version)
    out += ".SH NAME\nlibgenp \\- memory with a contract, for programs in C and C++\n"
    out += ".SH SYNOPSIS\n.nf\n.B #include <genp.h>\n.P\n.B cc ... $(pkg\\-config \\-\\-cflags \\-\\-libs genp)\n.fi\n"
    for header, text in texts.items():
        comment = re.search(r"/\*[\n ](?! SPDX)(?!\*)(.*?)\*/", text.partition("\n")[2], re.S)
        body = re.sub(r"^ \* ?", "", comment[1], flags=re.M).strip()
        out += ".SH DESCRIPTION\n" if header.endswith("/genp.h") else f".SS genp/{header.rpartition('/')[2]}\n"
        for number, part in enumerate(body.split("\n\n")):
            out += ".P\n" if number else ""
            # Lines that are indented are a list.
            plain = not part.startswith("  ")
            out += formatted(part) + "\n" if plain else f".nf\n{escaped(part)}\n.fi\n"
    names = sorted(name for text in texts.values() for name in FUNCTION.findall(text))
    return out + ".SH FUNCTIONS\n" + ",\n".join(f"\\fB{name}\\fP(3)" for name in names) + "\n"


def main():
    texts = {}
    version, directory, *headers = sys.argv[1:]
    for header in headers:
        with open(header, encoding="utf-8") as file:
            text = texts[header] = file.read()
        structures = {name: (about, sections(body)[0], code)
                      for name, about, body, code in STRUCTURE.findall(text)}
        pages = {found[0]: found for found in COMMENT.findall(text)}
        for name in FUNCTION.findall(text):
            if name not in pages:
                sys.exit(f"{header}: {name}() has no comment of kernel-doc")
            made = page(*pages[name], header, structures, version)
            with open(f"{directory}/{name}.3", "w", encoding="utf-8") as file:
                file.write(made)
    with open(f"{directory}/libgenp.7", "w", encoding="utf-8") as file:
        file.write(overview(texts, version))


main()
