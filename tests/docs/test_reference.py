"""The reference can be made, leaves nothing without a description, and says what the sources say."""

import html
import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from tests.docs import pages
from tests.docs.tree import markdown, read
from tests.harness.process import ROOT
from tools.docs import commands, protos

PROGRAM = ROOT / "build/release/pinion"
# Words of C++ sources that look like reasons and are none.
_OTHER_WORDS = {"SSL_ERROR"}
_REASON = r'"([A-Z]+(?:_[A-Z]+)+)"'


def sources(*folders):
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".cc", ".h") and not path.name.endswith("_test.cc"):
                yield path.read_text()


def status(name):
    """NOT_FOUND of kNotFound."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name.removeprefix("k")).upper()


class Protos(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.schema = protos.read(ROOT / "protos")

    def test_every_field_of_the_configuration_is_described(self):
        names = protos.reachable(self.schema, "pinion.config.v1.Bootstrap")
        self.assertGreater(len(names), 30)
        for name in names:
            for field in self.schema.messages[name].fields if name in self.schema.messages else ():
                self.assertTrue(protos.described(self.schema, field), f"{name}.{field.name} has no comment")

    def test_every_method_of_the_api_is_described(self):
        methods = [method for service in self.schema.services.values() for method in service.methods]
        self.assertGreater(len(methods), 50)
        for method in methods:
            self.assertTrue(method.comment, f"rpc {method.name} has no comment")

    def test_every_reason_is_described_and_begins_with_its_status(self):
        for side, rows in protos.reasons(self.schema).items():
            for reason, said_status, said in rows:
                self.assertRegex(said_status, r"^[A-Z_]+\b", f"{side}.{reason}: the comment begins with the status")
                self.assertTrue(said, f"{side}.{reason} is not described")

    def test_the_gateways_reasons_are_those_of_the_source(self):
        source = (ROOT / "gateway/route/refusal.cc").read_text()
        there = {name: status(code) for name, code in re.findall(r'\{"([A-Z_]+)", absl::StatusCode::(k\w+)\}', source)}
        said = {reason: re.match("[A-Z_]+", code)[0] for reason, code, _ in protos.reasons(self.schema)["Gateway"]}
        self.assertGreater(len(there), 10)
        self.assertEqual(said, there)

    def test_the_registrys_reasons_are_those_of_the_sources(self):
        texts = [*sources("registry/access", "registry/model", "registry/schema", "registry/service", "registry/store"),
                 (ROOT / "registry/compat/publication.cc").read_text()]
        there = {word for text in texts for word in re.findall(_REASON, text)} - _OTHER_WORDS
        said = {reason: re.findall("[A-Z_]{5,}", code) for reason, code, _ in protos.reasons(self.schema)["Registry"]}
        self.assertEqual(set(said), there)
        for text in texts:
            for code, reason in re.findall(rf"\bRefusal\(\s*absl::StatusCode::(k\w+),\s*{_REASON}", text):
                self.assertIn(status(code), said[reason], reason)
            for reason in re.findall(rf"\bUnknownName\(\s*{_REASON}", text):
                self.assertIn("NOT_FOUND", said[reason], reason)


class Program(unittest.TestCase):
    """With the program itself."""

    @classmethod
    def setUpClass(cls):
        dump = subprocess.run([PROGRAM, "help-dump"], capture_output=True, text=True, check=True, timeout=30).stdout
        cls.tree = json.loads(dump)
        cls.by_path = {command["path"]: command for command in commands.walk(cls.tree)}

    def test_every_command_argument_and_option_is_described(self):
        self.assertGreater(len(self.by_path), 50)
        for path, command in self.by_path.items():
            self.assertTrue(command["help"], path)
            for each in command["arguments"] + command["options"]:
                self.assertTrue(each["help"], f"{path}: {each}")

    def stranger(self, line):
        """What a line of a page says that the program does not know; None: it knows all of it."""
        words = line.split()
        path, at = "pinion", 1
        while at < len(words) and f"{path} {words[at]}" in self.by_path:
            path, at = f"{path} {words[at]}", at + 1
        command = self.by_path[path]
        if command["commands"] and not command["runs"] and at < len(words) and re.fullmatch(r"[a-z][a-z-]*", words[at]):
            return f"`{path}` has no command `{words[at]}`"
        options = {option["longName"] for option in command["options"] + self.tree["options"]} | {"--help"}
        for word in words[at:]:
            name = re.match(r"--[a-z][a-z0-9-]*", word)
            if name and name[0] not in options:
                return f"`{path}` has no option `{name[0]}`"
        return None

    def test_commands_within_sentences_exist(self):
        found = 0
        for path in markdown():
            for line, text in pages.code_spans(read(path)):
                if text.startswith("pinion ") and "COMMAND" not in text:
                    found += 1
                    with self.subTest(f"{path}:{line}"):
                        self.assertIsNone(self.stranger(text), text)
        self.assertGreater(found, 50)

    def test_commands_that_help_texts_show_exist(self):
        for path, command in self.by_path.items():
            for line in command["examples"]:
                if line.startswith("pinion "):
                    self.assertIsNone(self.stranger(line), f"{path}: {line}")

    def test_commands_that_messages_name_exist(self):
        found = 0
        for text in sources("auth", "base", "clients/cli", "config", "gateway", "pinion", "registry"):
            text = re.sub(r'"\s*"', "", text)  # literals that go on in the next line
            for literal in re.findall(r'"((?:[^"\\\n]|\\.)*)"', text):
                for line in re.findall(r"`(pinion [^`]*)", literal) + re.findall(r": (pinion [a-z].*)", literal):
                    found += 1
                    self.assertIsNone(self.stranger(line), line)
        self.assertGreater(found, 50)

    def test_a_command_that_does_not_exist_is_noticed(self):
        for line, knows in (("pinion pin set a b '^1' --drain 10m", True), ("pinion service update x", False), ("pinion pin set --dry", False),
                            ("pinion --registry HOST status", True), ("pinion status --json", True)):
            self.assertEqual(self.stranger(line) is None, knows, line)

    def test_site(self):
        with tempfile.TemporaryDirectory(prefix="pinion-site.") as folder:
            subprocess.run([sys.executable, "-B", "-m", "tools.docs", folder, "--pinion", PROGRAM], cwd=ROOT, check=True, capture_output=True,
                           timeout=60)
            made = pathlib.Path(folder)
            self.assertEqual(sorted(path.name for path in (made / "reference").glob("*.md")),
                             ["api.md", "commands.md", "config.md", "errors.md"])
            if not shutil.which("cmark-gfm"):
                self.skipTest("cmark-gfm is not installed: ./dev docs says so")
            texts = {path.resolve(): path.read_text() for path in made.rglob("*.html")}
            self.assertGreater(len(texts), 30)
            for path, text in texts.items():
                self.links(made, path, text, texts)

    def links(self, made, path, text, texts):
        for target in re.findall(r'(?:href|src)="([^"]*)"', text):
            if "://" in target:
                continue
            file, _, name = html.unescape(target).partition("#")
            place = (path.parent / file).resolve() if file else path
            where = f"{path.relative_to(made.resolve())}: {target}"
            self.assertTrue(place.is_file(), where)
            if name:
                self.assertIn(f'id="{name}"', texts[place], where)


if __name__ == "__main__":
    unittest.main()
