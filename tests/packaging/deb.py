"""Makes the Debian package, and installs it on a clean Debian 12, where its services serve a call, and removes it again.

usage: python3 -m tests.packaging.deb

Ends with 77, which ctest counts as skipped, where it cannot be done: a root of one's own needs root. CMake and ninja build the
package, mmdebstrap makes the root, lintian looks at the package.
"""

import contextlib
import os
import pathlib
import re
import shutil
import stat
import subprocess
import sys
import tempfile

from tests.harness.cases import SKIPPED
from tests.harness.process import ROOT

_BUILD = ROOT / "build/release"
_TOOLS = ("mmdebstrap", "lintian", "dpkg-deb", "unshare", "ip")
# So that its units can be started by systemd, where systemd-nspawn can run one.
_SYSTEMD = ("systemd", "systemd-sysv", "dbus")
_BOOT_SECONDS = 120
_TRIAL = """[Unit]
After=basic.target

[Service]
Type=oneshot
ExecStart=/bin/sh /trial.sh

[Install]
WantedBy=multi-user.target
"""
# What any installation changes, and dpkg's own memory.
_CHANGES = re.compile(r"^(?:etc/(?:passwd|group|shadow|gshadow|subuid|subgid)-?|etc/ld\.so\.cache"
                      r"|etc/(?:machine-id|resolv\.conf|locale\.conf|hostname)|var/lib/(?:dpkg|systemd|dbus|private)(?:/.*)?|var/(?:cache|log)/.*|run/.*|pinion\.deb|proc/.*|dev/.*|tmp/.*)$")


class Failed(Exception):
    """What was expected and did not come about."""


def run(*command, **more):
    """What the command prints. Raises Failed with the end of what it said."""
    done = subprocess.run([str(part) for part in command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **more)
    if done.returncode != 0:
        raise Failed(f"{' '.join(map(str, command))}: ended with {done.returncode}\n{done.stdout[-3000:]}")
    return done.stdout


def expect(holds, what):
    if not holds:
        raise Failed(what)


def step(text):
    print(f"deb: {text}", flush=True)


def build():
    """The path of the package."""
    run("cmake", "--build", _BUILD, "--target", "deb")
    (package,) = (_BUILD / "packages").glob("pinion_*.deb")
    return package


def check_local_prefix():
    """What an installation from source puts where shells look for it."""
    with tempfile.TemporaryDirectory(prefix="pinion-local.") as folder:
        run("cmake", "--install", _BUILD, "--prefix", "/usr/local", "--component", "program", env={**os.environ, "DESTDIR": folder})
        for path in ("bin/pinion", "share/zsh/site-functions/_pinion", "share/bash-completion/completions/pinion"):
            expect((pathlib.Path(folder) / "usr/local" / path).is_file(), f"there is no /usr/local/{path}")


def dependencies(package):
    """Names only: whether their versions are good is dpkg's to say."""
    return [entry.split()[0] for entry in run("dpkg-deb", "--field", package, "Depends").split(",")]


@contextlib.contextmanager
def clean_root(packages):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="pinion-deb."))
    try:
        root = folder / "root"
        run("mmdebstrap", "--mode=root", "--variant=minbase", "--dpkgopt=force-unsafe-io", f"--include={','.join(packages)}", "bookworm", root)
        yield root
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def inside(root, *command):
    return run("chroot", root, *command, env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "DEBIAN_FRONTEND": "noninteractive", "LC_ALL": "C.UTF-8"})


def files_of(root):
    """Everything below the root that an installation may only change on purpose."""
    paths = (path.relative_to(root).as_posix() for path in root.rglob("*"))
    return {path for path in paths if not _CHANGES.match(path)}


