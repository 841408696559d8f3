"""Callers that want more memory than a gateway may use: it turns them away, and is there for the next."""

import contextlib
import pathlib
import re
import struct
import tempfile
import time
import unittest
import urllib.request

from tests.harness import h2
from tests.harness.gateway import Gateway, address, configuration, service
from tests.harness.process import ROOT, Process
from tests.integration.attacks.attacks import PATH
from tests.integration.attacks.link import Link

_BUDGET = 64 << 20
# What comes between two looks where others take the processor as well. Without a budget it would be twice as much.
_OVERSHOOT = 64 << 20
_CONNECTIONS, _CALLS, _MESSAGE_BYTES = 40, 100, 45_000  # 180 MB that nobody reads
_SETTINGS_WINDOW_0 = struct.pack(">HI", 4, 0)
_IN_FLIGHT_MAX = 500_000  # of a connection's window of 1 MiB
_WINDOW_UPDATE = 8
_PATIENCE = 20  # seconds


class _Hoarder:
    """A connection whose calls send a message each, and never let the echo of it come."""

    _head = h2.block([(":method", "POST"), (":scheme", "http"), (":path", PATH), (":authority", "test"),
                      ("content-type", "application/grpc"), ("te", "trailers")])
    _message = b"\0" + struct.pack(">I", _MESSAGE_BYTES - 5) + b"m" * (_MESSAGE_BYTES - 5)
    _streams = range(1, 2 * _CALLS, 2)

    def __init__(self, port):
        self._link = Link(port, _SETTINGS_WINDOW_0)
        self._in_flight = 0
        self._begun = False

    def close(self):
        self._link.__exit__()

    def begin(self):
        """Its calls, if they have not begun yet."""
        if not self._begun:
            self._begun = True
            self._send(b"".join(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, self._head) for stream in self._streams))

    def fill(self):
        for stream in self._streams:
            self._in_flight += _MESSAGE_BYTES
            self._send(b"".join(h2.frame(h2.DATA, h2.END_STREAM if at + 16384 >= _MESSAGE_BYTES else 0, stream,
                                         self._message[at:at + 16384]) for at in range(0, _MESSAGE_BYTES, 16384)))

    def _send(self, frames):
        self._link.send(frames)
        end = time.monotonic() + _PATIENCE
        while self._link.waiting() or self._in_flight > _IN_FLIGHT_MAX:
            self._link.wait(0.01)
            for kind, _, stream, payload in self._link.frames():
                if kind == _WINDOW_UPDATE and stream == 0:
                    self._in_flight -= struct.unpack(">I", payload)[0]
            if time.monotonic() > end:
                raise TimeoutError("the gateway takes nothing more")


class Budget(unittest.TestCase):
    def setUp(self):
        folder = pathlib.Path(self.enterContext(tempfile.TemporaryDirectory()))
        echo = self.enterContext(Process([ROOT / "build/release/tests/bench/bench_echo"], folder / "echo.log"))
        config = configuration([service("echo", ["pinion.test.Echo"], {"1.0.0": echo.wait_port()}, "1.0.0")])
        config["admin"] = {"address": address(0)}
        config["gateway"]["memory_budget_bytes"] = _BUDGET
        self._gateway = self.enterContext(Gateway(config, folder))
        self._admin = int(self._gateway.wait_line(r"admin address=\S+:(\d+)").group(1))

    def _limit(self, name):
        with urllib.request.urlopen(f"http://127.0.0.1:{self._admin}/metrics", timeout=_PATIENCE) as page:
            return int(re.search(rf'^pinion_limits_total{{limit="{name}"}} (\d+)', page.read().decode(), re.M).group(1))

    def _answers(self):
        with h2.Client(self._gateway.port) as client:
            return b"hi" in client.answer(PATH, body=b"\0\0\0\0\x02hi")

    def _fill(self, hoarders, limit):
        """One after the other, until this limit has acted."""
        for hoarder in hoarders:
            try:
                hoarder.begin()
                hoarder.fill()
            except (ConnectionError, TimeoutError):
                pass  # the gateway has had enough
            self.assertLess(self._gateway.memory_bytes(), _BUDGET + _OVERSHOOT)
            if self._limit(limit):
                return
        # The answers to what was sent may still be on their way.
        end = time.monotonic() + _PATIENCE
        while not self._limit(limit):
            self.assertLess(time.monotonic(), end, f"{limit} has not acted")
            self._answers()

    def _withstand(self, limit, prepare=lambda hoarder: None):
        self.assertTrue(self._answers())
        with contextlib.ExitStack() as stack:
            hoarders = [stack.enter_context(contextlib.closing(_Hoarder(self._gateway.port))) for _ in range(_CONNECTIONS)]
            for hoarder in hoarders:
                prepare(hoarder)
            self._fill(hoarders, limit)
        end = time.monotonic() + _PATIENCE
        while not self._answers():
            self.assertLess(time.monotonic(), end, "calls are still refused although nobody holds anything any more")
            time.sleep(0.05)
        self.assertIn("memory is short", self._gateway.output())

    def test_calls_are_refused_before_it_is_used_up(self):
        self._withstand("memory_calls")

    def test_calls_that_run_already_end_when_they_want_more(self):
        self._withstand("memory_largest", _Hoarder.begin)


if __name__ == "__main__":
    unittest.main()
