"""What one connection can do to a proxy out of spite. Each attack is a way to go on sending; what is said of it is which limit has to
stop it, by its name in the metric `pinion_limits_total`."""

import dataclasses
import itertools
import struct
from collections.abc import Callable

from tests.harness import h2

CONTINUATION, PRIORITY, WINDOW_UPDATE = 9, 2, 8
PATH = "/pinion.test.Echo/Call"
LARGE_FILE = b"large.proto"
_BATCH = 50  # things done in one send, so that the network is not what limits them
_CALLS_MAX = 100  # at a time on one connection
_WINDOW_MAX = (1 << 31) - 1


@dataclasses.dataclass(frozen=True)
class Attack:
    """`chunks` gives for each new connection what to send after the preface, piece by piece; `reads`: what comes back is read."""

    name: str
    limit: str | None
    chunks: Callable
    settings: bytes = b""
    reads: bool = True


def _request(fields=(), path=PATH):
    return h2.block([(":method", "POST"), (":scheme", "http"), (":path", path), (":authority", "test"),
                     ("content-type", "application/grpc"), ("te", "trailers"), *fields])


def _headers(stream, fields=(), path=PATH, end=False):
    return h2.frame(h2.HEADERS, h2.END_HEADERS | (h2.END_STREAM if end else 0), stream, _request(fields, path))


def _reset(stream):
    return h2.frame(h2.RST_STREAM, 0, stream, struct.pack(">I", h2.CANCEL))


def window_update(stream, bytes_more):
    return h2.frame(WINDOW_UPDATE, 0, stream, struct.pack(">I", bytes_more))


def _each_stream(what):
    """`what(stream)` on one new stream after the other."""
    def chunks():
        streams = itertools.count(1, 2)
        while True:
            yield b"".join(what(stream) for stream in itertools.islice(streams, _BATCH))
    return chunks


def _begun_then_reset():
    """As many calls as there may be, each on its way to the instance before it is cancelled."""
    streams = itertools.count(1, 2)
    while True:
        some = list(itertools.islice(streams, _CALLS_MAX))
        yield b"".join(map(_headers, some))
        yield b""
        yield b"".join(map(_reset, some))


def _again(frame):
    def chunks():
        return itertools.repeat(frame * _BATCH)
    return chunks


def _on_one_stream(frame):
    """`frame(1)` again and again, on a stream that is open."""
    def chunks():
        yield _headers(1)
        yield from itertools.repeat(frame(1) * _BATCH)
    return chunks


def _field(number, value):
    """Of a Protocol Buffers message: bytes, text or a message."""
    return bytes((number << 3 | 2,)) + h2.integer(len(value)) + value


def large_schema():
    """A FileDescriptorSet with LARGE_FILE alone, which has the service large.Api and four megabytes of names."""
    messages = b"".join(_field(4, _field(1, b"M%06d" % i + b"m" * 400)) for i in range(10000))
    service = _field(6, _field(1, b"Api"))
    return _field(1, _field(1, LARGE_FILE) + _field(2, b"large") + messages + service + _field(12, b"proto3"))


def _endless_block(fragment):
    def chunks():
        yield h2.frame(h2.HEADERS, 0, 1, _request())
        yield from itertools.repeat(h2.frame(CONTINUATION, 0, 1, fragment) * _BATCH)
    return chunks


def _hpack_bomb():
    """A field of nearly the whole table, and blocks that refer to it thousands of times."""
    field = b"\x40\x01x\x7f" + h2.integer(4000 - 127) + b"v" * 4000
    yield h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 1, _request() + field)
    for stream in itertools.count(3, 2):
        yield h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, stream, _request() + b"\xbe" * 16000)


def _held_windows(path, message):
    """As many calls as there may be, whose answers may never be sent."""
    def chunks():
        data = b"\0" + struct.pack(">I", len(message)) + message
        yield b"".join(_headers(stream, path=path) + h2.frame(h2.DATA, h2.END_STREAM, stream, data) for stream in range(1, 2 * _CALLS_MAX, 2))
        while True:
            yield b""
    return chunks


