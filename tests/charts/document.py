"""Writes what is said twice about the chart's values from the one place where they are described, values.schema.json.

usage: python3 -m tests.charts.document

values.yaml is written whole, README.md between its marks. A test holds both against the schema.
"""

import json
import re
import sys

import yaml

from tests.harness.process import ROOT

CHART = ROOT / "charts/pinion"
_HEAD = """# The chart's values. Written from values.schema.json by `python3 -m tests.charts.document`; README.md has them as a table.
"""
_MARKS = re.compile(r"(<!-- table of (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def read_schema():
    return json.loads((CHART / "values.schema.json").read_text())


def resolved(schema, node):
    """The node with what its $ref points to; its own words come first."""
    if "$ref" not in node:
        return node
    target = schema["definitions"][node["$ref"].removeprefix("#/definitions/")]
    return {**resolved(schema, target), **{key: value for key, value in node.items() if key != "$ref"}}


def leaves(schema, node=None, path=()):
    """(path, node) of each value that has a default of its own, in the schema's order."""
    node = schema if node is None else node
    for name, child in node["properties"].items():
        child = resolved(schema, child)
        if "default" in child:
            yield (*path, name), child
        elif "properties" in child:
            yield from leaves(schema, child, (*path, name))


def _dump(value):
    return yaml.safe_dump(value, sort_keys=False, width=1000, default_flow_style=False).rstrip()


def values_yaml(schema):
    """values.yaml as text."""
    lines = [_HEAD]

    def write(node, depth):
        for name, child in node["properties"].items():
            child = resolved(schema, child)
            margin = "  " * depth
            if "default" not in child and "properties" not in child:
                continue
            if depth == 0 and lines[-1]:
                lines.append("")
            lines.append(f"{margin}# {child['description']}")
            if "default" in child:
                lines.extend(margin + line for line in _dump({name: child["default"]}).splitlines())
            else:
                lines.append(f"{margin}{name}:")
                write(child, depth + 1)

    write(schema, 0)
    return "\n".join(lines).replace("\n\n\n", "\n\n") + "\n"


def _cell(text):
    return text.replace("|", "\\|")


def _kind(node):
    if "enum" in node:
        return ", ".join(f"`{json.dumps(value)}`" for value in node["enum"])
    kinds = node.get("type", "any")
    return kinds if isinstance(kinds, str) else " or ".join(kinds)


def values_table(schema):
    rows = ["| value | kind | default | what it is |", "|---|---|---|---|"]
    for path, node in leaves(schema):
        rows.append(f"| `{'.'.join(path)}` | {_kind(node)} | `{json.dumps(node['default'], ensure_ascii=False)}` | {_cell(node['description'])} |")
    return rows


def listeners_table(schema):
    rows = ["| field | kind | what it is |", "|---|---|---|"]

    def write(node, path):
        for name, child in node["properties"].items():
            child = resolved(schema, child)
            if "description" in child:
                rows.append(f"| `{'.'.join((*path, name))}` | {_kind(child)} | {_cell(child['description'])} |")
            else:
                write(child, (*path, name))

    write(schema["definitions"]["listener"], ())
    return rows


def readme(schema, text):
    """README.md with its tables as the schema has them."""
    tables = {"values": values_table, "listeners": listeners_table}
    return _MARKS.sub(lambda mark: mark[1] + "\n".join(tables[mark[2]](schema)) + "\n" + mark[3], text)


def main():
    schema = read_schema()
    (CHART / "values.yaml").write_text(values_yaml(schema))
    (CHART / "README.md").write_text(readme(schema, (CHART / "README.md").read_text()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
