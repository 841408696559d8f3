"""buf beside `pinion schema check`, on the corpus of tests/compat_corpus: the same findings of the same rules at the same places, for
descriptor sets that buf and protoc made, with and without source info."""

import json
import os
import re
import subprocess

from tests.compat import corpus
from tests.conformance.suite import LOGS, go_tool, last_line

_PACKAGE = "github.com/bufbuild/buf/cmd/buf"
_VERSION = "v1.75.0"
_QUOTED = re.compile(r'"([^"]*)"')


class Buf:
    def __init__(self, program, folder):
        self._program = program
        self._environment = {**os.environ, "BUF_CACHE_DIR": str(folder / "cache"), "HOME": str(folder)}

    def _run(self, *arguments):
        return subprocess.run([self._program, *arguments], env=self._environment, capture_output=True, text=True, check=False)

    def compile(self, case, side, output, source_info=True):
        flags = [] if source_info else ["--exclude-source-info"]
        done = self._run("build", case.folder / side, "-o", f"{output}#format=binpb", *flags)
        if done.returncode != 0:
            raise RuntimeError(f"buf build: {last_line(done.stderr)}")

    def findings(self, old, new, category):
        """[(place, rule, names in the message)]"""
        config = json.dumps({"version": "v2", "breaking": {"use": [category]}})
        done = self._run("breaking", f"{new}#format=binpb", "--against", f"{old}#format=binpb", "--config", config, "--error-format",
                         "json", "--exclude-imports")
        if done.returncode not in (0, 100):
            raise RuntimeError(f"buf breaking: {last_line(done.stderr)}")
        found = [json.loads(line) for line in done.stdout.splitlines()]
        return [(corpus.place({"path": one.get("path"), "line": one.get("start_line", 0), "column": one.get("start_column", 0)}),
                 one["type"], _QUOTED.findall(one["message"])) for one in found]


def _same_element(symbol, names):
    """buf's messages have an element's own name, and of an enum's value its enum's."""
    return any(name in names for name in (symbol, *symbol.split(".")[-2:]))


def difference(theirs, ours):
    """None when they agree, else the first thing that only one of them says."""
    theirs = list(theirs)
    for place, rule, symbol in ours:
        match = next((one for one in theirs if one[:2] == (place, rule) and _same_element(symbol, one[2])), None)
        if match is None:
            return f"only ours: {place} {rule} {symbol}"
        theirs.remove(match)
    return f"only buf's: {theirs[0]}" if theirs else None


def run_case(case, buf, compilers, folder):
    """(compared, error or None): category by category, compiler by compiler."""
    compared = 0
    for title, compile_one in compilers.items():
        if title.startswith("protoc") and case.uses_editions():
            continue
        old, new = folder / "old.binpb", folder / "new.binpb"
        compile_one(case, "old", old)
        compile_one(case, "new", new)
        for category in corpus.CATEGORIES:
            _, findings = corpus.check(old, new, category)
            if not isinstance(findings, list):
                return compared, f"{title}, {category}: {last_line(findings)}"
            error = difference(buf.findings(old, new, category), corpus.summary(findings))
            if error:
                return compared, f"{title}, {category}: {error}"
            if title == "buf" and case.uses_editions() and corpus.summary(findings) != case.expected()[category]:
                return compared, f"{category}: not what the case's `findings` says"
            compared += len(findings)
    return compared, None


def run(report, proxy=None, only=None):
    """`only`: cases with this in their name."""
    if proxy:
        return report.skip("schema", "no proxy takes part")
    folder = LOGS / "schema"
    folder.mkdir(parents=True, exist_ok=True)
    buf = Buf(go_tool(_PACKAGE, _VERSION, "buf"), folder)
    compilers = {
        "buf": buf.compile,
        "buf without source info": lambda *args: buf.compile(*args, source_info=False),
        "protoc": corpus.compile_with_protoc,
        "protoc without source info": lambda *args: corpus.compile_with_protoc(*args, source_info=False),
    }
    compared = 0
    for case in corpus.cases():
        if only and only not in case.name:
            continue
        findings, error = run_case(case, buf, compilers, folder)
        compared += findings
        report.add(f"schema {case.name}", error)
    print(f"schema: {compared} findings, each as buf {_VERSION} has it")
