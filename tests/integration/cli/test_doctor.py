"""`pinion doctor` and `pinion context` with the program itself: a registry in the clear and one over TLS, what is wrong with them, and how
the files that contexts name are shown to the right registry alone."""

import json
import os
import stat
import subprocess
import unittest

from tests.harness.certificates import Certificate
from tests.harness.gateway import PROGRAM, address, write_configuration
from tests.integration.cli.served import ANY, PATIENCE, Served


class Doctor(Served):
    def doctor(self, *args, status=0):
        """{name: check}."""
        env = {**os.environ, "PINION_REGISTRY": self.registry, "XDG_CONFIG_HOME": str(self.folder / "config")}
        done = subprocess.run([PROGRAM, "doctor", "-o", "json", *map(str, args)], capture_output=True, text=True, timeout=PATIENCE,
                              env=env, check=False)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        return {check["name"]: check for check in json.loads(done.stdout)["checks"]}

    def levels(self, checks):
        return {name: check["level"] for name, check in checks.items() if check["level"] != "OK"}

    def start_in_the_clear(self):
        registry = self.start(PROGRAM, "registry", "--registry", ANY, "--store", self.folder / "registry.db")
        self.registry = registry.wait_line(r"registry address=(\S+)").group(1)

    def start_over_tls(self):
        self.tls = Certificate(self.folder / "tls")
        config = self.folder / "registry.yaml"
        write_configuration(config, {"registry": {
            "address": address(0), "local_socket": "local.sock", "store": {"sqlite": {"path": "registry.db"}},
            "tls": {"tls_certificates": [{"certificate_chain": str(self.tls.chain), "private_key": str(self.tls.key)}]},
            "access": {"operators": ["token:root"]}}})
        process = self.start(PROGRAM, "registry", "--config", config)
        self.registry = "https://127.0.0.1:" + process.wait_line(r"registry address=\S+:(\d+)").group(1)

    def test_a_registry_and_its_gateway(self):
        self.start_in_the_clear()
        checks = self.doctor()
        self.assertEqual(self.levels(checks), {"gateways": "WARN"})
        self.assertEqual(set(checks), {"settings", "registry", "clock", "versions", "store", "gateways", "instances", "access"})
        host, port = self.registry.split(":")
        config = self.configured("gateway.yaml", registry={"address": {"socket_address": {"address": host, "port_value": int(port)}}})
        self.start(PROGRAM, "gateway", "--config", config)
        checks = self.doctor("--config", config)
        self.assertEqual(self.levels(checks), {})
        self.assertIn("1 gateway follows", checks["gateways"]["found"])
        self.assertIn("ok (1 listener", checks["configuration"]["found"])
        config.write_text("listeners: 3\n")
        checks = self.doctor("--config", config, status=1)
        self.assertEqual(self.levels(checks), {"configuration": "FAIL"})
        self.assertIn("gateway.yaml:1:", checks["configuration"]["found"])

    def test_nobody_there(self):
        self.registry = f"unix:{self.folder}/nobody.sock"
        checks = self.doctor(status=1)
        self.assertEqual(self.levels(checks), {"registry": "FAIL"})
        self.registry = "nowhere"
        self.assertEqual(self.levels(self.doctor(status=1)), {"settings": "FAIL"})

    def test_certificates(self):
        self.start_over_tls()
        token = self.folder / "root.token"
        token.write_text(self.cli("--registry", f"unix:{self.folder}/local.sock", "token", "create", "root"))
        good = ("--tls-ca", self.tls.chain, "--token-file", token)
        checks = self.doctor(*good)
        # Made for two days.
        self.assertEqual(self.levels(checks), {"registry's certificate": "WARN", "gateways": "WARN"})
        self.assertIn("is good until", checks["registry's certificate"]["found"])
        self.assertIn("token:root", checks["access"]["found"])

        checks = self.doctor(*good, "--tls-name", "elsewhere", status=1)
        self.assertEqual(self.levels(checks), {"registry's certificate": "FAIL", "registry": "FAIL"})
        self.assertRegex(checks["registry's certificate"]["found"], "not accepted as elsewhere: [Hh]ostname mismatch")
        other = Certificate(self.folder / "other")
        checks = self.doctor("--tls-ca", other.chain, status=1)
        self.assertIn("self-signed certificate", checks["registry's certificate"]["found"])
        checks = self.doctor(*good, "--tls-cert", other.chain, "--tls-key", other.key)
        self.assertEqual(checks["own certificate"]["level"], "WARN")

    def test_a_context_for_each_registry(self):
        self.start_over_tls()
        token = self.folder / "root.token"
        token.write_text(self.cli("--registry", f"unix:{self.folder}/local.sock", "token", "create", "root"))

        def cli(*args, status=0, **variables):
            env = {name: value for name, value in os.environ.items() if not name.startswith("PINION_")}
            env.update(XDG_CONFIG_HOME=str(self.folder / "config"), **variables)
            done = subprocess.run([PROGRAM, *map(str, args)], capture_output=True, text=True, timeout=PATIENCE, env=env, check=False,
                                  cwd=self.folder)
            self.assertEqual(done.returncode, status, done.stdout + done.stderr)
            return done.stdout if status == 0 else done.stderr

        self.assertIn("no contexts", cli("context", "list"))
        made = cli("context", "set", "prod", "--registry", self.registry, "--tls-ca", "tls/certificate.pem", "--token-file", "root.token")
        self.assertIn(f"token file: {token}\n", made)  # from wherever it is used
        self.assertIn("next: pinion context use prod\n", made)
        cli("context", "set", "local", "--registry", f"unix:{self.folder}/local.sock")
        self.assertIn("no context counts here", cli("context", "current", status=1))
        cli("context", "use", "prod")
        self.assertEqual(cli("context", "current"), "prod\n")
        self.assertTrue(cli("whoami").startswith("token:root\n"))
        self.assertTrue(cli("--context", "local", "whoami").startswith("local"), "another registry, and no token for it")
        self.assertEqual(cli("context", "current", PINION_CONTEXT="local"), "local\n")
        self.assertIn("did you mean \"prod\"?", cli("--context", "prd", "status", status=2))
        # Named nearer than the context: its token stays here.
        self.assertIn("no context counts here", cli("context", "current", "--registry", self.registry, status=1))
        self.assertIn("no context counts here", cli("context", "current", PINION_REGISTRY=self.registry, status=1))
        file = self.folder / "config/pinion/contexts.yaml"
        self.assertEqual(stat.S_IMODE(file.stat().st_mode), 0o600)
        self.assertIn("in use; now none is", cli("context", "remove", "prod"))
        self.assertEqual([one["name"] for one in json.loads(cli("context", "list", "-o", "json"))["contexts"]], ["local"])
        file.write_text("contexts:\n- name: a\n  regstry: x\n")
        self.assertIn("contexts.yaml:3:3: unknown field `regstry`", cli("status", status=1))


if __name__ == "__main__":
    unittest.main()
