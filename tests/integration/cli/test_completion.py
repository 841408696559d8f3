"""Completion as shells do it: bash by its own function and at a terminal; zsh and fish where they are installed."""

import os
import pty
import re
import select
import shutil
import subprocess
import time
import unittest

from tests.harness.gateway import PROGRAM
from tests.integration.cli.served import ANY, PATIENCE, Served

# Calls the function as bash does, with the words of the line and the one that is being typed.
_BASH = r"""source <(pinion completion bash)
compopt() { echo "compopt $*"; }
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
_pinion
printf '%s\n' "${COMPREPLY[@]}"
"""


class Completion(Served):
    @classmethod
    def setUpClass(cls):
        if not shutil.which("bash"):
            raise unittest.SkipTest("bash is not installed")

    def setUp(self):
        super().setUp()
        registry = self.start(PROGRAM, "registry", "--registry", ANY, "--store", self.folder / "registry.db")
        self.registry = registry.wait_line(r"registry address=(\S+)").group(1)
        self.cli("version", "publish", "greeter", "1.0.0")
        self.cli("version", "publish", "greeter", "1.1.0")
        self.cli("version", "publish", "db/people", "1.0.0")
        self.cli("consumer", "add", "billing", "--description", "sends bills")
        self.env = {**os.environ, "PATH": f"{PROGRAM.parent}:{os.environ['PATH']}", "PINION_REGISTRY": self.registry,
                    "XDG_CONFIG_HOME": str(self.folder), "HOME": str(self.folder), "TERM": "dumb"}

    def run_shell(self, *command):
        done = subprocess.run(command, capture_output=True, text=True, env=self.env, cwd=self.folder, timeout=PATIENCE, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout.split("\n")[:-1]

    def bash(self, *words):
        return [line for line in self.run_shell("bash", "--norc", "-c", _BASH, "bash", "pinion", *words) if line]

    def test_bash(self):
        self.assertEqual(self.bash("pi"), ["pin"])
        self.assertEqual(self.bash("pin", "un"), ["unset"])
        self.assertEqual(self.bash("pin", "set", "--d"), ["--drain", "--dry-run", "--detach"])
        self.assertEqual(self.bash("pin", "set", ""), ["billing"])
        self.assertEqual(self.bash("pin", "set", "billing", ""), ["db/people", "greeter"])
        self.assertEqual(self.bash("version", "show", "greeter", "1."), ["1.1.0", "1.0.0"])
        self.assertEqual(self.bash("-o", "js"), ["json"])
        self.assertEqual(self.bash("validate", ""), ["compopt -o default"])
        self.assertEqual(self.bash("audit", "export", ""), ["compopt -o dirnames"])

    def test_bash_splits_words_at_equals_and_colon(self):
        self.assertEqual(self.bash("--output", "=", "js"), ["json"])
        self.assertEqual(self.bash("--output", "="), ["table", "json", "yaml"])
        host, port = self.registry.split(":")
        self.env["PINION_REGISTRY"] = "unix:/nowhere"
        self.assertEqual(self.bash("--registry", host, ":", port, "pin", "set", ""), ["billing"])

    def test_a_registry_that_is_away_is_no_news(self):
        self.env["PINION_REGISTRY"] = "unix:/nowhere"
        self.assertEqual(self.bash("pin", "set", ""), [])

    def typed(self, shell, setup, keys, wanted):
        """Types at a terminal, `keys` once `setup` is done, until the shell shows `wanted`."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(self.folder)
            os.execvpe(shell[0], shell, self.env)
        try:
            shown = ""
            deadline = time.monotonic() + PATIENCE
            # Quoted apart, so that the line itself is not taken for its effect.
            os.write(terminal, f"{setup}; echo set''up-is-done\r".encode())
            todo = [("setup-is-done", keys)]
            while wanted not in re.sub("[ \b]+", " ", shown):  # zsh writes a blank, takes it back, writes it again
                self.assertTrue(select.select([terminal], [], [], max(deadline - time.monotonic(), 0))[0], shown)
                shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b[=>]|\r", "", os.read(terminal, 4096).decode(errors="replace"))
                if todo and todo[0][0] in shown:
                    os.write(terminal, todo.pop()[1].encode())
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            os.close(terminal)

    def test_bash_at_a_terminal(self):
        self.typed(["bash", "--norc", "-i"], "source <(pinion completion bash)", "pinion pi\tro\tbi\tgre\t",
                   "pinion pin rollback billing greeter ")

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_zsh_at_a_terminal(self):
        self.typed(["zsh", "-f", "-i"], "autoload -Uz compinit; compinit -u -d ./dump; source <(pinion completion zsh)",
                   "pinion pi\tro\tbi\tgre\t", "pinion pin rollback billing greeter ")

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_fish(self):
        def fish(line):
            return self.run_shell("fish", "--no-config", "-c", f"pinion completion fish | source; complete -C '{line}'")
        self.assertEqual(fish("pinion pin un"), ["unset\tRemove a pin"])
        self.assertEqual(fish("pinion pin set "), ["billing\tsends bills"])
        self.assertEqual(fish("pinion pin set billing g"), ["greeter"])
        self.assertEqual(fish("pinion --output=js"), ["--output=json"])
        (self.folder / "gateway.yaml").touch()
        self.assertEqual([line.split("\t")[0] for line in fish("pinion validate gat")], ["gateway.yaml"])


if __name__ == "__main__":
    unittest.main()
