"""docs/observability.md says what gateways and registries say: every field of the log, metric, limit and page, and nothing else."""

import pathlib
import re
import shutil
import subprocess
import tempfile
import unittest
import urllib.request

from tests.harness import h2
from tests.harness.gateway import PROGRAM, Gateway, Served, address, configuration, service, write_configuration
from tests.harness.process import ROOT, Process

PAGE = (ROOT / "docs/observability.md").read_text()


def rows(heading):
    """The names in the first column of the tables of a section, without its subsections."""
    section = re.split(r"\n##+ ", re.split(rf"\n##+ {heading}\n", PAGE, maxsplit=1)[1])[0]
    cells = re.findall(r"^\| (`[^|]+) \|", section, re.MULTILINE)
    return {name for cell in cells for name in re.findall(r"`([^`]+)`", cell)}


def types(metrics):
    """name → type, as /metrics says."""
    return dict(re.findall(r"^# TYPE (\S+) (\S+)$", metrics, re.MULTILINE))


class Page(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-page."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def get(self, process, path):
        admin = process.wait_line(r"(?m)^admin address=(\S+)$").group(1)
        with urllib.request.urlopen(f"http://{admin}{path}", timeout=10) as answer:
            return answer.read().decode()

    def gateway(self):
        instance = h2.Server(h2.grpc_answer(5, b"\0\0\0\0\1x"))
        self.addCleanup(instance.__exit__)
        config = configuration([service("greeter", ["acme.Greeter"], {"1.0.0": instance.port}, "1.0.0")],
                               [{"name": "billing", "pins": {"greeter": "^1"}}])
        config["admin"] = {"address": address(0)}
        config["gateway"]["access_log"] = {"path": str(self.folder / "access.log")}
        gateway = Gateway(config, self.folder)
        self.addCleanup(gateway.stop)
        with h2.Client(gateway.port) as client:
            client.call("/acme.Greeter/Hello", [("api-consumer", "billing")], body=b"\0\0\0\0\2hi")
            client.call("/acme.Greeter/Hello", [("api-version", "7.0.0")])
            client.call("/acme.Made-up-by-the-caller/Hello")
        return gateway

    def test_fields_of_the_log(self):
        source = (ROOT / "gateway/access_log/formatter.cc").read_text()
        written = set(re.findall(r'line\.template (?:Text|Word|Number|Milliseconds)<"(\w+)">', source)) | {"time"}
        self.assertGreater(len(written), 15)
        self.assertEqual(rows("Access log"), written)

    def test_metrics_limits_and_pages(self):
        gateway = self.gateway()
        there = types(self.get(gateway, "/metrics"))
        served = Served(self.folder / "served", admin=True)
        self.addCleanup(served.stop)
        there.update(types(self.get(served, "/metrics")))
        self.assertEqual(rows("Metrics") | rows("Metrics of a registry"), set(there))
        for name, kind in there.items():
            self.assertIn(f"| `{name}` | {kind} |", PAGE)
        limits = re.findall(r'pinion_limits_total\{limit="(\w+)"\}', self.get(gateway, "/metrics"))
        self.assertEqual(rows("Limits"), set(limits))
        index = set(re.findall(r'href="([^"]+)"', self.get(gateway, "/")))
        self.assertEqual(rows("Pages of the admin port"), index | {"/", "/stats/prometheus"})

    def registry(self):
        config = self.folder / "registry.yaml"
        write_configuration(config, {"admin": {"address": address(0)}, "registry": {
            "address": address(0), "store": {"sqlite": {"path": str(self.folder / "registry.db")}}}})
        registry = Process([PROGRAM, "registry", "--config", config], self.folder / "registry.log")
        self.addCleanup(registry.stop)
        registry.wait_line(r"(?m)^ready$")
        return registry

    def test_a_registry(self):
        registry = self.registry()
        self.assertEqual(rows("Metrics of a registry"), set(types(self.get(registry, "/metrics"))))
        where = registry.wait_line(r"(?m)^registry address=(\S+)$").group(1)
        for command in ("service create calendar", "service set nobody --verify warn", "service list"):
            subprocess.run([PROGRAM, "--registry", where, *command.split()], capture_output=True, timeout=30, check=False)
        metrics = self.get(registry, "/metrics")
        for line in (
                'pinion_store_up{backend="sqlite"} 1',
                "pinion_store_read_only 0",
                'pinion_registry_calls_total{method="pinion.registry.v1.Registry/CreateService",code="OK"} 1',
                'pinion_registry_denied_calls_total{reason="unauthenticated"} 0',
                "pinion_registry_watchers 0",
                "pinion_jobs 0"):
            self.assertIn(line + "\n", metrics)
        self.assertRegex(metrics, r'\npinion_registry_calls_total\{method="pinion\.registry\.v1\.Registry/\w+",code="NOT_FOUND"\} 1\n')
        committed = re.search(r'pinion_store_commits_total\{outcome="committed"\} (\d+)', metrics).group(1)
        self.assertGreaterEqual(int(committed), 1)
        self.assertEqual(self.get(registry, "/healthz"), "ok\n")
        self.assertRegex(self.get(registry, "/readyz"), r"^ready\nregistry id: \w+\nstore: sqlite \S+registry.db\nstore revision: \d+\n")
        self.assertIn('"registry": {"id": ', self.get(registry, "/config_dump"))

    def test_a_registry_that_was_not_asked_for_an_admin_port_has_none(self):
        registry = Process([PROGRAM, "registry", "--registry", "127.0.0.1:0", "--store", self.folder / "plain.db"], self.folder / "plain.log")
        self.addCleanup(registry.stop)
        registry.wait_line(r"(?m)^ready$")
        self.assertNotIn("admin address=", registry.output())

    def test_what_calls_leave_behind(self):
        metrics = self.get(self.gateway(), "/metrics")
        for line in (
                'pinion_version_calls_total{service="greeter",version="1.0.0",consumer="registered",code="NOT_FOUND"} 1',
                'pinion_version_call_seconds_count{service="greeter",version="1.0.0"} 1',
                'pinion_version_call_seconds_bucket{service="greeter",version="1.0.0",le="+Inf"} 1',
                'pinion_version_request_bytes_total{service="greeter",version="1.0.0"} 7',
                'pinion_version_response_bytes_total{service="greeter",version="1.0.0"} 6',
                'pinion_call_errors_total{service="greeter",reason="VERSION_NOT_FOUND"} 1',
                'pinion_call_errors_total{service="",reason="SERVICE_UNKNOWN"} 1',
                'pinion_calls_ended_total{code="UNIMPLEMENTED"} 2',
                "pinion_access_log_lines_total 3"):
            self.assertIn(line + "\n", metrics)
        self.assertNotIn("Made-up", metrics)


if __name__ == "__main__":
    unittest.main()
