"""docs/observability.md says what the gateway says: every field of the log, every metric, limit and page, and nothing else."""

import pathlib
import re
import shutil
import tempfile
import unittest
import urllib.request

from tests.harness import h2
from tests.harness.gateway import Gateway, Served, address, configuration, service
from tests.harness.process import ROOT

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
        self.assertEqual(rows("Metrics"), set(there))
        for name, kind in there.items():
            self.assertIn(f"| `{name}` | {kind} |", PAGE)
        limits = re.findall(r'pinion_limits_total\{limit="(\w+)"\}', self.get(gateway, "/metrics"))
        self.assertEqual(rows("Limits"), set(limits))
        index = set(re.findall(r'href="([^"]+)"', self.get(gateway, "/")))
        self.assertEqual(rows("Pages of the admin port"), index | {"/", "/stats/prometheus"})

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
