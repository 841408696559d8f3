"""What can be said about the chart's files without helm."""

import re
import unittest

import yaml

from tests.charts import cases, document
from tests.harness.process import ROOT

_USED = re.compile(r"\.Values\.([A-Za-z.]+)")


def described(schema, node, path):
    """(path, node) of every property, also of those inside definitions that it refers to."""
    node = document.resolved(schema, node)
    for name, child in node.get("properties", {}).items():
        yield f"{path}.{name}", document.resolved(schema, child)
        yield from described(schema, child, f"{path}.{name}")


class FilesTest(unittest.TestCase):
    def setUp(self):
        self.schema = document.read_schema()

    def test_every_value_is_described(self):
        for path, node in described(self.schema, self.schema, ""):
            inner = ".topologySpread." in path or ".peers." in path
            self.assertTrue(inner or "description" in node, f"{path} has no description")

    def test_no_object_takes_unknown_fields_where_its_fields_are_known(self):
        for path, node in described(self.schema, self.schema, ""):
            if "properties" in node:
                self.assertIs(node.get("additionalProperties"), False, path)

    def test_values_and_readme_are_as_the_schema_says(self):
        again = "write it anew: python3 -m tests.charts.document"
        self.assertEqual((document.CHART / "values.yaml").read_text(), document.values_yaml(self.schema), again)
        readme = (document.CHART / "README.md").read_text()
        self.assertEqual(readme, document.readme(self.schema, readme), again)

    def test_templates_use_only_values_that_exist(self):
        values = yaml.safe_load((document.CHART / "values.yaml").read_text())
        for template in sorted((document.CHART / "templates").rglob("*.*")):
            for path in _USED.findall(template.read_text()):
                node = values
                for part in path.rstrip(".").split("."):
                    self.assertIn(part, node, f"{template.name}: .Values.{path}")
                    node = node[part]

    def test_every_value_has_a_change_to_try(self):
        changes = [path for group in cases.CHANGES.values() for path in group]
        self.assertEqual(sorted(changes), sorted(".".join(path) for path, _ in document.leaves(self.schema)))

    def test_the_version_is_the_programs(self):
        chart = yaml.safe_load((document.CHART / "Chart.yaml").read_text())
        version = re.search(r"project\(pinion VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text())[1]
        self.assertEqual([chart["version"], chart["appVersion"]], [version, version])


if __name__ == "__main__":
    unittest.main()
