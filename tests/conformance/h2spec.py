"""h2spec, strict, against the gateway's downstream side. The gateway forwards any HTTP/2 request, as h2spec speaks no gRPC.

Prints every case that fails and the count. The suite as a whole fails when fewer cases pass than FLOOR, which is raised
when the count rises and never lowered.
"""

import re
import subprocess
import xml.etree.ElementTree as ElementTree

from tests.conformance.suite import LOGS, go_tool, last_line
from tests.harness.gateway import Gateway, OtherProxy, configuration, service
from tests.harness.process import ROOT, Process, free_port

_PACKAGE = "github.com/summerwind/h2spec/cmd/h2spec"
_VERSION = "v2.2.1+incompatible"
_ECHO = ROOT / "build/release/tests/bench/bench_echo"
_PATH = "/pinion.test.Echo/Call"
_SECONDS = 400

TOTAL = 146
FLOOR = 146

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


def run(report, proxy=None, only=None):
    """`only`: a section of h2spec such as http2/6.9; the floor does not apply then."""
    tool = go_tool(_PACKAGE, _VERSION, "h2spec")
    folder = LOGS / "h2spec"
    folder.mkdir(parents=True, exist_ok=True)
    result = folder / "h2spec.xml"
    result.unlink(missing_ok=True)
    with Process([_ECHO, "--body=64"], folder / "echo.log") as echo:
        upstream = echo.wait_port()
        if proxy:
            gateway = OtherProxy(proxy, upstream, folder, free_port())
        else:
            gateway = Gateway(configuration([service("echo", ["pinion.test.Echo"], {"1.0.0": upstream}, "1.0.0")],
                                            forward="ANY_HTTP2"), folder)
        with gateway:
            command = [tool, "-h", "127.0.0.1", "-p", str(gateway.port), "-P", _PATH, "-S", "-o", "2", "-j", result]
            done = subprocess.run(command + ([only] if only else []), capture_output=True, text=True, timeout=_SECONDS,
                                  check=False)
            alive = gateway.alive()
    if not result.exists():
        report.add("h2spec", f"no result: {last_line(done.stdout + done.stderr)}")
        return
    outcome = list(cases(result.read_text(encoding="utf-8", errors="replace")))
    for name, error in outcome:
        if error is not None:
            print(f"  not yet: {name}: {error}")
    passed = sum(error is None for _, error in outcome)
    print(f"h2spec: {passed}/{len(outcome)}")
    if not alive:
        report.add("h2spec", "the gateway ended during the suite")
    elif only is None:
        complete = len(outcome) == TOTAL
        floor = f"{passed} of {len(outcome)} cases pass, the floor is {FLOOR} of {TOTAL}"
        report.add(f"h2spec {passed}/{TOTAL}", None if complete and (passed >= FLOOR or proxy) else floor)
