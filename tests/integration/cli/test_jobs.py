"""Many pins moved by one command, a change that waits for its time, and both while the registry is killed: `pinion registry`."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from tests.harness.gateway import PROGRAM
from tests.harness.process import Process

# For what comes by itself a moment later; far longer than it takes.
PATIENCE = 60
CONSUMERS = 40


class Jobs(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-jobs."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.registry = f"unix:{self.folder / 'registry.sock'}"
        self.started = 0
        self.process = self.start()
        for version, port in (("1.0.0", 9001), ("2.0.0", 9002)):
            self.cli("version", "publish", "addressbook", version)
            self.cli("instance", "register", "addressbook", version, f"127.0.0.1:{port}")

    def start(self):
        self.started += 1
        process = Process([str(PROGRAM), "registry", "--registry", self.registry, "--store", str(self.folder / "r.db")],
                          self.folder / f"{self.started}.log")
        self.addCleanup(process.stop)
        process.wait_line(r"(?m)^ready$", seconds=PATIENCE)
        return process

    def run_cli(self, *args):
        env = {**os.environ, "PINION_REGISTRY": self.registry, "PINION_ACTOR": "alice", "TZ": "UTC"}
        return subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True, timeout=PATIENCE, env=env, check=False)

    def cli(self, *args):
        done = self.run_cli(*args)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

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
        self.start()
        give_up = time.monotonic() + PATIENCE
        while (job := json.loads(self.cli("job", "get", "1", "--json")))["state"] != "DONE":
            self.assertLess(time.monotonic(), give_up, job)
        self.assertEqual((job["changed"], job["failed"], job["pinsTotal"]), (str(CONSUMERS), "0", str(CONSUMERS)))
        self.assertEqual(self.expressions(), ["^2"] * CONSUMERS)
        self.assertEqual(len(json.loads(self.cli("pin", "history", "c24", "addressbook", "--json"))["changes"]), 2)

    def test_a_change_waits_for_its_time(self):
        self.pin_many(1)
        at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 4))
        self.assertIn("begins at", self.cli("pin", "set", "c0", "addressbook", "^2", "--at", at))
        self.assertEqual(self.expressions(), ["^1"])
        give_up = time.monotonic() + PATIENCE
        while self.expressions() != ["^2"]:
            self.assertLess(time.monotonic(), give_up)
        job = json.loads(self.cli("job", "get", "1", "--json"))
        self.assertGreaterEqual(job["endTime"][:19], job["startTime"][:19])
        late = self.run_cli("pin", "set", "c0", "addressbook", "^1", "--at", "2020-01-01 09:00")
        self.assertEqual(late.returncode, 1)
        self.assertIn("must be in the future", late.stderr)


if __name__ == "__main__":
    unittest.main()
