"""What the suites share: the tools they fetch, and the report of their cases."""

import os
import pathlib
import subprocess

from tests.harness.process import CACHE

LOGS = CACHE / "conformance"


def go_tool(package, version, name):
    """The path of a Go program, built once into .cache/bin. Raises RuntimeError with the last line of Go's complaint."""
    folder = CACHE / "bin" / version.replace("/", "_")
    tool = folder / name
    if not tool.exists():
        folder.mkdir(parents=True, exist_ok=True)
        go = os.environ.get("GO", "go")
        print(f"building {package}@{version}", flush=True)
        done = subprocess.run([go, "install", f"{package}@{version}"], env={**os.environ, "GOBIN": str(folder),
                              "GOFLAGS": "-buildvcs=false"}, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{package}: {(done.stderr.strip().splitlines() or ['go install failed'])[-1]}")
    return tool


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:220] if lines else ""


class Report:
    """Cases as they end; prints each at once."""

    def __init__(self):
        self.passed = self.failed = self.skipped = 0

    def add(self, case, error):
        """`error`: None when the case passed, else why not."""
        if error is None:
            self.passed += 1
            print(f"PASS {case}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL {case}: {error}", flush=True)

    def skip(self, case, why):
        self.skipped += 1
        print(f"SKIP {case}: {why}", flush=True)

    def write(self, path):
        pathlib.Path(path).write_text(f"{self.passed} {self.failed} {self.skipped}\n")
