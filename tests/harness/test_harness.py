"""The harness itself: a count that is wrong would hide what every other test finds."""

import os
import pathlib
import socket
import subprocess
import sys
import tempfile
import unittest

from tests.harness import cases
from tests.harness.count import count
from tests.harness.process import ROOT, Process, StartError, free_port
from tests.harness.relay import Links, Relay

_CTEST = """<testsuite>
<testcase name="good_test" status="run"/>
<testcase name="failing_test" status="fail"/>
<testcase name="crashing_test" status="fail"/>
<testcase name="hanging_test" status="fail"/>
<testcase name="style" status="run"/>
<testcase name="broken_script" status="fail"/>
<testcase name="absent" status="disabled"/>
</testsuite>"""
_PASS = '<testcase name="a" status="run" result="completed"/>'
_FAIL = '<testcase name="b" status="run" result="completed"><failure message="x"/></testcase>'
_SKIP = '<testcase name="c" status="run" result="skipped"><skipped message="x"/></testcase>'
_DISABLED = '<testcase name="d" status="notrun" result="suppressed"/>'


class Count(unittest.TestCase):
    def test_every_way_to_end_is_counted(self):
        with tempfile.TemporaryDirectory() as folder:
            results = pathlib.Path(folder)
            (results / "ctest.xml").write_text(_CTEST)
            for name, cases in (("good_test", _PASS + _PASS + _SKIP + _DISABLED), ("failing_test", _PASS + _FAIL)):
                (results / f"{name}.xml").write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
            # A test that hung or was killed while it wrote leaves half a file.
            (results / "hanging_test.xml").write_text("<testsuites><testsu")
            passed = 2 + 1 + 1                # good_test, failing_test's one, style
            failed = 1 + 1 + 1 + 1            # failing, crashing, hanging, broken_script
            self.assertEqual(count(results), [passed, failed, 1 + 1])

    def test_a_crash_after_its_last_case_is_a_failure(self):
        with tempfile.TemporaryDirectory() as folder:
            results = pathlib.Path(folder)
            (results / "ctest.xml").write_text('<testsuite><testcase name="t" status="fail"/></testsuite>')
            (results / "t.xml").write_text(f"<testsuites><testsuite>{_PASS}</testsuite></testsuites>")
            self.assertEqual(count(results), [1, 1, 0])


_CASES = '''
import unittest

class Some(unittest.TestCase):
    def test_good(self):
        pass

    def test_skipped(self):
        self.skipTest("without it")

    def test_half(self):
        with self.subTest("here"):
            pass
        with self.subTest("there"):
            self.skipTest("without it")

class Bad(unittest.TestCase):
    def test_wrong(self):
        with self.subTest("first"):
            self.fail()
        with self.subTest("second"):
            self.fail()

class NotHere(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise unittest.SkipTest("without it")

    def test_never(self):
        pass

@unittest.skip("without it")
class NotAnywhere(unittest.TestCase):
    def test_one(self):
        pass

    def test_two(self):
        pass
'''


class Cases(unittest.TestCase):
    def test_what_was_skipped_did_not_pass(self):
        with tempfile.TemporaryDirectory() as folder:
            results = pathlib.Path(folder)
            (results / "some_cases.py").write_text(_CASES)
            for names, status, counts in ((["Some"], 0, [1, 0, 2]), (["Some.test_skipped"], cases.SKIPPED, [0, 0, 1]),
                                          (["Bad"], 1, [0, 1, 0]), (["NotHere", "NotAnywhere"], cases.SKIPPED, [0, 0, 3]),
                                          (["NotAnywhere", "Bad"], 1, [0, 1, 2]), (["Missing"], 1, [0, 1, 0])):
                with self.subTest(names):
                    ended = {0: "run", 1: "fail", cases.SKIPPED: "notrun"}[status]
                    (results / "ctest.xml").write_text(f'<testsuite><testcase name="t" status="{ended}"/></testsuite>')
                    done = subprocess.run([sys.executable, "-B", "-m", "tests.harness.cases", results / "t.xml",
                                           *(f"some_cases.{name}" for name in names)], cwd=ROOT, capture_output=True, text=True,
                                          env={**os.environ, "PYTHONPATH": folder}, check=False)
                    self.assertEqual(done.returncode, status, done.stderr)
                    self.assertEqual(count(results), counts, done.stderr)
                    self.assertEqual("without it" in done.stderr, counts[2] > 0)


