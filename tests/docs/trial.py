"""Tries one page, where it is alone: `python3 -m tests.docs.trial PAGE`, which test_commands.py starts in a network of its own. Prints
what is wrong, a line each, and ends with status 1 if anything is."""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import time

from tests.docs import configuration, console, expected, pages, worlds
from tests.docs.session import Session, SessionEnded
from tests.harness.process import ROOT

PATIENCE_SECONDS = 45  # far longer than it takes
_POLL_SECONDS = 0.1
# Machines that pages speak of; all of them are this one.
ADDRESSES = ("10.0.0.1", "10.0.0.2", "10.0.0.3", "10.0.0.7", "10.0.0.8")


class Trial:
    def __init__(self, page, folder):
        self.page = page
        self.folder = pathlib.Path(folder)
        self.work = self.folder / "work"
        self.work.mkdir()
        begin = worlds.prepare(page.world, self.work) if page.world else ""
        self.session = Session(self.work, self.folder / "log", worlds.environment(page.world, self.folder))
        if begin:
            self.session.run(begin, strict=True)

    def fail(self, line, message):
        raise AssertionError(f"{self.page.path}:{line}: {message}")

    def everything(self):
        for part in self.page.parts:
            if isinstance(part, pages.Directive):
                self.strict(part.line, part.text)
            else:
                self.block(part)

    def block(self, block):
        program = block.said("if installed")
        if block.said("not run") or block.said("values of") or (program and not self.installed(program.text)):
            return
        file = block.said("file")
        text = self.filled_in(block)
        if file:
            path = self.work / file.text
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + "\n")
        if block.language == "yaml" and not file:
            wrong = configuration.refusal(text, self.folder / f"yaml.{block.line}", worlds.BUILD / "pinion")
            if wrong:
                self.fail(block.line, wrong)
        elif block.said("runs on"):
            self.runs_on(block, text)
        elif block.language == "sh" and not file:
            self.strict(block.line, text)
        elif block.language == "console":
            for command in console.commands(pages.Block(block.language, text, block.line)):
                self.command(command)

    def installed(self, program):
        found = shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")
        if not found:
            print(f"{self.page.path}: {program} is not installed, so its blocks were left out")
        return found

    def filled_in(self, block):
        text = block.text
        for directive in block.directives:
            if directive.kind == "stands for":
                status, printed = self.session.run(directive.text)
                if status != 0 or not printed.strip():
                    self.fail(directive.line, f"`{directive.what}` stands for nothing: {printed}")
                text = text.replace(directive.what, printed.strip())
        return text

    def strict(self, line, text):
        try:
            status, printed = self.session.run(text, strict=True)
        except SessionEnded as ended:
            self.fail(line, ended)
        if status != 0:
            self.fail(line, f"exit status {status}\n{printed}")

    def runs_on(self, block, text):
        command = console.commands(pages.Block("console", text, block.line))[0]
        output = self.session.start(command.text)
        give_up = time.monotonic() + PATIENCE_SECONDS
        while True:
            printed = output.read_text(errors="replace") if output.exists() else ""
            absent = expected.missing(command.shown, printed)
            if absent is None:
                return
            if time.monotonic() > give_up:
                self.fail(block.line, f"`{command.text}` did not print: {absent}\nit printed:\n{printed}")
            time.sleep(_POLL_SECONDS)

    def command(self, command):
        give_up = time.monotonic() + (PATIENCE_SECONDS if command.looks() else 0)
        while True:
            try:
                status, printed = self.session.run(command.text)
            except SessionEnded as ended:
                self.fail(command.line, ended)
            wrong = self.wrong(command, status, printed)
            if not wrong:
                return
            if time.monotonic() > give_up:
                self.fail(command.line, wrong)
            time.sleep(_POLL_SECONDS)

    @staticmethod
    def wrong(command, status, printed):
        said = "another than 0" if command.status is None else command.status
        if (status == 0) if command.status is None else (status != command.status):
            return f"`{command.text}`: exit status {status}, the page says {said}\nit printed:\n{printed}"
        absent = expected.missing(command.shown, printed)
        return None if absent is None else f"`{command.text}` does not print: {absent}\nit printed:\n{printed}"


def main(path):
    for address in ("127.0.0.1/8", *(f"{each}/32" for each in ADDRESSES)):
        subprocess.run(["ip", "address", "add", address, "dev", "lo"], capture_output=True, check=False)
    subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
    subprocess.run(["mount", "-t", "tmpfs", "none", "/run"], check=True)
    pathlib.Path("/run/pinion").mkdir()
    name = pathlib.Path(path)
    page = pages.read(str(name.relative_to(ROOT) if name.is_absolute() else name), (ROOT / name).read_text())
    with tempfile.TemporaryDirectory(prefix="pinion-page.") as folder:
        try:
            Trial(page, folder).everything()
        except (AssertionError, SessionEnded) as wrong:
            print(wrong)
            return 1
    return 0  # what the page started in the background ends with its process namespace


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
