"""`pinion registry` on a real etcd: two of them at once, users and certificates, and an etcd that is away."""

import json
import pathlib
import subprocess
import tempfile
import unittest

from tests.harness.process import ROOT
from tests.harness.relay import Links
from tests.integration.etcd.cluster import PATIENCE, OnEtcd
from tests.integration.etcd.faults import both_ways


def certificates(folder):
    """An authority `ca`, another `other`, and what `ca` signed: `server` for 127.0.0.1 and `client`."""
    def openssl(*args):
        subprocess.run(["openssl", *args], cwd=folder, check=True, capture_output=True, timeout=PATIENCE)
    for name in ("ca", "other"):
        openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
                f"/CN={name}", "-keyout", f"{name}.key", "-out", f"{name}.pem")
    for name, usage in (("server", "serverAuth,clientAuth"), ("client", "clientAuth")):
        openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-subj", f"/CN={name}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")
        (folder / f"{name}.ext").write_text(f"subjectAltName=IP:127.0.0.1\nextendedKeyUsage={usage}\n")
        openssl("x509", "-req", "-in", f"{name}.csr", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
                "-extfile", f"{name}.ext", "-out", f"{name}.pem")


class TwoRegistries(OnEtcd):
    def setUp(self):
        super().setUp()
        self.etcd = self.cluster(3)
        self.a = self.registry("a", {"endpoints": self.etcd.endpoints})
        self.b = self.registry("b", {"endpoints": list(reversed(self.etcd.endpoints))})

    def status(self, registry):
        return json.loads(self.cli(registry, "status", "--json"))

    def test_one_registry_in_two_places(self):
        self.assertEqual(self.status(self.a)["registryId"], self.status(self.b)["registryId"])
        self.cli(self.a, "consumer", "add", "billing")
        self.assertIn("billing", self.cli(self.b, "consumer", "list"), "what one acknowledges the other has")

    def test_an_instance_that_ends_is_told_once(self):
        self.cli(self.a, "version", "publish", "greeter", "1.0.0")
        registered = subprocess.Popen([str(ROOT / "build/release/pinion"), "--registry", self.a.address, "instance", "register", "greeter",
                                       "1.0.0", "127.0.0.1:9001", "--lease", "2s"], stdout=subprocess.PIPE, text=True)
        self.addCleanup(registered.wait)
        self.addCleanup(registered.stdout.close)
        registered.stdout.readline()
        self.assertIn("127.0.0.1:9001", self.cli(self.b, "instance", "list", "greeter"))
        # It is renewed through a registry that dies, so it runs out; the one that is left ends it.
        registered.kill()
        self.until(lambda: "127.0.0.1:9001" not in self.cli(self.b, "instance", "list", "greeter"))
        ended = [record for record in json.loads(self.cli(self.a, "audit", "log", "--json"))["records"]
                 if record["command"] == "instance.deregister"]
        self.assertEqual(len(ended), 1, ended)

    def test_members_and_registries_may_go(self):
        self.cli(self.a, "consumer", "add", "billing")
        self.a.kill()
        self.etcd.kill(self.etcd.leader())
        self.cli(self.b, "consumer", "add", "shipping")
        self.a.start()
        self.assertIn("shipping", self.cli(self.a, "consumer", "list"))
        self.etcd.kill(next(member for member in self.etcd.members if member.process.alive()))
        refused = self.cli(self.a, "--timeout", "20s", "consumer", "add", "lonely", status=1)
        self.assertRegex(refused, "etcd")
        for member in self.etcd.members:
            if not member.process.alive():
                self.etcd.start(member)
        self.until(lambda: "shipping" in self.cli(self.b, "consumer", "list"))
        self.cli(self.b, "consumer", "add", "back")

    def test_a_backup_goes_anywhere(self):
        self.cli(self.a, "consumer", "add", "billing")
        backup = self.folder / "backup"
        self.cli(self.a, "backup", backup)
        restored = self.registry("restored", {"endpoints": self.etcd.endpoints, "prefix": "/restored/"}, start=False)
        self.cli(restored, "restore", backup, "--config", restored.configuration)
        restored.start()
        self.assertIn("billing", self.cli(restored, "consumer", "list"))
        self.assertNotEqual(self.status(restored)["registryId"], self.status(self.a)["registryId"])


