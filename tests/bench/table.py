"""The printed comparison."""

import datetime
import os
import pathlib
import platform
import re
import statistics

BASE = "nghttpx"


def machine():
    model = re.search(r"model name\s*: (.+)", pathlib.Path("/proc/cpuinfo").read_text())
    return f"{model.group(1) if model else platform.machine()}, {os.cpu_count()} cores, Linux {platform.release()}"


def ratio(samples, name, base):
    """The median of the rounds' ratios: what happened to the machine in a round happened to both."""
    return statistics.median(a / b for a, b in zip(samples[name], samples[base]))


def _cpu_cell(samples, name, base):
    if name not in samples:
        return "–"
    cell = f"{statistics.median(samples[name]):.1f}"
    return f"{cell} ({ratio(samples, name, base):.2f})" if base in samples else cell


def _latency_cell(latency, name):
    return f"{latency[name][0]:.0f} / {latency[name][1]:.0f}" if name in latency else "too slow"


def lines(bench, latency, idle, rounds, rate, tls):
    """Method, machine, and one row a proxy."""
    names = [proxy.name for proxy in bench.proxies]
    base = BASE if BASE in names else names[0]
    yield f"{datetime.date.today()} · {machine()}"
    yield (f"CPU µs of the proxy's process per call (in brackets: times that of {base}, the median of {rounds} rounds' ratios); "
           f"proxy alone on core 0, load and upstream on core 1, {'TLS 1.3 towards callers' if tls else 'h2c'}, one worker, unary 64-byte echo "
           "unless named.")
    if latency is not None:
        yield f"Added latency: above a direct call, p50 / p99 in µs at {rate:.0f} calls/s for all."
    rows = [["proxy", *bench.samples]]
    rows[0] += ["added p50 / p99"] if latency is not None else []
    rows[0] += ["idle connection"] if idle else []
    for proxy in bench.proxies:
        row = [f"{proxy.name} {proxy.version()}".strip()]
        row += [_cpu_cell(samples, proxy.name, base) for samples in bench.samples.values()]
        row += [_latency_cell(latency, proxy.name)] if latency is not None else []
        row += [f"{idle[proxy.name] / 1000:.1f} kB"] if idle else []
        rows.append(row)
    yield from _aligned(rows)


def held_lines(held, proxies, connections, calls):
    """Method, machine, and one row a proxy."""
    yield f"{datetime.date.today()} · {machine()}"
    yield (f"Private memory of the proxy's process with {connections} connections and {connections * calls} open calls on them, h2c, one "
           "worker: headers sent, no message yet; then each gets its message and has to be answered.")
    rows = [["proxy", "altogether", "a connection before its calls", "an open call", "answered"]]
    for proxy in proxies:
        each = held[proxy.name]
        rows.append([f"{proxy.name} {proxy.version()}".strip(), f"{each.bytes / 1e6:.0f} MB", f"{each.connection_bytes / 1000:.1f} kB",
                     f"{each.call_bytes / 1000:.1f} kB", f"{each.answered} of {connections * calls}"])
    yield from _aligned(rows)


def worker_lines(bench, load, rounds):
    """Method, machine, and one row a number of workers."""
    samples, busiest = bench.samples[load.name], bench.busiest[load.name]
    base = bench.proxies[0].name
    yield f"{datetime.date.today()} · {machine()}"
    yield (f"{load.connections} connections that live for a whole run × {load.streams} calls at once, h2c, unary 64-byte echo, all on the same "
           f"cores; the medians of {rounds} rounds, and all that the busiest worker came to.")
    rows = [["Pinion with", f"CPU µs a call (times that of {base})", "the busiest worker's share of it"]]
    for proxy in bench.proxies:
        shares = sorted(busiest[proxy.name])
        rows.append([proxy.name, f"{statistics.median(samples[proxy.name]):.2f} ({ratio(samples, proxy.name, base):.2f})",
                     f"{100 * shares[0]:.0f}–{100 * shares[-1]:.0f} %"])
    yield from _aligned(rows)


def move_lines(outcome, pins, moves):
    """Method, machine, and what the calls noticed."""
    yield f"{datetime.date.today()} · {machine()}"
    yield (f"A consumer's pin moved {moves} times among {pins}, by `pinion pin set`, while that consumer makes {len(outcome.moving)} calls on "
           "20 connections through the gateway; beside as many calls without a move. Times in µs.")
    rows = [["", "p50", "p99", "largest"]]
    for name, times in (("a call, no pin moves", outcome.quiet), ("a call while the pin moves", outcome.moving),
                        ("from the command's end to the end of the first call that follows", outcome.followed)):
        rows.append([name, *(f"{times[min(len(times) - 1, int(len(times) * part))]:.0f}" for part in (0.5, 0.99, 1))])
    yield from _aligned(rows)
    yield ""
    yield f"Calls that did not end with OK: {outcome.unlike_ok}."


def _aligned(rows):
    yield ""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    for number, row in enumerate(rows):
        yield "| " + " | ".join(cell.ljust(width) for cell, width in zip(row, widths)) + " |"
        if number == 0:
            yield "|" + "|".join("-" * (width + 2) for width in widths) + "|"
