"""Scenarios: YAML files of steps, each a command to the registry or to a library's driver, and what must be seen. See README.md."""

import hashlib
import json
import pathlib
import shlex
import string
import subprocess
import time

from tests.conformance.toolchains import python_with

FOLDER = pathlib.Path(__file__).with_name("scenarios")
_YAML = "PyYAML==6.0.3"
_TO_JSON = "import json, sys, yaml; json.dump({p: yaml.safe_load(open(p)) for p in sys.argv[1:]}, sys.stdout)"
_EVENTUALLY_SECONDS = 10
_MISSED_SECONDS = 20
_POLL_SECONDS = 0.05


def load(only):
    """[(name, steps)] of all scenarios, or of those with `only` in their name."""
    paths = sorted(path for path in FOLDER.glob("*.yaml") if not only or only in path.stem)
    if not paths:
        return []
    done = subprocess.run([python_with(_YAML), "-c", _TO_JSON, *paths], capture_output=True, text=True, check=True)
    return [(pathlib.Path(path).stem, steps) for path, steps in json.loads(done.stdout).items()]


def difference(wanted, seen, where="it"):
    """Why `seen` is not what is `wanted`, else None: of a mapping only the keys that are wanted count, `*` is anything but nothing,
    and null is what is absent or empty."""
    if wanted == "*":
        return None if seen else f"{where} is empty"
    if wanted is None:
        return f"{where} is {seen!r}, not nothing" if seen else None
    if isinstance(wanted, dict):
        if not isinstance(seen, dict):
            return f"{where} is {seen!r}, not a mapping"
        return next(filter(None, (difference(value, seen.get(key), f"{where}.{key}") for key, value in wanted.items())), None)
    if isinstance(wanted, list) and isinstance(seen, list) and len(wanted) == len(seen):
        return next(filter(None, (difference(*pair, f"{where}[{i}]") for i, pair in enumerate(zip(wanted, seen)))), None)
    return None if wanted == seen else f"{where} is {seen!r}, not {wanted!r}"


class Run:
    """One scenario with one library."""

    def __init__(self, served, driver, values, relay=None):
        """`values`: what ${NAME} in the steps stands for. `relay`: before the registry."""
        self._served, self._driver, self._values, self._relay = served, driver, dict(values), relay

    def steps(self, steps):
        """Why the scenario failed, else None."""
        for number, step in enumerate(steps, 1):
            error = self._eventually(step) if step.get("eventually") else self._once(step)
            if error:
                return f"step {number}: {error}"
        return None

    def _eventually(self, step):
        deadline = time.monotonic() + _EVENTUALLY_SECONDS
        while (error := self._once(step)) and time.monotonic() < deadline:
            time.sleep(_POLL_SECONDS)
        return error

    def _once(self, step):
        step = self._filled(step)
        if "write" in step:
            pathlib.Path(step["write"]["to"]).write_text(step["write"]["text"])
            return None
        if "vanish" in step:
            return self._vanish()
        try:
            seen = self._pinion(step["pinion"]) if "pinion" in step else self._command(step)
        except RuntimeError as why:
            return str(why)
        if isinstance(seen, dict) and "failure" in seen:
            return seen["failure"]
        if "keep" in step:
            self._values |= {name: seen[key] for name, key in step["keep"].items()}
        return difference(step["sees"], seen) if "sees" in step else None

    def _vanish(self):
        before = self._relay.bytes()
        self._relay.vanish()
        deadline = time.monotonic() + _MISSED_SECONDS
        while self._relay.bytes() == before:
            if time.monotonic() > deadline:
                return f"nobody connected again within {_MISSED_SECONDS} s"
            time.sleep(_POLL_SECONDS)
        return None

    def _pinion(self, line):
        """What a command of pinion says; as JSON if it was asked to."""
        said = self._served.cli(*shlex.split(line))
        return json.loads(said) if "--json" in line.split() else said

    def _command(self, step):
        verb = next(verb for verb in ("dial", "call", "told", "serve", "again", "health", "end") if verb in step)
        return self._driver.ask({"do": verb, **step[verb]})

    def _filled(self, step):
        if isinstance(step, dict):
            return {self._filled(key): self._filled(value) for key, value in step.items()}
        if isinstance(step, list):
            return [self._filled(value) for value in step]
        return string.Template(step).substitute(self._values) if isinstance(step, str) else step


def sha256(text):
    return hashlib.sha256(text.encode()).hexdigest()
