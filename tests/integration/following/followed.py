"""A gateway apart from its registry, and callers that never stop: what the tests of following share.

What a call ended with is the gateway's to count (`failed`); a caller only sees that it ended.
"""

import json
import os
import re
import signal
import threading
import time
import urllib.request

from tests.harness import h2
from tests.harness.gateway import PROGRAM
from tests.integration.cli.served import PATIENCE, Served

HELLO = "/acme.Greeter/Hello"
MESSAGE = b"\0\0\0\0\0"


class Callers:
    """Threads that call one after the other, `pause` seconds apart, until they are left. A context manager."""

    def __init__(self, port, threads=4, pause=0.005):
        self.failures = []
        self.calls = 0
        self._port = port
        self._pause = pause
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(threads)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _run(self):
        try:
            while not self._stop.is_set():
                with h2.Client(self._port) as client:
                    self._call(client)
        except OSError as error:
            with self._lock:
                self.failures.append(repr(error))

    def _call(self, client):
        """As often as one connection's window has room for the answers."""
        for _ in range(2000):
            if self._stop.wait(self._pause):
                return
            ended = client.call(HELLO, [("api-consumer", "billing")], body=MESSAGE)
            with self._lock:
                self.calls += 1
                if ended == h2.RST_STREAM:
                    self.failures.append("RST_STREAM")


class Followed(Served):
    def setUp(self):
        super().setUp()
        self.socket = self.folder / "registry.sock"
        self.registry = f"unix:{self.socket}"

    def start_registry(self, store="r.db"):
        return self.start(PROGRAM, "registry", "--registry", self.registry, "--store", self.folder / store)

    def start_gateway(self, **registry):
        """Follows the registry's socket unless `registry` says otherwise; keeps its snapshots."""
        (self.folder / "snapshots").mkdir(exist_ok=True)
        where = registry or {"address": {"pipe": {"path": str(self.socket)}}}
        config = self.configured("gateway.yaml", registry=where,
                                 gateway={"workers": 2, "snapshot_dir": str(self.folder / "snapshots"), "report_interval": "0.2s"})
        return self.start(PROGRAM, "gateway", "--config", config)

    def greeter(self):
        """Two versions, and billing's pin."""
        self.publish("1.0.0", "2.0.0")
        self.cli("consumer", "add", "billing")
        self.cli("pin", "set", "billing", "greeter", "1.0.0")

    def port(self, gateway):
        return int(gateway.wait_line(r"listening name=ingress address=\S+:(\d+)").group(1))

    def admin(self, gateway):
        return gateway.wait_line(r"(?m)^admin address=(\S+)$").group(1)

    def page(self, gateway, path):
        with urllib.request.urlopen(f"http://{self.admin(gateway)}{path}", timeout=PATIENCE) as answer:
            return answer.read().decode()

    def labelled(self, gateway, series):
        """The value of a metric with its labels."""
        return float(re.search(rf"(?m)^{re.escape(series)} (\S+)$", self.metrics(gateway)).group(1))

    def signal(self, process, number):
        os.kill(process.pid, number)

    def pin(self, gateway, expression):
        """Moves billing's pin, and waits until its calls follow."""
        self.cli("pin", "set", "billing", "greeter", expression)
        self.until(lambda: self.call(gateway, "billing") == expression)

    def failed(self, gateway):
        """Calls that did not end with OK, as the gateway counts them."""
        ended = re.findall(r'(?m)^pinion_calls_ended_total\{code="(\w+)"\} (\d+)$', self.metrics(gateway))
        return {code: int(count) for code, count in ended if code != "OK" and int(count)}

    def status(self):
        return json.loads(self.cli("status", "--json"))

    def rest(self, seconds):
        """Lets time pass for those that run."""
        threading.Event().wait(seconds)

    def kill(self, process):
        self.signal(process, signal.SIGKILL)
        process.stop()

    def soon(self, gateway, name, value):
        self.until(lambda: self.value(gateway, name) == value)

    def now(self):
        return time.monotonic()
