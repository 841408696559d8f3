"""Compares what a call costs in each proxy that is installed.

usage: ./dev bench [--rounds N] [--seconds S] [--proxies a,b] [--loads 4x50,50x1] [--pins N] [--only-cpu] [--tls] [--json FILE]
       ./dev bench --held 10000x10 [--proxies a,b] [--json FILE]   memory of 10,000 connections with 10 open calls each
       ./dev bench --workers 2 [--rounds N] [--seconds S]   Pinion with two workers beside Pinion with one
       ./dev bench --moves 1000 --pins 1000000   a pin moved among many while calls flow
       ./dev bench --watchers 1000 [--moves N] [--pins N]   what a change costs a registry that many gateways follow
       ./dev bench --watching [--other PROGRAM] …   compares Pinion with itself: without an access log, sampled, and whole
"""

import argparse
import dataclasses
import json
import os
import statistics
import sys

from tests.bench import load as loads
from tests.bench import moves, table, watchers
from tests.bench.measure import LOAD_CORE, PROXY_CORE, Bench
from tests.bench.proxies import Pinion, all_proxies, pinions
from tests.harness.process import StartError


_FILE_PINS_MAX = 200_000


def parse(argv):
    parser = argparse.ArgumentParser(prog="./dev bench", description="CPU per call and latency, in turns with other proxies")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=2.0, help="of each run (default 2)")
    parser.add_argument("--proxies", default="", help="comma-separated; all that are installed unless given")
    parser.add_argument("--loads", default="", help="comma-separated, of: " + ", ".join(load.name for load in loads.LOADS))
    parser.add_argument("--pins", type=int, default=1, help="pins in Pinion's table (default 1)")
    parser.add_argument("--only-cpu", action="store_true", help="neither latency nor idle memory")
    parser.add_argument("--tls", action="store_true", help="towards callers, and what a handshake costs; only CPU")
    parser.add_argument("--watching", action="store_true", help="Pinion alone, with and without its access log; only CPU")
    parser.add_argument("--other", default="", metavar="PROGRAM", help="with --watching: another build of Pinion, the first row")
    parser.add_argument("--held", default="", metavar="CONNECTIONSxCALLS", help="memory of what is held open; no times")
    parser.add_argument("--workers", type=int, default=0, metavar="N", help="Pinion with N workers beside Pinion with one; only CPU")
    parser.add_argument("--moves", type=int, default=0, metavar="N", help="move a pin N times while calls flow; only latency")
    parser.add_argument("--watchers", type=int, default=0, help="gateways that follow one registry, with --moves changes (200)")
    parser.add_argument("--json", metavar="FILE", help="write every sample there")
    options = parser.parse_args(argv)
    if options.pins > _FILE_PINS_MAX and not (options.moves or options.watchers):
        parser.error(f"--pins: a configuration file holds {_FILE_PINS_MAX:,} of them; more only with --moves or --watchers, from a registry")
    return options


def choose(options):
    """The proxies and loads to run; prints what is left out and how to get it."""
    wanted = [name for name in options.proxies.split(",") if name]
    proxies = []
    for proxy in pinions(options.pins, options.other) if options.watching else all_proxies(options.pins):
        if wanted and proxy.name not in wanted:
            continue
        if proxy.binary:
            proxies.append(proxy)
        else:
            print(f"left out: {proxy.name} is not installed ({proxy.how})")
    names = [name for name in options.loads.split(",") if name]
    return proxies, [load for load in loads.LOADS if not names or load.name in names]


def verdict(bench):
    """Prints what failed; the exit status."""
    for failure in bench.failures:
        print(f"FAILED CALLS: {failure}")
    return 1 if bench.failures else 0


def hold(proxies, options):
    connections, calls = (int(number) for number in options.held.split("x"))
    with Bench(proxies, 0) as bench:
        held = bench.held(connections, calls)
    print("\n".join(table.held_lines(held, proxies, connections, calls)))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump({name: dataclasses.asdict(each) for name, each in held.items()}, out)
    return verdict(bench)


def compare_workers(options):
    proxies = [Pinion(options.pins, f"{count} worker{'s' * (count > 1)}", workers=count) for count in (1, options.workers)]
    every = ",".join(str(core) for core in range(os.cpu_count()))
    with Bench(proxies, options.seconds, proxy_cores=every, load_cores=every) as bench:
        for _ in range(options.rounds):
            bench.round(loads.LONG_LIVED)
    print("\n".join(table.worker_lines(bench, loads.LONG_LIVED, options.rounds)))
    return verdict(bench)


def move_pins(options):
    outcome = moves.measure(options.pins, options.moves, (PROXY_CORE, LOAD_CORE))
    print("\n".join(table.move_lines(outcome, options.pins, options.moves)))
    return 1 if outcome.unlike_ok else 0


def watch_changes(options):
    print(watchers.measure(options.watchers, options.moves or 200, options.pins, (PROXY_CORE, LOAD_CORE)), end="")
    return 0


def run(options):
    if options.watchers:
        return watch_changes(options)
    loads.require()
    if (os.cpu_count() or 1) < 2:
        raise RuntimeError("the comparison needs two cores: one for the proxy, one for the load")
    if options.moves:
        return move_pins(options)
    if options.workers:
        return compare_workers(options)
    proxies, chosen = choose(options)
    if not proxies or not chosen:
        raise RuntimeError("nothing to compare: no such proxy or load")
    if options.held:
        return hold(proxies, options)
    if options.tls:
        chosen.append(loads.HANDSHAKES)
    latency = idle = rate = None
    with Bench(proxies, options.seconds, tls=options.tls) as bench:
        for number in range(options.rounds):
            for load in chosen:
                print(f"round {number + 1}/{options.rounds}: {load.name}", flush=True)
                bench.round(load)
        if not options.only_cpu and not options.watching and not options.tls:
            rates = bench.rates[chosen[0].name]
            base = table.BASE if table.BASE in rates else proxies[0].name
            rate = statistics.median(rates[base]) / 2
            print("latency", flush=True)
            latency = bench.added_latency(rate, options.rounds)
            print("idle connections\n", flush=True)
            idle = bench.idle_bytes()
    print("\n".join(table.lines(bench, latency, idle, options.rounds, rate, options.tls)))
    if options.json:
        with open(options.json, "w", encoding="utf-8") as out:
            json.dump({"cpu_us": bench.samples, "calls_per_second": bench.rates, "added_us": latency, "idle_bytes": idle}, out)
    return verdict(bench)


def main(argv):
    try:
        return run(parse(argv))
    except (StartError, RuntimeError) as error:
        print(f"bench: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
