"""Runs the loads against the proxies in turns, round by round, and keeps every sample."""

import contextlib
import dataclasses
import math
import statistics
import time

from tests.bench import load as loads
from tests.bench.held import HeldConnections
from tests.harness.certificates import Certificate
from tests.harness.process import CACHE, ROOT, Process

PROXY_CORE, LOAD_CORE = "0", "1"
IDLE_CONNECTIONS = 2000
_WARM_UP_CALLS = 2000
_SETTLE_SECONDS = 0.5
_SETTLED_TIMES = 4
_LATENCY_LOAD = loads.Load("latency", 50, 10, 64)


@dataclasses.dataclass(frozen=True)
class Held:
    """What a proxy needed for what it held: bytes altogether, a connection before its calls, and a call."""

    bytes: int
    connection_bytes: float
    call_bytes: float
    answered: int


def _settled_memory(process):
    """The memory of a process when it has not changed for a while."""
    settled, memory = 0, process.memory_bytes()
    while settled < _SETTLED_TIMES:
        time.sleep(_SETTLE_SECONDS)
        before, memory = memory, process.memory_bytes()
        settled = settled + 1 if abs(memory - before) < max(before, memory) / 200 else 0
    return memory


class Bench:
    """The upstreams and proxies of one comparison; leaving the context ends them.

    samples[load][proxy] and rates[load][proxy] have one entry a round: CPU µs a call, and calls a second; so has
    busiest[load][proxy]: the share of the process's CPU that its busiest thread had.
    """

    def __init__(self, proxies, seconds, proxy_cores=PROXY_CORE, load_cores=LOAD_CORE, tls=False):
        self.proxies = proxies
        self.seconds = seconds
        self.samples = {}
        self.rates = {}
        self.busiest = {}
        self._proxy_cores = proxy_cores
        self._load_cores = load_cores
        self._scheme = "https" if tls else "http"
        self.failures = []
        self._stack = contextlib.ExitStack()
        self._running = {}

    def __enter__(self):
        try:
            self._start_all()
        except BaseException:
            self._stack.close()  # __exit__ is not called for a context that was never entered
            raise
        return self

    def _start_all(self):
        echo = ROOT / "build/release/tests/bench/bench_echo"
        folder = CACHE / "bench"
        certificate = Certificate(folder / "certificate") if self._scheme == "https" else None
        upstreams = [self._stack.enter_context(Process([echo], folder / f"echo{n}.log", self._load_cores)) for n in (1, 2)]
        self._ports = [upstream.wait_port() for upstream in upstreams]
        for proxy in self.proxies:
            proxy.certificate = certificate
            self._running[proxy.name] = self._stack.enter_context(self._start(proxy))

    def __exit__(self, *_):
        self._stack.close()

    def _start(self, proxy):
        return proxy.start(CACHE / "bench" / proxy.name, *self._ports, self._proxy_cores)

    def round(self, load):
        """One turn of each proxy under `load`."""
        for proxy in self.proxies:
            process = self._running[proxy.name]
            warm = self._run(load, process, max(_WARM_UP_CALLS, load.connections * load.streams))
            before, threads = process.cpu_seconds(), process.thread_cpu_seconds()
            outcome = self._run(load, process, max(_WARM_UP_CALLS, int(warm.per_second * self.seconds)))
            spent = process.cpu_seconds() - before
            busiest = max(after - threads.get(thread, 0) for thread, after in process.thread_cpu_seconds().items())
            if outcome.failed:
                self.failures.append(f"{proxy.name} {load.name}: {outcome.failed} of {outcome.calls} calls failed")
            self.samples.setdefault(load.name, {}).setdefault(proxy.name, []).append(spent / outcome.calls * 1e6)
            self.rates.setdefault(load.name, {}).setdefault(proxy.name, []).append(outcome.per_second)
            self.busiest.setdefault(load.name, {}).setdefault(proxy.name, []).append(busiest / spent if spent else 0)

    def _run(self, load, process, calls):
        """At least so many calls under `load`."""
        each = load.connections if load.once else calls
        runs = [loads.h2load(load, process.port, self._load_cores, ["-n", str(each)], self._scheme)
                for _ in range(math.ceil(calls / each))]
        return loads.Outcome(sum(run.calls for run in runs), sum(run.failed for run in runs),
                             statistics.mean(run.per_second for run in runs))

    def added_latency(self, rate, rounds):
        """{proxy: (p50, p99)}: µs above a direct call at the same rate, the median over the rounds.

        A proxy that did not keep up in every round is not in it.
        """
        ports = {"direct": self._ports[1], **{name: process.port for name, process in self._running.items()}}
        seen = {name: ([], []) for name in ports}
        for _ in range(rounds):
            for name, port in ports.items():
                if name not in seen:
                    continue
                sorted_us = loads.latencies(_LATENCY_LOAD, port, self._load_cores, rate, max(2, round(self.seconds)))
                if sorted_us is None:
                    del seen[name]
                    continue
                for share, into in zip((0.50, 0.99), seen[name]):
                    into.append(sorted_us[int(len(sorted_us) * share)])
        if "direct" not in seen:
            return {}
        direct = [statistics.median(values) for values in seen.pop("direct")]
        return {name: tuple(statistics.median(values) - base for values, base in zip(columns, direct))
                for name, columns in seen.items()}

    def idle_bytes(self):
        """{proxy: bytes a connection that has not called yet costs}, in a process that has seen no other load."""
        cost = {}
        for proxy in self.proxies:
            with self._start(proxy) as process:
                before = _settled_memory(process)
                with HeldConnections(process.port, IDLE_CONNECTIONS):
                    cost[proxy.name] = (_settled_memory(process) - before) / IDLE_CONNECTIONS
        return cost

    def held(self, connections, calls):
        """{proxy: Held}: `connections` connections with `calls` open calls on each, in a process that has seen no other load."""
        return {proxy.name: self._hold(proxy, connections, calls) for proxy in self.proxies}

    def _hold(self, proxy, connections, calls):
        with self._start(proxy) as process:
            memory = [_settled_memory(process)]
            with HeldConnections(process.port, connections) as held:
                memory.append(_settled_memory(process))
                held.begin_calls(calls)
                memory.append(_settled_memory(process))
                answered = held.finish_calls()
        total = connections * calls
        if answered != total:
            self.failures.append(f"{proxy.name}: {total - answered} of {total} held calls were not answered")
        return Held(memory[2], (memory[1] - memory[0]) / connections, (memory[2] - memory[1]) / total, answered)