def check_installed(root):
    expect(re.match(r"pinion \d", inside(root, "pinion", "--version")), "pinion --version says nothing")
    for name in ("gateway", "registry"):
        run("chroot", "--userspec=pinion:pinion", root, "/usr/bin/pinion", "validate", f"/etc/pinion/{name}.yaml")
        state = (root / f"var/lib/pinion/{name}").stat()
        expect(stat.S_IMODE(state.st_mode) == 0o750 and state.st_uid != 0, f"/var/lib/pinion/{name} is not its user's alone")
    for path in ("usr/share/man/man1/pinion.1.gz", "usr/share/man/man1/pinion-pin.1.gz", "usr/share/bash-completion/completions/pinion",
                 "usr/share/zsh/vendor-completions/_pinion", "usr/share/fish/vendor_completions.d/pinion.fish",
                 "usr/share/doc/pinion/copyright"):
        expect((root / path).is_file(), f"there is no /{path}")


def boot(root):
    """Has systemd run the units; says so where it cannot be run at all."""
    if not shutil.which("systemd-nspawn"):
        step("NOT tried under systemd: systemd-nspawn is not installed; as root: apt-get install systemd-container")
        return
    step("starting, reloading and stopping the units under systemd")
    shutil.copy(ROOT / "tests/packaging/units_trial.sh", root / "trial.sh")
    (root / "etc/systemd/system/trial.service").write_text(_TRIAL)
    inside(root, "systemctl", "enable", "trial.service")
    # Not known to a systemd of this machine, if it has one at all.
    done = subprocess.run(["systemd-nspawn", "--keep-unit", "--register=no", "--private-network", "--quiet", "--directory", root, "--boot"],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          check=False, timeout=_BOOT_SECONDS)
    log = root / "trial.log"
    if not log.exists():
        step(f"NOT tried under systemd, which did not start: {done.stdout.strip()[-300:]}")
    else:
        said = log.read_text()
        expect(re.search(r"^well$", said, re.MULTILINE), f"the units, under systemd:\n{said[-4000:]}")
    inside(root, "systemctl", "disable", "trial.service")
    for path in (log, root / "trial.sh", root / "etc/systemd/system/trial.service"):
        path.unlink(missing_ok=True)


def check(package):
    step("lintian")
    run("lintian", "--fail-on", "error,warning", "--tag-display-limit", "0", package)
    needed = dependencies(package)
    step(f"a clean root with {len(needed)} packages that it depends on")
    with clean_root([*needed, *_SYSTEMD]) as root:
        before = files_of(root)
        shutil.copy(package, root / "pinion.deb")
        step("installing")
        inside(root, "dpkg", "--install", "/pinion.deb")
        check_installed(root)
        step("serving")
        print(run("unshare", "--net", "env", f"PINION_TEST_ROOT={root}", sys.executable, "-B", "-m", "unittest", "-q",
                  "tests.packaging.installed", cwd=ROOT).strip())
        step("installing over itself")
        inside(root, "dpkg", "--install", "/pinion.deb")
        boot(root)
        step("removing")
        inside(root, "dpkg", "--remove", "pinion")
        expect(not (root / "usr/bin/pinion").exists(), "the program is still there")
        for path in ("etc/pinion/gateway.yaml", "var/lib/pinion/registry/registry.db"):
            expect((root / path).exists(), f"removing took /{path} away")
        step("purging")
        inside(root, "dpkg", "--purge", "pinion")
        left = sorted(files_of(root) ^ before)
        expect(not left, f"these were not there before, or are gone: {', '.join(left[:20])}")


def main():
    if os.geteuid() != 0:
        print("SKIP: a clean root to install into needs root")
        return SKIPPED
    missing = [tool for tool in _TOOLS if not shutil.which(tool)]
    if missing:
        print(f"SKIP: {', '.join(missing)}: not installed; as root: apt-get install mmdebstrap lintian iproute2")
        return SKIPPED
    try:
        package = build()
        check_local_prefix()
        check(package)
    except Failed as failure:
        print(f"FAILED: {failure}")
        return 1
    step("all went well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
