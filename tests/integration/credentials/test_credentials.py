"""Tokens and API keys at `pinion gateway` as a process: what their callers get, what instances see, what is
logged, and keys that come, go, and cannot be had. Tokens are made by openssl."""

import hashlib
import json
import os
import pathlib
import shutil
import signal
import tempfile
import time
import unittest
import urllib.request

from tests.harness import h2
from tests.harness.gateway import Gateway, address, configuration, service, write_configuration
from tests.harness.process import StartError
from tests.harness.tokens import Issuer, KeyServer, key_set

_SECONDS = 30
KEY = "k3y-that-nobody-may-see"


def sha256(key):
    return hashlib.sha256(key.encode()).hexdigest()


def bearer(token):
    return [("authorization", "Bearer " + token)]


class Credentials(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.keys = pathlib.Path(tempfile.mkdtemp(prefix="pinion-keys."))
        cls.addClassCleanup(shutil.rmtree, cls.keys, ignore_errors=True)
        cls.one = Issuer(cls.keys, "https://one.example", "RS256", "one")
        cls.next = Issuer(cls.keys, "https://one.example", "ES256", "next")
        cls.two = Issuer(cls.keys, "two", "ES256", "two")

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-credentials."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.log = self.folder / "access.log"
        self.lines = 0
        self.instance = h2.Server(h2.grpc_answer(0, b"\0\0\0\0\1x"))
        self.addCleanup(self.instance.__exit__)

    def configuration(self, issuers, forward=False):
        """Two versions: `stable` is 1.0.0, and `billing`, by token of `one` or `two` or by KEY, is pinned to 2.0.0."""
        port = self.instance.port
        billing = {"name": "billing", "pins": {"greeter": "^2"}, "identities": [
            {"jwt": {"issuer": "https://one.example", "subject": "billing"}},
            {"jwt": {"issuer": "two", "subject": "billing"}}, {"api_key_sha256": sha256(KEY)}]}
        config = configuration([service("greeter", ["acme.Greeter"], {"1.0.0": port, "2.0.0": port}, "1.0.0")], [billing])
        config["listeners"][0]["consumer_identity"] = {"jwt": {"forward": forward},
                                                       "api_key": {"header": "x-api-key", "forward": forward}}
        config["admin"] = {"address": address(0)}
        config["gateway"].update(jwt_issuers=issuers, access_log={"path": str(self.log)})
        return config

    def gateway(self, issuers, **more):
        gateway = Gateway(self.configuration(issuers, **more), self.folder)
        self.addCleanup(gateway.stop)
        return gateway

    def call(self, gateway, fields=()):
        """The call's line in the access log."""
        with h2.Client(gateway.port) as client:
            client.call("/acme.Greeter/Hello", fields)
        self.lines += 1
        deadline = time.monotonic() + _SECONDS
        while True:
            lines = self.log.read_text().splitlines() if self.log.exists() else []
            if len(lines) >= self.lines:
                return json.loads(lines[-1])
            self.assertLess(time.monotonic(), deadline, "no line in the log")
            time.sleep(0.01)

    def until(self, gateway, fields, wanted):
        """Calls until the log's line is as wanted; the line."""
        deadline = time.monotonic() + _SECONDS
        while True:
            line = self.call(gateway, fields)
            if wanted(line):
                return line
            self.assertLess(time.monotonic(), deadline, line)

    def served(self, line):
        self.assertEqual((line.get("grpc_status"), line.get("consumer"), line.get("version")), (0, "billing", "2.0.0"), line)

    def refused(self, line, message, status=16, error="CREDENTIAL_INVALID"):
        self.assertEqual((line.get("grpc_status"), line.get("error")), (status, error), line)
        self.assertIn(message, line["message"])
        self.assertNotIn("upstream", line)

    def page(self, gateway, path):
        admin = gateway.wait_line(r"(?m)^admin address=(\S+)$").group(1)
        with urllib.request.urlopen(f"http://{admin}{path}", timeout=10) as answer:
            return answer.read().decode()

    def files(self, *issuers):
        """The configuration of issuers whose keys are in files: JWK Sets and PEM in turn."""
        config = []
        for i, issuer in enumerate(issuers):
            path = self.folder / f"{issuer.kid}.keys"
            path.write_text(key_set(issuer) if i % 2 == 0 else issuer.public.decode())
            config.append({"issuer": issuer.name, "jwks_file": str(path), "audiences": ["pinion"]})
        return config

    def test_tokens_and_keys(self):
        gateway = self.gateway(self.files(self.one, self.two))
        for issuer in (self.one, self.two):
            self.served(self.call(gateway, bearer(issuer.token("billing", aud="pinion"))))
        self.served(self.call(gateway, [("x-api-key", KEY)]))
        self.assertEqual(self.call(gateway)["version"], "1.0.0")
        self.assertEqual(self.call(gateway, bearer(self.one.token("nobody", aud=["x", "pinion"])))["version"], "1.0.0")

    def test_what_is_refused(self):
        gateway = self.gateway(self.files(self.one, self.two))
        claims = {"iss": "two", "sub": "billing", "exp": int(time.time()) + 600, "aud": "pinion"}
        good = self.two.signed({"alg": "ES256", "kid": "two"}, claims)
        self.served(self.call(gateway, bearer(good)))
        for token, message in (
                (self.two.token("billing", -120, aud="pinion"), "the token expired at 20"),
                (self.two.token("billing", aud="pinion", nbf=time.time() + 500), "not valid before 20"),
                (self.two.token("billing", aud="others"), "another audience"),
                (self.two.token("billing"), "another audience"),
                (self.two.signed({"alg": "none"}, claims), "neither RS256 nor ES256"),
                (good.rsplit(".", 1)[0] + ".", "its signature is not in base64url"),
                (self.two.signed({"alg": "HS256"}, claims), "neither RS256 nor ES256"),
                (self.two.signed({"alg": "RS256", "kid": "two"}, claims), "a key that its issuer does not show"),
                (self.one.signed({"alg": "ES256"}, claims), "a signature that its issuer's key did not make"),
                (self.one.signed({"alg": "RS256"}, claims), "a key that its issuer does not show"),
                (self.two.signed({"alg": "ES256", "crit": ["exp"]}, claims), "critical header"),
                (self.two.signed({"alg": "ES256"}, {**claims, "sub": ""}), "no subject"),
                (self.two.signed({"alg": "ES256"}, {**claims, "iss": "three"}), "issuer that is not trusted"),
                (self.two.signed({"alg": "ES256"}, {**claims, "exp": None}), "an exp or nbf that is no time"),
                ("x", "malformed"), ("x" * 9000, "longer than 8192 bytes")):
            self.refused(self.call(gateway, bearer(token)), message)
        self.refused(self.call(gateway, 2 * bearer(good)), "authorization came twice")
        self.refused(self.call(gateway, [("authorization", "Bearer")]), "no token after Bearer")
        self.refused(self.call(gateway, [("x-api-key", KEY + "x")]), "belongs to no consumer")
        self.refused(self.call(gateway, [("x-api-key", sha256(KEY))]), "belongs to no consumer")
        self.served(self.call(gateway, bearer(good)))

    def test_nobody_sees_a_secret(self):
        gateway = self.gateway(self.files(self.one))
        token, forged = self.one.token("billing", aud="pinion"), self.two.token("billing", iss="https://one.example")
        fields = bearer(token) + [("x-api-key", KEY)]
        self.served(self.call(gateway, fields))
        self.call(gateway, bearer(forged))
        self.call(gateway, [("x-api-key", "wr0ng-key")])
        everything = "".join([self.log.read_text(), gateway.output(), self.page(gateway, "/config_dump"),
                              self.page(gateway, "/metrics"), repr(self.instance.heads)])
        for secret in (token, token[-40:], forged[-40:], KEY, "wr0ng-key", sha256(KEY)[:16], "authorization"):
            self.assertNotIn(secret, everything)
        gateway.stop()
        self.served(self.call(self.gateway(self.files(self.one), forward=True), fields))
        self.assertIn(token[-40:].encode(), self.instance.heads[-1])
        self.assertIn(KEY.encode(), self.instance.heads[-1])

    def test_a_file_with_other_keys_at_sighup(self):
        (self.folder / "keys").write_text(key_set(self.one))
        gateway = self.gateway([{"issuer": self.one.name, "jwks_file": str(self.folder / "keys")}])
        old, new = bearer(self.one.token("billing")), bearer(self.next.token("billing"))
        self.served(self.call(gateway, old))
        self.refused(self.call(gateway, new), "a key that its issuer does not show")
        (self.folder / "keys").write_text("{")
        os.kill(gateway.pid, signal.SIGHUP)
        gateway.wait_line("neither PEM nor JSON; what was there stays in force")
        self.served(self.call(gateway, old))
        (self.folder / "keys").write_text(key_set(self.next))
        os.kill(gateway.pid, signal.SIGHUP)
        self.served(self.until(gateway, new, lambda line: line["grpc_status"] == 0))
        self.refused(self.call(gateway, old), "a key that its issuer does not show")

    def test_a_static_file_with_other_keys_at_sighup(self):
        config = self.configuration(self.files(self.one))
        gateway = Gateway(config, self.folder)
        self.addCleanup(gateway.stop)
        identities = config["static_resources"]["consumers"][0]["identities"]
        old, new = [("x-api-key", KEY)], [("x-api-key", "another-key")]
        self.served(self.call(gateway, old))
        self.refused(self.call(gateway, new), "belongs to no consumer")
        identities.append({"api_key_sha256": sha256("another-key")})
        write_configuration(self.folder / "pinion.yaml", config)
        os.kill(gateway.pid, signal.SIGUSR1)  # logrotate must not put a file in force that somebody is writing
        self.refused(self.call(gateway, new), "belongs to no consumer")
        os.kill(gateway.pid, signal.SIGHUP)
        self.served(self.until(gateway, new, lambda line: line["grpc_status"] == 0))
        self.served(self.call(gateway, old))
        self.assertIn(sha256("another-key")[:8], self.page(gateway, "/config_dump"))
        for bad, message in (("static_resources: {services: 7}", "pinion.yaml:1:30: "), ("node: {id: a}", "has no static_resources")):
            (self.folder / "pinion.yaml").write_text(bad)
            os.kill(gateway.pid, signal.SIGHUP)
            gateway.wait_line(message + ".*what was there stays in force")
            self.served(self.call(gateway, new))
        del identities[2]
        write_configuration(self.folder / "pinion.yaml", config)
        os.kill(gateway.pid, signal.SIGHUP)
        self.refused(self.until(gateway, old, lambda line: line["grpc_status"] != 0), "belongs to no consumer")
        self.served(self.call(gateway, new))

    def test_a_bad_file_ends_the_start(self):
        (self.folder / "keys").write_text("hello")
        with self.assertRaisesRegex(StartError, r"jwks_file|keys: neither PEM nor JSON"):
            self.gateway([{"issuer": "i", "jwks_file": str(self.folder / "keys")}])

    def test_a_url_that_comes_late_changes_and_goes_away(self):
        with KeyServer(status=503) as server:
            gateway = self.gateway([{"issuer": self.one.name, "jwks_url": server.url, "refresh": "1s"}])
            gateway.wait_line("HTTP status 503; what was there stays in force")
            old, new = bearer(self.one.token("billing")), bearer(self.next.token("billing"))
            self.refused(self.call(gateway, old), "not there yet", 14, "CREDENTIAL_UNCHECKED")
            self.served(self.call(gateway, [("x-api-key", KEY)]))
            server.body, server.status = key_set(self.one), 200
            self.served(self.until(gateway, old, lambda line: line["grpc_status"] == 0))
            gateway.wait_line("can be had again")
            # Both, then only the new one.
            server.body = key_set(self.one, self.next)
            self.served(self.until(gateway, new, lambda line: line["grpc_status"] == 0))
            self.served(self.call(gateway, old))
            server.body = key_set(self.next)
            self.until(gateway, old, lambda line: line["grpc_status"] == 16)
            # Nothing, half of it, too much, and an issuer that says nothing: what was there stays.
            for body in ("", server.body[:-9], json.dumps({"keys": []}), " " * (2 << 20)):
                server.body, before = body, server.requests
                while server.requests < before + 2:
                    self.served(self.call(gateway, new))
            server.silent.set()
            before = server.requests
            while server.requests == before:
                self.served(self.call(gateway, new))
            started = time.monotonic()
            self.served(self.call(gateway, bearer(self.next.token("billing"))))
            self.assertLess(time.monotonic() - started, 5, "a fetch made a call wait")
            started = time.monotonic()
            self.assertEqual(gateway.stop(20), 0)
            self.assertLess(time.monotonic() - started, 8, "a fetch made the end wait")
            self.assertEqual(gateway.output().count("what was there stays in force"), 2, gateway.output())
            self.assertNotIn("hush", gateway.output())


if __name__ == "__main__":
    unittest.main()
