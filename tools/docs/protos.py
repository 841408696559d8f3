"""The reference of the configuration, of the registry's API and of the reasons of refusals, from the comments of the .proto files. Pure,
but for reading the files."""

from tools.docs import descriptors
from tools.docs.markdown import anchor, cell, link, linked, page, prose, table

CONFIG = "pinion/config/v1/config.proto"
API = ("pinion/registry/v1/registry.proto", "pinion/registry/v1/access.proto", "pinion/registry/v1/watch.proto")
REASONS = "pinion/reason/v1/reason.proto"
_ROOT = "pinion.config.v1.Bootstrap"

# Messages of others that are written as one value.
_PLAIN = {
    "google.protobuf.Duration": "duration, `1.5s`",
    "google.protobuf.Timestamp": "time, `2026-11-30T09:00:00Z`",
    "google.protobuf.UInt32Value": "uint32",
    "google.protobuf.UInt64Value": "uint64",
    "google.protobuf.DoubleValue": "double",
}


def read(protos):
    return descriptors.read(protos, [CONFIG, *API, REASONS])


def short(name):
    """Without the package: StaticService.StaticVersion."""
    parts = name.split(".")
    return ".".join(part for part in parts if part[:1].isupper()) or name


def described(schema, field):
    """What is said of a field: by itself, or else of the message or enum that it holds."""
    if field.comment:
        return field.comment
    kind = schema.messages.get(field.type) or schema.enums.get(field.type)
    return kind.comment if kind and not field.type.startswith("google.") else ""


def reachable(schema, root):
    """The names of the messages and enums that a message leads to, itself first, each once."""
    found, waiting = [], [root]
    while waiting:
        name = waiting.pop(0)
        if name in found or name.startswith("google."):
            continue
        if name in schema.messages:
            found.append(name)
            waiting = [field.type for field in schema.messages[name].fields] + waiting
        elif name in schema.enums:
            found.append(name)
    return found


def _type(field):
    plain = _PLAIN.get(field.type)
    name = plain or (link(short(field.type), "#" + anchor(short(field.type))) if "." in field.type else field.type)
    if field.is_map:
        return f"map of string → {name}"
    return f"list of {name}" if field.repeated else name


def _fields(schema, message):
    rows = []
    for field in message.fields:
        said = linked(described(schema, field))
        rows.append([f"`{field.name}`", _type(field), cell((f"one of `{field.oneof}`: " if field.oneof else "") + said)])
    return table(["field", "is", ""], rows) if rows else "No fields."


def _kind(schema, name, level="##"):
    if name in schema.enums:
        enum = schema.enums[name]
        rows = [[f"`{value}`", cell(linked(comment))] for value, comment in enum.values]
        return f"{level} {short(name)}\n\n" + "\n\n".join(part for part in (prose(enum.comment), table(["value", ""], rows)) if part)
    message = schema.messages[name]
    return f"{level} {short(name)}\n\n" + "\n\n".join(part for part in (prose(message.comment), _fields(schema, message)) if part)


def config(schema):
    kinds = [_kind(schema, name) for name in reachable(schema, _ROOT)]
    return page(CONFIG, "# Configuration", prose(schema.files[CONFIG]), *kinds)


def _method(schema, method):
    def shown(kind):
        return link(kind.split(".")[-1], "#" + anchor(short(kind.removeprefix("stream "))))
    streams = [("a stream of " if kind.startswith("stream ") else "") + shown(kind) for kind in (method.takes, method.returns)]
    return f"### {method.name}\n\nTakes {streams[0]}, returns {streams[1]}.\n\n{prose(method.comment)}"


def api(schema):
    parts, kinds = [], []
    for service in schema.services.values():
        parts += [f"## {short(service.name)}", prose(service.comment), *(_method(schema, method) for method in service.methods)]
        for method in service.methods:
            for kind in (method.takes, method.returns):
                kinds += [name for name in reachable(schema, kind.removeprefix("stream ")) if name not in kinds]
    files = [prose(schema.files[path]) for path in API]
    return page(API[0], "# The registry's API", *files, *parts, "## Messages", *(_kind(schema, name, "###") for name in kinds))


def reasons(schema):
    """{"Gateway": [(reason, status, what is said)], "Registry": …}"""
    found = {}
    for name, enum in schema.enums.items():
        if name.startswith("pinion.reason.v1."):
            rows = [(value, *_split(comment)) for value, comment in enum.values if value != "REASON_UNSPECIFIED"]
            found[short(name).split(".")[0]] = rows
    return found


def _split(comment):
    status, _, said = comment.replace("\n", " ").partition(". ")
    return status, said


def errors(schema):
    parts = []
    for side, rows in reasons(schema).items():
        kind = schema.messages[f"pinion.reason.v1.{side}"]
        cells = [[f"`{reason}`", cell(status), cell(linked(said))] for reason, status, said in rows]
        parts += [f"## {side}", prose(kind.comment), table(["reason", "status", ""], cells)]
    return page(REASONS, "# Reasons of refusals", prose(schema.files[REASONS]), *parts)
