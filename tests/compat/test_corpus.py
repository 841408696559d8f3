"""What `pinion schema check` finds in the corpus is what the corpus says, and each rule has a case that breaks it and one that
does not. That buf finds the same is for `./dev conformance schema` to say."""

import pathlib
import re
import subprocess
import tempfile
import unittest

from tests.compat import corpus
from tests.harness.process import ROOT


KEYS = ["rule", "severity", "path", "line", "column", "symbol", "message", "advice"]


class Corpus(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="pinion-compat.")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def test_each_case(self):
        for case in corpus.cases():
            if case.uses_editions():
                continue
            for side in ("old", "new"):
                corpus.compile_with_protoc(case, side, self.folder / side)
            for category in corpus.CATEGORIES:
                with self.subTest(case=case.name, category=category):
                    status, findings = corpus.check(self.folder / "old", self.folder / "new", category)
                    self.assertIsInstance(findings, list)
                    self.assertEqual(corpus.summary(findings), case.expected()[category])
                    self.assertEqual(status, 1 if findings else 0)
                    for finding in findings:
                        self.assertEqual(list(finding), KEYS)
                        self.assertTrue(finding["message"] and finding["advice"] and finding["severity"] == "breaking", finding)

    def test_each_rule_is_broken_and_kept(self):
        table = (ROOT / "registry/compat/rules.cc").read_text()
        rules = re.findall(r'^ +\{"([A-Z_]+)", k', table, re.MULTILINE)
        self.assertEqual(len(rules), 24)
        for rule in rules:
            found = {any(name == rule for findings in case.expected().values() for _, name, _ in findings)
                     for case in corpus.cases() if case.rule == rule}
            self.assertEqual(found, {True, False}, f"{rule}: wants cases of both kinds in its folder")

    def test_what_cannot_be_checked(self):
        case = next(one for one in corpus.cases() if one.name == "SEVERAL/everything_at_once")
        good, bad = self.folder / "good", self.folder / "bad"
        corpus.compile_with_protoc(case, "old", good)
        without_imports = self.folder / "without"
        subprocess.run(["protoc", "-I", case.folder / "old", f"--descriptor_set_out={without_imports}", "a.proto"], check=True)
        for what, contents, said in (("text", b"syntax = proto3;", "not a FileDescriptorSet"), ("empty", b"", "not a FileDescriptorSet"),
                                     ("cut", good.read_bytes()[:-7], "not a FileDescriptorSet"),
                                     ("without imports", without_imports.read_bytes(), "lacks b.proto")):
            bad.write_bytes(contents)
            for old, new in ((bad, good), (good, bad)):
                with self.subTest(what=what):
                    status, message = corpus.check(old, new, "WIRE")
                    self.assertEqual(status, 2, message)
                    self.assertIn(said, message)
                    self.assertIn(str(bad), message)
        status, message = corpus.check(self.folder / "nowhere", good, "WIRE")
        self.assertEqual((status, "No such file" in message), (2, True), message)


if __name__ == "__main__":
    unittest.main()