class Processes(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.log = pathlib.Path(folder.name) / "log"

    def test_the_port_that_a_program_chose_is_read_back(self):
        script = "import socket, signal; s = socket.create_server(('127.0.0.1', 0)); print(s.getsockname()[1], flush=True); signal.pause()"
        with Process([sys.executable, "-c", script], self.log) as process:
            port = process.wait_port()
            self.assertEqual(int(process.wait_line(r"(\d+)\n").group(1)), port)
            self.assertGreater(process.memory_bytes(), 0)
        self.assertFalse(process.alive())

    def test_a_program_that_ends_instead_of_listening_is_named_with_its_last_words(self):
        with Process([sys.executable, "-c", "raise SystemExit('no such file: x.yaml')"], self.log) as process:
            with self.assertRaisesRegex(StartError, "no such file: x.yaml"):
                process.wait_port(free_port())


# Says "one", and "more" to whatever it hears.
_SPEAKER = """
import socket, sys
s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
s.sendall(b"one")
try:
    while s.recv(100):
        s.sendall(b"more")
except ConnectionResetError:
    print("reset", flush=True)
"""


class Network(unittest.TestCase):
    """What tests of partitions rest on."""

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        server = self.listener = socket.create_server(("127.0.0.1", 0))
        self.addCleanup(server.close)
        self.links = Links()
        self.links.cut([("speaker", "server")])
        relay = self.relay = Relay(server.getsockname()[1], self.links, "server")
        self.addCleanup(relay.close)
        self.process = None
        self.links.join("speaker", self)
        self.process = Process([sys.executable, "-c", _SPEAKER, relay.port], pathlib.Path(folder.name) / "log")
        self.addCleanup(self.process.stop)
        self.nothing(server.accept, server)
        self.links.heal()
        server.settimeout(10)
        self.server, _ = server.accept()
        self.addCleanup(self.server.close)
        self.assertEqual(self.heard(), b"one")

    def nothing(self, ask, asked):
        """For a while."""
        asked.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            ask()

    def heard(self):
        self.server.settimeout(10)
        return self.server.recv(100)

    def test_one_way_is_cut_and_what_was_held_comes_late(self):
        self.links.cut([("server", "speaker")])
        self.server.sendall(b"two")
        self.nothing(self.heard_soon, self.server)
        self.links.heal()
        self.assertEqual(self.heard(), b"more")
        self.links.cut([("speaker", "server")])
        self.server.sendall(b"three")
        self.nothing(self.heard_soon, self.server)
        self.links.cut([("other", "server")])
        self.links.heal()
        self.assertEqual(self.heard(), b"more")

    def heard_soon(self):
        return self.server.recv(100)

    def test_what_was_held_may_be_lost_with_its_connection(self):
        self.links.cut([("server", "speaker")])
        self.server.sendall(b"two")
        self.nothing(self.heard_soon, self.server)
        self.links.heal(reset=True)
        with self.assertRaises(ConnectionResetError):
            self.heard()
        self.process.wait_line("reset")

    def test_what_vanishes_hears_and_says_nothing_while_new_connections_pass(self):
        self.relay.vanish()
        self.server.sendall(b"two")
        self.nothing(self.heard_soon, self.server)
        caller = socket.create_connection(("127.0.0.1", self.relay.port))
        self.addCleanup(caller.close)
        caller.sendall(b"another")
        self.server, _ = self.listener.accept()
        self.addCleanup(self.server.close)
        self.assertEqual(self.heard(), b"another")


if __name__ == "__main__":
    unittest.main()
