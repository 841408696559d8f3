"""h2spec's client cases against the gateway's upstream role, with and without TLS: each case is the server that the gateway
connects to.

programs/h2specd runs one case a process, so that one which hangs is one failure. Between cases nothing listens where the
gateway expects its instance, as when a server restarts.
"""

import subprocess

from tests.conformance.suite import LOGS, go_program, last_line
from tests.harness.certificates import Certificate
from tests.harness.gateway import Gateway, OtherProxy, configuration, listener, service
from tests.harness.process import free_port

_CASE_SECONDS = 40
TOTAL = 57


def cases(program):
    """[(id, what the case does)] of all cases."""
    listed = subprocess.run([program, "-list"], capture_output=True, text=True, check=True).stdout
    return [tuple(line.split("\t", 1)) for line in listed.splitlines()]


def run_case(program, case, gateway, upstream, certificate):
    """None when the case passed, else why not."""
    command = [program, "-case", case, "-listen", f"127.0.0.1:{upstream}", "-gateway", f"127.0.0.1:{gateway}"]
    if certificate:
        command += ["-cert", certificate.chain, "-key", certificate.key]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CASE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {_CASE_SECONDS} s"
    return None if done.returncode == 0 else last_line(done.stdout + done.stderr) or f"ended with {done.returncode}"


def run_suite(report, title, gateway, upstream, only, certificate=None):
    program = go_program("h2specd")
    listed = cases(program)
    if len(listed) != TOTAL:
        report.add(f"{title}: the list of cases", f"{len(listed)} cases instead of {TOTAL}")
    for case, what in listed:
        if not only or only in case:
            report.add(f"{title} {case} {what}", run_case(program, case, gateway.port, upstream, certificate))
    if not gateway.alive():
        report.add(f"{title}: the gateway is still up", last_line(gateway.output()))


def run(report, proxy=None, only=None):
    folder = LOGS / "h2specd"
    upstream = free_port()
    if proxy:
        with OtherProxy(proxy, upstream, folder, free_port()) as gateway:
            return run_suite(report, "h2specd", gateway, upstream, only)
    services = [service("echo", ["pinion.test.Echo"], {"1.0.0": upstream}, "1.0.0")]
    with Gateway(configuration(services), folder) as gateway:
        run_suite(report, "h2specd", gateway, upstream, only)
    folder /= "tls"
    certificate = Certificate(folder)
    services = [service("echo", ["pinion.test.Echo"], {"1.0.0": upstream}, "1.0.0", tls_name="localhost")]
    # Callers without TLS: the case's caller is its own program.
    with Gateway({**configuration(services, certificate=certificate), "listeners": [listener()]}, folder) as gateway:
        run_suite(report, "h2specd over TLS", gateway, upstream, only, certificate)
