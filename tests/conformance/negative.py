"""gRPC's negative HTTP/2 interoperability cases: grpc-go's client for them, the gateway, and a server that misbehaves.

The server is programs/negativeserver. It judges what reaches it, so that `ping` and `max_streams` are the gateway's own exam.
"""

import subprocess

from tests.conformance import interop
from tests.conformance.suite import LOGS, go_program, go_tool, last_line
from tests.harness.gateway import Gateway, OtherProxy, configuration, service
from tests.harness.process import Process, free_port

_CASE_SECONDS = 30
# grpc-go's client expects UNKNOWN of `rst_during_data`, but reports INTERNAL since it maps the reset's code, with this server as
# with a gateway between: what gRPC's table says of NO_ERROR. Passed when it says just this.
_INTERNAL = "_, Internal, want _, Unknown"
CASES = ("goaway", "rst_after_header", "rst_during_data", "rst_after_data", "ping", "max_streams", "data_frame_padding")


def client_command(case, port):
    if case == "data_frame_padding":  # not in the client's list: any call will do
        client = go_tool("google.golang.org/grpc/interop/client", interop.VERSION, "client")
        return [client, "-server_host", "127.0.0.1", "-server_port", str(port), "-test_case", "large_unary"]
    client = go_tool("google.golang.org/grpc/interop/http2", interop.VERSION, "http2")
    return [client, "-server_host", "127.0.0.1", "-server_port", str(port), "-test_case", case]


def run_case(case, server, port):
    """None when client and server are content, else why not."""
    try:
        done = subprocess.run(client_command(case, port), capture_output=True, text=True, timeout=_CASE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {_CASE_SECONDS} s"
    said = last_line(done.stderr + done.stdout)
    if done.returncode != 0 and not (case == "rst_during_data" and _INTERNAL in said):
        return said
    return None if server.stop() == 0 else f"the server: {last_line(server.output())}"


def run(report, proxy=None, only=None):
    program = go_program("negativeserver")
    for case in CASES:
        if only and only not in case:
            continue
        folder = LOGS / "negative" / case
        with Process([program, "-case", case], folder / "server.log") as server:
            upstream = int(server.wait_line(r"listening on (\d+)").group(1))
            if proxy:
                gateway = OtherProxy(proxy, upstream, folder, free_port())
            else:
                services = [service("interop", ["grpc.testing.TestService"], {"1.0.0": upstream}, "1.0.0")]
                gateway = Gateway(configuration(services), folder)
            with gateway:
                report.add(f"negative {case}", run_case(case, server, gateway.port))
