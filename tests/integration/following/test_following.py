"""A gateway and what may become of its registry: stopped in its tracks, killed, away at the start, or restored."""

import signal
import unittest

from tests.integration.following.followed import Callers, Followed


class Following(Followed):
    def test_calls_notice_nothing_of_a_registry_that_is_stopped_and_killed(self):
        registry = self.start_registry()
        self.greeter()
        gateway = self.start_gateway()
        self.settle(gateway)
        with Callers(self.port(gateway)) as callers:
            self.rest(0.5)
            self.signal(registry, signal.SIGSTOP)
            self.rest(1.5)
            self.signal(registry, signal.SIGCONT)
            self.pin(gateway, "2.0.0")
            self.kill(registry)
            self.soon(gateway, "pinion_registry_connected", 0)
            self.rest(1)
            # What is on the disk is as good for a start.
            self.assertIn("registry: the registry at unix:", self.page(gateway, "/readyz"))
            registry = self.start_registry()
            self.pin(gateway, "1.0.0")
        self.assertEqual(callers.failures, [])
        self.assertGreater(callers.calls, 200)
        self.assertEqual(self.failed(gateway), {})

    def test_a_gateway_starts_without_its_registry_and_says_that_it_is_frozen(self):
        registry = self.start_registry()
        self.greeter()
        gateway = self.start_gateway()
        self.settle(gateway)
        gateway.stop()
        self.kill(registry)
        gateway = self.start_gateway()
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")
        self.assertRegex(self.page(gateway, "/readyz"), r"^ready, frozen\n(?s:.)*source: snapshot\n")
        self.until(lambda: self.page(gateway, "/healthz").startswith("frozen: the registry at unix:"))
        self.assertEqual(self.value(gateway, "pinion_registry_frozen"), 1)
        self.assertTrue(self.metric(gateway, "pinion_registry_age_seconds +Inf\n"))
        self.start_registry()
        self.soon(gateway, "pinion_registry_frozen", 0)
        self.assertEqual(self.page(gateway, "/healthz"), "ok\n")
        self.assertLess(self.value(gateway, "pinion_registry_age_seconds"), 30)

    def test_a_registry_with_another_id_is_refused_until_an_operator_accepts_it(self):
        registry = self.start_registry()
        self.greeter()
        gateway = self.start_gateway()
        self.settle(gateway)
        self.kill(registry)
        self.start_registry("another.db")
        restored = self.status()["registryId"]
        self.soon(gateway, "pinion_registry_refusal", 1)
        self.assertGreaterEqual(self.labelled(gateway, 'pinion_registry_refused_total{reason="other_registry"}'), 1)
        ready = self.page(gateway, "/readyz")
        self.assertIn("ready, frozen\n", ready)
        self.assertIn(f"this is registry {restored}, and this gateway follows", ready)
        self.assertIn(f"pinion gateway accept --admin ADDRESS {restored}", ready)
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")

        admin = self.admin(gateway)
        self.assertIn("not anything\n", self.cli("gateway", "accept", "anything", "--admin", admin, status=1))
        self.assertEqual(self.cli("gateway", "accept", restored, "--admin", admin),
                         f"accepted: the next snapshot of registry {restored} is taken over\n")
        self.soon(gateway, "pinion_registry_refusal", 0)
        self.until(lambda: self.value(gateway, "pinion_registry_connected") == 1)
        self.assertRegex(self.answer(gateway, "billing", message=False), r"(?m)^grpc-status: 12\s*$")
        self.assertIn("nothing is refused", self.cli("gateway", "accept", restored, "--admin", admin, status=1))
        self.assertIn("no gateway's admin port answers",
                      self.cli("gateway", "accept", restored, "--admin", "127.0.0.1:1", status=1))


if __name__ == "__main__":
    unittest.main()
