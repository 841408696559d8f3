"""grpc-go's interoperability client and server with the gateway between them.

Two servers run as versions 1.0.0 and 2.0.0 of one service; 1.0.0 is what a caller gets that asks for nothing. Every case runs
once for each way to ask for 2.0.0: by the request header, by the pin that the registry keeps for the calling consumer, and by
the consumer's pin in a static configuration, this also with TLS towards callers and instances. Relays before the servers show that
the calls went to 2.0.0 and that 1.0.0 saw none of them.
"""

import contextlib
import pathlib
import subprocess
import time

from tests.conformance.suite import LOGS, go_tool, last_line
from tests.harness.certificates import Certificate
from tests.harness.gateway import Gateway, OtherProxy, Served, configuration, service
from tests.harness.process import Process, free_port
from tests.harness.relay import Relay

_MODULE = "google.golang.org/grpc/interop"
VERSION = "v1.85.0"
_CASE_SECONDS = 30

CASES = (
    "empty_unary", "large_unary", "client_streaming", "server_streaming", "ping_pong", "empty_stream",
    "timeout_on_sleeping_server", "cancel_after_begin", "cancel_after_first_response", "status_code_and_message",
    "special_status_message", "custom_metadata", "unimplemented_method", "unimplemented_service",
)
# Refused before a version is chosen; cancelled, or out of time after 1 ms, perhaps before anything was forwarded.
_MAY_REACH_NOBODY = {"unimplemented_service", "cancel_after_begin", "timeout_on_sleeping_server"}

HEADER = "api-version:2.0.0"
CONSUMER = "api-consumer:billing"
_SCHEMA = pathlib.Path(__file__).with_name("peers") / "interop.proto"
_FOLLOW_SECONDS = 10


def static_gateway(ports, folder, certificate=None):
    """`pinion gateway` with everything in its file. `certificate`: with TLS towards callers and instances."""
    versions = dict(zip(("1.0.0", "2.0.0"), ports))
    services = [service("interop", ["grpc.testing.TestService"], versions, "1.0.0", "localhost" if certificate else None)]
    consumers = [{"name": "billing", "pins": {"interop": "^2"}}]
    return Gateway(configuration(services, consumers, certificate=certificate), folder)


def served_gateway(ports, folder):
    """`pinion serve`, told by the commands that an owner and a consumer would use."""
    descriptors = folder / "interop.binpb"
    folder.mkdir(parents=True, exist_ok=True)
    subprocess.run(["protoc", f"-I{_SCHEMA.parent}", "--include_imports", f"--descriptor_set_out={descriptors}", _SCHEMA],
                   check=True)
    gateway = Served(folder)
    try:
        for version, port in zip(("1.0.0", "2.0.0"), ports):
            gateway.cli("version", "publish", "interop", version, "--descriptor-set", descriptors)
            gateway.cli("instance", "register", "interop", version, f"127.0.0.1:{port}")
        gateway.cli("consumer", "add", "billing")
        gateway.cli("pin", "set", "billing", "interop", "^2")
    except BaseException:
        gateway.stop()
        raise
    return gateway


def wait_until_told(client, gateway):
    """The registry's last change, the pin, has reached the gateway when a call by it arrives."""
    deadline = time.monotonic() + _FOLLOW_SECONDS
    while run_case(client, gateway.port, "empty_unary", CONSUMER) and time.monotonic() < deadline:
        time.sleep(0.05)


def tls_options(certificate):
    """The client's, to call over TLS and trust this certificate."""
    return ["-use_tls", "-use_test_ca", "-ca_file", certificate.chain, "-server_host_override", "localhost"]


def run_case(client, port, case, metadata, certificate=None):
    """None when the case passed, else why not. `certificate`: over TLS, trusting it."""
    command = [client, "-server_host", "127.0.0.1", "-server_port", str(port), "-test_case", case,
               "-additional_metadata", metadata]
    if certificate:
        command += tls_options(certificate)
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


def run_cases(report, client, gateway, relays, metadata, title, only, certificate=None):
    for case in CASES:
        if only and only not in case:
            continue
        before = [relay.bytes() for relay in relays]
        error = run_case(client, gateway.port, case, metadata, certificate)
        after = [relay.bytes() for relay in relays]
        report.add(f"interop {title}: {case}", error or misrouted(case, before, after))
    if not gateway.alive():
        report.add(f"interop {title}: the gateway is still up", last_line(gateway.output()))


def start_servers(command, folder, stack):
    """(relays, ports) of two servers, 1.0.0 and 2.0.0."""
    servers = [stack.enter_context(Process(command, folder / f"v{n}.log")) for n in (1, 2)]
    relays = [Relay(server.wait_port()) for server in servers]
    return relays, [relay.port for relay in relays]


def run(report, proxy=None, only=None):
    """`proxy`: the command of another proxy, which knows no versions: everything goes to the second server."""
    client = go_tool(f"{_MODULE}/client", VERSION, "client")
    server = go_tool(f"{_MODULE}/server", VERSION, "server")
    folder = LOGS / "interop"
    with contextlib.ExitStack() as stack:
        relays, ports = start_servers([server, "-port", "0"], folder, stack)
        if proxy:
            gateway = stack.enter_context(OtherProxy(proxy, ports[1], folder, free_port()))
            run_cases(report, client, gateway, relays, HEADER, "through another proxy", only)
            return
        served = stack.enter_context(served_gateway(ports, folder / "serve"))
        wait_until_told(client, served)
        run_cases(report, client, served, relays, HEADER, "by header", only)
        run_cases(report, client, served, relays, CONSUMER, "by stored pin", only)
        static = stack.enter_context(static_gateway(ports, folder / "static"))
        run_cases(report, client, static, relays, CONSUMER, "by static pin", only)
        certificate = Certificate(folder / "tls")
        relays, ports = start_servers([server, "-port", "0", "-use_tls", "-tls_cert_file", certificate.chain, "-tls_key_file",
                                       certificate.key], folder / "tls", stack)
        secured = stack.enter_context(static_gateway(ports, folder / "tls", certificate))
        run_cases(report, client, secured, relays, CONSUMER, "over TLS", only, certificate)
