"""`pin_on_first_call`: a consumer's first call through `pinion serve`, or through a gateway apart, becomes its pin."""

import json
import unittest

from tests.harness.gateway import PROGRAM
from tests.integration.cli.served import ANY, Served


class FirstCall(Served):
    def pins(self):
        pins = json.loads(self.cli("pin", "list", "--json")).get("pins", [])
        return {pin["pin"]["consumer"]: pin["pin"]["expression"] for pin in pins}

    def explain(self, consumer):
        return self.cli("explain", "--consumer", consumer, "--method", "/acme.Greeter/Hello")

    def set_up_greeter(self):
        self.publish("1.0.0", "2.0.0")
        self.cli("service", "set", "greeter", "--unpinned", "pin-on-first-call:stable")
        for consumer in ("billing", "shipping"):
            self.cli("consumer", "add", consumer)

    def check_first_calls(self, gateway):
        """REQUIRES: set_up_greeter(), and @stable is 1.0.0."""
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")
        self.assertEqual(self.call(gateway, "stranger"), "1.0.0")
        self.until(self.pins)
        self.assertEqual(self.pins(), {"billing": "1.0.0"})
        self.assertIn("pin for the service: 1.0.0", self.explain("billing"))
        record = json.loads(self.cli("audit", "log", "--json"))["records"][0]
        self.assertEqual((record["command"], record["actor"]), ("pin.propose", "gateway/edge-1"))
        self.assertEqual(json.loads(self.cli("pin", "list", "--json"))["pins"][0]["meta"]["owner"], "alice")

        # Who called before the channel moved stays; who comes after goes where it leads by then.
        self.cli("channel", "set", "greeter", "stable", "2.0.0")
        self.settle(gateway)
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")
        self.assertEqual(self.call(gateway, "shipping"), "2.0.0")
        self.until(lambda: self.metric(gateway, 'pinion_pin_proposals_total{outcome="created"} 2\n'))
        self.assertEqual(self.pins(), {"billing": "1.0.0", "shipping": "2.0.0"})
        self.assertTrue(self.metric(gateway, 'pinion_pin_proposals_total{outcome="dropped"} 0\n'))

    def test_serve(self):
        serve = self.start(PROGRAM, "serve", "--config", self.configured("serve.yaml"), "--registry", ANY, "--store",
                           self.folder / "r.db")
        self.registry = serve.wait_line(r"(?m)^registry address=(\S+)$").group(1)
        self.set_up_greeter()
        self.settle(serve)
        self.assertIn("proposes the pin `billing greeter 1.0.0`", self.explain("billing"))
        self.check_first_calls(serve)

    def test_apart_and_with_the_registry_away(self):
        self.registry = f"unix:{self.folder / 'registry.sock'}"
        start = ("registry", "--registry", self.registry, "--store", self.folder / "r.db")
        registry = self.start(PROGRAM, *start)
        self.set_up_greeter()
        gateway = self.start(PROGRAM, "gateway", "--config", self.configured(
            "gateway.yaml", registry={"address": {"pipe": {"path": str(self.folder / "registry.sock")}}}))
        self.settle(gateway)
        self.assertEqual(registry.stop(), 0)
        self.until(lambda: self.metric(gateway, "pinion_registry_connected 0\n"))
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")
        self.until(lambda: self.metric(gateway, "pinion_pin_proposals_waiting 1\n"))
        self.start(PROGRAM, *start)
        self.check_first_calls(gateway)


if __name__ == "__main__":
    unittest.main()
