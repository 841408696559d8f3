"""gRPC's interoperability cases between the clients and servers of several languages, with the gateway between them.

The servers are five versions of one service; each client asks for one of them by `api-version`, so every case also shows that the
version asked for is the one that answers. Each client also calls Go's server with TLS towards the gateway. Go's and Java's programs
are those of grpc-go and grpc-java; the others are ours, from peers/, as no other language packages its own.
"""

import contextlib
import re
import subprocess

from tests.conformance import interop
from tests.conformance.suite import LOGS, go_tool, last_line
from tests.conformance.toolchains import Unavailable, java_classpath, node_path, python_with
from tests.harness.certificates import Certificate
from tests.harness.gateway import Gateway, configuration, service
from tests.harness.process import ROOT, Process

_PEERS = ROOT / "tests/conformance/peers"
_BUILT = ROOT / "build/release/tests/conformance/peers"
_JAVA = "io.grpc.testing.integration"
_JVM = ("java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
_PYTHON = ("grpcio==1.85.1", "protobuf==7.36.2")
_NODE = ("@grpc/grpc-js@1.14.7", "@grpc/proto-loader@0.8.1")
_STORE_PASSWORD = "not-secret"  # of a store of certificates, which keytool demands
_SERVER_SECONDS = 60
_CASE_SECONDS = 60
_CLIENT_SECONDS = 300

_SERVICES = ["grpc.testing.TestService", "xds.service.orca.v3.OpenRcaService"]
VERSIONS = {"go": "1.0.0", "java": "2.0.0", "cpp": "3.0.0", "python": "4.0.0", "node": "5.0.0"}
_STABLE = "go"  # its version is what a call gets that asks for none

_STANDARD_CASES = (*interop.CASES, "rpc_soak", "channel_soak")
# A server's load, told in trailers or in a stream of its own. Only grpc-go and grpc-java have these cases, and the calls of the
# stream cannot be given metadata.
_LOAD_SERVERS = ("go", "java")
_LOAD_POLICY = '{"loadBalancingConfig":[{"test_backend_metrics_load_balancer":{}}]}'
# Their servers look at whether each message was compressed, their clients at whether the answers are, and they take messages of
# any size. `noprobe`: without a first message that the server must refuse, as grpc-java's own server does not.
_COMPRESSION_SERVERS = ("java", "cpp")
_JAVA_COMPRESSION_CASES = ("client_compressed_unary_noprobe", "client_compressed_streaming_noprobe", "server_compressed_unary",
                           "server_compressed_streaming", "very_large_request")


class Setup:
    """What a client needs to know."""

    def __init__(self, port, descriptors, certificate=None):
        """`port`: the gateway's. `certificate`: to be called over TLS, trusting it."""
        self.port, self.descriptors, self.certificate = port, descriptors, certificate

    def ca_options(self):
        """For the clients of peers/."""
        return ["--ca", self.certificate.chain] if self.certificate else []


def _go_server(descriptors):
    return [go_tool("google.golang.org/grpc/interop/server", interop.VERSION, "server"), "-port", "0"]


def _java_server(descriptors):
    return [*_JVM, "-cp", java_classpath(_PEERS / "pom.xml"), f"{_JAVA}.TestServiceServer", "--port=0", "--use_tls=false",
            "--address_type=IPV4"]


def _cpp_server(descriptors):
    return [_BUILT / "interop_server"]


def _python_server(descriptors):
    return [python_with(*_PYTHON), "-B", _PEERS / "server.py", "--descriptors", descriptors]


def _node_server(descriptors):
    return ["env", f"NODE_PATH={node_path(*_NODE)}", "node", _PEERS / "server.js", "--proto", _PEERS / "interop.proto"]


_SERVERS = {"go": _go_server, "java": _java_server, "cpp": _cpp_server, "python": _python_server, "node": _node_server}


def _one_case(command, seconds=_CASE_SECONDS):
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=seconds, check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {seconds} s"
    return None if done.returncode == 0 else last_line(done.stderr) or last_line(done.stdout) or f"ended with {done.returncode}"


def _many_cases(command):
    """(case, None or why it failed) for each line that a client of peers/ prints."""
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=_CLIENT_SECONDS,
                              check=False)
        output, end = done.stdout, f"ended with {done.returncode}: {last_line(done.stderr)}"
    except subprocess.TimeoutExpired as error:
        output, end = (error.stdout or b"").decode(errors="replace"), f"no end within {_CLIENT_SECONDS} s"
        done = None
    cases = re.findall(r"^(PASS|FAIL) (\w+)(?:: (.*))?$", output, re.MULTILINE)
    for verdict, case, why in cases:
        yield case, None if verdict == "PASS" else why or "failed"
    failed = any(verdict == "FAIL" for verdict, _, _ in cases)
    if not cases or done is None or (done.returncode != 0) != failed:
        yield "the client's end", end


def _load_cases(server):
    if server not in _LOAD_SERVERS:
        return ()
    return ("orca_per_rpc", "orca_oob") if server == _STABLE else ("orca_per_rpc",)


