"""The drivers of the scenarios, and the samples: one of each for every library, built by its language's own tools."""

import json
import os
import pathlib
import queue
import subprocess
import threading

from tests.conformance.suite import last_line
from tests.harness.process import CACHE, ROOT

_FOLDER = pathlib.Path(__file__).parent
_CLIENTS = ROOT / "clients"
_BUILD_SECONDS = 600
_ANSWER_SECONDS = 30


class Programs:
    """The command lines of a library's programs. The samples take --registry and --version, or --gateway and --pin."""

    def __init__(self, driver, sample_server, sample_client, tests):
        """`tests`: the library's own."""
        self.driver, self.sample_server, self.sample_client, self.tests = driver, sample_server, sample_client, tests


def _build(command, folder, what):
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=_BUILD_SECONDS,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{what}: {last_line(done.stderr + done.stdout) or 'the build failed'}")


def go():
    command = os.environ.get("GO", "go")
    built = CACHE / "clients/go"
    built.mkdir(parents=True, exist_ok=True)
    for module, packages in ((_FOLDER / "go", {"driver": "."}),
                             (_CLIENTS / "go/sample", {"sample_server": "./server", "sample_client": "./client"})):
        _build([command, "generate", "./..."], module, "go generate")
        for name, package in packages.items():
            _build([command, "build", "-race", "-buildvcs=false", "-o", built / name, package], module, "go build")
    return Programs([built / "driver"], [built / "sample_server"], [built / "sample_client"],
                    ["sh", "-c", f"cd clients/go && {command} vet ./... && {command} test -race ./..."])


LANGUAGES = {"go": go}


class Driver:
    """A driver that runs: takes commands, one at a time. A context manager."""

    def __init__(self, argv, log):
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        with open(log, "wb") as output:
            self._child = subprocess.Popen([str(part) for part in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output,
                                           text=True, cwd=ROOT)
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._child.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.stdin.close()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def ask(self, command):
        """The driver's answer; RuntimeError when there is none."""
        try:
            self._child.stdin.write(json.dumps(command) + "\n")
            self._child.stdin.flush()
            line = self._lines.get(timeout=_ANSWER_SECONDS)
        except (OSError, queue.Empty):
            line = None
        if line is None:
            raise RuntimeError(f"the driver did not answer {command['do']}: {last_line(self._log.read_text(errors='replace'))}")
        return json.loads(line)
