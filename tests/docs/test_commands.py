"""Every page of the documentation, tried out. `python3 -m tests.docs.test_commands PAGE…` tries only these, and says how long each took."""

import concurrent.futures
import subprocess
import sys
import time
import unittest

from tests.docs import alone, pages, worlds
from tests.docs.tree import markdown, read
from tests.harness.process import ROOT

_SECONDS = 300  # for one page; most take two or three
_AT_ONCE = 4
_BESIDE = ("README.md", "CONTRIBUTING.md", "examples/addressbook/README.md")


def sources():
    """Every page for users, and the way into the project, by its path from the root."""
    return [path for path in markdown() if path.startswith(("docs/", "clients/")) or path in _BESIDE]


def tried(page):
    return any(not block.said("not run") and block.language in pages.RUN + pages.READ for block in page.blocks())


def trial(path):
    """What is wrong with a page; empty: nothing. Then what was left out of it, and how long it took, in seconds."""
    page, left_out = read(path), ""
    wrong = list(page.mistakes)
    if page.world and page.world not in worlds.WORLDS:
        wrong.append(f"{path}: no world '{page.world}'; there are: {', '.join(worlds.WORLDS)}")
    elif not page.world and any(not block.said("not run") and block.language in pages.RUN for block in page.blocks()):
        wrong.append(f"{path}: it has commands, so it says where they run: <!-- world: {'|'.join(worlds.WORLDS)} -->")
    started = time.monotonic()
    if not wrong and tried(page):
        try:
            done = alone.run([sys.executable, "-B", "-m", "tests.docs.trial", path], _SECONDS, cwd=ROOT)
            if done.returncode != 0:
                wrong.append(done.stdout.strip() or f"{path}: ended with {done.returncode}")
            else:
                left_out = done.stdout
        except subprocess.TimeoutExpired as late:
            wrong.append(f"{path}: not through within {_SECONDS} s\n{late.stdout or ''}")
    return wrong, left_out, time.monotonic() - started


def trials(paths):
    """(path, what is wrong, what was left out, seconds) of each, as they end."""
    with concurrent.futures.ThreadPoolExecutor(_AT_ONCE) as pool:
        running = {pool.submit(trial, path): path for path in paths}
        for done in concurrent.futures.as_completed(running):
            yield running[done], *done.result()


class Commands(unittest.TestCase):
    def test_every_page(self):
        if not alone.possible():
            self.skipTest("pages are tried in network namespaces, which this machine does not allow")
        for path, wrong, left_out, _ in trials(sources()):
            print(left_out, end="")
            with self.subTest(path):
                self.assertFalse(wrong, "\n" + "\n".join(wrong))


if __name__ == "__main__":
    failed = False
    for page_path, found, without, seconds in trials(sys.argv[1:] or sources()):
        failed = failed or bool(found)
        print(f"{seconds:5.1f} s  {page_path}", *(f"  {line}" for line in "\n".join([*found, without]).splitlines()), sep="\n", flush=True)
    sys.exit(failed)
