"""The conformance scenarios' driver for Python: reads commands as JSON, one a line, and answers each with a line.

usage: driver.py [--aio]: with blocking gRPC, or with grpc.aio
"""

import json
import sys

from asynchronous import AioCalls, AioServer
from calls import Calls
from servers import Server, Servers


def main():
    verbs = {}
    aio = "--aio" in sys.argv
    for holder in (AioCalls() if aio else Calls(), Servers(AioServer if aio else Server)):
        verbs |= {name: getattr(holder, name) for name in dir(holder) if not name.startswith("_")}
    for line in sys.stdin:
        command = json.loads(line)
        verb = verbs.get(command.pop("do"))
        print(json.dumps(verb(**command) if verb else {"failure": f"no such command: {line}"}), flush=True)


if __name__ == "__main__":
    main()
