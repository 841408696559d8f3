"""JSON schemas of Kubernetes' objects for kubeconform, made from what Kubernetes and two operators publish in their Go modules.

Strict: a field that an object does not have is a finding.
"""

import json

import yaml

from tests.conformance.suite import go_module_folder
from tests.harness.process import CACHE

KUBERNETES = "v1.34.2"
_OPERATORS = {
    "ServiceMonitor": ("github.com/prometheus-operator/prometheus-operator", "v0.85.0",
                       "example/prometheus-operator-crd/monitoring.coreos.com_servicemonitors.yaml"),
    "Certificate": ("github.com/cert-manager/cert-manager", "v1.18.2", "deploy/crds/crd-certificates.yaml"),
}
# What kubeconform puts the names of a document's kind and version into.
LOCATION = "{{ .ResourceKind }}{{ .KindSuffix }}.json"
_NUMBERS = ("io.k8s.apimachinery.pkg.api.resource.Quantity", "io.k8s.apimachinery.pkg.util.intstr.IntOrString")


def strict(node):
    """The same schema, in which an object has no fields but those that it names."""
    if isinstance(node, list):
        return [strict(item) for item in node]
    if not isinstance(node, dict):
        return node
    node = {key: strict(value) for key, value in node.items()}
    if isinstance(node.get("properties"), dict) and "type" in node and not {"additionalProperties",
                                                                           "x-kubernetes-preserve-unknown-fields"} & node.keys():
        node["additionalProperties"] = False
    if node.pop("x-kubernetes-int-or-string", False):
        node.pop("type", None)
    return node


def _references(node):
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"].removeprefix("#/definitions/")
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for item in node:
            yield from _references(item)


def with_definitions(definitions, name):
    """A schema that stands by itself: the definition of `name` and all that it refers to."""
    needed, found = {}, [name]
    while found:
        this = found.pop()
        if this not in needed:
            needed[this] = definitions[this]
            found += _references(definitions[this])
    return {"$ref": f"#/definitions/{name}", "definitions": needed}


def _file_name(kind, group, version):
    """As kubeconform looks for it: `deployment-apps-v1.json`, `configmap-v1.json`."""
    return "-".join(part.lower() for part in (kind, group.split(".")[0], version) if part) + ".json"


def _write_builtin(folder):
    swagger = json.loads((go_module_folder("k8s.io/kubernetes", KUBERNETES) / "api/openapi-spec/swagger.json").read_text())
    definitions = strict(swagger["definitions"])
    for name in _NUMBERS:
        definitions[name] = {"type": ["string", "integer", "number"]}
    for name, definition in swagger["definitions"].items():
        for of in definition.get("x-kubernetes-group-version-kind", []):
            path = folder / _file_name(of["kind"], of["group"], of["version"])
            path.write_text(json.dumps(with_definitions(definitions, name)))


def _write_operators(folder):
    for kind, (module, version, path) in _OPERATORS.items():
        definition = yaml.safe_load((go_module_folder(module, version) / path).read_text())["spec"]
        for served in definition["versions"]:
            schema = strict(served["schema"]["openAPIV3Schema"])
            schema["properties"]["metadata"] = {"type": "object"}
            (folder / _file_name(kind, definition["group"], served["name"])).write_text(json.dumps(schema))


def schemas_folder():
    """The folder with the schemas, made once into .cache. RuntimeError when a module cannot be had."""
    folder = CACHE / f"kubernetes-{KUBERNETES}"
    if not (folder / ".complete").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _write_builtin(folder)
        _write_operators(folder)
        (folder / ".complete").touch()
    return folder
