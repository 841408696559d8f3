"""A gateway and its registry when what they say to each other does not arrive: no connection breaks, and nobody is told."""

import unittest

from tests.harness.gateway import PROGRAM, address
from tests.harness.relay import Links, Relay
from tests.integration.cli.served import ANY
from tests.integration.following.followed import Callers, Followed

# Nobody else uses the relays.
GATEWAY = None
# Of gateway/watch_limits.h and registry/service/registry_server.h, with what a busy machine takes beside it.
SILENCE, KEEPALIVE, MORE = 15, 30 + 10, 10


class CutOff(Followed):
    """A gateway that knows its registry by two addresses, of which the one that it follows is cut off."""

    def setUp(self):
        super().setUp()
        registry = self.start(PROGRAM, "registry", "--registry", ANY, "--store", self.folder / "r.db")
        self.registry = registry.wait_line(r"(?m)^registry address=(\S+)$").group(1)
        self.greeter()
        self.links = Links()
        self.relays = {name: Relay(int(self.registry.rsplit(":", 1)[1]), self.links, name) for name in ("one", "other")}
        ports = [address(relay.port) for relay in self.relays.values()]
        self.gateway = self.start_gateway(address=ports[0], replicas=ports[1:])
        self.settle(self.gateway)
        # At its start it has asked both who they are.
        self.until(lambda: self.watching() == 1)

    def watching(self):
        return len(self.status()["gateways"])

    def followed(self):
        """By which of the two it hears of a change."""
        before = {name: relay.bytes() for name, relay in self.relays.items()}
        # It says something several times a second: its reports.
        self.until(lambda: any(relay.bytes() != before[name] for name, relay in self.relays.items()))
        return next(name for name, relay in self.relays.items() if relay.bytes() != before[name])

    def cut(self, pairs):
        self.links.cut(pairs)
        return self.now()


class Gateway(CutOff):
    def test_it_hears_nothing_and_moves_on(self):
        followed = self.followed()
        with Callers(self.port(self.gateway)) as callers:
            cut = self.cut([(followed, GATEWAY)])
            self.pin(self.gateway, "2.0.0")
            self.assertGreater(self.now(), cut + SILENCE / 2, "it was not cut off")
            self.assertLess(self.now(), cut + SILENCE + MORE)
        self.assertEqual(callers.failures, [])
        self.assertNotEqual(self.followed(), followed)
        # Healed, it stays where it is; what was held is of no use to anybody.
        self.links.heal()
        self.pin(self.gateway, "1.0.0")
        self.assertEqual(self.failed(self.gateway), {})


class Registry(CutOff):
    def test_it_gives_up_a_gateway_that_is_not_heard(self):
        followed = self.followed()
        cut = self.cut([(followed, GATEWAY), (GATEWAY, followed)])
        # The same gateway at another address, and the stream of which nobody knows that it is dead.
        self.until(lambda: self.watching() == 2, seconds=SILENCE + MORE)
        self.until(lambda: self.watching() == 1, seconds=KEEPALIVE + MORE)
        self.assertLess(self.now(), cut + KEEPALIVE + MORE)
        self.pin(self.gateway, "2.0.0")


if __name__ == "__main__":
    unittest.main()
