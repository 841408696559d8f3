"""The checker catches each bad sample by the rule it stands for, finds nothing in the good ones, and leaves no rule unsampled."""

import pathlib
import re
import unittest

from tests.style import bans
from tests.style.__main__ import check_file

SAMPLES = pathlib.Path(__file__).parent / "samples"
OTHER_RULES = {"arrow", "confined-header", "include-path", "file-length", "function-length", "line-length", "file-comment",
               "pragma-once", "machine-path", "generated"}


def samples():
    """(file name, path it stands for, expected rule or None, content): the first line of a sample says what it stands for."""
    for path in sorted(SAMPLES.iterdir()):
        content = path.read_bytes()
        as_path, rule = re.match(rb"// sample: (\S+) expects (\S+)\n", content).groups()
        yield path.name, as_path.decode(), None if rule == b"nothing" else rule.decode(), content


class Samples(unittest.TestCase):
    def test_each_sample_is_caught_by_its_rule_alone(self):
        for name, path, rule, content in samples():
            with self.subTest(name):
                self.assertEqual({found[1] for found in check_file(path, content)}, {rule} if rule else set())

    def test_a_message_says_what_to_do_instead(self):
        for name, path, _, content in samples():
            for _, rule, message in check_file(path, content):
                with self.subTest(name):
                    self.assertRegex(message, r"[;:] |says", rule)

    def test_every_rule_has_a_sample(self):
        sampled = {rule for _, _, rule, _ in samples()}
        self.assertEqual(({ban.rule for ban in bans.BANS} | OTHER_RULES) - {"file-comment"} - sampled, set())

    def test_a_file_without_an_opening_comment_is_caught(self):
        self.assertEqual([found[1] for found in check_file("base/x.cc", b"int x;\n")], ["file-comment"])

    def test_a_binary_is_caught_outside_corpora_only(self):
        self.assertEqual([found[1] for found in check_file("tools/blob", b"\x7fELF\0")], ["generated"])
        self.assertEqual(check_file("tests/fuzz/corpus/http2/blob", b"\0"), [])


if __name__ == "__main__":
    unittest.main()
