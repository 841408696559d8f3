"""The conformance suite of connectrpc.com for the gRPC protocol over HTTP/2, with the gateway between client and server.

Three pairings: the suite's own clients call grpc-go's server; grpc-go's client calls the suite's servers, whose answers are also
malformed on purpose; the suite's reference client, which looks at the wire more closely, calls the same. The first and the last
also with TLS towards the gateway. What grpc-go itself is known to fail is the suite's own list and counts neither way.
"""

import contextlib
import json
import re
import subprocess
import sys

from tests.conformance.suite import LOGS, go_module_folder, go_tool, last_line
from tests.harness.certificates import Certificate
from tests.harness.gateway import Gateway, OtherProxy, configuration, service
from tests.harness.process import ROOT, free_port

_MODULE = "connectrpc.com/conformance"
_VERSION = "v1.0.7"
# A case calls a service that does not exist: the server is to say so, as the case wants no details of a gateway's refusal.
_SERVICES = ["connectrpc.conformance.v1.ConformanceService", "connectrpc.conformance.v1.UnknownService"]
_PAIRING_SECONDS = 600

# What the suite is to try: everything of gRPC over HTTP/2 that both grpc-go and the reference programs have. Where the suite's own
# clients use TLS it has to know; of other clients only the adapter knows.
_FEATURES = {
    "versions": ["HTTP_VERSION_2"],
    "protocols": ["PROTOCOL_GRPC"],
    "codecs": ["CODEC_PROTO"],
    "compressions": ["COMPRESSION_IDENTITY", "COMPRESSION_GZIP"],
    "supports_h2c": True,
    "supports_tls": False,
    "supports_tls_client_certs": False,
    "supports_trailers": True,
    "supports_half_duplex_bidi_over_http1": False,
    "supports_message_receive_limit": True,
}

_TOTAL = re.compile(r"Total cases: (\d+)\n(\d+) passed, (\d+) failed")
_EXPECTED = re.compile(r"\((?:Another )?(\d+) failed as expected")
_FAILED = re.compile(r"^FAILED: (.*?):\n\t(.*)", re.MULTILINE)


def tool(name):
    return go_tool(f"{_MODULE}/cmd/{name}", _VERSION, name)


def run_pairing(report, title, folder, arguments, command):
    """Runs connectconformance and reports its cases."""
    runner = [tool("connectconformance"), "--max-servers", "1", *arguments, "--", *command]
    try:
        done = subprocess.run([str(part) for part in runner], capture_output=True, text=True, errors="replace", cwd=ROOT,
                              timeout=_PAIRING_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return report.add(f"connect {title}", f"no end within {_PAIRING_SECONDS} s")
    (folder / f"{title}.log").write_text(done.stdout + done.stderr)
    output = done.stdout + done.stderr
    total = _TOTAL.search(output)
    if not total:
        return report.add(f"connect {title}", f"no summary: {last_line(output)}")
    failures = _FAILED.findall(output)
    for name, why in failures:
        report.add(f"connect {title}: {name}", why[:220])
    if int(total[3]) != len(failures):
        report.add(f"connect {title}", f"{total[3]} failures, of which {len(failures)} are named; see {title}.log")
    known = _EXPECTED.search(output)
    report.add_passed(f"connect {title}" + (f" ({known[1]} more fail without a gateway too)" if known else ""), int(total[2]))


def pairings(folder, upstream, gateway, secured, certificate):
    """{title: (connectconformance's arguments, the program that it drives)}. `secured`: the port with TLS, or None."""
    plain, over_tls = folder / "features.yaml", folder / "features-tls.yaml"
    plain.write_text(json.dumps({"features": _FEATURES}) + "\n")
    over_tls.write_text(json.dumps({"features": {**_FEATURES, "supports_tls": True}, "exclude_cases": [{"use_tls": False}]}) + "\n")
    known = go_module_folder(_MODULE, _VERSION) / "testing"
    servers_failures = ["--known-failing", f"@{known}/grpcserver-known-failing.txt"]
    clients_failures = ["--known-failing", f"@{known}/grpcclient-known-failing.txt"]
    adapter = [sys.executable, "-B", "-m", "tests.conformance.connect_adapter"]
    server = [tool("grpcserver"), "-port", upstream]
    as_client = ["--conf", plain, "--mode", "client", "--port", upstream]
    result = {
        "server": (["--conf", plain, "--mode", "server", *servers_failures],
                   [*adapter, "server", "--gateway", gateway, "--", *server]),
        "client": ([*as_client, *clients_failures], [*adapter, "client", "--gateway", gateway, "--", tool("grpcclient")]),
        "reference client": (as_client, [*adapter, "client", "--gateway", gateway, "--", tool("referenceclient")]),
    }
    if secured:
        gate = ["--gateway", secured, "--certificate", certificate.chain, "--"]
        result["server over TLS"] = (["--conf", over_tls, "--mode", "server", *servers_failures],
                                     [*adapter, "server", *gate, *server])
        result["reference client over TLS"] = (as_client, [*adapter, "client", *gate, tool("referenceclient")])
    return result


def run(report, proxy=None, only=None):
    """`only`: a pairing, or a pattern for the suite's cases such as `Timeouts/**`."""
    folder = LOGS / "connect"
    folder.mkdir(parents=True, exist_ok=True)
    upstream = free_port()
    services = [service("conformance", _SERVICES, {"1.0.0": upstream}, "1.0.0")]
    with contextlib.ExitStack() as stack:
        certificate = secured = None
        if proxy:
            gateways = [stack.enter_context(OtherProxy(proxy, upstream, folder, free_port()))]
        else:
            certificate = Certificate(folder)
            gateways = [stack.enter_context(Gateway(configuration(services), folder / "plain")),
                        stack.enter_context(Gateway(configuration(services, certificate=certificate), folder / "tls"))]
            secured = gateways[1].port
        known = pairings(folder, upstream, gateways[0].port, secured, certificate)
        for title, (arguments, command) in known.items():
            if only and only not in known:
                arguments = [*arguments, "--run", only]
            elif only and only != title:
                continue
            run_pairing(report, title, folder, arguments, command)
        for gateway in gateways:
            if not gateway.alive():
                report.add("connect: the gateway is still up", last_line(gateway.output()))
