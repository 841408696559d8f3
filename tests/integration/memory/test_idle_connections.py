"""What connections cost that do nothing: gRPC clients keep theirs open for weeks."""

import os
import pathlib
import tempfile
import time
import unittest

from tests.bench.held import HeldConnections
from tests.harness.gateway import Gateway, configuration, service

_CONNECTIONS = 3000
# Twice what they cost when this was written. Of other proxies 4 to 66 MiB were measured.
_BYTES_MAX = 10 << 20


_PATIENCE = 20  # seconds


class IdleConnections(unittest.TestCase):
    def _wait_until_closed(self, gateway, files):
        """A busy gateway notices late that its peers are gone: theirs would be counted with those that follow."""
        end = time.monotonic() + _PATIENCE
        while self._files(gateway) > files:
            self.assertLess(time.monotonic(), end, "connections that were closed are still open in the gateway")
            time.sleep(0.01)

    @staticmethod
    def _files(gateway):
        return sum(len(os.listdir(f"/proc/{pid}/fd")) for pid in gateway.family())

    def test_they_are_cheap_and_leave_room_for_the_next(self):
        with tempfile.TemporaryDirectory() as folder:
            services = [service("echo", ["pinion.test.Echo"], {"1.0.0": 1}, "1.0.0")]
            with Gateway(configuration(services), pathlib.Path(folder)) as gateway:
                before, files = gateway.memory_bytes(), self._files(gateway)
                for round_number in range(2):
                    with self.subTest(round=round_number), HeldConnections(gateway.port, _CONNECTIONS):
                        self.assertLess(gateway.memory_bytes() - before, _BYTES_MAX)
                    self._wait_until_closed(gateway, files)


if __name__ == "__main__":
    unittest.main()
