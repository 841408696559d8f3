"""Runs suites that others wrote through the gateway.

usage: ./dev conformance [SUITE…] [--only CASE] [--complete] [--proxy COMMAND]

Without a suite, all of them. Their programs, fetched or built, and all logs are kept under .cache/.
"""

import argparse
import functools
import sys
import time

from tests.conformance import clients, connect, crossed, h2spec, h2specd, hpack, interop, negative, schema
from tests.conformance.suite import Report
from tests.harness.process import StartError

SUITES = {
    "interop": interop.run,
    "h2spec": h2spec.run,
    "h2specd": h2specd.run,
    "connect": connect.run,
    "crossed": crossed.run,
    "negative": negative.run,
    "hpack": hpack.run,
    "schema": schema.run,
    **{f"clients-{language}": functools.partial(clients.run, language) for language in clients.LANGUAGES},
}
# What every test run has: four minutes on two cores.
QUICK = ("interop", "h2spec", "h2specd", "negative", "hpack", "clients-go", "clients-python")


def parse(argv):
    parser = argparse.ArgumentParser(prog="./dev conformance", description="suites that others wrote, through the gateway")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)}; all unless named")
    parser.add_argument("--quick", action="store_true", help=f"only {', '.join(QUICK)}")
    parser.add_argument("--complete", action="store_true", help="a toolchain or package that cannot be had is a failure, not skipped")
    parser.add_argument("--only", metavar="CASE", help="only cases with this in their name (h2spec: this section)")
    parser.add_argument("--proxy", metavar="COMMAND", help="another proxy, with {port} and {upstream} in its command")
    parser.add_argument("--counts", metavar="FILE", help="write `passed failed skipped` there")
    options = parser.parse_args(argv)
    unknown = [suite for suite in options.suites if suite not in SUITES]
    if unknown:
        parser.error(f"no suite `{unknown[0]}`; there are {', '.join(SUITES)}")
    return options


def main(argv):
    options = parse(argv)
    report = Report(options.complete)
    for name in options.suites or (QUICK if options.quick else SUITES):
        started = time.monotonic()
        try:
            SUITES[name](report, options.proxy, options.only)
        except (StartError, RuntimeError, OSError) as error:
            report.add(name, str(error))
        report.close_suite(name, time.monotonic() - started)
    report.summarize()
    print(f"conformance: {report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    if options.counts:
        report.write(options.counts)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
