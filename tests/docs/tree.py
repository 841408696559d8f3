"""The pages of Markdown in the tree."""

import subprocess

from tests.docs import pages
from tests.harness.process import ROOT


def markdown():
    """Paths from the root, of what is in git or may come to it."""
    listed = subprocess.run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.md"], cwd=ROOT, capture_output=True,
                            text=True, check=True).stdout.split()
    return [path for path in listed if not path.startswith("tests/style/samples/") and (ROOT / path).exists()]


def read(path):
    return pages.read(path, (ROOT / path).read_text())
