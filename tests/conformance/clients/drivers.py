"""The drivers of the scenarios, and the samples: one of each for every library, built by its language's own tools."""

import hashlib
import json
import os
import pathlib
import queue
import shutil
import subprocess
import threading

from tests.conformance.suite import last_line
from tests.conformance.toolchains import python_with, require
from tests.harness.process import CACHE, ROOT

_FOLDER = pathlib.Path(__file__).parent
_CLIENTS = ROOT / "clients"
_PYTHON_BUILD = "build==1.4.4"
_PYTHON = ("grpcio==1.85.1", "grpcio-tools==1.76.0")
_NODE = ("@grpc/grpc-js@1.14.7", "@grpc/proto-loader@0.8.1")
_MADE_BY_NPM = ("node_modules", "dist", "generated", "package-lock.json", "*.tgz", "*.binpb")
_BUILD_SECONDS = 600
_ANSWER_SECONDS = 30


class Programs:
    """The command lines of a library's programs. The samples take --registry and --version, or --gateway and --pin."""

    def __init__(self, driver, sample_server, sample_client, tests, second_driver=None):
        """`tests`: the library's own. `second_driver`: (what is different, its command) where a language has two kinds of gRPC."""
        self.drivers = [("", driver), *([second_driver] if second_driver else [])]
        self.sample_server, self.sample_client, self.tests = sample_server, sample_client, tests


