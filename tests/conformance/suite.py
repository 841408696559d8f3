"""What the suites share: the tools they fetch, and the report of their cases."""

import hashlib
import json
import os
import pathlib
import subprocess

from tests.harness.process import CACHE

LOGS = CACHE / "conformance"
_PROGRAMS = pathlib.Path(__file__).with_name("programs")


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
            raise RuntimeError(f"{package}: {last_line(done.stderr) or 'go install failed'}")
    return tool


def go_module_folder(module, version):
    """Where the sources of a module lie, for the data files beside its programs."""
    done = subprocess.run([os.environ.get("GO", "go"), "mod", "download", "-json", f"{module}@{version}"], capture_output=True,
                          text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{module}: {last_line(done.stderr + done.stdout)}")
    return pathlib.Path(json.loads(done.stdout)["Dir"])


def go_program(name, programs=_PROGRAMS):
    """The path of our own Go program NAME in a folder with a go.mod, built anew when its sources have changed."""
    sources = sorted([*programs.glob("go.*"), *(programs / name).glob("*.go")])
    digest = hashlib.sha256(b"".join(source.read_bytes() for source in sources)).hexdigest()[:12]
    program = CACHE / "bin" / f"{name}-{digest}"
    if not program.exists():
        print(f"building {name}", flush=True)
        # Tests that run beside each other may build it at the same time.
        made = program.with_name(f"{program.name}.{os.getpid()}")
        done = subprocess.run([os.environ.get("GO", "go"), "build", "-buildvcs=false", "-o", made, f"./{name}"], cwd=programs,
                              capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {last_line(done.stderr) or 'go build failed'}")
        made.replace(program)
    return program


def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1][:220] if lines else ""


class Report:
    """Cases as they end; prints each at once."""

    def __init__(self, complete=False):
        """`complete`: what cannot be had here is a failure, not skipped."""
        self._complete = complete
        self.passed = self.failed = self.skipped = 0
        self._suites = []  # (name, seconds, passed, failed, skipped)

    def add(self, case, error):
        """`error`: None when the case passed, else why not."""
        if error is None:
            self.passed += 1
            print(f"PASS {case}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL {case}: {error}", flush=True)

    def add_passed(self, title, cases):
        """Cases that passed and are not named one by one."""
        self.passed += cases
        print(f"PASS {title}: {cases} cases", flush=True)

    def skip(self, case, why):
        """A case that makes no sense with these options."""
        self.skipped += 1
        print(f"SKIP {case}: {why}", flush=True)

    def lack(self, case, why):
        """What a case needs cannot be had here; `why` says what and how to get it."""
        if self._complete:
            self.add(case, why)
        else:
            self.skip(case, why)

    def close_suite(self, name, seconds):
        """What was reported since the last call is this suite's."""
        before = [sum(column) for column in list(zip(*self._suites))[2:]] or [0, 0, 0]
        counts = [now - then for now, then in zip((self.passed, self.failed, self.skipped), before)]
        self._suites.append((name, seconds, *counts))

    def summarize(self):
        for name, seconds, passed, failed, skipped in self._suites:
            print(f"  {name:<14} {passed:5} passed {failed:4} failed {skipped:3} skipped {seconds:6.0f} s")

    def write(self, path):
        pathlib.Path(path).write_text(f"{self.passed} {self.failed} {self.skipped}\n")
