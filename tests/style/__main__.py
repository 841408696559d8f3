"""Checks every file that git knows or would take; prints `path:line: [rule] what; what to do instead`.

usage: python3 -m tests.style [FILE…]
"""

import pathlib
import subprocess
import sys

from tests.style import arrows, bans, sizes, tree
from tests.style.source import Source

ROOT = pathlib.Path(__file__).resolve().parents[2]
SAMPLES = "tests/style/samples/"


def files_of_tree():
    """Paths relative to the root: tracked, or new and not ignored."""
    listed = subprocess.run(["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
                            cwd=ROOT, check=True, capture_output=True).stdout.decode()
    return sorted(path for path in set(listed.split("\0")) if path and (ROOT / path).is_file())


def has_header(path):
    stem = path.removesuffix(".cc").removesuffix("_test")
    return path.endswith(".cc") and (ROOT / (stem + ".h")).is_file()


def check_file(path, content):
    """All findings in one file: a list of (line, rule, message)."""
    findings = list(tree.check(path, content))
    if path.endswith((".cc", ".h")) and not path.startswith(SAMPLES):
        source = Source(path, content.decode("utf-8", "replace"), has_header(path))
        for rules in (sizes, arrows, bans):
            findings += [found for found in rules.check(source) if not source.allows(found[1], found[0])]
    return sorted(set(findings))


def main(paths):
    failures = files = 0
    for path in paths or files_of_tree():
        files += 1
        for line, rule, message in check_file(path, (ROOT / path).read_bytes()):
            print(f"{path}:{line}: [{rule}] {message}")
            failures += 1
    print(f"style: {files} files, {failures} findings")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
