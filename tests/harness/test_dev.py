"""What ./dev does with the working tree and the machine that it finds."""

import os
import pathlib
import shutil
import subprocess
import tempfile
import unittest

from tests.harness.process import ROOT


class Dev(unittest.TestCase):
    """In a repository of its own, with a clang-format that only says what it was given."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name) / "tree"
        self.bin = pathlib.Path(folder.name) / "bin"
        self.bin.mkdir()
        self.program("clang-format", 'printf "%s\\n" "$@" >>formatted')
        self.program("dpkg-query", "echo installed")
        shutil.copytree(ROOT / "tools", self.tree / "tools")
        shutil.copy(ROOT / "dev", self.tree)
        for name in ("same.cc", "changed.cc"):
            (self.tree / name).write_text("int a;\n")
        self.git("init", "--quiet", "--initial-branch=main")
        self.git("add", ".")
        self.git("-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "--message=all")

    def program(self, name, script):
        path = self.bin / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def git(self, *args):
        subprocess.run(["git", *args], cwd=self.tree, check=True, timeout=30)

    def dev(self, *args, path=os.environ["PATH"]):
        return subprocess.run(["./dev", *args], cwd=self.tree, env={**os.environ, "PATH": f"{self.bin}:{path}"}, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60, check=False)

    def formatted(self):
        """The files, and that nothing else was formatted."""
        path = self.tree / "formatted"
        return sorted(set(path.read_text().split()) - {"-i"}) if path.exists() else []

    def test_fmt_takes_what_differs_from_main_and_what_is_new(self):
        (self.tree / "changed.cc").write_text("int  a;\n")
        (self.tree / "new.h").write_text("int  b;\n")
        (self.tree / "new.py").write_text("b\n")
        self.assertEqual(self.dev("fmt").returncode, 0)
        self.assertEqual(self.formatted(), ["changed.cc", "new.h"])

    def test_fmt_says_when_there_is_nothing_to_differ_from(self):
        self.git("branch", "--quiet", "--move", "work")
        (self.tree / "changed.cc").write_text("int  a;\n")
        done = self.dev("fmt")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("no branch main", done.stdout)
        self.git("update-ref", "refs/remotes/origin/main", "work")
        self.assertEqual(self.dev("fmt").returncode, 0)
        self.assertEqual(self.formatted(), ["changed.cc"])

    def test_elsewhere_than_on_debian_it_goes_on(self):
        (self.bin / "dpkg-query").unlink()
        for command in ("bash", "dirname", "env", "git", "grep", "mkdir", "paste", "sed", "sort", "tr", "wc", "xargs"):
            (self.bin / command).symlink_to(shutil.which(command))
        done = self.dev("fmt", "--all", path="/nowhere")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(done.stdout.count("this is not Debian"), 1)
        self.assertEqual(self.formatted(), ["changed.cc", "same.cc"])


if __name__ == "__main__":
    unittest.main()
