"""Writes pinion(1) from what the program itself says about its commands.

usage: python3 packaging/man_page.py PROGRAM FILE
"""

import re
import subprocess
import sys

_SUBCOMMANDS = re.compile(r"^Subcommands:\n((?:  .*\n)+)", re.MULTILINE)
_HEAD = r""".TH PINION 1 "" "{version}" "User commands"
.SH NAME
pinion \- gateway and registry of API versions for gRPC
.SH SYNOPSIS
.B pinion
[\fIOPTIONS\fR] \fICOMMAND\fR
.SH DESCRIPTION
{description}
.SH OPTIONS
.nf
{options}
.fi
.SH COMMANDS
"""
_TAIL = r""".SH FILES
.TP
.I /etc/pinion/gateway.yaml, /etc/pinion/registry.yaml
What the units pinion\-gateway.service and pinion\-registry.service start with.
.TP
.I /var/lib/pinion
The registry's database, and the last state that a gateway had of it.
.SH ENVIRONMENT
.TP
.B PINION_REGISTRY
The registry, unless
.B \-\-registry
names one.
.TP
.B PINION_ACTOR
Who makes a change, unless
.B \-\-actor
says so.
.SH EXIT STATUS
0 when all went well; else a line on the standard error says why not.
"""


def escaped(text):
    """As roff shows it: hyphens that can be copied, and no line that is taken for a request."""
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\n".join("\\&" + line if line[:1] in (".", "'") else line for line in text.splitlines())


def help_of(program, command):
    return subprocess.run([program, *command, "--help"], capture_output=True, text=True, check=True).stdout


def subcommands(text):
    """The names of the commands that a help text lists."""
    listed = _SUBCOMMANDS.search(text)
    return re.findall(r"^  (\S+)", listed[1], re.MULTILINE) if listed else []


def leaves(program, command=()):
    """(command, its help) of every command that does something, in the program's order."""
    text = help_of(program, command)
    names = subcommands(text)
    if command and (not names or "Options:" in text and re.search(r"^  --(?!help)", text, re.MULTILINE)):
        yield command, text
    for name in names:
        yield from leaves(program, (*command, name))


def page(program):
    """The whole page as text."""
    root = help_of(program, ())
    version = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    description = root.split("\nUsage:", 1)[0].strip()
    options = re.search(r"^Options:\n((?:  .*\n)+)", root, re.MULTILINE)[1].rstrip()
    parts = [_HEAD.format(version=version, description=escaped(description), options=escaped(options))]
    for command, text in leaves(program):
        text = re.sub(r"^Usage: .*\n|^  -h,--help .*\n", "", text, flags=re.MULTILINE)
        text = re.sub(r"^Options:\n(?!  )", "", text, flags=re.MULTILINE)
        text = re.sub(r"\n{3,}", "\n\n", text).strip()
        parts.append(f".SS pinion {escaped(' '.join(command))}\n.nf\n{escaped(text)}\n.fi\n")
    return "".join(parts) + _TAIL


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.split("\n\n")[1])
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(page(sys.argv[1]))
