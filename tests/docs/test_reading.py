"""How pages are read, and what is taken for the same in what commands print."""

import unittest

from tests.docs import console, expected, pages


def page(*lines):
    return pages.read("page.md", "\n".join(lines) + "\n")


class Reading(unittest.TestCase):
    def test_blocks_and_what_is_said_of_them(self):
        read = page("<!-- world: registry -->", "", "<!-- not run: it needs a cluster -->", "```sh", "helm install x", "```", "",
                    "<!-- setup:", "touch a", "touch b", "-->", "<!-- ID stands for: echo 7 -->", "```console", "$ pinion x ID", "```")
        self.assertEqual(read.mistakes, [])
        self.assertEqual(read.world, "registry")
        self.assertEqual([part.text for part in read.parts], ["helm install x", "touch a\ntouch b", "$ pinion x ID"])
        self.assertEqual(read.blocks()[0].said("not run").text, "it needs a cluster")
        self.assertEqual((read.blocks()[1].said("stands for").what, read.blocks()[1].line), ("ID", 14))

    def test_mistakes(self):
        for wrong, lines in (
                ("an indented block", ["text", "", "    pinion pin list"]),
                ("a block of language ''", ["```", "x", "```"]),
                ("a block without an end", ["```sh", "x"]),
                ("a command in a block of text", ["```text", "$ pinion pin list", "```"]),
                ("a command in a block of text", ["```text", "./dev demo", "```"]),
                ("needs a reason of some words", ["<!-- not run: no -->", "```sh", "x", "```"]),
                ("stands before no block", ["<!-- runs on -->", "text"]),
                ("stands before no block", ["<!-- file: x -->"]),
                ("means nothing to the tests", ["<!-- TODO -->"]),
                ("readers do not see", ["Write this:", "<!-- file: a/pinion.yaml -->", "```yaml", "x: 1", "```"]),
                ("a second world", ["<!-- world: a -->", "<!-- world: b -->"]),
                ("begins with `$ `", ["```console", "pinion pin list", "```"])):
            with self.subTest(wrong):
                self.assertEqual(len(page(*lines).mistakes), 1, page(*lines).mistakes)
                self.assertIn(wrong, page(*lines).mistakes[0])

    def test_links_and_anchors(self):
        read = page("# A `b` of C: d, e", "# Twice", "# Twice", "[x](y.md#z) ![p](q.svg) `[no](link)`")
        self.assertEqual(pages.anchors(read), {"a-b-of-c-d-e", "twice", "twice-1"})
        self.assertEqual(list(pages.links(read)), [(4, "y.md#z"), (4, "q.svg")])


class Commands(unittest.TestCase):
    def test_each_with_what_is_shown(self):
        found = console.commands(page("```console", "$ a", "x", "$ b \\", "  c", "$ d    # exit status 1", "y", "$ e", "pinion: no",
                                      "```").blocks()[0])
        self.assertEqual([(each.text, each.shown, each.status) for each in found],
                         [("a", ["x"], 0), ("b \\\n  c", [], 0), ("d", ["y"], 1), ("e", ["pinion: no"], None)])

    def test_those_that_only_look_are_asked_again(self):
        for text, looks in (("pinion pin list", True), ("pinion status", True), ("pinion pin set a b c --dry-run", True),
                            ("curl -s http://127.0.0.1/", True), ("pinion pin set a b c", False), ("pinion pin rollback a b", False)):
            self.assertEqual(console.Command(text, 1, [], 0).looks(), looks, text)


class Printed(unittest.TestCase):
    def test_the_same(self):
        for shown, printed in (
                ("", ""),
                ("revision: 812", "x\nrevision:  7131"),
                ("a 2026-11-30 09:00:00Z b", "a  2031-01-02 03:04:05Z  b"),
                ("sunset: 2027-03-01", "sunset: 2031-01-02"),
                ("uid 93dc13538f4d675590dd1268f4c6930d)", "(uid 0123456789abcdef0123)"),
                ("ipv4:127.0.0.1:…  -", "ipv4:127.0.0.1:4711  -"),
                ("one\n…\nthree", "one\ntwo\nthree")):
            self.assertIsNone(expected.missing(shown.splitlines(), printed), shown)

    def test_not_the_same(self):
        for shown, printed in (
                ("1 pin changed", "2 pins changed"),
                ("1 pin changed", "3 pin changed"),
                ("billing ^1 (1.0.0)", "billing ^1 (2.0.0)"),
                ("addressbook 1.10.0", "addressbook 1.20.0"),
                ("^12", "^13"),
                ("b\na", "a\nb")):
            self.assertIsNotNone(expected.missing(shown.splitlines(), printed), shown)


if __name__ == "__main__":
    unittest.main()
