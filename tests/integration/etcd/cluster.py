"""A real etcd on loopback, and registries on it, for tests that kill, stop and restart them."""

import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest

from tests.harness.gateway import PROGRAM, address, write_configuration
from tests.harness.process import Process, StartError, free_port
from tests.harness.relay import Relay

# For what comes by itself a moment later; far longer than it takes.
PATIENCE = 60


class Member:
    def __init__(self, name, folder, links):
        self.name = name
        self.folder = folder
        self.port = free_port()
        self.peer_port = free_port()
        self.process = None
        self.starts = 0
        # Where others find it; itself, unless there is something between.
        self.client_at, self.peers_at = self.port, self.peer_port
        if links is not None:
            links.join(name, self)
            self.client_at, self.peers_at = (Relay(port, links, name).port for port in (self.port, self.peer_port))


class Cluster:
    """Members with elections in half a second. `flags` are given to each beside what it needs; `links` are then between the members, and
    before them for who uses `endpoints`."""

    def __init__(self, folder, count, flags=(), scheme="http", links=None):
        self.flags = list(flags)
        self.scheme = scheme
        self.links = links
        self.members = [Member(f"m{i}", pathlib.Path(folder), links) for i in range(count)]
        for member in self.members:
            self.start(member)

    @property
    def endpoints(self):
        return [f"127.0.0.1:{member.client_at}" for member in self.members]

    def start(self, member):
        client = f"{self.scheme}://127.0.0.1:{member.port}"
        member.starts += 1
        member.process = Process(
            ["etcd", f"--name={member.name}", f"--data-dir={member.folder / member.name}", f"--listen-client-urls={client}",
             f"--advertise-client-urls={client}", f"--listen-peer-urls=http://127.0.0.1:{member.peer_port}",
             f"--initial-advertise-peer-urls=http://127.0.0.1:{member.peers_at}",
             "--initial-cluster=" + ",".join(f"{each.name}=http://127.0.0.1:{each.peers_at}" for each in self.members),
             # What a killed process wrote the kernel keeps; a disk that is busy with a build holds up no election.
             "--unsafe-no-fsync",
             "--heartbeat-interval=50", "--election-timeout=500", "--logger=zap", "--log-level=warn", *self.flags],
            member.folder / f"{member.name}.{member.starts}.log")

    def kill(self, member):
        os.kill(member.process.pid, signal.SIGKILL)
        member.process.stop()

    def stop(self):
        for member in self.members:
            if member.process.alive():
                os.kill(member.process.pid, signal.SIGCONT)
                self.kill(member)

    def etcdctl(self, *args, endpoint=None, check=True):
        """What it prints."""
        endpoint = endpoint or ",".join(f"{self.scheme}://{each}" for each in self.endpoints)
        done = subprocess.run(["etcdctl", f"--endpoints={endpoint}", "--command-timeout=10s", *args], capture_output=True, text=True,
                              timeout=PATIENCE, check=False, env={**os.environ, "ETCDCTL_API": "3"})
        if check and done.returncode != 0:
            raise StartError(f"etcdctl {' '.join(args)}: {done.stderr}")
        return done.stdout

    def leader(self):
        """The member that leads, as soon as one does."""
        give_up = time.monotonic() + PATIENCE
        while time.monotonic() < give_up:
            for member in self.members:
                if not member.process.alive():
                    continue
                text = self.etcdctl("endpoint", "status", "-w=json", endpoint=f"127.0.0.1:{member.port}", check=False)
                status = json.loads(text)[0]["Status"] if text.strip() else {}
                if status and status.get("leader") == status["header"]["member_id"]:
                    return member
        raise StartError("no member leads")


class Registry:
    """`pinion registry` on an etcd; started again it has the same address."""

    def __init__(self, folder, name, store, more=None):
        self.folder = pathlib.Path(folder)
        self.name = name
        self.socket = self.folder / f"{name}.sock"
        self.configuration = self.folder / f"{name}.yaml"
        write_configuration(self.configuration, {"registry": {
            "address": {"pipe": {"path": str(self.socket)}}, "rollback_window": "0s", "usage_window": "0s",
            "store": {"etcd": store}, **(more or {})}})
        self.process = None
        self.starts = 0

    @property
    def address(self):
        return f"unix:{self.socket}"

    def spawn(self):
        self.starts += 1
        self.process = Process([str(PROGRAM), "registry", "--config", str(self.configuration)],
                               self.folder / f"{self.name}.{self.starts}.log")

    def start(self):
        self.spawn()
        self.process.wait_line(r"(?m)^ready$", seconds=PATIENCE)

    def kill(self):
        os.kill(self.process.pid, signal.SIGKILL)
        self.process.stop()

    def stop(self):
        if self.process is not None:
            self.process.stop()


@unittest.skipUnless(shutil.which("etcd") and shutil.which("etcdctl"),
                     "etcd is not installed; as root: apt-get install --no-install-recommends etcd-server etcd-client")
class OnEtcd(unittest.TestCase):
    """A folder, a cluster when a test starts one, and registries that end with the test."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-etcd."))
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)

    def cluster(self, count, **options):
        cluster = Cluster(self.folder, count, **options)
        self.addCleanup(cluster.stop)
        return cluster

    def registry(self, name, store, start=True):
        registry = Registry(self.folder, name, store)
        self.addCleanup(registry.stop)
        if start:
            registry.start()
        return registry

    def cli(self, registry, *args, status=0):
        """What the command prints; on standard error if it is to fail with `status`."""
        env = {**os.environ, "PINION_REGISTRY": registry.address, "PINION_ACTOR": "alice"}
        done = subprocess.run([str(PROGRAM), *map(str, args)], capture_output=True, text=True, timeout=PATIENCE, env=env, check=False)
        self.assertEqual(done.returncode, status, done.stderr)
        return done.stderr if status else done.stdout

    def until(self, what):
        """Asks until it is true."""
        give_up = time.monotonic() + PATIENCE
        while not what():
            self.assertLess(time.monotonic(), give_up, "it never came")
