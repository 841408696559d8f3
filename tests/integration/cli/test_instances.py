"""Instances as gateways see them: `pinion serve`, the example's servers behind it, and calls through it."""

import json
import os
import re
import signal
import subprocess
import unittest

from tests.harness.gateway import PROGRAM
from tests.harness.process import ROOT
from tests.harness.relay import Links, Relay
from tests.integration.cli.served import ANY, PATIENCE, Served

PROGRAMS = ROOT / "build/release/examples/addressbook"
LISTENING = r"addressbook \S+ listening on (\S+)"


class Instances(Served):
    def setUp(self):
        super().setUp()
        self.db = self.folder / "addressbook.db"
        for step in ("create", "expand"):
            subprocess.run([PROGRAMS / "addressbook_migrate", step, "--db", self.db], check=True, capture_output=True, timeout=PATIENCE)
        config = self.configured("serve.yaml", registry={"instance_checks": {"health_interval": "0.2s"}})
        self.gateway = self.start(PROGRAM, "serve", "--config", config, "--registry", ANY, "--store", self.folder / "r.db")
        self.registry = self.gateway.wait_line(r"(?m)^registry address=(\S+)$").group(1)
        self.cli("consumer", "add", "billing")

    def server(self, program, *args):
        """A server of the example, which does not register itself, and where it listens."""
        process = self.start(PROGRAMS / program, "--db", self.db, *args, ready=LISTENING)
        return process, process.wait_line(LISTENING).group(1)

    def publish(self, policy, *versions):
        self.cli("service", "create", "addressbook", "--verify", policy)
        for version in versions:
            self.cli("version", "publish", "addressbook", version, "--descriptor-set", PROGRAMS / f"v{version[0]}.binpb")

    def instances(self):
        return json.loads(self.cli("instance", "list", "--json"))["instances"]

    def states(self):
        return [instance["check"]["verdict"] for instance in self.instances() if instance.get("check")]

    def list_contacts(self):
        """What the call of a pinned consumer comes to."""
        port = self.gateway.wait_line(r"listening name=ingress address=\S+:(\d+)").group(1)
        done = subprocess.run([PROGRAMS / "addressbook_client", "--target", f"127.0.0.1:{port}", "--consumer", "billing",
                               "--schema", "1", "list"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done.stdout + done.stderr

    def answered(self):
        return "api-version: 1.0.0" in self.list_contacts()

    def test_no_call_goes_to_a_drifted_instance_and_calls_flow_to_the_right_one(self):
        self.publish("enforce", "1.0.0")
        self.cli("pin", "set", "billing", "addressbook", "1.0.0")
        _, drifted = self.server("addressbook_v2")
        self.assertIn("it gets calls when the registry has found it ready",
                      self.cli("instance", "register", "addressbook", "1.0.0", drifted))
        self.until(lambda: self.states() == ["DRIFTED"])
        self.settle(self.gateway)
        refusal = self.list_contacts()
        self.assertIn("NO_HEALTHY_INSTANCE", refusal)
        self.assertIn("no instance of it was ever ready for calls", refusal)
        explained = self.cli("explain", "--consumer", "billing", "--method", "/acme.AddressBook/List")
        self.assertIn(f"{drifted} gets no calls: it does not have the schema of addressbook 1.0.0: field", explained)
        self.assertIn("1, 1 of them without calls", self.cli("status"))

        server, right = self.server("addressbook_v1")
        self.cli("instance", "register", "addressbook", "1.0.0", right)
        self.until(self.answered)
        self.assertEqual(sorted(self.states()), ["DRIFTED", "READY"])
        for _ in range(20):
            self.assertTrue(self.answered())
        self.cli("instance", "check", "addressbook", "1.0.0", right)
        log = self.cli("audit", "log", "--object", right, "--json")
        self.assertIn("instance.check", log)

        # Another server takes its address: the lost connection tells.
        server.stop()
        self.server("addressbook_v2", "--listen", right)
        self.until(lambda: self.states() == ["DRIFTED", "DRIFTED"])
        self.settle(self.gateway)
        self.assertIn("has no instance that can be reached", self.list_contacts())

    def test_a_dead_lease_is_out_within_its_time(self):
        self.publish("warn", "1.0.0")
        _, where = self.server("addressbook_v1")
        self.cli("pin", "set", "billing", "addressbook", "1.0.0")
        env = {"PINION_REGISTRY": self.registry}
        os.environ.update(env)
        self.addCleanup(os.environ.pop, "PINION_REGISTRY", None)
        holder = self.start(PROGRAM, "instance", "register", "addressbook", "1.0.0", where, "--lease", "2s",
                            ready=r"holding a lease of 2s")
        self.until(self.answered)
        os.kill(holder.pid, signal.SIGKILL)
        self.until(lambda: not self.instances())
        self.settle(self.gateway)
        self.assertIn("has no instance that can be reached", self.list_contacts())
        self.assertIn("its lease has run out", self.cli("audit", "log", "--json"))

    def test_a_lease_outlives_a_replica_that_vanishes(self):
        self.publish("off", "1.0.0")
        links = Links()
        relays = {name: Relay(int(self.registry.rsplit(":", 1)[1]), links, name) for name in ("one", "other")}
        replicas = ",".join(f"127.0.0.1:{relay.port}" for relay in relays.values())
        holder = self.start(PROGRAM, "--registry", replicas, "instance", "register", "addressbook", "1.0.0", "127.0.0.1:9001",
                            "--lease", "3s", ready=r"holding a lease of 3s")
        uids = [instance["instance"]["uid"] for instance in self.instances()]
        links.cut([("one", None), (None, "one")])
        self.until(lambda: relays["other"].bytes() > 0)
        self.assertEqual([instance["instance"]["uid"] for instance in self.instances()], uids)
        self.assertEqual(holder.stop(), 0)
        self.assertIn(f"deregistered {uids[0]}", holder.output())

    def test_the_registry_takes_out_nobody_whom_it_cannot_reach(self):
        self.publish("warn", "1.0.0")
        process, where = self.server("addressbook_v1")
        self.cli("instance", "register", "addressbook", "1.0.0", where)
        self.until(lambda: self.states() == ["READY"])
        process.stop()
        self.until(lambda: self.states() == ["UNREACHABLE"])
        self.assertFalse(self.instances()[0]["check"]["heldBack"], "gateways judge that by themselves")
        found = subprocess.run([str(PROGRAM), "--registry", self.registry, "instance", "check", "addressbook", "1.0.0", where],
                               capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(found.returncode, 1)
        self.assertTrue(re.search(r"is unreachable: it does not answer the registry: Connection refused", found.stdout), found.stdout)


if __name__ == "__main__":
    unittest.main()
