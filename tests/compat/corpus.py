"""The cases of tests/compat_corpus: RULE/CASE/{old,new}/*.proto, and in RULE/CASE/findings what is found in them.

A line of `findings` is `CATEGORIES place RULE symbol`. Cases in editions are compiled by buf alone: Debian's protoc has none.
"""

import json
import pathlib
import subprocess

from tests.harness.process import ROOT

CORPUS = ROOT / "tests/compat_corpus"
PINION = ROOT / "build/release/pinion"
CATEGORIES = ("WIRE", "WIRE_JSON")


class Case:
    def __init__(self, folder):
        self.folder = folder
        self.rule = folder.parent.name
        self.name = f"{self.rule}/{folder.name}"

    def sources(self, side):
        return sorted(path.name for path in (self.folder / side).glob("*.proto"))

    def uses_editions(self):
        return any("edition =" in path.read_text() for path in self.folder.glob("*/*.proto"))

    def expected(self):
        """{category: [(place, rule, symbol)]}"""
        lines = [line.split(" ") for line in (self.folder / "findings").read_text().splitlines()]
        return {category: sorted((place, rule, symbol) for categories, place, rule, symbol in lines if category in categories.split(","))
                for category in CATEGORIES}


def cases():
    return [Case(folder) for folder in sorted(CORPUS.glob("*/*")) if folder.is_dir()]


def compile_with_protoc(case, side, output, source_info=True):
    flags = ["--include_source_info"] if source_info else []
    subprocess.run(["protoc", "-I", case.folder / side, "--include_imports", *flags, f"--descriptor_set_out={output}",
                    *case.sources(side)], check=True, capture_output=True)


def check(old, new, category, *flags):
    """(exit status, findings); None in place of findings when it could not check, then with what it said."""
    done = subprocess.run([PINION, "schema", "check", "--against", old, new, "--category", category, "--json", *flags],
                          capture_output=True, text=True, check=False)
    if done.returncode not in (0, 1):
        return done.returncode, done.stderr
    return done.returncode, json.loads(done.stdout)


def place(finding):
    path = finding["path"] or "-"
    return f"{path}:{finding['line']}:{finding['column']}" if finding["line"] else path


def summary(findings):
    """As in `findings` of a case."""
    return sorted((place(one), one["rule"], one["symbol"]) for one in findings)
