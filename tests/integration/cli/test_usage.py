"""What gateways tell the registry of real calls: `pinion usage`, `pinion gateway`, and what keeps a version from its retirement."""

import json
import os
import signal
import unittest

from tests.harness import h2
from tests.harness.gateway import PROGRAM, address
from tests.integration.cli.served import ANY, Served

# Soon enough for a test.
OFTEN = {"report_interval": "0.2s", "workers": 2}
HELLO = "/acme.Greeter/Hello"


class Usage(Served):
    def used(self):
        """(consumer, version, method) → calls."""
        totals = json.loads(self.cli("usage", "greeter", "--json"))["totals"]
        return {(total["consumer"], total["version"], total["method"]): int(total["calls"]) for total in totals}

    def gateways(self):
        return json.loads(self.cli("gateway", "list", "--json"))["gateways"]

    def blockers(self):
        return self.cli("version", "retire", "greeter", "1.0.0", "--dry-run")

    def set_up_greeter(self):
        self.publish("1.0.0", "2.0.0")
        self.cli("consumer", "add", "billing")
        self.cli("pin", "set", "billing", "greeter", "1.0.0")

    def start_apart(self):
        self.registry = f"unix:{self.folder / 'registry.sock'}"
        registry = self.start_registry()
        self.set_up_greeter()
        gateway = self.start(PROGRAM, "gateway", "--config", self.configured(
            "gateway.yaml", gateway=OFTEN, registry={"address": {"pipe": {"path": str(self.folder / "registry.sock")}}}))
        self.settle(gateway)
        return registry, gateway

    def start_registry(self):
        return self.start(PROGRAM, "registry", "--registry", self.registry, "--store", self.folder / "r.db")

    def abandon(self):
        """Nothing leads to 1.0.0 any more."""
        self.cli("pin", "set", "billing", "greeter", "2.0.0")
        self.cli("channel", "set", "greeter", "stable", "2.0.0")
        self.cli("version", "deprecate", "greeter", "1.0.0", "--successor", "2.0.0")

    def test_serve_shows_who_calls_what(self):
        serve = self.start(PROGRAM, "serve", "--config", self.configured("serve.yaml", gateway=OFTEN), "--registry", ANY,
                           "--store", self.folder / "r.db")
        self.registry = serve.wait_line(r"(?m)^registry address=(\S+)$").group(1)
        self.set_up_greeter()
        self.settle(serve)
        self.cli("channel", "set", "greeter", "stable", "2.0.0")
        self.settle(serve)
        for consumer in ("billing", "billing", "stranger"):
            self.call(serve, consumer)
        self.until(lambda: self.used() == {("billing", "1.0.0", HELLO): 2, ("", "2.0.0", HELLO): 1})
        self.assertRegex(self.cli("usage"), rf"(?m)^greeter +1\.0\.0 +billing +{HELLO} +2 +20\d\d-")
        self.assertRegex(self.cli("usage", "--consumer", ""), rf"(?m)^greeter +2\.0\.0 +\(unregistered\) +{HELLO} +1 +20\d\d-")
        self.assertEqual(self.cli("usage", "greeter", "--version", "1.0.0", "--method", "/acme.Greeter/Bye"),
                         "no calls in the last 24h\n")
        gateway = self.gateways()[0]
        self.assertEqual((gateway["gatewayId"], gateway["live"], gateway["openCalls"]), ("edge-1", True, []))

    def test_what_is_counted_while_the_registry_is_away_is_told_once(self):
        registry, gateway = self.start_apart()
        self.call(gateway, "billing")
        self.until(lambda: self.used() == {("billing", "1.0.0", HELLO): 1})
        self.assertEqual(registry.stop(), 0)
        self.until(lambda: self.metric(gateway, "pinion_registry_connected 0\n"))
        for _ in range(3):
            self.call(gateway, "billing")
        self.until(lambda: self.value(gateway, "pinion_usage_rows_waiting") == 1)
        self.start_registry()
        self.until(lambda: self.used() == {("billing", "1.0.0", HELLO): 4})
        self.until(lambda: self.value(gateway, "pinion_usage_rows_waiting") == 0)
        self.assertEqual(self.value(gateway, "pinion_usage_calls_dropped_total"), 0)

    def test_a_version_is_kept_by_its_callers_its_open_calls_and_gateways_that_say_nothing(self):
        _, gateway = self.start_apart()
        port = int(gateway.wait_line(r"listening name=ingress address=\S+:(\d+)").group(1))
        with h2.Client(port) as client:
            client.start(HELLO, [("api-consumer", "billing")], end=False)
            self.until(self.used)
            self.abandon()
            self.until(lambda: "gateway edge-1 has 1 call of it open" in self.blockers())
            self.assertIn("billing called it 1 time in the last 72h, last just now, /acme.Greeter/Hello: wait until 20", self.blockers())
            self.assertRegex(self.cli("gateway", "list"), r"(?m)^edge-1 +live .* greeter 1\.0\.0: 1$")
            refused = self.cli("version", "retire", "greeter", "1.0.0", status=1)
            self.assertIn("gateway edge-1 has 1 call of it open", refused)
        self.until(lambda: "gateway edge-1" not in self.blockers())

        # A gateway that dies may have calls of what it heard of last.
        os.kill(gateway.pid, signal.SIGKILL)
        self.cli("version", "reactivate", "greeter", "1.0.0")
        self.cli("version", "deprecate", "greeter", "1.0.0", "--successor", "2.0.0")
        self.assertRegex(self.blockers(), "gateway edge-1 has not said yet whether .*: pinion gateway forget edge-1\n")
        self.assertIn("forgot gateway edge-1\n", self.cli("gateway", "forget", "edge-1", "--reason", "it died"))
        self.assertNotIn("gateway edge-1", self.blockers())
        self.assertEqual(self.gateways(), [])
        record = json.loads(self.cli("audit", "log", "--limit", 1, "--json"))["records"][0]
        self.assertEqual((record["command"], record["object"], record["reason"]), ("gateway.forget", "edge-1", "it died"))
        self.assertIn("no gateway 'edge-1'", self.cli("gateway", "forget", "edge-1", status=1))
        self.cli("version", "retire", "greeter", "1.0.0", "--force", "--reason", "its callers know")

    def test_without_a_window_callers_do_not_keep_a_version(self):
        config = self.configured("serve.yaml", gateway=OFTEN, registry={"usage_window": "0s", "address": address(0)})
        serve = self.start(PROGRAM, "serve", "--config", config, "--registry", ANY, "--store", self.folder / "r.db")
        self.registry = serve.wait_line(r"(?m)^registry address=(\S+)$").group(1)
        self.set_up_greeter()
        self.settle(serve)
        self.call(serve, "billing")
        self.until(self.used)
        self.abandon()
        self.assertNotIn("called it", self.blockers())


if __name__ == "__main__":
    unittest.main()
