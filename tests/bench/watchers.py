"""What one change costs a registry that many gateways follow, and how soon the last of them knows."""

import resource
import subprocess

from tests.harness.process import CACHE, ROOT, Process

_FILL_SECONDS = 900
_RUN_SECONDS = 900


def measure(watchers, changes, pins, cores):
    """The figures, as text. `cores`: of the registry, and of the watchers."""
    programs = ROOT / "build/release/tests/bench"
    # Both sides hold a connection for each watcher.
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(most, 4 * watchers + 1024), most))
    folder = CACHE / "bench/watchers"
    with Process([programs / "registry_with_pins", pins, 1, 2], folder / "registry.log", cores[0]) as registry:
        port = registry.wait_line(r"serving on port (\d+)", _FILL_SECONDS).group(1)
        done = subprocess.run(["taskset", "-c", cores[1], programs / "watchers", port, str(registry.pid), str(watchers), str(changes)],
                              capture_output=True, text=True, timeout=_RUN_SECONDS, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"watchers: {done.stderr.strip()}")
    return done.stdout
