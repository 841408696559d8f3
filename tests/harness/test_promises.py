"""Every test that docs/internals/promises.md names exists, so that the page cannot promise what nothing shows any more."""

import re
import unittest

from tests.harness.process import ROOT

_PAGE = ROOT / "docs/internals/promises.md"
_NAMED = re.compile(r"`(\w+)\.(\w+)`")
_PROGRAM_NAMED = re.compile(r"(?<!suite )`(\w+)`")
_DEFINED = re.compile(r"^TEST(?:_F|_P)?\((\w+),\s*(\w+)\)", re.MULTILINE)
_PROGRAM_DEFINED = re.compile(r"^\s*(?:pinion_python_test\(|(?:pinion_test|add_test)\(NAME )(\w+)", re.MULTILINE)


class Promises(unittest.TestCase):
    def test_each_test_exists(self):
        defined = {pair for folder in ("auth", "gateway", "registry", "tests") for path in (ROOT / folder).rglob("*_test.cc")
                   for pair in _DEFINED.findall(path.read_text())}
        named = _NAMED.findall(_PAGE.read_text())
        self.assertGreater(len(named), 50)
        self.assertEqual([f"{suite}.{name}" for suite, name in named if (suite, name) not in defined], [])

    def test_each_program_exists(self):
        defined = {name for folder in ("auth", "gateway", "registry", "tests") for path in (ROOT / folder).rglob("CMakeLists.txt")
                   for name in _PROGRAM_DEFINED.findall(path.read_text())}
        cells = [line.split("|")[-2] for line in _PAGE.read_text().splitlines() if line.startswith("|")]
        named = {name for cell in cells for name in _PROGRAM_NAMED.findall(cell)}
        self.assertGreater(len(named), 8)
        self.assertEqual(named - defined, set())


if __name__ == "__main__":
    unittest.main()
