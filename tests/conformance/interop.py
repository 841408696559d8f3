"""grpc-go's interoperability client and server with the gateway between them.

Two servers run as versions 1.0.0 and 2.0.0 of one service. Every case runs once for each way to ask for 2.0.0: by the
request header, and by a pin that the gateway knows for the calling consumer; 1.0.0 is what a caller without either gets.
Relays before the servers show that the calls went to 2.0.0 and that 1.0.0 saw none of them.
"""

import subprocess

from tests.conformance.suite import LOGS, go_tool, last_line
from tests.harness.gateway import Gateway, OtherProxy, configuration, service
from tests.harness.process import Process, free_port
from tests.harness.relay import Relay

_MODULE = "google.golang.org/grpc/interop"
_VERSION = "v1.85.0"
_CASE_SECONDS = 30

CASES = (
    "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
    "timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response", "status_code_and_message",
    "special_status_message", "custom_metadata", "unimplemented_method", "unimplemented_service",
)
# Refused before a version is chosen; cancelled, or out of time after 1 ms, perhaps before anything was forwarded.
_MAY_REACH_NOBODY = {"unimplemented_service", "cancel_after_begin", "timeout_on_sleeping_server"}

PINS = {
    "header": "api-version:2.0.0",
    "consumer": "api-consumer:billing",
}


def gateway_configuration(first_port, second_port):
    services = [service("interop", ["grpc.testing.TestService"], {"1.0.0": first_port, "2.0.0": second_port}, "1.0.0")]
    return configuration(services, [{"name": "billing", "pins": {"interop": "^2"}}])


def run_case(client, port, case, metadata):
    """None when the case passed, else why not."""
    command = [client, "-server_host", "127.0.0.1", "-server_port", str(port), "-test_case", case,
               "-additional_metadata", metadata]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_CASE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {_CASE_SECONDS} s"
    return None if done.returncode == 0 else last_line(done.stderr + done.stdout)


def misrouted(case, before, after):
    """Why the bytes that the relays counted tell of another version than 2.0.0; None when they do not."""
    first, second = (b - a for a, b in zip(before, after))
    if first:
        return f"version 1.0.0 received {first} bytes of a call that asked for 2.0.0"
    if not second and case not in _MAY_REACH_NOBODY:
        return "version 2.0.0 received nothing"
    return None


def run(report, proxy=None, only=None):
    """`proxy`: the command of another proxy, which knows no versions: everything goes to the second server."""
    client = go_tool(f"{_MODULE}/client", _VERSION, "client")
    server = go_tool(f"{_MODULE}/server", _VERSION, "server")
    folder = LOGS / "interop"
    with Process([server, "-port", "0"], folder / "v1.log") as first, Process([server, "-port", "0"], folder / "v2.log") as second:
        relays = [Relay(first.wait_port()), Relay(second.wait_port())]
        if proxy:
            gateway = OtherProxy(proxy, relays[1].port, folder, free_port())
        else:
            gateway = Gateway(gateway_configuration(relays[0].port, relays[1].port), folder)
        with gateway:
            for pin, metadata in PINS.items():
                for case in CASES:
                    if only and only not in case:
                        continue
                    before = [relay.bytes() for relay in relays]
                    error = run_case(client, gateway.port, case, metadata)
                    after = [relay.bytes() for relay in relays]
                    report.add(f"interop {pin} {case}", error or misrouted(case, before, after))
            if not gateway.alive():
                report.add("interop: the gateway is still up", last_line(gateway.output()))
