"""A registry that asks for credentials, with the program itself: the first operator, tokens, grants and refusals at the command line,
what is said when TLS fails, and a gateway that follows by a token."""

import os
import signal
import subprocess
import unittest.mock

from tests.harness.certificates import Certificate
from tests.harness.gateway import PROGRAM, address, write_configuration
from tests.harness.tokens import Issuer, KeyServer, key_set
from tests.integration.cli.served import PATIENCE, Served


class Access(Served):
    def setUp(self):
        super().setUp()
        self.tls = Certificate(self.folder / "tls")
        self.socket = f"unix:{self.folder}/local.sock"
        config = self.folder / "registry.yaml"
        write_configuration(config, {"registry": {
            "address": address(0),
            "tls": {"tls_certificates": [{"certificate_chain": str(self.tls.chain), "private_key": str(self.tls.key)}],
                    "trusted_ca": str(self.tls.chain)},
            "access": {"operators": ["token:root"]},
            "local_socket": "local.sock",
            "store": {"sqlite": {"path": "registry.db"}}}})
        self.process = self.start(PROGRAM, "registry", "--config", config)
        self.port = int(self.process.wait_line(r"registry address=\S+:(\d+)").group(1))
        self.registry = f"https://127.0.0.1:{self.port}"

    def run_cli(self, *args, token=None, status=0, ca=True):
        """What the command prints, on standard error if it is to fail, over TLS and with the token of this name."""
        flags = ["--tls-ca", str(self.tls.chain)] if ca else []
        if token:
            flags += ["--token-file", str(self.folder / token)]
        return self.cli(*flags, *args, status=status)

    def local(self, *args, status=0):
        return self.cli("--registry", self.socket, *args, status=status)

    def token(self, name):
        (self.folder / name).write_text(self.local("token", "create", name))

    def test_from_the_first_operator_to_a_refusal(self):
        self.assertIn("operator: may do everything", self.local("whoami"))
        self.token("ci")
        self.assertIn("token:ci\nnothing is granted to it", self.run_cli("whoami", token="ci"))
        refused = self.run_cli("service", "list", token="ci", status=1)
        self.assertIn("token:ci may not read this registry, since no role was given to it; an operator can allow it: `pinion access "
                      "grant reader --to 'token:ci'`", refused)
        self.local("access", "grant", "owner", "pay", "--create", "pay/*", "--to", "token:ci")
        self.run_cli("version", "publish", "pay/api", "1.0.0", "--actor", "somebody", token="ci")
        service = self.run_cli("service", "show", "pay/api", token="ci")
        self.assertRegex(service, r"owner:\s+pay\n")
        self.assertIn("token:ci", service)
        self.assertNotIn("somebody", service)
        refused = self.run_cli("version", "publish", "bank/api", "1.0.0", token="ci", status=1)
        self.assertIn("may not create service 'bank/api'", refused)
        self.assertIn("may not read the audit log", self.run_cli("audit", "log", token="ci", status=1))
        self.local("access", "revoke", "owner", "pay", "--from", "token:ci")
        self.assertIn("may not read", self.run_cli("service", "list", token="ci", status=1))
        self.local("token", "revoke", "ci")
        self.assertIn("the token is unknown here: it was revoked", self.run_cli("whoami", token="ci", status=1))
        # The operator of the configuration needs no grant.
        self.token("root")
        self.assertIn("operator", self.run_cli("whoami", token="root"))
        self.assertIn("access.grant", self.run_cli("audit", "log", token="root"))
        self.assertIn("pinion_", (self.folder / "root").read_text())
        self.assertNotIn(b"pinion_" + (self.folder / "root").read_bytes()[7:30], (self.folder / "registry.db").read_bytes())

    def test_what_is_said_when_the_connection_is_not_good(self):
        self.assertIn("this registry wants to know who calls", self.run_cli("service", "list", status=1))
        other = Certificate(self.folder / "other")
        wrong = self.cli("--tls-ca", other.chain, "service", "list", status=1)
        self.assertIn("cannot be told to be the right one", wrong)
        named = self.run_cli("--tls-name", "elsewhere.test", "service", "list", status=1)
        self.assertIn("cannot be told to be the right one", named)
        plain = self.cli("--registry", f"127.0.0.1:{self.port}", "service", "list", status=1)
        self.assertIn("https://", plain)
        self.assertIn("cannot be read", self.cli("--tls-ca", self.folder / "missing", "service", "list", status=2))
        self.assertIn("go together", self.run_cli("--tls-cert", self.tls.chain, "service", "list", status=2))
        strange = self.run_cli("--tls-cert", other.chain, "--tls-key", other.key, "service", "list", status=1)
        self.assertIn("ended the handshake", strange)
        empty = self.folder / "empty"
        empty.write_text("\n")
        self.assertIn("holds no token", self.run_cli("--token-file", empty, "service", "list", status=2))
        far = self.cli("--registry", "registry.test:8081", "--token-file", self.tls.chain, "whoami", status=2)
        self.assertIn("holds no token", far)
        done = subprocess.run([str(PROGRAM), "--registry", "registry.test:8081", "whoami"], capture_output=True, text=True,
                              timeout=PATIENCE, env={**os.environ, "PINION_TOKEN": "secret"}, check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("unencrypted", done.stderr)
        self.assertNotIn("secret", done.stderr)

    def test_a_certificate_is_a_credential(self):
        who = self.run_cli("--tls-cert", self.tls.chain, "--tls-key", self.tls.key, "whoami")
        self.assertTrue(who.startswith("dns:localhost\n"), who)
        self.local("access", "grant", "reader", "--to", "dns:localhost")
        self.assertIn("reader\n", self.run_cli("--tls-cert", self.tls.chain, "--tls-key", self.tls.key, "whoami"))

    def test_a_gateway_follows_by_a_token(self):
        self.local("access", "grant", "owner", "acme", "--create", "*", "--to", "token:ci")
        self.local("access", "grant", "gateway", "--to", "token:edge")
        self.token("ci")
        self.token("edge")
        environment = {"PINION_TOKEN_FILE": str(self.folder / "ci"), "PINION_TLS_CA": str(self.tls.chain)}
        with unittest.mock.patch.dict(os.environ, environment):
            self.publish("1.0.0")
        client = {"tls": {"trusted_ca": str(self.tls.chain)}, "token_file": "edge"}
        gateway = self.start(PROGRAM, "gateway", "--config", self.configured("gateway.yaml", registry={
            "address": address(self.port), "client": client}))
        self.assertIn("api-version: 1.0.0", str(self.answer(gateway, "billing")))
        self.local("token", "revoke", "edge")
        gateway.wait_line(r"the token is unknown here", seconds=PATIENCE)
        self.assertIn("api-version: 1.0.0", str(self.answer(gateway, "billing")), "it goes on by what it has")
        self.token("edge")
        self.local("consumer", "add", "billing")
        self.local("pin", "set", "billing", "greeter", "^1")

    def test_a_key_that_its_issuer_has_withdrawn_is_gone_at_sighup(self):
        old, new = (Issuer(self.folder, "https://one.example", "ES256", kid) for kid in ("old", "new"))
        with KeyServer(key_set(old)) as keys:
            config = self.folder / "issuer.yaml"
            write_configuration(config, {"registry": {
                "address": address(0), "store": {"memory": {}},
                "access": {"jwt_issuers": [{"issuer": old.name, "audiences": ["pinion"], "jwks_url": keys.url, "refresh": "3600s"}]}}})
            process = self.start(PROGRAM, "registry", "--config", config)
            self.registry = process.wait_line(r"registry address=(\S+)").group(1)
            shown = {"PINION_TOKEN": old.token("ann", aud="pinion")}

            def answer():
                done = subprocess.run([str(PROGRAM), "--registry", self.registry, "whoami"], capture_output=True, text=True,
                                      timeout=PATIENCE, env={**os.environ, **shown}, check=False)
                return done.stdout + done.stderr
            self.until(lambda: answer().startswith("jwt:https://one.example#ann"))
            keys.body = key_set(new)
            os.kill(process.pid, signal.SIGHUP)
            self.until(lambda: "a key that its issuer does not show" in answer())

    def test_serve_has_a_way_for_its_own_gateway(self):
        config = {"access": {"operators": ["dns:ops"]}, "address": address(0), "store": {"sqlite": {"path": "serve.db"}}}
        path = self.configured("serve.yaml", registry=config)
        done = subprocess.run([str(PROGRAM), "serve", "--config", str(path)], capture_output=True, text=True, timeout=PATIENCE,
                              check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("`pinion serve` needs registry.local_socket", done.stderr)
        self.start(PROGRAM, "serve", "--config", self.configured("serve.yaml", registry={**config, "local_socket": "serve.sock"}))
        self.registry = f"unix:{self.folder}/serve.sock"
        self.assertIn("operator", self.cli("whoami"))
