"""The services of an installed package at work: started as their units say, on their own ports. Run by deb.py in a network of its own.

usage: unshare --net env PINION_TEST_ROOT=ROOT python3 -m unittest tests.packaging.installed
"""

import os
import pathlib
import re
import signal
import subprocess
import unittest

from tests.integration.cli.served import Served

_ROOT = pathlib.Path(os.environ.get("PINION_TEST_ROOT", "/nowhere"))
_GATEWAY_PORT = 8080


def unit(name):
    """{setting: its values} of a unit."""
    settings = {}
    for key, value in re.findall(r"^(\w+)=(.*)$", (_ROOT / f"lib/systemd/system/{name}.service").read_text(), re.MULTILINE):
        settings.setdefault(key, []).append(value)
    return settings


class InstalledTest(Served):
    registry = "127.0.0.1:8081"

    @classmethod
    def setUpClass(cls):
        subprocess.run(["ip", "link", "set", "lo", "up"], check=True)

    def start_unit(self, name):
        of_unit = unit(name)
        user, group = of_unit["User"][0], of_unit["Group"][0]
        return self.start("chroot", f"--userspec={user}:{group}", _ROOT, *of_unit["ExecStart"][0].split())

    def installed(self, *command):
        done = subprocess.run(["chroot", _ROOT, *command], capture_output=True, text=True, check=True, timeout=30)
        return done.stdout

    def test_services(self):
        registry = self.start_unit("pinion-registry")
        gateway = self.start_unit("pinion-gateway")
        self.publish("1.0.0", "2.0.0")
        self.cli("consumer", "add", "billing")
        self.cli("pin", "set", "billing", "greeter", "^1")
        self.settle(gateway)
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")
        self.assertIn("billing", self.installed("pinion", "pin", "list"))
        self.assertTrue(any((_ROOT / "var/lib/pinion/gateway").iterdir()), "the gateway keeps no snapshot")

        # What `systemctl reload` does.
        for name, process in (("gateway", gateway), ("registry", registry)):
            validate, hang_up = unit(f"pinion-{name}")["ExecReload"]
            self.installed(*validate.split())
            self.assertIn("kill -HUP $MAINPID", hang_up)
            os.kill(process.pid, signal.SIGHUP)
        registry.wait_line("keys of issuers are read and fetched again")
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")

        # The gateway goes on without the registry, and pins outlive it.
        self.assertEqual(registry.stop(), 0)
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")
        self.start_unit("pinion-registry")
        self.cli("pin", "set", "billing", "greeter", "^2")
        self.settle(gateway)
        self.assertEqual(self.call(gateway, "billing"), "2.0.0")
        self.assertEqual(gateway.stop(), 0)


if __name__ == "__main__":
    unittest.main()
