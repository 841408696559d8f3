"""The program under test: `pinion gateway` with a static configuration, `pinion serve` with a registry, or another proxy."""

import json
import os
import pathlib
import shlex
import shutil
import subprocess
import tempfile

from tests.harness.process import ROOT, Process

PROGRAM = ROOT / "build/release/pinion"


def address(port):
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def service(name, grpc_services, versions, stable, tls_name=None):
    """A static service; `versions` maps a version's name to the port of its one instance. `tls_name`: they speak TLS."""
    tls = {"tls_name": tls_name} if tls_name else {}
    return {
        "name": name,
        "scheme": "SEMVER",
        "grpc_services": grpc_services,
        "channels": {"stable": stable},
        "versions": [{"name": version, "instances": [{"address": address(port), **tls}]} for version, port in versions.items()],
    }


def _pair(certificate):
    return {"certificate_chain": str(certificate.chain), "private_key": str(certificate.key)}


def listener(forward="GRPC_ONLY", certificate=None, identity=None, name="ingress"):
    """On a free port; believes local callers who they are. `certificate`: with TLS. `identity`: further ways to know callers."""
    return {
        **({"tls": {"tls_certificates": [_pair(certificate)]}} if certificate else {}),
        "name": name,
        "address": address(0),
        "forward": forward,
        "consumer_identity": {"trusted_header": {"name": "api-consumer", "trusted_peers": ["127.0.0.0/8"]}, **(identity or {})},
    }


def configuration(services, consumers=(), forward="GRPC_ONLY", workers=1, certificate=None):
    """A static configuration with one listener on a free port, in the form in which it is written to a file. `certificate`: the
    listener's, and whom to trust of instances with a TLS name."""
    tls = {"upstream_tls": [{"trusted_ca": str(certificate.chain)}]} if certificate else {}
    return {
        "node": {"id": "test", "cluster": "test"},
        "listeners": [listener(forward, certificate)],
        "gateway": {"workers": workers, **tls},
        "static_resources": {"services": services, "consumers": list(consumers)},
    }


def write_configuration(path, config):
    """JSON is YAML, so the harness needs no YAML library."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(config, indent=2) + "\n")


class _Program(Process):
    """`pinion COMMAND --config FILE`, ready to be called on `port`."""

    def __init__(self, command, config, folder, cores=None, program=PROGRAM):
        path = folder / "pinion.yaml"
        write_configuration(path, config)
        super().__init__([program, command, "--config", path], folder / "pinion.log", cores)
        try:
            self.port = self.port_of("ingress")
        except BaseException:
            self.stop()
            raise

    def port_of(self, name):
        """Of the listener of this name."""
        return int(self.wait_line(rf"listening name={name} address=\S+:(\d+)", 30).group(1))


class Gateway(_Program):
    """`pinion gateway`."""

    def __init__(self, config, folder, cores=None, program=PROGRAM):
        super().__init__("gateway", config, folder, cores, program)


class Served(_Program):
    """`pinion serve` with an empty registry; `cli` runs the commands that fill it, as an operator. `registry` is its address."""

    def __init__(self, folder, admin=False, more_listeners=(), gateway=None, registry_certificate=None):
        """`admin`: with an admin port. `more_listeners`: beside the one of `port`. `gateway`: as in the configuration.
        `registry_certificate`: the registry asks who calls, over TLS with this one, which signs those of callers, too."""
        # A Unix socket's path must be short, and a registry starts empty: neither is true of a folder in the cache.
        self._state = pathlib.Path(tempfile.mkdtemp(prefix="pinion-served."))
        socket = self._state / "registry.sock"
        self.registry = f"unix:{socket}"
        self._environment = {**os.environ, "PINION_REGISTRY": self.registry, "PINION_ACTOR": "tests"}
        config = {"address": {"pipe": {"path": str(socket)}}, "store": {"sqlite": {"path": str(self._state / "registry.db")}}}
        if registry_certificate:
            config |= {"address": address(0), "local_socket": str(socket), "access": {},
                       "tls": {"tls_certificates": [_pair(registry_certificate)], "trusted_ca": str(registry_certificate.chain)}}
        try:
            port = {"admin": {"address": address(0)}} if admin else {}
            super().__init__("serve", {**port, "listeners": [listener(), *more_listeners],
                                       "gateway": {"workers": 1, **(gateway or {})}, "registry": config}, folder)
            if registry_certificate:
                self.registry = f"127.0.0.1:{self.wait_line(r'registry address=127.0.0.1:([0-9]+)').group(1)}"
        except BaseException:
            shutil.rmtree(self._state, ignore_errors=True)
            raise

    def stop(self, seconds=5):
        try:
            return super().stop(seconds)
        finally:
            shutil.rmtree(self._state, ignore_errors=True)

    def cli(self, *args):
        """What `pinion ARGS…` prints; RuntimeError with its message when it fails."""
        done = subprocess.run([str(part) for part in (PROGRAM, *args)], capture_output=True, text=True, timeout=30,
                              env=self._environment, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"pinion {' '.join(map(str, args))}: {done.stderr.strip()}")
        return done.stdout


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
