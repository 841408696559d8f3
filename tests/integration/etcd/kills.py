"""Pins, channels and the end of versions through two registries on three members, while both are killed, stopped and started
again: nothing that was acknowledged is lost, and what callers were told is linearizable (Porcupine).

    python3 -m tests.integration.etcd.kills [--seconds N] [--seed S]

Prints the table of what happened. Ends with 1 when something was lost or is not linearizable."""

import argparse
import collections
import json
import os
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from tests.conformance.suite import go_program
from tests.harness.process import ROOT, Process
from tests.integration.etcd.cluster import Cluster, Registry

LOAD = ROOT / "build/release/tests/integration/etcd/pin_load"
CALLERS = 6
# Between two faults, and how long each lasts: long enough for elections, and for calls to be caught in the midst.
PAUSE_SECONDS = (0.5, 2.5)
FAULT_SECONDS = (0.3, 3.0)


class Faults:
    """What befalls members and registries, one thing at a time, drawn from a seed."""

    def __init__(self, cluster, registries, seed):
        self.cluster = cluster
        self.registries = registries
        self.random = random.Random(seed)
        self.counts = collections.Counter()
        self.kinds = [self.kill_leader, self.kill_follower, self.stop_leader, self.stop_follower, self.kill_registry,
                      self.stop_registry, self.all_members_away, self.kill_leader_and_registry]

    def one(self, kind=None):
        kind = kind or self.random.choice(self.kinds)
        kind()
        self.counts[kind.__name__.replace("_", " ")] += 1

    def wait(self, bounds):
        time.sleep(self.random.uniform(*bounds))

    def killed(self, members):
        for member in members:
            self.cluster.kill(member)
        self.wait(FAULT_SECONDS)
        for member in members:
            self.cluster.start(member)

    def stopped(self, member):
        self.cluster.pause(member)
        self.wait(FAULT_SECONDS)
        self.cluster.resume(member)

    def follower(self):
        leader = self.cluster.leader()
        return self.random.choice([member for member in self.cluster.members if member is not leader])

    def kill_leader(self):
        self.killed([self.cluster.leader()])

    def kill_follower(self):
        self.killed([self.follower()])

    def stop_leader(self):
        self.stopped(self.cluster.leader())

    def stop_follower(self):
        self.stopped(self.follower())

    def all_members_away(self):
        self.killed(self.cluster.members)

    def kill_registry(self):
        registry = self.random.choice(self.registries)
        registry.kill()
        self.wait(FAULT_SECONDS)
        registry.start()

    def stop_registry(self):
        registry = self.random.choice(self.registries)
        os.kill(registry.process.pid, signal.SIGSTOP)
        self.wait(FAULT_SECONDS)
        os.kill(registry.process.pid, signal.SIGCONT)

    def kill_leader_and_registry(self):
        leader = self.cluster.leader()
        registry = self.random.choice(self.registries)
        self.cluster.kill(leader)
        registry.kill()
        self.wait(FAULT_SECONDS)
        self.cluster.start(leader)
        registry.start()


def lost(history, registries):
    """Acknowledged changes that no registry knows of: of each pin, the last acknowledged one that no later one can have replaced.
    (acknowledged, lost)"""
    acknowledged = [event for event in history if event["op"] in ("set_pin", "set_channel", "retire") and event["result"] == "ok"]
    missing = 0
    objects = collections.defaultdict(list)
    for event in history:
        if event["op"] in ("set_pin", "set_channel") and event["result"] in ("ok", "unknown"):
            objects[(event["service"], event["op"], event["object"])].append(event)
    for (service, op, name), events in objects.items():
        done = [event for event in events if event["result"] == "ok"]
        if not done:
            continue
        latest_start = max(event["start"] for event in done)
        # What may stand there now: each acknowledged change that was not over before another acknowledged one began, or an unknown.
        possible = {event["value"] for event in events if event["result"] == "unknown" or event["end"] >= latest_start}
        if read(registries[0], service, op, name) not in possible:
            missing += 1
    return len(acknowledged), missing


def read(registry, service, op, name):
    words = ["pin", "get", name, service] if op == "set_pin" else ["channel", "get", service, name]
    done = subprocess.run([str(ROOT / "build/release/pinion"), "--registry", registry.address, *words, "--json"],
                          capture_output=True, text=True, timeout=60, check=False)
    found = json.loads(done.stdout or "{}")
    found = found.get("pin") or found.get("channel") or found
    return found.get("expression") or found.get("version") or ""


def run(folder, seconds, seed, kinds=None):
    """The report: counts of faults and answers, what was lost, what is not linearizable."""
    cluster = Cluster(folder, 3)
    store = {"endpoints": cluster.endpoints, "request_timeout": "5s"}
    registries = [Registry(folder, name, store) for name in ("a", "b")]
    load = None
    try:
        for registry in registries:
            registry.start()
        history = folder / "history.json"
        load = Process([LOAD, history, seconds, CALLERS, *(registry.address for registry in registries)], folder / "load.log")
        load.wait_line("round 0", seconds=60)
        faults = Faults(cluster, registries, seed)
        for kind in kinds or []:
            faults.one(getattr(faults, kind))
            faults.wait(PAUSE_SECONDS)
        while load.alive():
            if not kinds:
                faults.one()
            faults.wait(PAUSE_SECONDS)
        if load.stop() != 0:
            raise RuntimeError(load.output())
        events = [json.loads(line) for line in history.read_text().splitlines()]
        acknowledged, missing = lost(events, registries)
        return {"faults": dict(faults.counts), "acknowledged": acknowledged, "lost": missing,
                "counts": collections.Counter(f"{event['op']} {event['result']}" for event in events), **judge(history)}
    finally:
        for process in [load, *(registry.process for registry in registries)]:
            if process is not None and process.alive():
                os.kill(process.pid, signal.SIGCONT)
                process.stop()
        cluster.stop()


def judge(history):
    """Porcupine's word on it; None for `operations` where there is no Go to build it with."""
    try:
        program = go_program("linear")
    except (RuntimeError, FileNotFoundError) as error:
        print(f"not judged: {error}")
        return {"operations": None, "services": None, "not_linearizable": [], "not_decided": []}
    done = subprocess.run([program, history], capture_output=True, text=True, timeout=900, check=False)
    if done.returncode != 0:
        raise RuntimeError(done.stderr)
    return json.loads(done.stdout)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    if not shutil.which("etcd") or not shutil.which("etcdctl"):
        print("skipped: etcd is not installed; as root: apt-get install --no-install-recommends etcd-server etcd-client")
        return 0
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-kills."))
    report = run(folder, arguments.seconds, arguments.seed)
    for name, count in sorted(report["faults"].items()):
        print(f"  {name:<28} {count:6}")
    for name, count in sorted(report["counts"].items()):
        print(f"  {name:<28} {count:6}")
    print(f"changes acknowledged: {report['acknowledged']}, changes lost: {report['lost']}")
    print(f"operations judged: {report['operations']} in {report['services']} services; not linearizable: "
          f"{report['not_linearizable'] or 'none'}; not decided: {report['not_decided'] or 'none'}")
    good = not report["lost"] and not report["not_linearizable"]
    if good:
        shutil.rmtree(folder, ignore_errors=True)
    else:
        print(f"everything is kept in {folder}")
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
