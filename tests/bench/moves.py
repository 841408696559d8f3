"""A pin moved again and again among many, while calls flow: what the calls notice of it, and how soon one follows its pin."""

import contextlib
import dataclasses
import os
import re
import subprocess
import threading
import time
import urllib.request

from tests.bench import load as loads
from tests.harness import h2
from tests.harness.gateway import PROGRAM, Gateway, address, listener
from tests.harness.process import CACHE, ROOT, Process

# Far from what a gateway can do, so that latencies are its own and not those of a queue.
_LOAD = loads.Load("moves", 20, 10, 64)
_CALLS_PER_SECOND = 2000
_FILL_SECONDS = 900
_FOLLOW_SECONDS = 5
_VERSIONS = {"^1": b"1.0.0", "^2": b"2.0.0"}
_MESSAGE = b"\0\0\0\0\0"


@dataclasses.dataclass(frozen=True)
class Outcome:
    """Times in µs: of all calls, sorted, before the moves and during them; and from the end of the command that moved the pin
    to the end of the first call that followed it, sorted."""

    quiet: list
    moving: list
    followed: list
    unlike_ok: int  # calls that did not end with OK


class _Mover:
    """Moves the pin of the consumer that the load calls as, there and back, and looks for the call that follows."""

    def __init__(self, registry_port, gateway_port):
        self.followed_us = []
        self.failure = None
        self._environment = {**os.environ, "PINION_REGISTRY": f"127.0.0.1:{registry_port}", "PINION_ACTOR": "bench"}
        self._port = gateway_port

    def run(self, moves):
        try:
            for number in range(moves):
                self._move("^2" if number % 2 == 0 else "^1")
        except (RuntimeError, OSError, subprocess.SubprocessError) as error:
            self.failure = error

    def _move(self, expression):
        done = subprocess.run([PROGRAM, "pin", "set", loads.CONSUMER, "echo", expression], env=self._environment,
                              capture_output=True, text=True, timeout=30, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"pinion pin set: {done.stderr.strip()}")
        began = time.monotonic()
        while not self._goes_to(_VERSIONS[expression]):
            if time.monotonic() > began + _FOLLOW_SECONDS:
                raise RuntimeError(f"no call has followed the pin to {expression} in {_FOLLOW_SECONDS} s")
        self.followed_us.append((time.monotonic() - began) * 1e6)

    def _goes_to(self, version):
        """On a connection of its own: the first answer on it says the version in so many letters."""
        with h2.Client(self._port) as client:
            return version in client.answer(loads.PATH, [("api-consumer", loads.CONSUMER)], body=_MESSAGE)


def _unlike_ok(admin_port):
    with urllib.request.urlopen(f"http://127.0.0.1:{admin_port}/metrics", timeout=20) as page:
        text = page.read().decode()
    ended = re.findall(r'^pinion_calls_ended_total\{code="(\w+)"\} (\d+)', text, re.M)
    return sum(int(count) for code, count in ended if code != "OK")


def measure(pins, moves, cores):
    """`cores`: of the gateway, and of all else."""
    folder = CACHE / "bench/moves"
    programs = ROOT / "build/release/tests/bench"
    with contextlib.ExitStack() as stack:
        upstreams = [stack.enter_context(Process([programs / "bench_echo"], folder / f"echo{n}.log", cores[1])) for n in (1, 2)]
        ports = [upstream.wait_port() for upstream in upstreams]
        registry = stack.enter_context(Process([programs / "registry_with_pins", pins, *ports], folder / "registry.log", cores[1]))
        registry_port = int(registry.wait_line(r"serving on port (\d+)", _FILL_SECONDS).group(1))
        gateway = stack.enter_context(Gateway({
            "listeners": [listener()], "admin": {"address": address(0)}, "gateway": {"workers": 1},
            "registry": {"address": address(registry_port)}}, folder, cores[0]))
        gateway.wait_line("ready", 120)
        admin_port = int(gateway.wait_line(r"admin address=\S+:(\d+)").group(1))
        mover = _Mover(registry_port, gateway.port)
        loads.h2load(_LOAD, gateway.port, cores[1], ["-n", "5000"])  # connections to the instances, warm caches
        mover.run(2)
        began = time.monotonic()
        mover.run(10)
        seconds = max(2, round((time.monotonic() - began) / 10 * moves))
        quiet = loads.latencies(_LOAD, gateway.port, cores[1], _CALLS_PER_SECOND, seconds)
        mover.followed_us.clear()
        thread = threading.Thread(target=mover.run, args=(moves,))
        thread.start()
        moving = loads.latencies(_LOAD, gateway.port, cores[1], _CALLS_PER_SECOND, seconds)
        thread.join()
        if mover.failure is not None:
            raise RuntimeError(mover.failure)
        if quiet is None or moving is None:
            raise RuntimeError(f"the machine is too busy for {_CALLS_PER_SECOND} calls a second")
        return Outcome(quiet, moving, sorted(mover.followed_us), _unlike_ok(admin_port))
