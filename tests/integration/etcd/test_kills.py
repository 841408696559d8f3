"""What the verdict on a history of kills and partitions rests on: a judge that finds nothing must have looked."""

import json
import pathlib
import tempfile
import unittest
from unittest import mock

from tests.harness.cases import SKIPPED
from tests.integration.etcd import kills

_GOOD = {"lost": 0, "acknowledged": 7, "operations": 20, "services": 2, "not_linearizable": [], "not_decided": []}


def event(op, start, value="", read=""):
    return {"caller": 0, "service": "s", "op": op, "object": "c0", "value": value, "start": start, "end": start + 1, "result": "ok",
            "read": read}


class Judge(unittest.TestCase):
    def judged(self, *events):
        with tempfile.TemporaryDirectory() as folder:
            history = pathlib.Path(folder) / "history.json"
            history.write_text("\n".join(map(json.dumps, events)))
            return kills.judge(history)

    def test_a_read_of_what_was_replaced_is_found(self):
        pins = [event("set_pin", 1, value="2.0.0"), event("set_pin", 3, value="3.0.0")]
        good = self.judged(*pins, event("get_pin", 5, read="3.0.0"))
        if good["operations"] is None:
            self.skipTest("there is no Go to build Porcupine with")
        self.assertEqual((good["operations"], good["not_linearizable"]), (3, []))
        self.assertEqual(self.judged(*pins, event("get_pin", 5, read="2.0.0"))["not_linearizable"], ["s"])

    def test_without_go_nothing_is_judged(self):
        for error in (FileNotFoundError("go"), RuntimeError("linear: go build failed")):
            with mock.patch.object(kills, "go_program", side_effect=error):
                self.assertIsNone(self.judged()["operations"])

    def test_a_judge_that_fails_is_no_verdict(self):
        with mock.patch.object(kills, "go_program", return_value="false"), self.assertRaises(RuntimeError):
            self.judged()

    def test_the_verdict(self):
        for change, status in (({}, 0), ({"lost": 1}, 1), ({"not_linearizable": ["s"]}, 1), ({"acknowledged": 0}, 1),
                               ({"operations": None}, SKIPPED), ({"operations": None, "lost": 1}, 1)):
            with self.subTest(change):
                self.assertEqual(kills.verdict({**_GOOD, **change}), status)


if __name__ == "__main__":
    unittest.main()
