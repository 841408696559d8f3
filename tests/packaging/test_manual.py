"""The manual: what packaging/man_pages.py makes of the program's own words, and what those who read roff say of it."""

import importlib.util
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from tests.harness.gateway import PROGRAM
from tests.harness.process import ROOT

_SPEC = importlib.util.spec_from_file_location("man_pages", ROOT / "packaging/man_pages.py")
man_pages = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(man_pages)


class ManualTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pages = man_pages.pages(PROGRAM)

    def test_nothing_is_taken_for_a_request(self):
        self.assertEqual(man_pages.escaped(".PP\n'x'\na\\b --c"), "\\&.PP\n\\(aqx\\(aq\na\\eb \\-\\-c")

    def test_every_command_is_there(self):
        self.assertIn(".B pinion pin\n", self.pages["pinion.1"])
        self.assertIn("pinion\\-pin(1)", self.pages["pinion.1"])
        pin = self.pages["pinion-pin.1"]
        self.assertIn(".SS pinion pin set [OPTIONS] [CONSUMER] [SERVICE] [EXPRESSION]\n", pin)
        self.assertIn("    pinion pin set billing addressbook \\(aq\\(ha1\\(aq\n", pin)
        self.assertIn(".B \\-\\-drain DURATION\n", pin)
        gateway = self.pages["pinion-gateway.1"]
        self.assertIn(".SH OPTIONS\n.TP\n.B \\-\\-config FILE\n", gateway)  # runs one, and has verbs
        self.assertIn(".SS pinion gateway list\n", gateway)
        self.assertIn(".SH EXIT STATUS\n.TP\n.B 0\n", self.pages["pinion.1"])

    def test_what_is_written_is_always_the_same(self):
        with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as two:
            for directory in (one, two):
                man_pages.write(PROGRAM, pathlib.Path(directory))
            names = sorted(path.name for path in pathlib.Path(one).iterdir())
            self.assertEqual(names, sorted(f"{name}.gz" for name in self.pages))
            for name in names:
                self.assertEqual((pathlib.Path(one) / name).read_bytes(), (pathlib.Path(two) / name).read_bytes())

    def test_readers_have_nothing_to_say(self):
        if not shutil.which("groff") and not shutil.which("mandoc"):
            self.skipTest("neither groff nor mandoc is installed")
        for name, page in self.pages.items():
            if shutil.which("groff"):
                done = subprocess.run(["groff", "-K", "utf8", "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, text=True, check=True)
                self.assertEqual(done.stderr, "", name)
            if shutil.which("mandoc"):
                # Pages of a program have no date.
                done = subprocess.run(["mandoc", "-Tlint", "-Wwarning"], input=page, capture_output=True, text=True, check=False)
                said = [line for line in done.stdout.splitlines() if "missing date" not in line]
                self.assertEqual(said, [], name)


if __name__ == "__main__":
    unittest.main()
