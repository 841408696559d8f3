"""The manual: what packaging/man_page.py makes of the program's own words."""

import importlib.util
import shutil
import subprocess
import unittest

from tests.harness.gateway import PROGRAM
from tests.harness.process import ROOT

_SPEC = importlib.util.spec_from_file_location("man_page", ROOT / "packaging/man_page.py")
man_page = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(man_page)


class ManualTest(unittest.TestCase):
    def test_nothing_is_taken_for_a_request(self):
        self.assertEqual(man_page.escaped(".PP\n'x'\na\\b --c"), "\\&.PP\n\\&'x'\na\\eb \\-\\-c")

    def test_subcommands(self):
        self.assertEqual(man_page.subcommands("x\n\nSubcommands:\n  list    All\n  show    One\n\nmore\n"), ["list", "show"])
        self.assertEqual(man_page.subcommands("x\n"), [])

    def test_every_command_is_there(self):
        page = man_page.page(PROGRAM)
        for command in ("serve", "gateway", "gateway list", "pin set", "validate"):
            self.assertIn(f".SS pinion {command}\n", page)
        self.assertNotIn(".SS pinion pin\n", page)  # only says what its commands are
        self.assertIn("pinion pin set billing addressbook '^1'", page)
        if shutil.which("groff"):
            done = subprocess.run(["groff", "-K", "utf8", "-man", "-Tutf8", "-ww", "-z"], input=page, capture_output=True, text=True, check=True)
            self.assertEqual(done.stderr, "")


if __name__ == "__main__":
    unittest.main()
