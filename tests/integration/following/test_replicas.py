"""A gateway that knows several addresses of its registry."""

import unittest

from tests.harness.gateway import PROGRAM, address
from tests.harness.relay import Relay
from tests.integration.cli.served import ANY
from tests.integration.following.followed import Followed


class Replicas(Followed):
    def test_one_of_several_addresses_may_be_lost(self):
        registry = self.start(PROGRAM, "registry", "--registry", ANY, "--store", self.folder / "r.db")
        self.registry = registry.wait_line(r"(?m)^registry address=(\S+)$").group(1)
        self.greeter()
        relays = [Relay(int(self.registry.rsplit(":", 1)[1])) for _ in range(3)]
        gateway = self.start_gateway(address=address(relays[0].port), replicas=[address(relay.port) for relay in relays[1:]])
        self.settle(gateway)
        # Each one that is followed goes, until one is left.
        for expression in ("2.0.0", "1.0.0"):
            before = [relay.bytes() for relay in relays]
            self.until(lambda before=before: [relay.bytes() for relay in relays] != before)
            followed = next(relay for relay, count in zip(relays, before) if relay.bytes() != count)
            followed.close()
            relays.remove(followed)
            self.pin(gateway, expression)
        self.assertGreaterEqual(self.value(gateway, "pinion_registry_moves_total"), 2)
        # So do the commands: the first address is nobody's.
        self.registry = f"127.0.0.1:1,{self.registry}"
        self.assertEqual(self.status()["services"], "1")

    def test_addresses_of_two_registries_are_refused_until_one_is_chosen(self):
        self.start_registry()
        self.greeter()
        ours = self.status()["registryId"]
        other_socket = self.folder / "other.sock"
        self.start(PROGRAM, "registry", "--registry", f"unix:{other_socket}", "--store", self.folder / "other.db")
        config = self.configured("gateway.yaml", registry={
            "address": {"pipe": {"path": str(self.socket)}}, "replicas": [{"pipe": {"path": str(other_socket)}}]})
        gateway = self.start(PROGRAM, "gateway", "--config", config, ready=r"lead to several registries")
        self.cli("gateway", "accept", ours, "--admin", self.admin(gateway))
        gateway.wait_line(r"(?m)^ready$")
        self.settle(gateway)
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")


if __name__ == "__main__":
    unittest.main()
