"""What the program says of itself: every command has examples, every exit status is documented and true, and colours and progress are
for terminals alone."""

import json
import os
import pty
import re
import subprocess
import unittest

from tests.harness.gateway import PROGRAM
from tests.harness.process import ROOT

_SECONDS = 30
_NOWHERE = "unix:/nowhere/registry.sock"
_STATUSES = ROOT / "docs/command-line.md"


def environment(**more):
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PINION_") and name not in ("NO_COLOR", "TERM")}
    return {**kept, "XDG_CONFIG_HOME": "/nowhere", "PINION_REGISTRY": _NOWHERE, **more}


def run(*args, **more):
    return subprocess.run([PROGRAM, *args], capture_output=True, text=True, timeout=_SECONDS, check=False, env=environment(**more))


def on_terminal(*args, **more):
    """What the command prints when both of its outputs are a terminal."""
    master, slave = pty.openpty()
    process = subprocess.Popen([PROGRAM, *args], stdout=slave, stderr=slave, env=environment(TERM="xterm", **more))
    os.close(slave)
    printed = b""
    try:
        while piece := os.read(master, 4096):
            printed += piece
    except OSError:  # the other end is closed
        pass
    process.wait(timeout=_SECONDS)
    os.close(master)
    return printed.decode()


def commands(tree):
    yield tree
    for below in tree["commands"]:
        yield from commands(below)


class HelpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.tree = json.loads(run("help-dump").stdout)

    def test_every_command_has_examples(self):
        for command in commands(self.tree):
            with self.subTest(command["path"]):
                self.assertTrue(command["help"])
                self.assertTrue(command["examples"], f"{command['path']} has no example: give it one with Examples()")
                own = [line for line in command["examples"] if command["path"] in line]
                self.assertTrue(own, f"none of its examples has `{command['path']}`")
                for one in command["arguments"] + command["options"]:
                    self.assertTrue(one["help"], one)

    def test_help_shows_them(self):
        for path in ("pinion", "pinion pin", "pinion pin set", "pinion gateway"):
            command = next(one for one in commands(self.tree) if one["path"] == path)
            done = run(*path.split()[1:], "--help")
            self.assertEqual(done.returncode, 0)
            for line in command["examples"]:
                self.assertIn(f"\n  {line}\n", done.stdout)

    def test_what_is_for_programs_is_not_offered(self):
        self.assertNotIn("help-dump", run("--help").stdout)
        self.assertNotIn("help-dump", run("nothing").stderr)

    def test_exit_statuses_are_as_documented(self):
        cases = {0: [["--version"], ["pin", "set", "--help"], ["completion", "bash"]],
                 1: [["status"], ["pin", "list", "-o", "json"], ["validate", "/nowhere"], ["doctor"]],
                 2: [["nothing"], ["pin", "list", "--nothing"], ["status", "--registry", "x"], ["status", "--json", "-o", "yaml"],
                     ["schema", "check", "--against", "/nowhere", "/nowhere"], ["can-retire", "a", "1.0.0"]]}
        documented = {one["status"]: one["meaning"] for one in self.tree["exitStatuses"]}
        self.assertEqual(set(cases), set(documented))
        page = _STATUSES.read_text()
        for status, lines in cases.items():
            self.assertIn(f"| {status} | {documented[status]} |", page)
            for line in lines:
                done = run(*line)
                self.assertEqual(done.returncode, status, f"{line}: {done.stdout}{done.stderr}")

    def test_colours_are_for_terminals(self):
        red = "\x1b[31mpinion:\x1b[0m no registry"
        self.assertIn(red, on_terminal("status"))
        self.assertNotIn("\x1b", on_terminal("status", NO_COLOR="1"))
        self.assertIn(red, on_terminal("status", NO_COLOR=""))
        self.assertNotIn("\x1b", run("status", TERM="xterm").stderr)
        self.assertNotIn("\x1b", on_terminal("status", "-o", "json"))

    def test_output_formats(self):
        table, as_json, yaml = (run("doctor", *flags).stdout for flags in ((), ("-o", "json"), ("-o", "yaml")))
        self.assertRegex(table, r"(?m)^FAIL  registry: no registry at unix:/nowhere")
        self.assertEqual(json.loads(as_json)["worst"], "FAIL")
        self.assertEqual(as_json, run("doctor", "--json").stdout)
        self.assertTrue(yaml.startswith("worst: FAIL\nchecks:\n  - name: settings\n    level: OK\n"), yaml)
        self.assertTrue(re.match(r'code: 14\nmessage: "no registry', run("status", "-o", "yaml").stderr))


if __name__ == "__main__":
    unittest.main()
