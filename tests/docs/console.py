"""Commands of `console` blocks, each with what the page shows under it. Pure."""

import dataclasses
import re

_STATUS = re.compile(r"\s+# exit status (\d+)\s*\Z")
# Commands that only look: what they show may be on its way to where they look, so they are asked again.
_LOOKS = re.compile(r"\s*(?:curl|addressbook_client|etcdctl endpoint|pinion (?:\S+ )?"
                    r"(?:list|get|status|explain|usage|history|log|check|verify|can-deploy|can-retire|whoami|doctor))\b")


@dataclasses.dataclass
class Command:
    text: str
    line: int
    shown: list
    status: int | None  # that is said; None: not 0, as an error message is shown

    def looks(self):
        return bool(_LOOKS.match(self.text)) or "--dry-run" in self.text


def commands(block):
    found, going_on = [], False
    for number, line in enumerate(block.text.splitlines(), block.line):
        if going_on:
            found[-1].text += "\n" + line
        elif line.startswith("$ "):
            found.append(Command(line[2:], number, [], 0))
        else:
            found[-1].shown.append(line)
            continue
        going_on = found[-1].text.endswith("\\")
    for command in found:
        status = _STATUS.search(command.text)
        if status:
            command.text, command.status = command.text[:status.start()], int(status.group(1))
        elif command.shown and command.shown[0].startswith("pinion: "):
            command.status = None
    return found
