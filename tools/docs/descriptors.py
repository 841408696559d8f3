"""What protoc knows of the .proto files, comments included. Reads its FileDescriptorSet without a library of protobuf's, so that the
tests need none."""

import dataclasses
import pathlib
import subprocess
import tempfile

_TYPES = {1: "double", 2: "float", 3: "int64", 4: "uint64", 5: "int32", 8: "bool", 9: "string", 12: "bytes", 13: "uint32", 17: "sint32",
          18: "sint64"}
_ENUM, _MESSAGE, _REPEATED = 14, 11, 3


@dataclasses.dataclass
class Field:
    name: str
    type: str  # "string", or the full name of a message or an enum
    comment: str
    repeated: bool = False
    is_map: bool = False
    oneof: str = ""


@dataclasses.dataclass
class Message:
    name: str  # full
    comment: str
    fields: list


@dataclasses.dataclass
class Enum:
    name: str  # full
    comment: str
    values: list  # of (name, comment)


@dataclasses.dataclass
class Method:
    name: str
    takes: str
    returns: str
    comment: str


@dataclasses.dataclass
class Service:
    name: str  # full
    comment: str
    methods: list


@dataclasses.dataclass
class Schema:
    """By full name, in the order of the files."""
    messages: dict = dataclasses.field(default_factory=dict)
    enums: dict = dataclasses.field(default_factory=dict)
    services: dict = dataclasses.field(default_factory=dict)
    files: dict = dataclasses.field(default_factory=dict)  # path → what the file says of itself


def _varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def _fields(data):
    """field number → the values in their order: int for a varint, bytes for what has a length."""
    found, at = {}, 0
    while at < len(data):
        key, at = _varint(data, at)
        if key & 7 == 0:
            value, at = _varint(data, at)
        elif key & 7 == 2:
            length, at = _varint(data, at)
            value, at = data[at:at + length], at + length
        else:
            width = 8 if key & 7 == 1 else 4
            value, at = data[at:at + width], at + width
        found.setdefault(key >> 3, []).append(value)
    return found


def _text(fields, number):
    return fields.get(number, [b""])[0].decode()


def _tidy(comment):
    """Lines that go together as one; paragraphs stay. Indented lines are an example and stay as they are."""
    paragraphs, open_paragraph = [], False
    for line in comment.rstrip().split("\n"):
        line = line.removeprefix(" ")
        if not line.strip():
            open_paragraph = False
        elif line.startswith(" ") and not open_paragraph:
            paragraphs.append(line)
        elif open_paragraph:
            paragraphs[-1] += " " + line.strip()
        else:
            paragraphs.append(line.strip())
            open_paragraph = True
    return "\n".join(paragraphs)


class _Reader:
    def __init__(self, schema, file):
        self.schema = schema
        self.package = _text(file, 2)
        self.comments = {}
        for location in _fields(file.get(9, [b""])[0]).get(1, []):
            parts = _fields(location)
            path, data, at = [], parts.get(1, [b""])[0], 0
            while at < len(data):
                step, at = _varint(data, at)
                path.append(step)
            texts = [_tidy(_text(parts, number)) for number in (3, 4) if number in parts]
            self.comments[tuple(path)] = "\n".join(texts)
            if path == [12] and 6 in parts:  # of `syntax`: what stands at the top of the file
                texts = [_tidy(part.decode()) for part in parts[6]] + texts
            if path == [12]:
                schema.files[_text(file, 1)] = "\n".join(texts)
        for index, message in enumerate(file.get(4, [])):
            self.message(_fields(message), self.package, (4, index))
        for index, enum in enumerate(file.get(5, [])):
            self.enum(_fields(enum), self.package, (5, index))
        for index, service in enumerate(file.get(6, [])):
            self.service(_fields(service), (6, index))

    def comment(self, path):
        return self.comments.get(path, "")

    def message(self, message, scope, path):
        name = f"{scope}.{_text(message, 1)}"
        oneofs = [(_text(_fields(oneof), 1), self.comment((*path, 8, index))) for index, oneof in enumerate(message.get(8, []))]
        maps = {}
        for index, nested in enumerate(message.get(3, [])):
            inner = _fields(nested)
            if 7 in _fields(inner.get(7, [b""])[0]):
                maps[f"{name}.{_text(inner, 1)}"] = _fields(inner[2][1])
        made = Message(name, self.comment(path), [])
        self.schema.messages[name] = made
        for index, data in enumerate(message.get(2, [])):
            field = _fields(data)
            kind = _text(field, 6).removeprefix(".") if field[5][0] in (_ENUM, _MESSAGE) else _TYPES[field[5][0]]
            said = Field(_text(field, 1), kind, self.comment((*path, 2, index)), field[4][0] == _REPEATED)
            if kind in maps:
                value = maps[kind]
                said.is_map, said.repeated = True, False
                said.type = _text(value, 6).removeprefix(".") if value[5][0] in (_ENUM, _MESSAGE) else _TYPES[value[5][0]]
            if 9 in field and 17 not in field:
                said.oneof, shared = oneofs[field[9][0]]
                said.comment = said.comment or shared
            made.fields.append(said)
        for index, nested in enumerate(message.get(3, [])):
            if f"{name}.{_text(_fields(nested), 1)}" not in maps:
                self.message(_fields(nested), name, (*path, 3, index))
        for index, enum in enumerate(message.get(4, [])):
            self.enum(_fields(enum), name, (*path, 4, index))

    def enum(self, enum, scope, path):
        values = [(_text(_fields(value), 1), self.comment((*path, 2, index))) for index, value in enumerate(enum.get(2, []))]
        name = f"{scope}.{_text(enum, 1)}"
        self.schema.enums[name] = Enum(name, self.comment(path), values)

    def service(self, service, path):
        methods = []
        for index, data in enumerate(service.get(2, [])):
            method = _fields(data)
            kinds = [("stream " if number in method and method[number][0] else "") + _text(method, field).removeprefix(".")
                     for field, number in ((2, 5), (3, 6))]
            methods.append(Method(_text(method, 1), *kinds, self.comment((*path, 2, index))))
        name = f"{self.package}.{_text(service, 1)}"
        self.schema.services[name] = Service(name, self.comment(path), methods)


def read(protos, files):
    """The Schema of .proto files and of all that they import, by protoc. `protos`: the folder that their paths begin in."""
    with tempfile.TemporaryDirectory(prefix="pinion-docs.") as folder:
        output = pathlib.Path(folder) / "set"
        subprocess.run(["protoc", f"-I{protos}", "--include_imports", "--include_source_info", f"--descriptor_set_out={output}", *files],
                       check=True)
        schema = Schema()
        for file in _fields(output.read_bytes()).get(1, []):
            _Reader(schema, _fields(file))
        return schema
