"""h2spec, strict, against the gateway's downstream side, with and without TLS. The gateway forwards any HTTP/2 request, as h2spec
speaks no gRPC."""

import re
import subprocess
import xml.etree.ElementTree as ElementTree

from tests.conformance.suite import LOGS, go_tool, last_line
from tests.harness.certificates import Certificate
from tests.harness.gateway import Gateway, OtherProxy, configuration, service
from tests.harness.process import ROOT, Process, free_port

_PACKAGE = "github.com/summerwind/h2spec/cmd/h2spec"
_VERSION = "v2.2.1+incompatible"
_ECHO = ROOT / "build/release/tests/bench/bench_echo"
_PATH = "/pinion.test.Echo/Call"
_SECONDS = 400

TOTAL = 146

# Raw bytes of a preface end up in h2spec's XML, where they may not stand.
_NOT_XML = re.compile(r"[^\t\n\x20-\x7e]|&#x.{1,4};")


def cases(text):
    """(name, error or None) of each case in h2spec's JUnit file."""
    seen = {}
    for case in ElementTree.fromstring(_NOT_XML.sub("?", text)).iter("testcase"):
        section = case.get("package")
        seen[section] = seen.get(section, 0) + 1
        problem = next((case.find(tag) for tag in ("failure", "error", "skipped") if case.find(tag) is not None), None)
        error = None if problem is None else " ".join((problem.text or problem.tag).split())[:200]
        yield f"{section}/{seen[section]} {case.get('classname')}", error


def run_suite(report, title, flags, gateway, folder, only):
    """One run against a gateway that listens."""
    tool = go_tool(_PACKAGE, _VERSION, "h2spec")
    result = folder / "h2spec.xml"
    result.unlink(missing_ok=True)
    command = [tool, "-h", "127.0.0.1", "-p", str(gateway.port), "-P", _PATH, "-S", "-o", "2", "-j", result, *flags]
    done = subprocess.run(command + ([only] if only else []), capture_output=True, text=True, timeout=_SECONDS, check=False)
    if not result.exists():
        return report.add(title, f"no result: {last_line(done.stdout + done.stderr)}")
    outcome = list(cases(result.read_text(encoding="utf-8", errors="replace")))
    for name, error in outcome:
        if error is not None:
            report.add(f"{title} {name}", error)
    passed = sum(error is None for _, error in outcome)
    report.add_passed(title, passed)
    if not gateway.alive():
        report.add(title, "the gateway ended during the suite")
    if only is None and len(outcome) != TOTAL:
        report.add(title, f"{len(outcome)} cases ran instead of {TOTAL}")


def run(report, proxy=None, only=None):
    """`only`: a section of h2spec such as http2/6.9."""
    folder = LOGS / "h2spec"
    with Process([_ECHO, "--body=64"], folder / "echo.log") as echo:
        upstream = echo.wait_port()
        if proxy:
            with OtherProxy(proxy, upstream, folder, free_port()) as gateway:
                return run_suite(report, "h2spec", [], gateway, folder, only)
        echo_service = service("echo", ["pinion.test.Echo"], {"1.0.0": upstream}, "1.0.0")
        for title, certificate, flags in (("h2spec", None, []), ("h2spec over TLS", Certificate(folder), ["-t", "-k"])):
            logs = folder / title.replace(" ", "-")
            with Gateway(configuration([echo_service], forward="ANY_HTTP2", certificate=certificate), logs) as gateway:
                run_suite(report, title, flags, gateway, logs, only)