def go_cases(setup, server, version):
    client = go_tool("google.golang.org/grpc/interop/client", interop.VERSION, "client")
    tls = interop.tls_options(setup.certificate) if setup.certificate else []
    for case in (*_STANDARD_CASES, *_load_cases(server)):
        policy = ["-service_config_json", _LOAD_POLICY] if case.startswith("orca_") else []
        yield case, _one_case([client, "-server_host", "127.0.0.1", "-server_port", setup.port, "-test_case", case,
                               "-soak_iterations", "20", "-soak_num_threads", "2", "-additional_metadata", version, *policy, *tls])


def java_cases(setup, server, version):
    jvm = [*_JVM, "-cp", java_classpath(_PEERS / "pom.xml")]
    if setup.certificate:
        store = setup.certificate.chain.with_suffix(".p12")
        store.unlink(missing_ok=True)
        subprocess.run(["keytool", "-importcert", "-noprompt", "-alias", "gateway", "-file", setup.certificate.chain, "-keystore",
                        store, "-storepass", _STORE_PASSWORD], check=True, capture_output=True)
        jvm += [f"-Djavax.net.ssl.trustStore={store}", f"-Djavax.net.ssl.trustStorePassword={_STORE_PASSWORD}"]
    compression = _JAVA_COMPRESSION_CASES if server in _COMPRESSION_SERVERS else ()
    for case in (*_STANDARD_CASES, *compression, *_load_cases(server)):
        policy = [f"--service_config_json={_LOAD_POLICY}"] if case.startswith("orca_") else []
        yield case, _one_case([*jvm, f"{_JAVA}.TestServiceClient", "--server_host=127.0.0.1", f"--server_port={setup.port}",
                               f"--use_tls={'true' if setup.certificate else 'false'}", f"--test_case={case}",
                               "--soak_per_iteration_max_acceptable_latency_ms=5000", "--soak_overall_timeout_seconds=50",
                               f"--additional_metadata={version}", *policy])


def cpp_cases(setup, server, version):
    command = [_BUILT / "interop_client", f"--port={setup.port}", f"--metadata={version}"]
    if setup.certificate:
        command.append(f"--ca={setup.certificate.chain}")
    yield from _many_cases(command)
    if server in _COMPRESSION_SERVERS:
        for case, error in _many_cases([*command, "--compression"]):
            # grpc-java's server compresses no answers of a stream, whatever it is asked, and its own client does not look.
            if (server, case) != ("java", "server_compressed_streaming"):
                yield case, error


def python_cases(setup, server, version):
    yield from _many_cases([python_with(*_PYTHON), "-B", _PEERS / "client.py", "--descriptors", setup.descriptors, "--port",
                            setup.port, "--metadata", version, *setup.ca_options()])


def node_cases(setup, server, version):
    yield from _many_cases(["env", f"NODE_PATH={node_path(*_NODE)}", "node", _PEERS / "client.js", "--proto",
                            _PEERS / "interop.proto", "--port", setup.port, "--metadata", version, *setup.ca_options()])


_CLIENTS = {"go": go_cases, "java": java_cases, "cpp": cpp_cases, "python": python_cases, "node": node_cases}


def start_servers(report, descriptors, folder, stack):
    """{language: the port that its server listens on}, of those that can be had."""
    ports = {}
    for language, command in _SERVERS.items():
        try:
            server = stack.enter_context(Process(command(descriptors), folder / f"server-{language}.log"))
            ports[language] = server.wait_port(seconds=_SERVER_SECONDS)
        except Unavailable as why:
            report.lack(f"crossed: server {language}", str(why))
    return ports


def run_pair(report, title, client, server, setup, only):
    """`only`: what a case's name must contain."""
    try:
        for case, error in _CLIENTS[client](setup, server, f"api-version:{VERSIONS[server]}"):
            if not only or only in case:
                report.add(f"crossed {title}: {case}", error)
    except Unavailable as why:
        report.lack(f"crossed {title}", str(why))


def run(report, proxy=None, only=None):
    """`only`: a pair such as `java-cpp`, client first, a client with TLS such as `java-tls`, or a case."""
    if proxy:
        return report.skip("crossed", "another proxy does not know the versions that tell its servers apart")
    folder = LOGS / "crossed"
    certificate = Certificate(folder)
    descriptors = folder / "interop.binpb"
    subprocess.run(["protoc", f"-I{_PEERS}", f"--descriptor_set_out={descriptors}", _PEERS / "interop.proto"], check=True)
    with contextlib.ExitStack() as stack:
        ports = start_servers(report, descriptors, folder, stack)
        versions = {VERSIONS[language]: port for language, port in ports.items()}
        services = [service("interop", _SERVICES, versions, VERSIONS[_STABLE])]
        gateways = [stack.enter_context(Gateway(configuration(services), folder / "plain")),
                    stack.enter_context(Gateway(configuration(services, certificate=certificate), folder / "tls"))]
        plain = Setup(gateways[0].port, descriptors)
        secured = Setup(gateways[1].port, descriptors, certificate)
        pairs = {f"{client}-{server}": (f"{client} → {server}", client, server, plain)
                 for client in _CLIENTS for server in ports}
        pairs |= {f"{client}-tls": (f"{client} over TLS → {_STABLE}", client, _STABLE, secured) for client in _CLIENTS}
        for name, pair in pairs.items():
            if only not in pairs:
                run_pair(report, *pair, only)
            elif only == name:
                run_pair(report, *pair, None)
        if not all(gateway.alive() for gateway in gateways):
            report.add("crossed: the gateways are still up", " ".join(last_line(gateway.output()) for gateway in gateways))
