"""A page that is wrong is noticed: pages of one block each, tried in an empty folder."""

import tempfile
import unittest
from unittest import mock

from tests.docs import pages, trial


def wrong(*lines):
    """What a trial of the page says; "" when nothing is wrong."""
    page = pages.read("page.md", "\n".join(("<!-- world: empty -->", *lines)) + "\n")
    with tempfile.TemporaryDirectory(prefix="pinion-page.") as folder, mock.patch.object(trial, "PATIENCE_SECONDS", 0.3):
        tried = trial.Trial(page, folder)
        try:
            tried.everything()
        except (AssertionError, trial.SessionEnded) as error:
            return str(error)
        finally:
            tried.session.end()
    return ""


class Trials(unittest.TestCase):
    def test_what_is_right(self):
        for lines in (["```console", "$ echo 'a  b'; false    # exit status 1", "a b", "```"],
                      ["```sh", "x=1", "```", "", "```sh", '[ "$x" = 1 ]', "```"],
                      ["<!-- not run: it would not work -->", "```sh", "false", "```"],
                      ["<!-- file: a/b -->", "```text", "word", "```", "", "```sh", "grep word a/b", "```"],
                      ["<!-- runs on -->", "```console", "$ sh -c 'echo ready; sleep 60'", "ready", "```"],
                      ["<!-- setup: echo here >x -->", "<!-- WORD stands for: cat x -->", "```console", "$ echo WORD", "here", "```"]):
            self.assertEqual(wrong(*lines), "", lines)

    def test_what_is_wrong(self):
        for message, lines in (
                ("page.md:3: `echo a` does not print: b", ["```console", "$ echo a", "b", "```"]),
                ("exit status 1, the page says 0", ["```console", "$ false", "```"]),
                ("exit status 0, the page says 1", ["```console", "$ true    # exit status 1", "```"]),
                ("exit status 0, the page says another than 0", ["```console", "$ echo 'pinion: no'", "pinion: no", "```"]),
                ("failed: false", ["```sh", "echo a", "false", "echo b", "```"]),
                ("command not found", ["```sh", "pinionn pin list", "```"]),
                ("no YAML", ["```yaml", "a: b: c", "```"]),
                ("did not print: ready", ["<!-- runs on -->", "```console", "$ sleep 60", "ready", "```"]),
                ("stands for nothing", ["<!-- ID stands for: true -->", "```sh", "echo ID", "```"])):
            self.assertIn(message, wrong(*lines), lines)

    def test_configuration_is_read(self):
        if not (trial.worlds.BUILD / "pinion").exists():
            self.skipTest("pinion is not built")
        self.assertEqual(wrong("```yaml", "gateway: {connect_timeout: 2s}", "```"), "")
        self.assertIn("connect_timeout", wrong("```yaml", "gateway: {conect_timeout: 2s}", "```"))


if __name__ == "__main__":
    unittest.main()
