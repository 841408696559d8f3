"""A channel is ramped from one version to the next, and consumers choose within their entitlements, through `pinion serve`."""

import json
import subprocess
import threading
import unittest

from tests.harness.gateway import PROGRAM
from tests.integration.cli.served import ANY, PATIENCE, Served

METHOD = "/acme.Greeter/Hello"
CONSUMERS = [f"team-{number}" for number in range(12)]


class Ramps(Served):
    def setUp(self):
        super().setUp()
        self.serve = self.start(PROGRAM, "serve", "--config", self.configured("serve.yaml"), "--registry", ANY, "--store",
                                self.folder / "r.db")
        self.registry = self.serve.wait_line(r"(?m)^registry address=(\S+)$").group(1)
        self.publish("1.0.0", "2.0.0", "3.0.0")

    def add_consumers(self):
        """The first half is pinned to @stable, the others come by the policy for the unpinned."""
        for number, consumer in enumerate(CONSUMERS):
            self.cli("consumer", "add", consumer)
            if number % 2 == 0:
                self.cli("pin", "set", consumer, "greeter", "@stable")

    def explained(self, consumer):
        return json.loads(self.cli("explain", "--consumer", consumer, "--method", METHOD, "--json"))["version"]

    def versions(self):
        """What each consumer's call gets; the registry and `explain` must say the same."""
        self.settle(self.serve)
        got = {consumer: self.call(self.serve, consumer) for consumer in CONSUMERS}
        for consumer, version in got.items():
            self.assertEqual(version, self.explained(consumer), consumer)
        pins = json.loads(self.cli("pin", "list", "--service", "greeter", "--json"))["pins"]
        self.assertEqual(len(pins), len(CONSUMERS) // 2)
        for pin in pins:
            self.assertEqual(pin["resolvedVersion"], got[pin["pin"]["consumer"]], pin)
        self.assertEqual(self.call(self.serve, "stranger"), self.explained("stranger"))
        return got

    def test_a_ramp_there_and_back_and_no_call_fails(self):
        self.add_consumers()
        self.settle(self.serve)
        calls, failures, stop = [], [], threading.Event()

        def keep_calling():
            while not stop.is_set():
                try:
                    calls.append(self.call(self.serve, CONSUMERS[len(calls) % len(CONSUMERS)]))
                except Exception as error:  # reported by the test's own thread
                    failures.append(repr(error))
                    return

        caller = threading.Thread(target=keep_calling)
        caller.start()
        try:
            self.assertEqual(set(self.versions().values()), {"1.0.0"})
            self.cli("channel", "ramp", "greeter", "stable", "2.0.0", "--percent", "30")
            some = self.versions()
            self.assertEqual(set(some.values()), {"1.0.0", "2.0.0"})
            self.assertEqual(self.call(self.serve, "stranger"), "1.0.0")
            self.cli("channel", "ramp", "greeter", "stable", "--percent", "80")
            more = self.versions()
            for consumer, version in some.items():
                self.assertTrue(version == "1.0.0" or more[consumer] == "2.0.0", consumer)
            self.cli("channel", "set", "greeter", "stable", "2.0.0")
            self.assertEqual(set(self.versions().values()), {"2.0.0"})
            # And back, in two steps.
            self.cli("channel", "ramp", "greeter", "stable", "1.0.0", "--percent", "50")
            self.assertEqual(set(self.versions().values()), {"1.0.0", "2.0.0"})
            self.cli("channel", "set", "greeter", "stable", "1.0.0")
            self.assertEqual(set(self.versions().values()), {"1.0.0"})
            self.cli("channel", "ramp", "greeter", "stable", "2.0.0", "--percent", "30")
            self.assertEqual(self.versions(), some, "the same consumers as before")
            self.cli("channel", "ramp", "greeter", "stable", "--stop")
            self.assertEqual(set(self.versions().values()), {"1.0.0"})
        finally:
            stop.set()
            caller.join()
        self.assertEqual(failures, [])
        self.assertGreater(len(calls), 50)

    def test_entitlements_refuse_what_is_chosen_and_nothing_else(self):
        self.cli("consumer", "add", "billing")
        self.cli("pin", "set", "billing", "greeter", ">=1")
        self.settle(self.serve)
        self.assertEqual(self.call(self.serve, "billing"), "3.0.0")
        said = self.cli("entitlement", "set", "billing", "greeter", "^1 || ^2")
        self.assertIn("outside of it, and goes on as it is: pin billing greeter, >=1 (3.0.0)", said)
        self.settle(self.serve)
        self.assertEqual(self.call(self.serve, "billing"), "3.0.0", "what runs is never cut off")
        self.assertEqual(self.call(self.serve, "billing", asked="2.0.0"), "2.0.0")
        answer = self.answer(self.serve, "billing", asked="3.0.0", message=False)
        self.assertRegex(answer, r"(?m)^grpc-status: 7\s*$")
        self.assertIn("pinion entitlement set billing greeter", answer)
        refused = subprocess.run([str(PROGRAM), "pin", "set", "billing", "greeter", "3.0.0", "--registry", self.registry],
                                 capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("its entitlement is '^1 || ^2', which allows 2.0.0, 1.0.0", refused.stderr)
        # A version that comes later moves the pin on, whatever the entitlement says.
        self.publish("3.1.0")
        self.settle(self.serve)
        self.assertEqual(self.call(self.serve, "billing"), "3.1.0")
        self.cli("entitlement", "unset", "billing", "greeter")
        self.settle(self.serve)
        self.assertEqual(self.call(self.serve, "billing", asked="3.0.0"), "3.0.0")


if __name__ == "__main__":
    unittest.main()
