"""`pinion serve`, a registry or a gateway with the service `greeter`, whose versions are echoes: what tests with real calls share."""

import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import time
import unittest

from tests.harness.gateway import PROGRAM, address, write_configuration
from tests.harness.process import ROOT, Process

ECHO = ROOT / "build/release/tests/bench/bench_echo"
ANY = "127.0.0.1:0"
# For what comes by itself a moment later; far longer than it takes.
PATIENCE = 30


class Served(unittest.TestCase):
    # Where the commands find the registry; set by the test that starts one.
    registry = ""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-served."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        (self.folder / "message").write_bytes(b"\0\0\0\0\0")
        self.started = 0

    def start(self, *args, ready=r"(?m)^ready$"):
        self.started += 1
        process = Process([str(arg) for arg in args], self.folder / f"{self.started}.log")
        self.addCleanup(process.stop)
        process.wait_line(ready, seconds=PATIENCE)
        return process

    def configured(self, name, **more):
        path = self.folder / name
        listener = {"name": "ingress", "address": address(0), "consumer_identity": {"trusted_header": {"name": "api-consumer"}}}
        write_configuration(path, {"node": {"id": "edge-1"}, "admin": {"address": address(0)}, "listeners": [listener], **more})
        return path

    def cli(self, *args, status=0):
        """What the command prints; on standard error if it is to fail with `status`."""
        env = {**os.environ, "PINION_REGISTRY": self.registry, "PINION_ACTOR": "alice", "XDG_CONFIG_HOME": str(self.folder)}
        done = subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True, timeout=PATIENCE, env=env, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr if status else done.stdout

    def publish(self, *versions):
        """Each is served by an echo of its own."""
        for version in versions:
            echo = self.start(ECHO, ready=r"listening \S+:\d+")
            where = echo.wait_line(r"listening (\S+:\d+)").group(1)
            self.cli("version", "publish", "greeter", version, "--descriptor-set", self.schema())
            self.cli("instance", "register", "greeter", version, where)

    def schema(self):
        """A FileDescriptorSet with acme.Greeter and its method Hello, in the wire's bytes."""
        def field(number, value):
            return bytes([number << 3 | 2, len(value)]) + value
        method = field(1, b"Hello") + field(2, b".acme.M") + field(3, b".acme.M")
        file = (field(1, b"greeter.proto") + field(2, b"acme") + field(4, field(1, b"M")) +
                field(6, field(1, b"Greeter") + field(2, method)) + field(12, b"proto3"))
        path = self.folder / "greeter.binpb"
        path.write_bytes(field(1, file))
        return path

    def answer(self, gateway, consumer, asked=None, message=True):
        """The headers and trailers that one call gets. What is refused before its message is read, which curl takes for an error of
        the stream, is asked without one."""
        port = gateway.wait_line(r"listening name=ingress address=\S+:(\d+)").group(1)
        headers = ["content-type: application/grpc", "te: trailers", f"api-consumer: {consumer}"]
        if asked is not None:
            headers.append(f"api-version: {asked}")
        body = ["--data-binary", f"@{self.folder / 'message'}"] if message else ["-X", "POST"]
        done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-D", "-", "-o", "/dev/null", *body,
                               *(part for header in headers for part in ("-H", header)),
                               f"http://127.0.0.1:{port}/acme.Greeter/Hello"],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        return done.stdout + done.stderr

    def call(self, gateway, consumer, asked=None):
        """The version that one call gets; fails unless it ends well."""
        answer = self.answer(gateway, consumer, asked)
        self.assertRegex(answer, r"(?m)^grpc-status: 0\s*$", answer)
        return re.search(r"(?m)^api-version: (\S+)", answer).group(1)

    def metrics(self, gateway):
        admin = gateway.wait_line(r"(?m)^admin address=(\S+)$").group(1)
        return subprocess.run(["curl", "-sS", f"http://{admin}/metrics"], capture_output=True, text=True, timeout=PATIENCE,
                              check=False).stdout

    def metric(self, gateway, text):
        return text in self.metrics(gateway)

    def value(self, gateway, name):
        """Of a metric without labels; -1: it is not there."""
        found = re.search(rf"(?m)^{name} (\S+)$", self.metrics(gateway))
        return float(found.group(1)) if found else -1

    def until(self, what, seconds=PATIENCE):
        """Asks until it is true."""
        give_up = time.monotonic() + seconds
        while not what():
            self.assertLess(time.monotonic(), give_up, "it never came")

    def settle(self, gateway):
        """Until the gateway routes by what the registry has now, or by what it had later."""
        revision = int(json.loads(self.cli("status", "--json"))["revision"])
        self.until(lambda: self.value(gateway, "pinion_registry_revision") >= revision)
