"""The reference of the command line, from the tree of commands that `pinion help-dump` prints. Pure."""

from tools.docs.markdown import anchor, cell, link, page, table


def walk(command):
    """The command and all below it, in their order."""
    yield command
    for below in command["commands"]:
        yield from walk(below)


def _usage(command):
    words = [command["path"]]
    for argument in command["arguments"]:
        name = argument["name"] + ("…" if argument["repeated"] else "")
        words.append(name if argument["required"] else f"[{name}]")
    return " ".join(words)


def _option(option):
    names = ", ".join(name for name in (option["shortName"], option["longName"]) if name)
    value = "|".join(option["choices"]) or option["value"]
    return f"`{names} {value}`" if value else f"`{names}`"


def _options(command):
    rows = [[f"`{each['name']}`", cell(each["help"])] for each in command["arguments"]]
    rows += [[cell(_option(each)), cell(each["help"] + ("; may be given several times" if each["repeated"] else ""))]
             for each in command["options"]]
    return table(["", ""], rows) if rows else ""


def _command(command, depth):
    parts = [f"{'#' * min(depth + 1, 4)} {command['path']}", command["help"] + "."]
    if command["runs"]:
        parts.append(f"```text\n{_usage(command)}\n```")
    parts += [_options(command), " ".join(command["notes"])]
    if command["runs"] and command["examples"]:
        parts.append("```text\n" + "\n".join(command["examples"]) + "\n```")
    if command["commands"]:
        below = [[link(f"`{each['path']}`", "#" + anchor(each["path"])), cell(each["help"])] for each in command["commands"]]
        parts.append(table(["command", ""], below))
    return [part for part in parts if part]


def reference(tree):
    parts = ["# Commands", tree["help"], "Every command also takes these:", _options(tree),
             table(["command", ""], [[link(f"`{each['path']}`", "#" + anchor(each["path"])), cell(each["help"])]
                                     for each in tree["commands"]])]
    for command in tree["commands"]:
        for each in walk(command):
            parts += _command(each, each["path"].count(" "))
    return page("the commands' own descriptions, in clients/cli", *parts)
