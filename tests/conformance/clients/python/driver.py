"""The conformance scenarios' driver for Python: reads commands as JSON, one a line, and answers each with a line."""

import json
import sys

from calls import Calls
from servers import Servers


def main():
    verbs = {}
    for holder in (Calls(), Servers()):
        verbs |= {name: getattr(holder, name) for name in dir(holder) if not name.startswith("_")}
    for line in sys.stdin:
        command = json.loads(line)
        verb = verbs.get(command.pop("do"))
        print(json.dumps(verb(**command) if verb else {"failure": f"no such command: {line}"}), flush=True)


if __name__ == "__main__":
    main()
