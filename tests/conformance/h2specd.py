"""h2spec's client cases against the gateway's upstream role: each case is the server that the gateway connects to.

programs/h2specd runs one case a process, so that one which hangs is one failure. Between cases nothing listens where the
gateway expects its instance, as when a server restarts.
"""

import subprocess

from tests.conformance.suite import LOGS, go_program, last_line
from tests.harness.gateway import Gateway, OtherProxy, configuration, service
from tests.harness.process import free_port

_CASE_SECONDS = 40
TOTAL = 57


def cases(program):
    """[(id, what the case does)] of all cases."""
    listed = subprocess.run([program, "-list"], capture_output=True, text=True, check=True).stdout
    return [tuple(line.split("\t", 1)) for line in listed.splitlines()]


def run_case(program, case, gateway, upstream):
    """None when the case passed, else why not."""
    command = [program, "-case", case, "-listen", f"127.0.0.1:{upstream}", "-gateway", f"127.0.0.1:{gateway}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CASE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {_CASE_SECONDS} s"
    return None if done.returncode == 0 else last_line(done.stdout + done.stderr) or f"ended with {done.returncode}"


def run(report, proxy=None, only=None):
    program = go_program("h2specd")
    folder = LOGS / "h2specd"
    upstream = free_port()
    if proxy:
        gateway = OtherProxy(proxy, upstream, folder, free_port())
    else:
        gateway = Gateway(configuration([service("echo", ["pinion.test.Echo"], {"1.0.0": upstream}, "1.0.0")]), folder)
    with gateway:
        listed = cases(program)
        if len(listed) != TOTAL:
            report.add("h2specd: the list of cases", f"{len(listed)} cases instead of {TOTAL}")
        for case, title in listed:
            if only and only not in case:
                continue
            report.add(f"h2specd {case} {title}", run_case(program, case, gateway.port, upstream))
        if not gateway.alive():
            report.add("h2specd: the gateway is still up", last_line(gateway.output()))
