"""What counts as an answer when proxies are compared: one that refuses everything would be the fastest of all."""

import os
import shutil
import unittest

from tests.bench.load import Load, h2load
from tests.harness import h2

_CALLS = 40
_LOAD = Load("2x2", 2, 2, 64)
_MESSAGE = b"\0\0\0\0\x3b" + b"m" * 59


@unittest.skipUnless(shutil.which("h2load"), "h2load is not installed; as root: apt-get install nghttp2-client")
class Outcomes(unittest.TestCase):
    def failed(self, answer):
        core = min(os.sched_getaffinity(0))
        with h2.Server(answer) as server:
            outcome = h2load(_LOAD, server.port, core, ["-n", str(_CALLS)])
        self.assertEqual(outcome.calls, _CALLS)
        return outcome.failed

    def test_an_answer_is_its_message(self):
        self.assertEqual(self.failed(h2.grpc_answer(0, _MESSAGE)), 0)

    def test_a_refusal_in_trailers_is_none(self):
        self.assertEqual(self.failed(h2.trailers_only(14)), _CALLS)

    def test_half_of_each_message_is_half_of_the_answers(self):
        self.assertEqual(self.failed(h2.grpc_answer(0, _MESSAGE[:32])), _CALLS // 2)

    def test_an_http_error_is_none(self):
        def page(stream):
            head = h2.block([(":status", "502"), ("content-type", "text/html")])
            return h2.frame(h2.HEADERS, h2.END_HEADERS, stream, head) + h2.frame(h2.DATA, h2.END_STREAM, stream, b"<p>" * 100)
        self.assertEqual(self.failed(page), _CALLS)


if __name__ == "__main__":
    unittest.main()
