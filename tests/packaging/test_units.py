"""What the Debian package's files say about each other, without making it."""

import re
import shutil
import subprocess
import unittest

import yaml

from tests.harness.process import ROOT

_PACKAGING = ROOT / "packaging"
# systemd's own scale: below 2 is `OK`.
_EXPOSURE_MAX = 20


def unit(name):
    """{setting: its last value}."""
    text = (_PACKAGING / f"systemd/pinion-{name}.service").read_text()
    return dict(re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE))


def config(name):
    return yaml.safe_load((_PACKAGING / f"etc/{name}.yaml").read_text())


def seconds(text):
    return float(text.removesuffix("s"))


class UnitsTest(unittest.TestCase):
    def test_units_start_with_files_that_are_installed(self):
        for name in ("gateway", "registry"):
            self.assertEqual(unit(name)["ExecStart"], f"/usr/bin/pinion {name} --config /etc/pinion/{name}.yaml")
            self.assertIn(f"/etc/pinion/{name}.yaml", (_PACKAGING / "debian/conffiles").read_text().split())

    def test_a_gateway_has_time_to_drain(self):
        self.assertGreater(seconds(unit("gateway")["TimeoutStopSec"]), seconds(config("gateway")["gateway"]["drain_timeout"]))

    def test_state_is_where_the_units_may_write(self):
        paths = {"gateway": config("gateway")["gateway"]["snapshot_dir"], "registry": config("registry")["registry"]["store"]["sqlite"]["path"]}
        for name, path in paths.items():
            self.assertTrue((path + "/").startswith(f"/var/lib/{unit(name)['StateDirectory']}/"), path)
            self.assertIn(f"/var/lib/pinion/{name}", (_PACKAGING / "debian/postinst").read_text())

    def test_the_gateway_follows_the_registry_beside_it(self):
        self.assertEqual(config("gateway")["registry"]["address"], config("registry")["registry"]["address"])

    def test_nothing_listens_for_other_machines(self):
        for text in ((_PACKAGING / f"etc/{name}.yaml").read_text() for name in ("gateway", "registry")):
            addresses = re.findall(r"address: ([0-9.]+)", text)
            self.assertTrue(addresses)
            self.assertEqual(set(addresses), {"127.0.0.1"})

    @unittest.skipUnless(shutil.which("systemd-analyze"), "systemd is not installed")
    def test_units_are_closed(self):
        for name in ("gateway", "registry"):
            done = subprocess.run(["systemd-analyze", "security", "--offline=yes", f"--threshold={_EXPOSURE_MAX}",
                                   _PACKAGING / f"systemd/pinion-{name}.service"], capture_output=True, text=True, check=False)
            self.assertEqual(done.returncode, 0, done.stdout[-300:] + done.stderr)

    def test_the_changelog_has_the_programs_version(self):
        version = re.search(r"project\(pinion VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
        self.assertTrue((_PACKAGING / "debian/changelog").read_text().startswith(f"pinion ({version}) "))

    def test_maintainer_scripts_are_sh(self):
        for script in ("postinst", "prerm", "postrm"):
            subprocess.run(["sh", "-n", _PACKAGING / "debian" / script], check=True)


if __name__ == "__main__":
    unittest.main()
