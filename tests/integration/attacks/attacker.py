"""One attack on one port for some time, on one connection after the other. Prints {"connections": N, "goaways": {code: N}}.

usage: python3 -m tests.integration.attacks.attacker PORT NAME SECONDS
"""

import collections
import json
import os
import struct
import sys
import time

from tests.harness import h2
from tests.integration.attacks.attacks import ATTACKS
from tests.integration.attacks.link import Link

_WAITING_MAX = 1 << 18
_STEP_SECONDS = 0.05


def _spoil(attack, port, until, goaways):
    """One connection, until it is over."""
    with Link(port, attack.settings) as link:
        for chunk in attack.chunks():
            link.send(chunk)
            link.wait(0 if chunk else _STEP_SECONDS, attack.reads)
            while link.waiting() > _WAITING_MAX and time.monotonic() < until:
                link.wait(_STEP_SECONDS, attack.reads)
            if time.monotonic() >= until:
                return
            for kind, _, _, payload in link.frames(answers=False):
                if kind == h2.GOAWAY:
                    goaways[struct.unpack(">I", payload[4:8])[0]] += 1
                    return
        while time.monotonic() < until:  # everything is said
            link.wait(_STEP_SECONDS)
            if any(kind == h2.GOAWAY for kind, *_ in link.frames(answers=False)):
                return


def main(port, name, seconds):
    # Its machine would be another one: of this one it gets less than the others.
    os.nice(5)
    attack = next(attack for attack in ATTACKS if attack.name == name)
    until = time.monotonic() + float(seconds)
    goaways, connections = collections.Counter(), 0
    while time.monotonic() < until:
        connections += 1
        try:
            _spoil(attack, int(port), until, goaways)
        except OSError:
            pass  # the gateway has had enough, which is what is hoped for
    print(json.dumps({"connections": connections, "goaways": goaways}))


if __name__ == "__main__":
    main(*sys.argv[1:])
