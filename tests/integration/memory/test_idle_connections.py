"""What connections cost that do nothing: gRPC clients keep theirs open for weeks."""

import pathlib
import tempfile
import unittest

from tests.bench.held import HeldConnections
from tests.harness.gateway import Gateway, configuration, service

_CONNECTIONS = 3000
# Twice what they cost when this was written. Of other proxies 4 to 66 MiB were measured.
_BYTES_MAX = 10 << 20


class IdleConnections(unittest.TestCase):
    def test_they_are_cheap_and_leave_room_for_the_next(self):
        with tempfile.TemporaryDirectory() as folder:
            services = [service("echo", ["pinion.test.Echo"], {"1.0.0": 1}, "1.0.0")]
            with Gateway(configuration(services), pathlib.Path(folder)) as gateway:
                before = gateway.memory_bytes()
                for _ in range(2):
                    with HeldConnections(gateway.port, _CONNECTIONS):
                        self.assertLess(gateway.memory_bytes() - before, _BYTES_MAX)


if __name__ == "__main__":
    unittest.main()
