"""Runs suites that others wrote through the gateway.

usage: ./dev conformance [SUITE…] [--only CASE] [--proxy COMMAND]

Without a suite, all of them. Tools are Go modules; they and all logs are kept under .cache/.
"""

import argparse
import sys

from tests.conformance import h2spec, interop
from tests.conformance.suite import Report
from tests.harness.process import StartError

SUITES = {"interop": interop, "h2spec": h2spec}
QUICK = ("interop", "h2spec")


def parse(argv):
    parser = argparse.ArgumentParser(prog="./dev conformance", description="suites that others wrote, through the gateway")
    parser.add_argument("suites", nargs="*", metavar="SUITE", help=f"{', '.join(SUITES)}; all unless named")
    parser.add_argument("--quick", action="store_true", help="only the suites that every test run has")
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
    report = Report()
    for name in options.suites or (QUICK if options.quick else SUITES):
        try:
            SUITES[name].run(report, options.proxy, options.only)
        except (StartError, RuntimeError, OSError) as error:
            report.add(name, str(error))
    print(f"conformance: {report.passed} passed, {report.failed} failed, {report.skipped} skipped")
    if options.counts:
        report.write(options.counts)
    return 1 if report.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
