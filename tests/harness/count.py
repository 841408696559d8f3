"""Counts what a ctest run found: `passed failed skipped`, one test case of GoogleTest or unittest each.

usage: python3 -m tests.harness.count RESULTS

RESULTS holds ctest.xml (ctest's own JUnit file) and, for each test that is a GoogleTest executable or made of unittest modules,
NAME.xml. A test without one counts as one case. A test that ctest saw fail although its file tells of no failure (it crashed, hung, or a sanitizer
stopped it) counts as one failure more.
"""

import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def gtest_counts(path):
    """(passed, failed, skipped) of a GoogleTest XML file; all zero when it is absent or was cut short."""
    try:
        tree = ElementTree.parse(path)
    except (FileNotFoundError, ElementTree.ParseError):
        return 0, 0, 0
    passed = failed = skipped = 0
    for case in tree.getroot().iter("testcase"):
        if case.find("failure") is not None:
            failed += 1
        elif case.get("result") == "skipped" or case.find("skipped") is not None:
            skipped += 1
        elif case.get("status") == "run":
            passed += 1
    return passed, failed, skipped


def count(results):
    """(passed, failed, skipped) of a whole run."""
    total = [0, 0, 0]
    for test in ElementTree.parse(results / "ctest.xml").getroot().iter("testcase"):
        failed_as_a_whole = test.get("status") == "fail"
        found = list(gtest_counts(results / (test.get("name") + ".xml")))
        if failed_as_a_whole and found[1] == 0:
            found[1] = 1
        elif not failed_as_a_whole and found == [0, 0, 0]:
            found[0 if test.get("status") == "run" else 2] = 1
        total = [a + b for a, b in zip(total, found)]
    return total


if __name__ == "__main__":
    print(*count(pathlib.Path(sys.argv[1])))
