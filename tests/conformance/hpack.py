"""The gateway's HPACK coders beside Go's and PyPI's: whatever one of them encodes, all of them decode to the same fields, and what
is no HPACK any more is refused by all.

Everything follows from a seed, which a failure names. A conversation is one encoder's blocks in their order, with changes of the
table's size between them; every decoder follows all of it, so that a table which has gone out of step shows.
"""

import random
import subprocess

from tests.conformance.suite import LOGS, go_program
from tests.conformance.toolchains import Unavailable, python_with
from tests.harness.process import ROOT

_PEERS = ROOT / "tests/conformance/peers"
_OURS = ROOT / "build/release/tests/conformance/peers/hpack_peer"
_PYTHON = ("hpack==4.2.0",)
_SEEDS = range(1, 41)
_BLOCKS = 50
_MUTATIONS = 25

# `x: y`, into the table: as long as its table is empty, Go's decoder takes changes of its size also behind a field.
_INDEXED = "4001780179"

_NAMES = [":path", ":authority", "content-type", "grpc-timeout", "grpc-encoding", "te", "user-agent", "authorization", "cookie",
          "x-request-id", "traceparent", "grpc-trace-bin", "grpc-status", "grpc-message", "date", "x", "x-tenant"]
_VALUES = ["", "/", "trailers", "application/grpc", "gzip", "identity", "0", "200", "1S", "/acme.Greeter/SayHello"]


class Coder:
    """One implementation, as a program that answers line by line."""

    def __init__(self, name, command, folder, slips=False):
        """`slips`: its encoder indexes what must never be where the table has it, and about one block in two thousand is none;
        then the decoders only have to agree."""
        self.name, self.slips = name, slips
        self._log = open(folder / f"{name}.log", "wb")
        self._child = subprocess.Popen([str(part) for part in command], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=self._log, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._child.stdin.close()
        self._child.wait()
        self._child.stdout.close()
        self._log.close()

    def ask(self, request):
        self._child.stdin.write(request + "\n")
        self._child.stdin.flush()
        answer = self._child.stdout.readline()
        if not answer:
            raise RuntimeError(f"hpack: {self.name} ended at `{request[:80]}`")
        return answer.strip()


def draw_text(draw, length_max):
    """Any bytes: HPACK itself knows no forbidden ones."""
    length = draw.choice((0, 1, 7, 30, 126, 127, 128, 129, draw.randrange(length_max)))
    alphabet = draw.choice((range(0x61, 0x7B), range(0x20, 0x7F), range(256)))
    return bytes(draw.choice(alphabet) for _ in range(length))


def draw_fields(draw):
    fields = []
    for _ in range(draw.choice((0, 1, 3, 8, 20))):
        name = draw.choice(_NAMES).encode() if draw.random() < 0.8 else draw_text(draw, 40).lower() or b"n"
        value = draw.choice(_VALUES).encode() if draw.random() < 0.6 else draw_text(draw, 6000 if draw.random() < 0.05 else 200)
        fields.append(f"{'!' if draw.random() < 0.1 else ''}{name.hex()}:{value.hex()}")
    return fields


def same(found, sent, keeps_never_indexed):
    """Whether all fields are there, in their order. What must never be indexed has to stay so; an encoder may decide the same of
    more fields, such as authorization."""
    return len(found.split()) == len(sent.split()) and all(
        after.lstrip("!") == before.lstrip("!") and (not keeps_never_indexed or after.startswith("!") >= before.startswith("!"))
        for after, before in zip(found.split(), sent.split()))


def mutate(draw, block):
    changed = bytearray(block)
    for _ in range(draw.choice((1, 1, 1, 3))):
        at = draw.randrange(len(changed) + 1)
        kind = draw.randrange(4)
        if kind == 0 and at < len(changed):
            changed[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            del changed[at:]
        elif kind == 2:
            changed.insert(at, draw.choice((0x00, 0x1F, 0x20, 0x3F, 0x7F, 0x80, 0xFF, draw.randrange(256))))
        elif at < len(changed):
            changed[at] = draw.randrange(256)
    return bytes(changed)


def converse(seed, encoder, decoders, changes_max):
    """Why they differ, or None. `changes_max`: how often the table's size changes between two blocks."""
    draw = random.Random(seed)
    for coder in (encoder, *decoders):
        coder.ask("new")
    for number in range(_BLOCKS):
        if draw.random() < 0.1:
            for size in draw.choices((0, 64, 500, 4096, draw.randrange(4097)), k=draw.randint(1, changes_max)):
                encoder.ask(f"size {size}")
        fields = " ".join(draw_fields(draw))
        block = encoder.ask(f"encode {fields}")
        decoded = {coder.name: coder.ask(f"decode {block}") for coder in decoders}
        found = decoded[decoders[0].name]
        if len(set(decoded.values())) > 1:
            return f"block {number}, {block[:120]}: the decoders differ: {str(decoded)[:400]}"
        if found == "error" and encoder.slips:
            return None
        if not same(found, fields, keeps_never_indexed=not encoder.slips):
            return f"block {number}: {block[:120]} is decoded to {found[:160]}, which was {fields[:160]}"
    return None


def damage(seed, encoder, coders):
    """Why they differ about blocks that were changed on the way, or None. Each is the third of its conversation."""
    draw = random.Random(seed)
    for number in range(_MUTATIONS):
        for coder in coders:
            coder.ask("new")
        first = encoder.ask(f"encode {' '.join(draw_fields(draw))}")
        block = mutate(draw, bytes.fromhex(encoder.ask(f"encode {' '.join(draw_fields(draw))}"))).hex()
        verdicts = {}
        for coder in coders:
            coder.ask(f"decode {_INDEXED}")
            coder.ask(f"decode {first}")
            verdicts.setdefault(coder.ask(f"decode {block}"), []).append(coder.name)
        if len(verdicts) > 1:
            told = "; ".join(f"{' and '.join(names)}: {verdict[:120]}" for verdict, names in verdicts.items())
            return f"damaged block {number}, {block[:160]}: {told}"
    return None


def run(report, proxy=None, only=None):
    if proxy:
        return report.skip("hpack", "another proxy's coders cannot be asked")
    folder = LOGS / "hpack"
    folder.mkdir(parents=True, exist_ok=True)
    try:
        python = python_with(*_PYTHON)
    except Unavailable as why:
        return report.lack("hpack", str(why))
    with Coder("gateway", [_OURS], folder) as ours, Coder("go", [go_program("hpackpeer")], folder) as go, \
            Coder("python", [python, "-B", _PEERS / "hpack_peer.py"], folder,
                  slips=True) as python:
        coders = (ours, go, python)
        for encoder in coders:
            compared = {
                "blocks": lambda seed: converse(seed, encoder, coders, changes_max=1),
                # Go's decoder takes no second change in one block, which RFC 7541 section 4.2 asks for.
                "blocks with several changes of size": lambda seed: converse(seed, encoder, (ours, python), changes_max=3),
                "damaged blocks": lambda seed: damage(seed, encoder, coders),
            }
            for title, compare in compared.items():
                name = f"hpack {title} of {encoder.name}"
                if only and only not in name:
                    continue
                problems = {seed: problem for seed in _SEEDS if (problem := compare(seed))}
                for seed, problem in problems.items():
                    report.add(f"{name}, seed {seed}", problem)
                report.add_passed(name, len(_SEEDS) - len(problems))
