"""Packages of other languages for the suites, each fetched once into .cache/ by its language's own client."""

import hashlib
import os
import pathlib
import shutil
import subprocess

from tests.conformance.suite import last_line
from tests.harness.process import CACHE, ROOT

_FETCH_SECONDS = 600
_PACKAGES = ROOT / "tools/packages"


class Unavailable(Exception):
    """A toolchain or package cannot be had here; the message says which, why, and what to do. See Report.lack()."""


def require(package_set, *commands):
    """Unavailable unless these commands are there; `package_set` of tools/packages has them."""
    for command in commands:
        if not shutil.which(command):
            packages = " ".join(line.split(" ", 1)[1] for line in _PACKAGES.read_text().splitlines()
                                if line.startswith(f"{package_set} "))
            raise Unavailable(f"`{command}` is not installed; as root: apt-get install --no-install-recommends {packages}")


def _run(command, what, **options):
    try:
        done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=_FETCH_SECONDS,
                              check=False, **options)
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{what}: no end within {_FETCH_SECONDS} s") from None
    if done.returncode != 0:
        raise Unavailable(f"{what}: {last_line(done.stderr) or last_line(done.stdout)}")


def _fetched(kind, key, fetch):
    """The folder for `key`, filled by `fetch(folder)` when it does not exist yet; a fetch that fails leaves none."""
    folder = CACHE / f"{kind}-{hashlib.sha256(key.encode()).hexdigest()[:12]}"
    if not (folder / ".complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        print(f"fetching for {kind}: {' '.join(key.split())[:80]}", flush=True)
        fetch(folder)
        (folder / ".complete").touch()
    return folder


def python_with(*packages):
    """A Python that has these packages, each `name==version`."""
    def fetch(folder):
        _run(["python3", "-m", "venv", folder], "python3 -m venv")
        _run([folder / "bin/pip", "install", "-q", "--disable-pip-version-check", *packages], "pip install")
    return _fetched("python", " ".join(packages), fetch) / "bin/python"


def node_path(*packages):
    """For NODE_PATH: a folder with these packages, each `name@version`."""
    require("node", "node", "npm")

    def fetch(folder):
        (folder / "package.json").write_text("{}\n")
        _run(["npm", "install", "--no-audit", "--no-fund", *packages], "npm install", cwd=folder)
    return _fetched("node", " ".join(packages), fetch) / "node_modules"


def java_classpath(pom):
    """The class path of what `pom` depends on."""
    require("java", "java", "mvn")

    def fetch(folder):
        _run(["mvn", "-q", "-B", "-f", pom, "dependency:build-classpath", f"-Dmdep.outputFile={folder / 'classpath'}"], "mvn",
             env={**os.environ, "MAVEN_OPTS": "-Xmx256m"})
    return (_fetched("java", pathlib.Path(pom).read_text(), fetch) / "classpath").read_text().strip()
