"""One bash for one page: variables, functions and jobs of one block are there in the next."""

import pathlib
import selectors
import subprocess

# Around what is run strictly: the first command that fails ends the shell, and is named.
_STRICT = "set -eE; trap 'echo \"failed: $BASH_COMMAND\" >&2' ERR;"
_LENIENT = "trap - ERR; set +eE;"
_LAST_LINES = 15


class SessionEnded(Exception):
    """The shell is gone, or said nothing in time. The message has what was printed last."""


class Session:
    def __init__(self, folder, log, environment):
        """Commands run in `folder`; what they print goes to files in `log`."""
        self._log = pathlib.Path(log)
        self._log.mkdir(parents=True, exist_ok=True)
        self._count = 0
        self._shell = subprocess.Popen(["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.STDOUT, cwd=folder, env=environment, text=True)

    def run(self, text, seconds=120, strict=False):
        """(exit status, what it printed). `strict`: the first command that fails ends it, and the session."""
        script, output = self._files()
        script.write_text(text + "\n")
        begin, end = (_STRICT, _LENIENT) if strict else ("", "")
        # The output is a file, so that what runs on in the background has where to write and holds nobody up.
        self._say(f"{{ {begin} . {script}; }} >{output} 2>&1 </dev/null; __status=$?; {end} echo \"done $__status\"")
        return self._answer(output, seconds), output.read_text(errors="replace")

    def start(self, text):
        """Runs on in the background. Returns the file to which it prints."""
        script, output = self._files()
        script.write_text(f"exec {text}\n")
        self._say(f"( . {script} ) >{output} 2>&1 </dev/null & echo \"done $?\"")
        self._answer(output, 10)
        return output

    def _files(self):
        self._count += 1
        return self._log / f"{self._count}.sh", self._log / f"{self._count}.out"

    def _say(self, line):
        self._shell.stdin.write(line + "\n")
        self._shell.stdin.flush()

    def _answer(self, output, seconds):
        with selectors.DefaultSelector() as selector:
            selector.register(self._shell.stdout, selectors.EVENT_READ)
            if not selector.select(seconds):
                raise SessionEnded(f"it did not end within {seconds} s\n{self._last(output)}")
        line = self._shell.stdout.readline()
        if not line.startswith("done "):
            raise SessionEnded(self._last(output) or "the shell ended")
        return int(line.split()[1])

    @staticmethod
    def _last(output):
        text = output.read_text(errors="replace") if output.exists() else ""
        return "\n".join(text.splitlines()[-_LAST_LINES:])

    def end(self):
        self._shell.stdin.close()
        self._shell.kill()
        self._shell.wait()
        self._shell.stdout.close()