class CutOff(OnEtcd):
    def test_a_command_says_what_is_wrong_before_it_gives_up(self):
        links = Links()
        etcd = self.cluster(3, links=links)
        registry = self.registry("a", {"endpoints": etcd.endpoints}, start=False)
        links.join("a", registry)
        registry.start()
        self.cli(registry, "consumer", "add", "billing")
        links.cut(both_ways([registry], etcd.members))
        # With the time that both take by themselves.
        for command in (["consumer", "add", "shipping"], ["consumer", "list"]):
            refused = self.cli(registry, *command, status=1)
            self.assertRegex(refused, r"etcd 127\.0\.0\.1:\d+ did not answer in time")
        links.heal()
        self.assertNotIn("shipping", self.cli(registry, "consumer", "list"), "it was said that nothing was changed")


class Access(OnEtcd):
    def fails(self, store, words):
        registry = self.registry("refused", store, start=False)
        registry.spawn()
        registry.process.wait(lambda: not registry.process.alive(), "end", seconds=PATIENCE)
        self.assertEqual(registry.process.stop(), 1)
        self.assertRegex(registry.process.output(), words)

    def test_a_user_with_a_password(self):
        etcd = self.cluster(1)
        for command in (["user", "add", "root:secret"], ["user", "grant-role", "root", "root"], ["role", "add", "pinion"],
                        ["role", "grant-permission", "pinion", "--prefix=true", "readwrite", "/pinion/"],
                        ["user", "add", "pinion:pass word"], ["user", "grant-role", "pinion", "pinion"], ["auth", "enable"]):
            etcd.etcdctl(*command)
        password = self.folder / "password"
        password.write_text("pass word\n")
        store = {"endpoints": etcd.endpoints, "username": "pinion", "password_file": str(password)}
        registry = self.registry("a", store)
        self.cli(registry, "consumer", "add", "billing")
        # All tokens end with the member; new ones are asked for.
        etcd.kill(etcd.members[0])
        etcd.start(etcd.members[0])
        self.cli(registry, "consumer", "add", "shipping")
        self.fails({"endpoints": etcd.endpoints}, "etcd wants to know who asks")
        self.fails({**store, "prefix": "/other/"}, "permission denied.*role")
        wrong = self.folder / "wrong"
        wrong.write_text("guess")
        self.fails({**store, "password_file": str(wrong)}, "invalid user ID or password.*password_file")

    def test_certificates(self):
        certificates(self.folder)
        file = lambda name: str(self.folder / name)
        etcd = self.cluster(1, scheme="https", flags=[
            f"--cert-file={file('server.pem')}", f"--key-file={file('server.key')}", "--client-cert-auth",
            f"--trusted-ca-file={file('ca.pem')}"])
        own = {"certificate_chain": file("client.pem"), "private_key": file("client.key")}
        store = {"endpoints": etcd.endpoints, "tls": {"trusted_ca": file("ca.pem"), "tls_certificate": own}}
        self.cli(self.registry("a", store), "consumer", "add", "billing")
        self.fails({**store, "tls": {"trusted_ca": file("other.pem"), "tls_certificate": own}}, "its certificate is not of an authority")

    def test_an_etcd_that_comes_later(self):
        etcd = self.cluster(1)
        etcd.kill(etcd.members[0])
        registry = self.registry("a", {"endpoints": etcd.endpoints}, start=False)
        registry.spawn()
        registry.process.wait_line("waiting for etcd", seconds=PATIENCE)
        etcd.start(etcd.members[0])
        registry.process.wait_line(r"(?m)^ready$", seconds=PATIENCE)

    def test_endpoints_of_two_clusters(self):
        one = self.cluster(1)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-etcd.", dir=self.folder))
        two = self.cluster(1, flags=["--initial-cluster-token=other"])
        for each in (one, two):
            each.leader()
        self.fails({"endpoints": one.endpoints + two.endpoints}, "a member of another cluster")


if __name__ == "__main__":
    unittest.main()