def _build(command, folder, what):
    done = subprocess.run([str(part) for part in command], cwd=folder, capture_output=True, text=True, timeout=_BUILD_SECONDS,
                          check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{what}: {last_line(done.stderr + done.stdout) or 'the build failed'}")


def _digest(*folders):
    """Of all files in these folders, but for what npm leaves there and what people read."""
    digest = hashlib.sha256()
    passed_over = shutil.ignore_patterns(*_MADE_BY_NPM, "*.md")
    for folder in folders:
        for path in sorted(path for path in folder.rglob("*") if path.is_file() and not passed_over(folder, path.relative_to(folder).parts)):
            digest.update(f"{path.relative_to(ROOT)} {path.stat().st_size}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def go():
    command = os.environ.get("GO", "go")
    built = CACHE / "clients/go"
    built.mkdir(parents=True, exist_ok=True)
    for module, packages in ((_FOLDER / "go", {"driver": "."}),
                             (_CLIENTS / "go/sample", {"sample_server": "./server", "sample_client": "./client"})):
        _build([command, "generate", "./..."], module, "go generate")
        for name, package in packages.items():
            _build([command, "build", "-race", "-buildvcs=false", "-o", built / name, package], module, "go build")
    return Programs([built / "driver"], [built / "sample_server"], [built / "sample_client"],
                    ["sh", "-c", f"cd clients/go && {command} vet ./... && {command} test -race ./..."])


def python():
    package = _CLIENTS / "python"
    built = CACHE / f"clients/python-{_digest(package, ROOT / 'protos/pinion')}"
    wheel = built / "pinion_grpc-0.1.0-py3-none-any.whl"
    if not wheel.exists():
        shutil.rmtree(built, ignore_errors=True)
        # A copy, since setuptools builds beside the sources.
        shutil.copytree(package, built / "clients/python")
        (built / "protos").symlink_to(ROOT / "protos")
        print("building the wheel", flush=True)
        # Not by the system's own Python: Debian's has no pip unless it is asked for.
        _build([python_with(_PYTHON_BUILD), "-m", "build", "--wheel", "--outdir", built, built / "clients/python"], built, "python -m build")
    interpreter = python_with(str(wheel), *_PYTHON)
    stubs = built / "stubs"
    stubs.mkdir(exist_ok=True)
    for proto in (_FOLDER / "echo.proto", _CLIENTS / "sample/greeter.proto"):
        _build([interpreter, "-m", "grpc_tools.protoc", f"-I{proto.parent}", f"--python_out={stubs}", f"--grpc_python_out={stubs}",
                proto], built, "protoc")
    run = ["env", f"PYTHONPATH={stubs}", interpreter, "-B"]
    return Programs([*run, _FOLDER / "python/driver.py"], [*run, package / "sample/server.py"], [*run, package / "sample/client.py"],
                    [interpreter, "-B", "-m", "unittest", "discover", "-s", package / "tests"],
                    (" with aio", [*run, _FOLDER / "python/driver.py", "--aio"]))


def node():
    require("node", "node", "npm")
    package = _CLIENTS / "node"
    built = CACHE / f"clients/node-{_digest(package, ROOT / 'protos', _CLIENTS / 'sample')}"
    copy, used = built / "clients/node", built / "used"
    quiet = ["--no-audit", "--no-fund"]
    if not (built / ".complete").exists():
        shutil.rmtree(built, ignore_errors=True)
        # A copy, since npm builds beside the sources.
        shutil.copytree(package, copy, ignore=shutil.ignore_patterns(*_MADE_BY_NPM))
        (built / "protos").symlink_to(ROOT / "protos")
        (built / "clients/sample").symlink_to(_CLIENTS / "sample")
        used.mkdir()
        (used / "package.json").write_text("{}\n")
        print("building the npm package", flush=True)
        _build(["npm", "install", *quiet], copy, "npm install")  # builds too
        _build(["npm", "pack", "--ignore-scripts"], copy, "npm pack")
        _build(["npm", "install", *quiet], copy / "sample", "npm install of the sample")
        _build(["npm", "install", *quiet, copy / "pinion-grpc-0.1.0.tgz", *_NODE], used, "npm install of the package")
        (built / ".complete").touch()
    schema = built / "echo.binpb"
    _build(["protoc", f"-I{_FOLDER}", f"--descriptor_set_out={schema}", _FOLDER / "echo.proto"], built, "protoc")
    run = ["env", f"NODE_PATH={used / 'node_modules'}", f"ECHO_SCHEMA={schema}", "node"]
    return Programs([*run, _FOLDER / "node/driver.js"], ["node", copy / "sample/server.js"], ["node", copy / "sample/client.js"],
                    ["npm", "test", "--prefix", copy])


def java():
    require("java", "java", "mvn")
    package, driver = _CLIENTS / "java", _FOLDER / "java"
    built = CACHE / f"clients/java-{_digest(package, driver, ROOT / 'protos', _CLIENTS / 'sample')}"
    maven = ["mvn", "-q", "-B", "-f", built / "pom.xml"]
    if not (built / ".complete").exists():
        shutil.rmtree(built, ignore_errors=True)
        # A copy, since Maven builds beside the sources; together, so that nothing is installed.
        shutil.copytree(package, built / "clients/java")
        shutil.copytree(driver, built / "driver/java")
        (built / "protos").symlink_to(ROOT / "protos")
        (built / "clients/sample").symlink_to(_CLIENTS / "sample")
        (built / "driver/echo.proto").symlink_to(_FOLDER / "echo.proto")
        modules = "".join(f"<module>{module}</module>" for module in ("clients/java", "clients/java/sample", "driver/java"))
        (built / "pom.xml").write_text("<project><modelVersion>4.0.0</modelVersion><groupId>example.pinion</groupId><artifactId>all"
                                       f"</artifactId><version>1</version><packaging>pom</packaging><modules>{modules}</modules></project>")
        print("building the Maven artifact", flush=True)
        _build([*maven, "package", "dependency:build-classpath", "-DskipTests", "-Dmdep.outputFile=target/classpath"], built, "mvn")
        (built / ".complete").touch()

    def run(module, main):
        classpath = (built / module / "target/classpath").read_text().strip()
        return ["java", "-Xmx256m", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC", "-cp",
                f"{built / module}/target/classes:{classpath}", main]
    return Programs(run("driver/java", "pinion.conformance.driver.Driver"),
                    run("clients/java/sample", "example.greeter.GreeterServer"),
                    run("clients/java/sample", "example.greeter.GreeterClient"), [*maven, "test"])


def cpp():
    built = CACHE / "clients/cpp"
    prefix = built / "prefix"
    for source, name, options in ((_CLIENTS / "cpp", "library", [f"-DCMAKE_INSTALL_PREFIX={prefix}"]),
                                  (_CLIENTS / "cpp/sample", "sample", [f"-DCMAKE_PREFIX_PATH={prefix}"]),
                                  (_FOLDER / "cpp", "driver", [f"-DCMAKE_PREFIX_PATH={prefix}"])):
        if not (built / name / "build.ninja").exists():
            _build(["cmake", "-S", source, "-B", built / name, "-G", "Ninja", "-DCMAKE_CXX_FLAGS=-O1",
                    "-DCMAKE_CXX_COMPILER_LAUNCHER=ccache", *options], ROOT, "cmake")
        _build(["ninja", "-C", built / name, *(["install"] if name == "library" else [])], ROOT, f"C++ {name}")
    return Programs([built / "driver/driver"], [built / "sample/greeter_server"], [built / "sample/greeter_client"],
                    ["ctest", "--test-dir", built / "library", "--output-on-failure"])


LANGUAGES = {"go": go, "python": python, "node": node, "java": java, "cpp": cpp}


class Driver:
    """A driver that runs: takes commands, one at a time. A context manager."""

    def __init__(self, argv, log):
        log.parent.mkdir(parents=True, exist_ok=True)
        self._log = log
        with open(log, "wb") as output:
            self._child = subprocess.Popen([str(part) for part in argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=output,
                                           text=True, cwd=ROOT)
        self._lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._child.stdout:
            self._lines.put(line)
        self._lines.put(None)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.stdin.close()
        try:
            self._child.wait(5)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.wait()

    def ask(self, command):
        """The driver's answer; RuntimeError when there is none."""
        try:
            self._child.stdin.write(json.dumps(command) + "\n")
            self._child.stdin.flush()
            line = self._lines.get(timeout=_ANSWER_SECONDS)
        except (OSError, queue.Empty):
            line = None
        if line is None:
            raise RuntimeError(f"the driver did not answer {command['do']}: {last_line(self._log.read_text(errors='replace'))}")
        return json.loads(line)
