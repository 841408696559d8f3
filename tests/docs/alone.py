"""Runs a program where its network and its processes are its own: ports are as free as on a new machine, and what it starts ends with
it. Needs Linux namespaces, as root or where ordinary users may make them."""

import functools
import subprocess

_NAMESPACES = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child"]
_AS_ROOT = ["--user", "--map-root-user"]


@functools.cache
def _prefix():
    """The command line before the program; None where this machine allows no such thing."""
    for prefix in (_NAMESPACES, _NAMESPACES + _AS_ROOT):
        try:
            done = subprocess.run([*prefix, "ip", "link", "set", "lo", "up"], capture_output=True, timeout=10, check=False)
        except OSError:
            return None
        if done.returncode == 0:
            return prefix
    return None


def possible():
    return _prefix() is not None


def run(argv, seconds, **options):
    """As subprocess.run, with the output as text. REQUIRES: possible()."""
    return subprocess.run([*_prefix(), *argv], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                          timeout=seconds, check=False, **options)
