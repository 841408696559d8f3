"""Loads: h2load sends gRPC-shaped unary calls over h2c."""

import dataclasses
import re
import shutil
import struct
import subprocess

from tests.bench.proxies import CONSUMER
from tests.harness.process import CACHE

# A proxy that answers less than this share of the asked rate is beyond its capacity: its latency would be its queue's.
_KEPT_UP = 0.9
PATH = "/pinion.test.Echo/Call"


@dataclasses.dataclass(frozen=True)
class Load:
    """`connections` × `streams` calls at once, each echoing `bytes` bytes, gRPC's 5-byte prefix included."""

    name: str
    connections: int
    streams: int
    bytes: int
    once: bool = False  # one call on each connection: what a connection costs


LOADS = (
    Load("4x50", 4, 50, 64),
    Load("50x1", 50, 1, 64),
    Load("200x10", 200, 10, 64),
    Load("4x4 64KiB", 4, 4, 64 << 10),
)


# A full handshake each: h2load never resumes a session.
HANDSHAKES = Load("handshakes", 200, 1, 64, once=True)

# What a few services in a cluster make of one gateway: connections that are opened once.
LONG_LIVED = Load("8x25", 8, 25, 64)


@dataclasses.dataclass(frozen=True)
class Outcome:
    """What one run of h2load saw."""

    calls: int
    failed: int
    per_second: float


def require():
    if shutil.which("h2load") is None:
        raise RuntimeError("h2load is missing: apt-get install nghttp2-client")


def _message(size):
    path = CACHE / "bench" / f"message-{size}"
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"\0" + struct.pack(">I", size - 5) + b"m" * (size - 5))
    return path


def h2load(load, port, core, how, scheme="http"):
    """Runs h2load with the options `how` on `core` against 127.0.0.1:`port`."""
    command = ["taskset", "-c", core, "h2load", "-t1", f"-c{load.connections}", f"-m{load.streams}", "-d", _message(load.bytes),
               "-H", "content-type: application/grpc", "-H", "te: trailers", "-H", f"api-consumer: {CONSUMER}",
               "-H", "grpc-timeout: 20S", *how, f"{scheme}://127.0.0.1:{port}{PATH}"]
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, check=False, timeout=120)
    found = re.search(r"requests: \d+ total, \d+ started, (\d+) done, (\d+) succeeded", done.stdout)
    rate = re.search(r"([\d.]+) req/s", done.stdout)
    statuses = re.search(r"status codes: (\d+) 2xx", done.stdout)
    data = re.search(r"traffic: .* \((\d+)\) data", done.stdout)
    if done.returncode != 0 or not found or not rate or not statuses or not data:
        raise RuntimeError(f"h2load failed: {(done.stderr or done.stdout).strip()[-300:]}")
    calls = int(found.group(1))
    # h2load takes a gRPC status in the trailers of a 200 for success; a call that was refused brings no message back.
    answered = min(int(found.group(2)), int(statuses.group(1)), int(data.group(1)) // load.bytes)
    return Outcome(calls, calls - answered, float(rate.group(1)))


def latencies(load, port, core, rate, seconds):
    """Microseconds of every call at `rate` calls a second, sorted; None when that many were not answered, or not in time."""
    log = CACHE / "bench" / "latency.log"
    log.unlink(missing_ok=True)
    per_connection = max(1, round(rate / load.connections))
    calls = per_connection * load.connections * seconds
    outcome = h2load(load, port, core, ["-n", str(calls), f"--rps={per_connection}", f"--log-file={log}"])
    if outcome.failed or outcome.per_second < _KEPT_UP * rate:
        return None
    rows = (line.split("\t") for line in log.read_text().splitlines())
    return sorted(int(row[2]) for row in rows if row[1] == "200")
