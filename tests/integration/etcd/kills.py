"""Pins, channels and the end of versions through two registries on three members, while both are killed, stopped and started
again, or cut off from each other: nothing that was acknowledged is lost, and what callers were told is linearizable (Porcupine).

    python3 -m tests.integration.etcd.kills [--faults kills|partitions] [--seconds N] [--seed S]

Prints the table of what happened. Ends with 1 when something was lost or is not linearizable, or when nothing was acknowledged; with 77
where there is no etcd, or no Go for Porcupine."""

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
from tests.harness.cases import SKIPPED
from tests.harness.process import ROOT, Process, StartError
from tests.harness.relay import Links
from tests.integration.etcd.cluster import Cluster, Registry
from tests.integration.etcd.faults import KINDS

LOAD = ROOT / "build/release/tests/integration/etcd/pin_load"
CALLERS = 6
# One registry sits out what comes, and of the other some callers are told that nobody knows.
PATIENCE = (("a", "5s"), ("b", "2s"))


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


def run(folder, seconds, seed, faults):
    """The report: counts of faults and answers, what was lost, what is not linearizable. `faults`: one of KINDS."""
    links = Links() if faults == "partitions" else None
    cluster = Cluster(folder, 3, links=links)
    registries = [Registry(folder, name, {"endpoints": cluster.endpoints, "request_timeout": patience}) for name, patience in PATIENCE]
    if links is not None:
        for registry in registries:
            links.join(registry.name, registry)
    load = None
    try:
        cluster.leader()  # a registry waits for one half as long as this does
        for registry in registries:
            registry.start()
        history = folder / "history.json"
        load = Process([LOAD, history, seconds, CALLERS, *(registry.address for registry in registries)], folder / "load.log")
        load.wait_line("round 0", seconds=60)
        befalling = KINDS[faults](cluster, registries, seed)
        while load.alive():
            befalling.one()
            befalling.wait()
        if load.stop() != 0:
            raise RuntimeError(load.output())
        events = [json.loads(line) for line in history.read_text().splitlines()]
        acknowledged, missing = lost(events, registries)
        return {"faults": dict(befalling.counts), "acknowledged": acknowledged, "lost": missing,
                "counts": collections.Counter(f"{event['op']} {event['result']}" for event in events), **judge(history)}
    except StartError:
        for log in sorted(folder.glob("m*.log")):
            print(f"{log.name}:\n{log.read_text(errors='replace')}")
        raise
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


def verdict(report):
    """The exit status. Where nobody got through, nothing could have been lost."""
    if report["lost"] or report["not_linearizable"] or not report["acknowledged"]:
        return 1
    return SKIPPED if report["operations"] is None else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faults", choices=sorted(KINDS), default="kills")
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 30))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}", flush=True)
    if not shutil.which("etcd") or not shutil.which("etcdctl"):
        print("skipped: etcd is not installed; as root: apt-get install --no-install-recommends etcd-server etcd-client")
        return SKIPPED
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-kills."))
    report = run(folder, arguments.seconds, arguments.seed, arguments.faults)
    for name, count in sorted(report["faults"].items()):
        print(f"  {name:<40} {count:6}")
    for name, count in sorted(report["counts"].items()):
        print(f"  {name:<40} {count:6}")
    print(f"changes acknowledged: {report['acknowledged']}, changes lost: {report['lost']}")
    print(f"operations judged: {report['operations']} in {report['services']} services; not linearizable: "
          f"{report['not_linearizable'] or 'none'}; not decided: {report['not_decided'] or 'none'}")
    status = verdict(report)
    if status == 1:
        print(f"everything is kept in {folder}")
    else:
        shutil.rmtree(folder, ignore_errors=True)
    return status


if __name__ == "__main__":
    sys.exit(main())