def _byte_by_byte():
    block = h2.frame(h2.HEADERS, h2.END_HEADERS | h2.END_STREAM, 1, _request([("x", "y" * 5000)]))
    for at in range(len(block)):
        yield block[at:at + 1]


def _once(data):
    def chunks():
        yield data
    return chunks


_SETTINGS_WINDOW_0 = struct.pack(">HI", 4, 0)
_UPPER_CASE = [("Upper", "case")]
_LAST_ID = _WINDOW_MAX

ATTACKS = (
    Attack("rapid reset", "resets", _each_stream(lambda stream: _headers(stream) + _reset(stream))),
    Attack("resets that instances see", "resets_sent", _begun_then_reset),
    Attack("made to reset: WINDOW_UPDATE of 0", "faulty_streams", _each_stream(lambda stream: _headers(stream) + window_update(stream, 0))),
    Attack("made to reset: a window beyond 2^31-1", "faulty_streams",
           _each_stream(lambda stream: _headers(stream) + window_update(stream, _WINDOW_MAX))),
    Attack("made to reset: DATA behind END_STREAM", "faulty_streams",
           _each_stream(lambda stream: _headers(stream, end=True) + h2.frame(h2.DATA, 0, stream, b"late"))),
    Attack("made to reset: a stream that depends on itself", "priorities",
           _each_stream(lambda stream: _headers(stream) + h2.frame(PRIORITY, 0, stream, struct.pack(">IB", stream, 16)))),
    Attack("malformed requests", "faulty_streams", _each_stream(lambda stream: _headers(stream, _UPPER_CASE, end=True))),
    Attack("CONTINUATION without end", "continuations", _endless_block(b"\0\x01a\x01b")),
    Attack("empty CONTINUATION without end", "continuations", _endless_block(b"")),
    Attack("PING", "pings", _again(h2.frame(h2.PING, 0, 0, b"12345678"))),
    Attack("PING, answers unread", "pings", _again(h2.frame(h2.PING, 0, 0, b"12345678")), reads=False),
    Attack("SETTINGS", "settings", _again(h2.frame(h2.SETTINGS, 0, 0))),
    Attack("SETTINGS, answers unread", "settings", _again(h2.frame(h2.SETTINGS, 0, 0)), reads=False),
    Attack("many SETTINGS in one frame", "settings_entries", _again(h2.frame(h2.SETTINGS, 0, 0, struct.pack(">HI", 0xF000, 1) * 2000))),
    Attack("empty DATA", "empty_frames", _on_one_stream(lambda stream: h2.frame(h2.DATA, 0, stream))),
    Attack("WINDOW_UPDATE of the connection", "window_updates", _on_one_stream(lambda _: window_update(0, 1))),
    Attack("WINDOW_UPDATE of a stream", "window_updates", _on_one_stream(lambda stream: window_update(stream, 1))),
    Attack("PRIORITY", "priorities", _again(h2.frame(PRIORITY, 0, 5, struct.pack(">IB", 3, 16)))),
    Attack("HPACK bomb", "header_list", _hpack_bomb),
    Attack("what is not HPACK", None, _once(h2.frame(h2.HEADERS, h2.END_HEADERS, 1, b"\xff\xff\xff\xff\xff"))),
    Attack("calls that are refused", None, _each_stream(lambda stream: _headers(stream, path="/no.Such/Method", end=True))),
    Attack("calls that are refused, answers unread", None,
           _each_stream(lambda stream: _headers(stream, path="/no.Such/Method", end=True)), reads=False),
    Attack("answers that may not be sent", None, _held_windows(PATH, b"m" * 1000), settings=_SETTINGS_WINDOW_0),
    Attack("schemas that may not be sent", None,
           _held_windows("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", _field(3, LARGE_FILE)), settings=_SETTINGS_WINDOW_0),
    Attack("a request byte by byte", None, _byte_by_byte),
    Attack("the last stream id", None, _once(_headers(_LAST_ID, end=True))),
    Attack("-bin values that are no base64", None, _each_stream(lambda stream: _headers(stream, [("x-bin", "!!!")], end=True))),
)
