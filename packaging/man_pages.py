"""Writes the manual, pinion(1) and a page for each of its commands, from what the program says of itself (`pinion help-dump`).

usage: python3 packaging/man_pages.py PROGRAM DIRECTORY
"""

import gzip
import json
import pathlib
import subprocess
import sys

_FILES = (("/etc/pinion/gateway.yaml, /etc/pinion/registry.yaml",
           "What the units pinion-gateway.service and pinion-registry.service start with."),
          ("/var/lib/pinion", "The registry's database, and the last state that a gateway had of it."),
          ("$XDG_CONFIG_HOME/pinion/contexts.yaml, else ~/.config/pinion/contexts.yaml", "What `pinion context` keeps."))
_ENVIRONMENT = (("PINION_CONTEXT", "The context to go by, unless --context names one."),
                ("PINION_REGISTRY, PINION_ACTOR, PINION_TOKEN_FILE, PINION_TLS_CA, PINION_TLS_CERT, PINION_TLS_KEY, PINION_TLS_NAME",
                 "As the options of these names, which are nearer."),
                ("PINION_TOKEN", "The token itself."),
                ("NO_COLOR", "If not empty: no colours, also on a terminal."),
                ("USER", "Who makes a change, if nothing else says so."))


def escaped(text):
    """As roff shows it: hyphens and quotes that can be copied, and no line that is taken for a request."""
    for plain, roff in (("\\", "\\e"), ("-", "\\-"), ("'", "\\(aq"), ("`", "\\(ga"), ("^", "\\(ha"), ("~", "\\(ti")):
        text = text.replace(plain, roff)
    return "\n".join("\\&" + line if line[:1] == "." else line for line in text.splitlines())


def section(title, *parts):
    """Nothing without contents."""
    return f".SH {title}\n" + "".join(parts) if any(parts) else ""


def tagged(rows):
    """(what, its meaning) one below the other."""
    return "".join(f".TP\n.B {escaped(what)}\n{escaped(meaning)}\n" for what, meaning in rows)


def verbatim(lines):
    return ".nf\n" + "".join(f"    {escaped(line)}\n" for line in lines) + ".fi\n" if lines else ""


def synopsis(command):
    """"pinion pin set [OPTIONS] [CONSUMER]"."""
    words = [command["path"], *(["[OPTIONS]"] if command["options"] else [])]
    for argument in command["arguments"]:
        name = argument["name"] + (" ..." if argument["repeated"] else "")
        words.append(name if argument["required"] else f"[{name}]")
    return " ".join(words)


def option_text(option):
    names = ", ".join(name for name in (option["shortName"], option["longName"]) if name)
    return f"{names} {option['value']}".rstrip()


def parameters(command):
    return tagged([(one["name"], one["help"]) for one in command["arguments"]] +
                  [(option_text(one), one["help"]) for one in command["options"]])


def paragraph(lines):
    return f".PP\n{escaped(chr(10).join(lines))}\n" if lines else ""


def leaves(command):
    """All below it, and itself, that do something."""
    if command["runs"]:
        yield command
    for below in command["commands"]:
        yield from leaves(below)


def head(name, version, help_text):
    return (f'.TH {name.upper()} 1 "" "{version}" "User commands"\n.SH NAME\n{escaped(name)} \\- {escaped(help_text)}\n')


def command_page(command, version):
    """Of one noun with its verbs, or of a command that has none."""
    name = command["path"].replace(" ", "-")
    below = [leaf for leaf in leaves(command) if leaf is not command]
    lines = [synopsis(leaf) for leaf in leaves(command)]
    verbs = "".join(f".SS {escaped(synopsis(leaf))}\n{escaped(leaf['help'])}.\n{paragraph(leaf['notes'])}{parameters(leaf)}"
                    f".PP\n{verbatim(leaf['examples'])}" for leaf in below)
    return "".join((
        head(name, version, command["help"]),
        section("SYNOPSIS", ".nf\n", *(f".B {escaped(line)}\n" for line in lines), ".fi\n"),
        section("DESCRIPTION", f"{escaped(command['help'])}.\n", paragraph(command["notes"])),
        section("OPTIONS", parameters(command)),
        section("COMMANDS", verbs),
        section("EXAMPLES", verbatim(command["examples"])),
        section("SEE ALSO", ".BR pinion (1),\nfor the options that every command takes, and what each exit status means.\n")))


def program_page(program, version):
    nouns = [(f"pinion {one['name']}", f"{one['help']}: pinion-{one['name']}(1).") for one in program["commands"]]
    return "".join((
        head("pinion", version, "gateway and registry of API versions for gRPC"),
        section("SYNOPSIS", ".B pinion\n[\\fIOPTIONS\\fR] \\fICOMMAND\\fR\n"),
        section("DESCRIPTION", f"{escaped(program['help'])}\n", paragraph(program["notes"])),
        section("OPTIONS", "Understood after every word.\n", parameters(program)),
        section("COMMANDS", tagged(nouns)),
        section("EXAMPLES", verbatim(program["examples"])),
        section("EXIT STATUS", tagged([(str(one["status"]), one["meaning"]) for one in program["exitStatuses"]])),
        section("ENVIRONMENT", tagged(_ENVIRONMENT)),
        section("FILES", tagged(_FILES))))


def run(program, *args):
    return subprocess.run([program, *args], capture_output=True, text=True, check=True).stdout


def pages(program):
    """{file name: text}."""
    tree = json.loads(run(program, "help-dump"))
    version = run(program, "--version").strip()
    return {"pinion.1": program_page(tree, version),
            **{f"pinion-{one['name']}.1": command_page(one, version) for one in tree["commands"]}}


def write(program, directory):
    """Compressed, the same bytes for the same program."""
    directory.mkdir(parents=True, exist_ok=True)
    for name, text in pages(program).items():
        (directory / f"{name}.gz").write_bytes(gzip.compress(text.encode(), 9, mtime=0))


if __name__ == "__main__":
    if len(sys.argv) != 3:
        sys.exit(__doc__.split("\n\n")[1])
    write(sys.argv[1], pathlib.Path(sys.argv[2]))
