"""docs/observability.md says what the gateway says: every field of the log, and nothing else."""

import re
import unittest

from tests.harness.process import ROOT

PAGE = (ROOT / "docs/observability.md").read_text()


def rows(heading):
    """The names in the first column of the tables of a section."""
    section = PAGE.split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


class Page(unittest.TestCase):
    def test_fields_of_the_log(self):
        source = (ROOT / "gateway/access_log/formatter.cc").read_text()
        written = set(re.findall(r'line\.(?:Text|Number|Milliseconds)\("(\w+)"', source)) | {"time"}
        self.assertGreater(len(written), 15)
        self.assertEqual(rows("Access log"), written)


if __name__ == "__main__":
    unittest.main()
