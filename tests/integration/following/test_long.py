"""A registry that is away for longer than a restart takes: no call fails, and the gateway calls itself frozen.

PINION_AWAY_SECONDS=600 makes it as long as is promised:

    PINION_AWAY_SECONDS=600 ctest --test-dir build/release -V -R following_long_test
"""

import os
import unittest

from tests.integration.following.followed import Callers, Followed

AWAY = int(os.environ.get("PINION_AWAY_SECONDS", "45"))


class Away(Followed):
    def test_no_call_fails_while_the_registry_is_away_and_frozen_is_shown_as_frozen(self):
        registry = self.start_registry()
        self.greeter()
        gateway = self.start_gateway()
        self.settle(gateway)
        with Callers(self.port(gateway), threads=8, pause=0.002) as callers:
            self.assertEqual(self.value(gateway, "pinion_registry_frozen"), 0)
            self.kill(registry)
            gone, before = self.now(), callers.calls
            self.until(lambda: self.value(gateway, "pinion_registry_frozen") == 1, seconds=60)
            self.assertGreater(self.now(), gone + 20)
            self.assertRegex(self.page(gateway, "/healthz"), r"^frozen: the registry at .* is away.*\(last heard \d+s ago\)\n$")
            self.rest(max(0, gone + AWAY - self.now()))
            calls, seconds = callers.calls - before, self.now() - gone
            print(f"{calls} calls in {seconds:.0f} s without a registry: {calls / seconds:.0f} a second, "
                  f"{len(callers.failures) + sum(self.failed(gateway).values())} failed", flush=True)
            self.start_registry()
            self.soon(gateway, "pinion_registry_frozen", 0)
            self.pin(gateway, "2.0.0")
        self.assertEqual(callers.failures, [])
        self.assertEqual(self.failed(gateway), {})


if __name__ == "__main__":
    unittest.main()
