"""Rules for every file in the tree, whatever its language."""

import re

# Folders whose files are input for tests and may hold any bytes.
CORPORA = re.compile(r"(?:^|/)(?:corpus|testdata)/|^tests/style/samples/")
_GENERATED = re.compile(r"\.(?:pb|grpc\.pb)\.(?:h|cc)$|_pb2(?:_grpc)?\.py$|\.pb\.go$|\.(?:o|a|so|pyc|class|jar|exe)$")
_GENERATED_FOLDERS = re.compile(r"(?:^|/)(?:build|node_modules|__pycache__|\.cache)/")
_PLACES = re.compile(r"(?<![\w.])/(?:work|root|home)/\w|//[a-z0-9.-]*(?:npmjs|pypi|crates|golang|maven)[a-z0-9.-]*/")
_VAGUE_FILE = re.compile(r"(?:^|[/_])(?:manager|utils?|helpers?|misc|common)(?:_test)?\.(?:cc|h|py|sh)$")
_IMAGE = re.compile(r"\.(?:png|jpg|svg|ico)$")


def check(path, content):
    """Yields (line, rule, message). `content` is bytes."""
    if CORPORA.search(path):
        return
    if _GENERATED.search(path) or _GENERATED_FOLDERS.search(path):
        yield 1, "generated", "generated files and binaries stay in the build tree; take it out with `git rm --cached`"
        return
    if _VAGUE_FILE.search(path):
        yield 1, "vague-name", "a name that fits any file; name it by what is in it"
    if _IMAGE.search(path):
        return
    if b"\0" in content:
        yield 1, "generated", "a binary file; keep its source and build it, or put it into a corpus folder"
        return
    if path.startswith("tests/style/"):
        return  # the patterns themselves
    for number, line in enumerate(content.decode("utf-8", "replace").splitlines(), 1):
        match = _PLACES.search(line)
        if match:
            yield (number, "machine-path", f"`{match.group(0)}` names one machine or a package registry; write it relative to "
                   "the root, or leave it to the package manager")
