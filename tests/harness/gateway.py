"""The program under test: `pinion gateway` with a static configuration, or another proxy in its place."""

import json
import shlex

from tests.harness.process import ROOT, Process

PROGRAM = ROOT / "build/release/pinion"


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def service(name, grpc_services, versions, stable):
    """A static service; `versions` maps a version's name to the port of its one instance."""
    return {
        "name": name,
        "scheme": "SEMVER",
        "grpc_services": grpc_services,
        "channels": {"stable": stable},
        "versions": [{"name": version, "instances": [{"address": address(port)}]} for version, port in versions.items()],
    }


def configuration(services, consumers=(), forward="GRPC_ONLY", workers=1):
    """A static configuration with one listener on a free port, in the form in which it is written to a file."""
    return {
        "node": {"id": "test", "cluster": "test"},
        "listeners": [{
            "name": "ingress",
            "address": address(0),
            "forward": forward,
            "consumer_identity": {"trusted_header": {"name": "api-consumer", "trusted_peers": ["127.0.0.0/8"]}},
        }],
        "gateway": {"workers": workers},
        "static_resources": {"services": services, "consumers": list(consumers)},
    }


def write_configuration(path, config):
    """JSON is YAML, so the harness needs no YAML library."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config, indent=2) + "\n")


class Gateway(Process):
    """`pinion gateway`, ready to be called on `port`."""

    def __init__(self, config, folder, cores=None):
        path = folder / "pinion.yaml"
        write_configuration(path, config)
        super().__init__([PROGRAM, "gateway", "--config", path], folder / "pinion.log", cores)
        try:
            self.port = int(self.wait_line(r"listening name=ingress address=\S+:(\d+)").group(1))
        except BaseException:
            self.stop()
            raise


class OtherProxy(Process):
    """Any command with `{port}` and `{upstream}` in it, to try a suite on another proxy."""

    def __init__(self, command, upstream, folder, port):
        self.port = port
        super().__init__(shlex.split(command.format(port=port, upstream=upstream)), folder / "proxy.log")
        try:
            self.wait_port(port)
        except BaseException:
            self.stop()
            raise
