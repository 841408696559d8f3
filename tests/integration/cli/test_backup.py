"""A registry is backed up while it runs and restored as another one, which gateways refuse until they are told; and the audit log is
proven against a head that was kept elsewhere, through the program itself."""

import json
import os
import signal
import subprocess
import unittest

from tests.harness.gateway import PROGRAM
from tests.integration.cli.served import PATIENCE, Served


class Backup(Served):
    def setUp(self):
        super().setUp()
        self.registry = f"unix:{self.folder / 'registry.sock'}"
        self.process = self.start_registry("r.db")

    def start_registry(self, store):
        return self.start(PROGRAM, "registry", "--registry", self.registry, "--store", self.folder / store)

    def stop_registry(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.stop()

    def restore(self, *args, status=0):
        done = subprocess.run([str(PROGRAM), "restore", *map(str, args)], capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr if status else done.stdout

    def fill(self):
        self.publish("1.0.0", "2.0.0")
        self.cli("consumer", "add", "billing")
        self.cli("pin", "set", "billing", "greeter", "^1")

    def test_a_gateway_follows_the_restored_registry_once_it_is_told(self):
        self.fill()
        (self.folder / "snapshots").mkdir()
        config = self.configured("gateway.yaml", gateway={"snapshot_dir": str(self.folder / "snapshots")},
                                 registry={"address": {"pipe": {"path": str(self.folder / "registry.sock")}}})
        gateway = self.start(PROGRAM, "gateway", "--config", config)
        self.settle(gateway)
        backup = self.folder / "r.backup"
        self.cli("backup", backup)
        self.cli("pin", "set", "billing", "greeter", "^2")  # after the backup
        self.settle(gateway)
        self.assertEqual(self.call(gateway, "billing"), "2.0.0")
        before = json.loads(self.cli("status", "--json"))
        self.stop_registry()

        done = json.loads(self.restore(backup, "--store", self.folder / "restored.db", "--json"))
        self.assertEqual(done["restoredFrom"]["registryId"], before["registryId"])
        self.assertIn("holds a registry", self.restore(backup, "--store", self.folder / "restored.db", status=1))
        self.process = self.start_registry("restored.db")
        after = json.loads(self.cli("status", "--json"))
        self.assertEqual(after["registryId"], done["registryId"])
        self.assertNotEqual(after["registryId"], before["registryId"])
        self.assertEqual(after["restoredFrom"][0]["registryId"], before["registryId"])
        self.assertIn(f"restored from: registry {before['registryId']} at revision", self.cli("status"))
        self.assertIn("no finding", self.cli("audit", "verify"))
        self.assertEqual([after[what] for what in ("services", "versions", "instances", "consumers", "pins")],
                         [before[what] for what in ("services", "versions", "instances", "consumers", "pins")])

        # The gateway keeps what it has, whatever the registry says, until somebody has looked.
        self.until(lambda: done["registryId"] in gateway.output())
        self.assertEqual(self.call(gateway, "billing"), "2.0.0")
        gateway.stop()
        accepting = self.start(PROGRAM, "gateway", "--config", config, "--accept-registry", done["registryId"])
        self.until(lambda: self.call(accepting, "billing") == "1.0.0")

    def test_a_truncated_log_is_found_by_a_head_that_was_kept(self):
        self.fill()
        backup, head = self.folder / "r.backup", self.folder / "head.txt"
        self.cli("backup", backup)
        self.cli("pin", "set", "billing", "greeter", "^2")
        head.write_text(self.cli("audit", "head"))
        self.assertIn("no finding", self.cli("audit", "verify", "--head", head))
        # A registry that was set back is whole in itself, and not as long as it has been.
        self.stop_registry()
        self.restore(backup, "--store", self.folder / "restored.db")
        self.process = self.start_registry("restored.db")
        self.assertIn("no finding", self.cli("audit", "verify"))
        env = {**os.environ, "PINION_REGISTRY": self.registry}
        done = subprocess.run([str(PROGRAM), "audit", "verify", "--head", str(head)], capture_output=True, text=True, timeout=PATIENCE,
                              env=env, check=False)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"truncated|head")

    def test_the_stores_format_is_migrated_by_command(self):
        self.assertIn("nothing to do: the store has format 2", self.cli("registry", "migrate"))
        self.assertIn("run a newer pinion everywhere", self.cli("registry", "migrate", "--to", "3", status=1))
        self.assertIn("programs of format 2 and above", self.cli("registry", "migrate", "--contract", "--reason", "all are new"))
        self.assertRegex(self.cli("audit", "log", "--limit", "1"), r"registry\.migrate .*all are new")
        self.stop_registry()
        self.start_registry("r.db")

    def test_the_log_is_trimmed_as_far_as_it_was_exported(self):
        self.fill()
        archive = self.folder / "archive"
        self.assertIn("audit-000001.segment", self.cli("audit", "export", archive))
        self.until(lambda: "trimmed" in self.cli("audit", "trim", "--before", json.loads(self.cli("status", "--json"))["time"][:19] + "Z",
                                                 "--exported", archive))
        self.cli("audit", "export", archive)
        self.assertIn("no finding", self.cli("audit", "verify"))
        self.assertIn("no finding", self.cli("audit", "verify", archive))

    def test_damaged_files_are_refused(self):
        self.fill()
        backup = self.folder / "r.backup"
        self.cli("backup", backup)
        whole = backup.read_bytes()
        for damaged in (whole[:-1], whole[:len(whole) // 2], whole[:100] + b"!" + whole[101:], b"", b"something else"):
            backup.write_bytes(damaged)
            self.assertIn("nothing was restored", self.restore(backup, "--store", self.folder / "x.db", status=1))
        backup.write_bytes(whole)
        self.restore(backup, "--store", self.folder / "x.db")


if __name__ == "__main__":
    unittest.main()
