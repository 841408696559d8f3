"""The client libraries: the same scenarios for each, against a real gateway and registry; each one's sample; and its own tests.

Each library has a driver in its language, which reads commands and tells what a program sees that uses the library.
"""

import pathlib
import re
import subprocess

from tests.conformance.clients import drivers, scenario
from tests.conformance.suite import LOGS, last_line
from tests.conformance.toolchains import Unavailable
from tests.harness.certificates import Certificate
from tests.harness.gateway import Served, listener
from tests.harness.process import ROOT, Process
from tests.harness.relay import Relay
from tests.harness.tokens import Issuer, key_set

_FOLDER = pathlib.Path(__file__).parent
_KEY = "a-key-of-billing-that-nobody-guesses"
_ISSUER = "https://issuer.example"
_TESTS_SECONDS = 300
_ENDED_BY_SIGTERM = (0, 143)  # the latter is what a JVM says after its shutdown hooks
LANGUAGES = tuple(drivers.LANGUAGES)


class _Ground:
    """What all scenarios stand on: schemas, a token, and an empty gateway with a second listener, which has TLS and knows callers by
    API key and token."""

    def __init__(self, folder):
        folder.mkdir(parents=True, exist_ok=True)
        issuer = Issuer(folder, _ISSUER, "ES256", "one")
        self._keys = folder / "keys.json"
        self._keys.write_text(key_set(issuer))
        self._certificate = Certificate(folder)
        self.values = {"key": _KEY, "key_sha256": scenario.sha256(_KEY), "issuer": _ISSUER, "token": issuer.token("billing", 3600),
                       "echo": "pinion.conformance.v1.Echo", "ca": str(self._certificate.chain),
                       "certificate": str(self._certificate.chain), "certificate_key": str(self._certificate.key),
                       "token_file": str(folder / "token")}
        for name in ("echo_1", "echo"):
            self.values[f"{name}_schema"] = str(folder / f"{name}.binpb")
            subprocess.run(["protoc", f"-I{_FOLDER}", f"--descriptor_set_out={folder / name}.binpb", _FOLDER / f"{name}.proto"],
                           check=True)

    def served(self, folder, gateway=None, access=False):
        """`gateway`: more of its configuration. `access`: the registry asks who calls, over TLS."""
        identity = {"api_key": {"header": "x-api-key"}, "jwt": {}}
        return Served(folder, more_listeners=[listener(certificate=self._certificate, identity=identity, name="secure")],
                      gateway={"jwt_issuers": [{"issuer": _ISSUER, "jwks_file": str(self._keys)}], **(gateway or {})},
                      registry_certificate=self._certificate if access else None)


def _scenario(ground, steps, driver_command, folder):
    ground_of = steps[0] if steps[0].keys() <= {"gateway", "access"} else {}
    with ground.served(folder, **ground_of) as served, drivers.Driver(driver_command, folder / "driver.log") as driver:
        relay = None
        values = {**ground.values, "gateway": f"127.0.0.1:{served.port}", "registry": served.registry,
                  "secure_gateway": f"127.0.0.1:{served.port_of('secure')}"}
        if "access" in ground_of:
            relay = Relay(int(served.registry.rpartition(":")[2]), hang_ups=1)
            values["registry_soon"] = f"127.0.0.1:{relay.port}"
        return scenario.Run(served, driver, values, relay).steps(steps[1:] if ground_of else steps)


def _sample(ground, programs, folder, access):
    """The sample's server registers itself, its client is answered, and SIGTERM takes it out of routing. `access`: with a token."""
    with ground.served(folder, access=access) as served:
        flags = []
        if access:
            (folder / "token").write_text(served.cli("token", "create", "ci"))
            served.cli("access", "grant", "owner", "greeters", "--create", "greeter", "--to", "token:ci")
            flags = ["--tls-ca", ground.values["ca"], "--token-file", folder / "token"]
        server = Process([*programs.sample_server, "--registry", served.registry, "--version", "1.0.0", *flags], folder / "server.log")
        with server:
            server.wait_line(r"registered as \S+", 30)
            if error := _greeting(programs, served.port, folder):
                return error
            if (code := server.stop(10)) not in _ENDED_BY_SIGTERM:
                return f"its server ended with {code} on SIGTERM: {last_line(server.output())}"
        left = served.cli("instance", "list", "greeter", "--json")
        return f"its server left itself registered: {left}" if re.search("[0-9a-f-]{36}|uid", left) else None


def _greeting(programs, port, folder):
    """None once the client has been greeted: the gateway follows the registry a moment later."""
    wanted = "hello ada, says 1.0.0 (api-version: 1.0.0)"
    attempts = 20
    for _ in range(attempts):
        client = Process([*programs.sample_client, "--gateway", f"127.0.0.1:{port}", "--pin", "^1"], folder / "client.log")
        with client:
            client.wait(lambda: not client.alive(), "end", 30) if client.alive() else None
        if wanted in client.output():
            return None
    return f"its client said: {last_line(client.output())}"


def _own_tests(programs):
    try:
        done = subprocess.run([str(part) for part in programs.tests], cwd=ROOT, capture_output=True, text=True, timeout=_TESTS_SECONDS,
                              check=False)
    except subprocess.TimeoutExpired:
        return f"no end within {_TESTS_SECONDS} s"
    return None if done.returncode == 0 else last_line(done.stdout) or last_line(done.stderr)


def run(language, report, proxy=None, only=None):
    """`language`: one of LANGUAGES. `only`: part of a scenario's name, or `sample` or `tests`."""
    if proxy:
        return report.skip(f"clients {language}", "another proxy says nothing of versions")
    folder = LOGS / "clients" / language
    try:
        programs = drivers.LANGUAGES[language]()
    except Unavailable as why:
        return report.lack(f"clients {language}", str(why))
    ground = _Ground(folder)
    if only in (None, "tests"):
        report.add(f"clients {language}: its own tests", _own_tests(programs))
    if only in (None, "sample"):
        for access, named in ((False, "sample"), (True, "sample with a token")):
            report.add(f"clients {language}: the {named}", _sample(ground, programs, folder / named, access))
    scenarios = scenario.load(only)
    for kind, driver_command in programs.drivers:
        for name, steps in scenarios:
            report.add(f"clients {language}{kind}: {name}", _scenario(ground, steps, driver_command, folder / (name + kind)))
