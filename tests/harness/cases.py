"""Runs unittest modules as `python3 -m unittest -q` does, and says how each case ended: in XML as GoogleTest writes it, for count.py, and
with the exit status SKIPPED when none was run.

usage: python3 -m tests.harness.cases XML MODULE…
"""

import enum
import pathlib
import sys
import unittest
import xml.etree.ElementTree as ElementTree

# What tests/CMakeLists.txt has ctest take for a test that was skipped.
SKIPPED = 77


class Outcome(enum.IntEnum):
    """The worst of a case's parts is the case's."""

    PASSED = 0
    SKIPPED = 1
    FAILED = 2


class _Result(unittest.TextTestResult):
    def __init__(self, *args):
        super().__init__(*args)
        self.outcomes = {}

    def _note(self, test, outcome):
        case = getattr(test, "test_case", test).id()  # a subtest is a part of its case
        self.outcomes[case] = max(self.outcomes.get(case, outcome), outcome)

    def addSuccess(self, test):
        super().addSuccess(test)
        self._note(test, Outcome.PASSED)

    def addSkip(self, test, reason):
        super().addSkip(test, reason)
        self._note(test, Outcome.SKIPPED)
        print(f"skipped {test.id()}: {reason}", file=sys.stderr)

    def addFailure(self, test, err):
        super().addFailure(test, err)
        self._note(test, Outcome.FAILED)

    def addError(self, test, err):
        super().addError(test, err)
        self._note(test, Outcome.FAILED)

    def addSubTest(self, test, subtest, err):
        super().addSubTest(test, subtest, err)
        if err is not None:
            self._note(test, Outcome.FAILED)


def _xml(outcomes):
    suites = ElementTree.Element("testsuites")
    suite = ElementTree.SubElement(suites, "testsuite")
    for name, outcome in outcomes.items():
        case = ElementTree.SubElement(suite, "testcase", name=name, status="run")
        if outcome is not Outcome.PASSED:
            ElementTree.SubElement(case, "failure" if outcome is Outcome.FAILED else "skipped")
    return ElementTree.ElementTree(suites)


def main(xml, *modules):
    warnings = None if sys.warnoptions else "default"
    suite = unittest.defaultTestLoader.loadTestsFromNames(modules)
    result = unittest.TextTestRunner(verbosity=0, warnings=warnings, resultclass=_Result).run(suite)
    path = pathlib.Path(xml)
    path.parent.mkdir(parents=True, exist_ok=True)
    _xml(result.outcomes).write(path)
    if not result.wasSuccessful() or not result.outcomes:
        return 1
    return 0 if Outcome.PASSED in result.outcomes.values() else SKIPPED


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
