"""Many pins moved by one command, a change that waits for its time, and both while the registry is killed: `pinion registry`."""

import json
import os
import signal
import time
import unittest

from tests.harness.gateway import PROGRAM
from tests.integration.cli.served import Served

CONSUMERS = 40


class Jobs(Served):
    def setUp(self):
        super().setUp()
        self.registry = f"unix:{self.folder / 'registry.sock'}"
        self.process = self.start_registry()
        for version, port in (("1.0.0", 9001), ("2.0.0", 9002)):
            self.cli("version", "publish", "addressbook", version)
            self.cli("instance", "register", "addressbook", version, f"127.0.0.1:{port}")

    def start_registry(self):
        return self.start(PROGRAM, "registry", "--registry", self.registry, "--store", self.folder / "r.db")

    def job(self):
        return json.loads(self.cli("job", "get", "1", "--json"))

    def pin_many(self, count):
        for number in range(count):
            self.cli("consumer", "add", f"c{number}")
            self.cli("pin", "set", f"c{number}", "addressbook", "^1")

    def expressions(self):
        pins = json.loads(self.cli("pin", "list", "--service", "addressbook", "--json"))["pins"]
        return [pin["pin"]["expression"] for pin in pins]

    def test_moves_everybody_and_back(self):
        self.pin_many(20)
        plan = self.cli("pin", "set", "--all-consumers-of", "addressbook", "--from", "^1", "--to", "^2", "--dry-run")
        self.assertIn("c7: ^1 (1.0.0) → ^2 (2.0.0)", plan)
        self.assertIn("nothing has been changed", plan)
        self.assertEqual(self.expressions(), ["^1"] * 20)
        done = self.cli("pin", "set", "--all-consumers-of", "addressbook", "--from", "^1", "--to", "^2")
        self.assertEqual(done, "job 1, pins of addressbook, ^1 → ^2: 20 pins changed\nundo: pinion job undo 1\n")
        self.assertEqual(self.expressions(), ["^2"] * 20)
        self.cli("pin", "set", "c3", "addressbook", "2.0.0")
        undone = self.cli("job", "undo", "1", "--reason", "errors")
        self.assertIn("job 2, undo of job 1: 19 pins changed", undone)
        self.assertEqual(sorted(self.expressions()), ["2.0.0"] + ["^1"] * 19)
        self.assertIn("job 2: errors", self.cli("pin", "history", "c4", "addressbook"))

    def test_a_killed_registry_goes_on_with_its_job(self):
        self.pin_many(CONSUMERS)
        self.cli("pin", "set", "--all-consumers-of", "addressbook", "--from", "^1", "--to", "^2", "--detach")
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.stop()
        self.start_registry()
        self.until(lambda: self.job()["state"] == "DONE")
        job = self.job()
        self.assertEqual((job["changed"], job["failed"], job["pinsTotal"]), (str(CONSUMERS), "0", str(CONSUMERS)))
        self.assertEqual(self.expressions(), ["^2"] * CONSUMERS)
        self.assertEqual(len(json.loads(self.cli("pin", "history", "c24", "addressbook", "--json"))["changes"]), 2)

    def test_a_change_waits_for_its_time(self):
        self.pin_many(1)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
        self.assertIn("begins at", self.cli("pin", "set", "c0", "addressbook", "^2", "--at", at))
        self.assertEqual(self.expressions(), ["^1"])
        self.until(lambda: self.expressions() == ["^2"])
        job = self.job()
        self.assertGreaterEqual(job["endTime"][:19], job["startTime"][:19])
        late = self.cli("pin", "set", "c0", "addressbook", "^1", "--at", "2020-01-01 09:00", status=1)
        self.assertIn("must be in the future", late)


if __name__ == "__main__":
    unittest.main()
