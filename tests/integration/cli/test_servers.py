"""`pinion serve`, `gateway` and `registry` as programs: what they print, how they end, what they refuse to start with."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import sqlite3
import subprocess
import tempfile
import unittest
import urllib.request

from tests.harness import h2
from tests.harness.gateway import PROGRAM, address, configuration, service, write_configuration
from tests.harness.process import Process, may_unshare

ANY = "127.0.0.1:0"


class Servers(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-servers."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.started = 0

    def start(self, *args, ready=True, under=()):
        self.started += 1
        process = Process([*under, PROGRAM, *args], self.folder / f"{self.started}.log")
        self.addCleanup(process.stop)
        if ready:
            process.wait_line(r"(?m)^ready$", seconds=30)
        return process

    def serve(self, *args):
        return self.start("serve", "--config", self.config(), "--registry", ANY, "--store", self.folder / "r.db", *args)

    def config(self, **more):
        path = self.folder / "serve.yaml"
        listener = {"name": "ingress", "address": address(0)}
        write_configuration(path, {"admin": {"address": address(0)}, "listeners": [listener], **more})
        return path

    def refused(self, *args):
        """Runs what must not start; what it says on standard error."""
        done = subprocess.run([str(part) for part in (PROGRAM, *args)], capture_output=True, text=True, timeout=30,
                              cwd=self.folder, check=False)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertEqual(done.stdout, "")
        self.assertTrue(done.stderr.startswith("pinion: "), done.stderr)
        return done.stderr

    def cli(self, registry, *args, status=0):
        env = {**os.environ, "PINION_REGISTRY": registry, "PINION_ACTOR": "alice"}
        done = subprocess.run([str(part) for part in (PROGRAM, *args)], capture_output=True, text=True, timeout=30, env=env,
                              check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stdout

    def registry_of(self, process):
        return process.wait_line(r"(?m)^registry address=(\S+)$").group(1)

    def page(self, process, path):
        admin = process.wait_line(r"(?m)^admin address=(\S+)$").group(1)
        with urllib.request.urlopen(f"http://{admin}{path}", timeout=10) as answer:
            return answer.read().decode()

    def await_page(self, process, path, text):
        """Reads the page until `text` is in it; all of it."""
        def look():
            page = self.page(process, path)
            return page if text in page else None
        return process.wait(look, f"{text!r} in {path}", seconds=30)

    def followed(self, process):
        """The revision that the gateway routes by."""
        return float(re.search(r"(?m)^pinion_registry_revision (\S+)$", self.page(process, "/metrics")).group(1))

    # ---- running ----

    def test_serve_says_where_it_listens_and_ends_well(self):
        process = self.serve()
        process.wait_line(r"(?m)^listening name=ingress address=127\.0\.0\.1:\d+$")
        process.wait_line(r"(?m)^admin address=127\.0\.0\.1:\d+$")
        process.wait_line(r"(?m)^next: pinion --registry \S+ version publish ")
        # The process log shares the stream; its lines begin with the time.
        said = [line for line in process.output().splitlines() if not line[:1].isdigit()]
        self.assertEqual(said[-1], "ready")
        self.assertEqual(process.stop(), 0)

    def test_signals_meant_for_gateways_end_nobody(self):
        registry_process = self.start("registry", "--registry", ANY, "--store", self.folder / "r.db")
        registry = self.registry_of(registry_process)
        self.cli(registry, "version", "publish", "addressbook", "1.0.0")
        holder = self.start("--registry", registry, "instance", "register", "addressbook", "1.0.0", "127.0.0.1:9", "--lease", "15s",
                            ready=False)
        holder.wait_line("holding a lease")
        for process in (registry_process, holder):
            os.kill(process.pid, signal.SIGUSR1)
            os.kill(process.pid, signal.SIGHUP)
        registry_process.wait_line("keys of issuers are read and fetched again")
        self.assertIn("127.0.0.1:9", self.cli(registry, "instance", "list"))
        # A signal that ends a process would be its exit status.
        self.assertEqual(holder.stop(), 0)
        self.assertNotIn("127.0.0.1:9", self.cli(registry, "instance", "list"))
        self.assertEqual(registry_process.stop(), 0)

    def test_what_was_told_survives_a_restart(self):
        process = self.serve()
        registry = self.registry_of(process)
        self.cli(registry, "version", "publish", "addressbook", "1.0.0")
        self.cli(registry, "consumer", "add", "billing")
        self.cli(registry, "pin", "set", "billing", "addressbook", "^1")
        first = json.loads(self.cli(registry, "status", "--json"))
        self.assertEqual(process.stop(), 0)

        registry = self.registry_of(self.serve())
        pins = json.loads(self.cli(registry, "pin", "list", "--json"))["pins"]
        self.assertEqual([pin["pin"]["expression"] for pin in pins], ["^1"])
        self.assertEqual(json.loads(self.cli(registry, "status", "--json"))["registryId"], first["registryId"])

    def test_the_gateway_follows_its_registry(self):
        process = self.serve()
        registry = self.registry_of(process)
        self.cli(registry, "version", "publish", "addressbook", "1.0.0")
        self.cli(registry, "instance", "register", "addressbook", "1.0.0", "127.0.0.1:9")
        revision = int(json.loads(self.cli(registry, "status", "--json"))["revision"])
        process.wait(lambda: self.followed(process) >= revision, f"table of revision {revision}", seconds=30)
        self.assertIn("pinion_registry_connected 1\n", self.page(process, "/metrics"))
        gateways = json.loads(self.cli(registry, "status", "--json"))["gateways"]
        self.assertEqual(len(gateways), 1)

    def test_a_gateway_apart_starts_from_its_snapshot_when_the_registry_is_away(self):
        socket_path = self.folder / "registry.sock"
        registry = self.start("registry", "--registry", f"unix:{socket_path}", "--store", self.folder / "r.db")
        self.cli(f"unix:{socket_path}", "version", "publish", "addressbook", "1.0.0")
        config = self.config(gateway={"snapshot_dir": str(self.folder)}, registry={"address": {"pipe": {"path": str(socket_path)}}})
        first = self.start("gateway", "--config", config)
        self.assertEqual(first.stop(), 0)
        self.assertEqual(registry.stop(), 0)

        second = self.start("gateway", "--config", config)
        second.wait_line("started from the recording of revision")
        self.await_page(second, "/readyz", "is away")
        self.assertEqual(second.stop(), 0)

    def test_a_socket_s_path_is_taken_as_it_is_written(self):
        registry = f"unix:{self.folder}/my run 50%41.sock"
        process = self.start("serve", "--config", self.config(), "--registry", registry, "--store", self.folder / "r.db")
        process.wait_line(f"(?m)^next: pinion --registry '{re.escape(registry)}' version publish ")
        self.assertTrue((self.folder / "my run 50%41.sock").is_socket())
        self.cli(registry, "version", "publish", "addressbook", "1.0.0")

    def test_a_gateway_whose_registry_never_answered_is_not_ready(self):
        config = self.config(registry={"address": {"pipe": {"path": str(self.folder / "nobody.sock")}}})
        process = self.start("gateway", "--config", config, ready=False)
        process.wait_line("is away")
        self.assertNotIn("ready", process.output().split("\n"))
        self.assertEqual(process.stop(), 0)

    def end_a_drain(self, *under):
        """A gateway, started by the command `under`, whose drain is cut short by a second signal; how that process ended."""
        with socket.socket() as upstream:
            upstream.bind(("127.0.0.1", 0))
            upstream.listen()  # takes the connection, and never says a word
            config = configuration([service("greeter", ["acme.Greeter"], {"1.0.0": upstream.getsockname()[1]}, "1.0.0")])
            config["gateway"] = {"workers": 1, "drain_timeout": "300s", "connect_timeout": "300s"}
            path = self.folder / "static.yaml"
            write_configuration(path, config)
            process = self.start("gateway", "--config", path, under=under)
            port = int(process.wait_line(r"listening name=ingress address=\S+:(\d+)").group(1))
            with h2.Client(port) as client:
                client.start("/acme.Greeter/Hello", end=False)
                waiting, _ = upstream.accept()  # the call waits for this server's SETTINGS
                gateway = process.family()[-1]
                os.kill(gateway, signal.SIGTERM)
                process.wait_line("another signal ends at once")
                self.assertTrue(process.alive())
                os.kill(gateway, signal.SIGTERM)
                process.wait(lambda: not process.alive(), "end")
                waiting.close()
        return process.stop()

    def test_a_second_signal_ends_a_drain_at_once(self):
        self.assertEqual(self.end_a_drain(), -signal.SIGTERM)

    @unittest.skipUnless(may_unshare("--pid"), "a process id of one's own needs root")
    def test_also_as_the_first_process_of_a_container(self):
        self.assertEqual(self.end_a_drain("unshare", "--pid", "--fork", "--kill-child"), 128 + signal.SIGTERM)

    # ---- what does not start ----

    def test_a_client_of_http1_is_told_what_to_do(self):
        server = self.serve()
        host, port = server.wait_line(r"(?m)^listening name=ingress address=(\S+)$").group(1).rsplit(":", 1)
        client = http.client.HTTPConnection(host, int(port), timeout=10)
        self.addCleanup(client.close)
        client.request("POST", "/acme.Greeter/Hello", body=b"x")
        answer = client.getresponse()
        self.assertEqual(answer.status, 505)
        self.assertIn("--http2-prior-knowledge", answer.read().decode())

    def test_the_registry_keeps_a_retry_policy(self):
        server = self.serve()
        registry = self.registry_of(server)
        self.cli(registry, "service", "set", "greeter", "--scheme", "SEMVER", "--retry", "3:UNAVAILABLE,ABORTED")
        self.assertIn("3:UNAVAILABLE,ABORTED", self.cli(registry, "service", "show", "greeter"))
        self.cli(registry, "service", "set", "greeter", "--retry", "9", status=1)
        self.cli(registry, "service", "set", "greeter", "--retry", "none")
        self.assertNotIn("UNAVAILABLE", self.cli(registry, "service", "show", "greeter"))

    def test_a_port_in_use_is_named(self):
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            taken.listen()
            where = "127.0.0.1:%d" % taken.getsockname()[1]
            store = self.folder / "r.db"
            self.assertIn(where, self.refused("serve", "--listen", where, "--registry", ANY, "--store", store))
            self.assertIn(where, self.refused("registry", "--registry", where, "--store", store))

    def test_a_socket_needs_its_directory(self):
        path = str(self.folder / "run/registry.sock")
        message = self.refused("registry", "--registry", ANY, "--store", self.folder / "r.db", "--config",
                               self.config(registry={"local_socket": path}))
        self.assertIn(f"there is no directory {self.folder}/run", message)

    def test_broken_configuration_has_its_place(self):
        path = self.folder / "broken.yaml"
        path.write_text("listeners:\n- name: ingress\n  adress: {}\n")
        for command in ("serve", "gateway", "registry"):
            self.assertIn("broken.yaml:3:3: ", self.refused(command, "--config", path))
        self.assertIn("missing.yaml", self.refused("serve", "--config", self.folder / "missing.yaml"))

    def test_a_gateway_needs_something_to_route_by(self):
        self.assertIn("says nothing to route by", self.refused("gateway", "--config", self.config()))
        both = self.config(registry={"address": address(1)}, static_resources={"services": []})
        for command in ("gateway", "serve", "registry"):
            self.assertIn("take the other out", self.refused(command, "--config", both))
        static = self.config(static_resources={"services": []})
        self.assertIn("take the other out", self.refused("gateway", "--config", static, "--registry", "127.0.0.1:1"))

    def test_a_registry_on_the_command_line_is_held_to_what_the_file_is_held_to(self):
        token = self.folder / "token"
        token.write_text("secret")
        for registry, flag, wants in (
                ({}, "192.0.2.1:8081", "is on another machine: set registry.client.tls"),
                ({"client": {"token_file": str(token)}}, "192.0.2.1:8081", "would go there unencrypted"),
                ({"client": {"token_file": str(token)}, "insecure": True}, "192.0.2.1:8081", "would go there unencrypted"),
                ({}, "https://127.0.0.1:8081", "write HOST:PORT here")):
            self.assertIn(wants, self.refused("gateway", "--config", self.config(registry=registry), "--registry", flag))

    def test_a_damaged_store_is_left_alone(self):
        store = self.folder / "damaged.db"
        store.write_bytes(b"this is no database" * 1000)
        before = store.read_bytes()
        self.assertIn("damaged.db", self.refused("registry", "--registry", ANY, "--store", store))
        self.assertEqual(store.read_bytes(), before)

    def test_a_store_of_a_newer_version_is_left_alone(self):
        store = self.folder / "newer.db"
        self.start("registry", "--registry", ANY, "--store", store).stop()
        with sqlite3.connect(store) as database:
            version = database.execute("PRAGMA user_version").fetchone()[0]
            database.execute(f"PRAGMA user_version = {version + 1}")
        message = self.refused("registry", "--registry", ANY, "--store", store)
        self.assertIn("newer", message)

    def test_a_store_serves_one_process(self):
        store = self.folder / "shared.db"
        self.start("registry", "--registry", ANY, "--store", store)
        self.assertIn("shared.db", self.refused("registry", "--registry", ANY, "--store", store))

    def test_a_registry_stays_on_this_machine(self):
        self.assertIn("insecure", self.refused("registry", "--registry", "0.0.0.0:0", "--store", self.folder / "r.db"))


if __name__ == "__main__":
    unittest.main()
