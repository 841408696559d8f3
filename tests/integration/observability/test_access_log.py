"""The access log of `pinion gateway` as whoever reads it sees it: a line for each call, whatever became of it."""

import json
import os
import pathlib
import shutil
import signal
import tempfile
import time
import unittest

from tests.harness import h2
from tests.harness.gateway import Gateway, configuration, service

TRACE = "0af7651916cd43dd8448eb211c80319c"


class AccessLog(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-log."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.log = self.folder / "access.log"

    def server(self, answer):
        server = h2.Server(answer)
        self.addCleanup(server.__exit__)
        return server

    def gateway(self, answer=h2.grpc_answer(0), log=None, **more):
        """A gateway before one instance that gives this answer."""
        self.instance = self.server(answer)
        config = configuration([service("greeter", ["acme.Greeter"], {"1.0.0": self.instance.port}, "1.0.0")],
                               [{"name": "billing", "pins": {"greeter": "^1"}}], **more)
        config["gateway"]["access_log"] = {"path": str(self.log), **(log or {})}
        gateway = Gateway(config, self.folder)
        self.addCleanup(gateway.stop)
        return gateway

    def raw(self, count):
        deadline = time.monotonic() + 20
        while True:
            text = self.log.read_text(encoding="ascii") if self.log.exists() else ""
            lines = text.splitlines()
            if len(lines) >= count or time.monotonic() > deadline:
                self.assertEqual(len(lines), count, text)
                return lines
            time.sleep(0.02)

    def lines(self, count):
        return [json.loads(line) for line in self.raw(count)]

    def one(self, gateway, path="/acme.Greeter/Hello", fields=(), **more):
        """The line of one call."""
        with h2.Client(gateway.port) as client:
            client.call(path, fields, **more)
        return self.lines(1)[0]

    def has(self, line, **expected):
        self.assertEqual({key: line.get(key) for key in expected}, expected, line)

    def test_a_call_that_went_well(self):
        body = b"\0\0\0\0\5hello"
        line = self.one(self.gateway(h2.grpc_answer(0, body)), fields=[
            ("api-consumer", "billing"), ("traceparent", f"00-{TRACE}-b7ad6b7169203331-01")], body=body + body)
        self.has(line, listener="ingress", consumer="billing", service="greeter", version="1.0.0",
                 method="/acme.Greeter/Hello", source="service-pin", asked="^1", grpc_status=0, http_status=None, error=None,
                 reset=None, upstream=f"127.0.0.1:{self.instance.port}", request_bytes=20, response_bytes=10, attempts=1,
                 trace_id=TRACE)
        self.assertRegex(line["time"], r"^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\.\d\d\dZ$")
        self.assertRegex(line["peer"], r"^127\.0\.0\.1:\d+$")
        self.assertTrue(0 <= line["wait_ms"] <= line["first_byte_ms"] <= line["duration_ms"], line)
        self.assertIn(TRACE.encode(), self.instance.heads[0])

    def test_the_status_is_that_of_the_trailers(self):
        self.has(self.one(self.gateway(h2.grpc_answer(5, message="no such name"))), grpc_status=5, error=None, consumer=None,
                 source="unpinned-policy", asked="@stable")

    def test_trailers_only(self):
        self.has(self.one(self.gateway(h2.trailers_only(7))), grpc_status=7, error=None, response_bytes=0)

    def test_a_refusal(self):
        line = self.one(self.gateway(), fields=[("api-consumer", "billing"), ("api-version", "9.9.9")])
        self.has(line, grpc_status=12, error="VERSION_NOT_FOUND", service="greeter", consumer="billing", asked="9.9.9",
                 source="api-version", version=None, instance=None, attempts=0, wait_ms=None, first_byte_ms=None)
        self.assertIn("9.9.9", line["message"])

    def test_a_service_that_nobody_has(self):
        self.has(self.one(self.gateway(), "/acme.Other/Hello"), grpc_status=12, error="SERVICE_UNKNOWN",
                 method="/acme.Other/Hello", version=None)

    def test_a_deadline(self):
        line = self.one(self.gateway(h2.no_answer), fields=[("grpc-timeout", "100m")])
        self.has(line, grpc_status=4, error="DEADLINE_EXCEEDED", version="1.0.0", first_byte_ms=None)
        self.assertGreaterEqual(line["duration_ms"], 100)

    def test_a_cancelled_call(self):
        gateway = self.gateway(h2.no_answer)
        with h2.Client(gateway.port) as client:
            stream = client.start("/acme.Greeter/Hello")
            self.assertTrue(self.instance.requests.acquire(timeout=20))
            client.reset(stream)
            self.has(self.lines(1)[0], grpc_status=None, reset="CANCEL", reset_by="caller", error=None)

    def test_a_status_that_never_went_is_not_told(self):
        gateway = self.gateway(h2.grpc_answer(0, b"\0\0\0\0\x0a0123456789"))
        with h2.Client(gateway.port, window=5) as client:
            stream = client.start("/acme.Greeter/Hello")
            client.wait_data(stream)  # the rest, and the trailers behind it, wait for the window
            client.reset(stream)
            self.has(self.lines(1)[0], grpc_status=None, reset="CANCEL", reset_by="caller", response_bytes=5)

    def test_a_caller_that_vanishes(self):
        gateway = self.gateway(h2.no_answer)
        with h2.Client(gateway.port) as client:
            client.start("/acme.Greeter/Hello")
            self.assertTrue(self.instance.requests.acquire(timeout=20))
        self.has(self.lines(1)[0], grpc_status=None, reset_by="connection")

    def test_an_instance_that_resets(self):
        self.has(self.one(self.gateway(h2.reset_answer(h2.INTERNAL_ERROR))), grpc_status=13, error="UPSTREAM_RESET",
                 reset=None, attempts=1)

    def test_a_cancel_that_is_passed_on(self):
        self.has(self.one(self.gateway(h2.reset_answer(h2.CANCEL))), grpc_status=1, reset="CANCEL", reset_by="instance")

    def test_an_http_error_of_the_instance(self):
        self.has(self.one(self.gateway(h2.http_answer(503))), grpc_status=14, http_status=503, error="UNAVAILABLE")

    def test_an_instance_that_is_not_there(self):
        gateway = self.gateway()
        self.instance.__exit__()
        line = self.one(gateway, fields=[("grpc-timeout", "9S")])
        self.has(line, grpc_status=14, instance=None, wait_ms=None)
        self.assertIn(line["error"], ("UPSTREAM_CONNECT_FAILED", "NO_HEALTHY_INSTANCE"))

    def test_a_caller_that_does_not_speak_grpc(self):
        line = self.one(self.gateway(h2.http_answer(204), forward="ANY_HTTP2"), content_type="text/plain")
        self.has(line, grpc_status=None, http_status=204, error=None)

    def test_a_refused_caller_that_does_not_speak_grpc(self):
        line = self.one(self.gateway(), content_type="text/plain")
        self.has(line, grpc_status=None, http_status=415, error="INVALID_ARGUMENT")

    def test_the_gateways_own_services(self):
        line = self.one(self.gateway(), "/grpc.health.v1.Health/Check", body=b"\0\0\0\0\0")
        self.has(line, source="gateway", method="/grpc.health.v1.Health/Check", grpc_status=0, request_bytes=5, attempts=0)

    def test_hostile_bytes_forge_nothing(self):
        gateway = self.gateway()
        asked = '1"}{"grpc_status":0,"x":"\\'
        path = '/acme"\\.Other/Hello'
        with h2.Client(gateway.port) as client:
            client.call(path)
            client.call("/acme.Greeter/Hello", [("api-version", asked), ("api-consumer", b"\xff\xfe\x80")])
        first, second = self.lines(2)
        self.has(first, method=path, grpc_status=12)
        self.has(second, asked=asked, grpc_status=3, error="PIN_MALFORMED", consumer=None)

    def test_text_and_only_what_failed(self):
        gateway = self.gateway(log={"format": "TEXT", "sample": 0})
        with h2.Client(gateway.port) as client:
            client.call("/acme.Greeter/Hello")
            client.call("/acme.Greeter/Hello", [("api-version", ">=1 oops")])
        line = self.raw(1)[0]
        self.assertRegex(line, r"^time=\S+ listener=ingress peer=\S+ service=greeter method=/acme\.Greeter/Hello ")
        self.assertIn(' asked=">=1 oops" ', line)
        self.assertIn(" grpc_status=3 ", line)

    def test_logrotate(self):
        gateway = self.gateway()
        with h2.Client(gateway.port) as client:
            for turn, each in enumerate((signal.SIGUSR1, signal.SIGHUP)):
                client.call("/acme.Greeter/Hello")
                self.lines(1)
                self.log.rename(self.folder / f"access.log.{turn}")
                os.kill(gateway.pid, each)
                self.raw_when_there()
            client.call("/acme.Greeter/Hello")
            self.lines(1)
        self.assertTrue(gateway.alive())

    def raw_when_there(self):
        deadline = time.monotonic() + 20
        while not self.log.exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        self.assertTrue(self.log.exists())

    def test_nothing_is_lost_at_the_end(self):
        gateway = self.gateway()
        with h2.Client(gateway.port) as client:
            for _ in range(200):
                client.call("/acme.Greeter/Hello")
        self.assertEqual(gateway.stop(), 0)
        self.assertEqual(len(self.log.read_text().splitlines()), 200)


if __name__ == "__main__":
    unittest.main()
