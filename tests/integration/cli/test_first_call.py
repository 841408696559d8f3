"""`pin_on_first_call`: a consumer's first call through `pinion serve`, or through a gateway apart, becomes its pin."""

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


class FirstCall(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-first-call."))
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

    def cli(self, *args):
        env = {**os.environ, "PINION_REGISTRY": self.registry, "PINION_ACTOR": "alice"}
        done = subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True, timeout=PATIENCE, env=env, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

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

    def call(self, gateway, consumer):
        """The version that one call gets; fails unless it ends well."""
        port = gateway.wait_line(r"listening name=ingress address=\S+:(\d+)").group(1)
        headers = ["content-type: application/grpc", "te: trailers", f"api-consumer: {consumer}"]
        done = subprocess.run(["curl", "-sS", "--http2-prior-knowledge", "-D", "-", "-o", "/dev/null", "--data-binary",
                               f"@{self.folder / 'message'}", *(part for header in headers for part in ("-H", header)),
                               f"http://127.0.0.1:{port}/acme.Greeter/Hello"],
                              capture_output=True, text=True, timeout=PATIENCE, check=False)
        self.assertRegex(done.stdout, r"(?m)^grpc-status: 0\s*$", done.stdout + done.stderr)
        return re.search(r"(?m)^api-version: (\S+)", done.stdout).group(1)

    def metric(self, gateway, text):
        admin = gateway.wait_line(r"(?m)^admin address=(\S+)$").group(1)
        done = subprocess.run(["curl", "-sS", f"http://{admin}/metrics"], capture_output=True, text=True, timeout=PATIENCE, check=False)
        return text in done.stdout

    def until(self, what):
        """Asks until it is true."""
        give_up = time.monotonic() + PATIENCE
        while not what():
            self.assertLess(time.monotonic(), give_up, "it never came")

    def pins(self):
        pins = json.loads(self.cli("pin", "list", "--json")).get("pins", [])
        return {pin["pin"]["consumer"]: pin["pin"]["expression"] for pin in pins}

    def explain(self, consumer):
        return self.cli("explain", "--consumer", consumer, "--method", "/acme.Greeter/Hello")

    def set_up_greeter(self):
        self.publish("1.0.0", "2.0.0")
        self.cli("service", "set", "greeter", "--unpinned", "pin-on-first-call:stable")
        for consumer in ("billing", "shipping"):
            self.cli("consumer", "add", consumer)

    def settle(self, gateway):
        """Until the gateway routes by what the registry has now."""
        revision = json.loads(self.cli("status", "--json"))["revision"]
        self.until(lambda: self.metric(gateway, f"pinion_registry_revision {revision}\n"))

    def check_first_calls(self, gateway):
        """REQUIRES: set_up_greeter(), and @stable is 1.0.0."""
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")
        self.assertEqual(self.call(gateway, "stranger"), "1.0.0")
        self.until(self.pins)
        self.assertEqual(self.pins(), {"billing": "1.0.0"})
        self.assertIn("pin for the service: 1.0.0", self.explain("billing"))
        record = json.loads(self.cli("audit", "log", "--json"))["records"][0]
        self.assertEqual((record["command"], record["actor"]), ("pin.propose", "gateway/edge-1"))
        self.assertEqual(json.loads(self.cli("pin", "list", "--json"))["pins"][0]["meta"]["owner"], "alice")

        # Who called before the channel moved stays; who comes after goes where it leads by then.
        self.cli("channel", "set", "greeter", "stable", "2.0.0")
        self.settle(gateway)
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")
        self.assertEqual(self.call(gateway, "shipping"), "2.0.0")
        self.until(lambda: self.metric(gateway, 'pinion_pin_proposals_total{outcome="created"} 2\n'))
        self.assertEqual(self.pins(), {"billing": "1.0.0", "shipping": "2.0.0"})
        self.assertTrue(self.metric(gateway, 'pinion_pin_proposals_total{outcome="dropped"} 0\n'))

    def test_serve(self):
        serve = self.start(PROGRAM, "serve", "--config", self.configured("serve.yaml"), "--registry", ANY, "--store",
                           self.folder / "r.db")
        self.registry = serve.wait_line(r"(?m)^registry address=(\S+)$").group(1)
        self.set_up_greeter()
        self.settle(serve)
        self.assertIn("proposes the pin `billing greeter 1.0.0`", self.explain("billing"))
        self.check_first_calls(serve)

    def test_apart_and_with_the_registry_away(self):
        self.registry = f"unix:{self.folder / 'registry.sock'}"
        start = ("registry", "--registry", self.registry, "--store", self.folder / "r.db")
        registry = self.start(PROGRAM, *start)
        self.set_up_greeter()
        gateway = self.start(PROGRAM, "gateway", "--config", self.configured(
            "gateway.yaml", registry={"address": {"pipe": {"path": str(self.folder / "registry.sock")}}}))
        self.settle(gateway)
        self.assertEqual(registry.stop(), 0)
        self.until(lambda: self.metric(gateway, "pinion_registry_connected 0\n"))
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")
        self.assertEqual(self.call(gateway, "billing"), "1.0.0")
        self.until(lambda: self.metric(gateway, "pinion_pin_proposals_waiting 1\n"))
        self.start(PROGRAM, *start)
        self.check_first_calls(gateway)


if __name__ == "__main__":
    unittest.main()
