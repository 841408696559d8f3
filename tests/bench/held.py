"""Connections and calls that are held open: what they cost a proxy, and whether each still ends as it should."""

import resource
import socket
import struct
import time

from tests.bench.load import CONSUMER, PATH

_DATA, _HEADERS, _SETTINGS = 0, 1, 4
_END_STREAM, _ACK, _END_HEADERS = 1, 1, 4
_PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
_BREATH = 0.02
_PATIENCE = 20  # seconds; everything happens on one machine


def _frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", kind, flags, stream) + payload


def _literal(name, value):
    """A field that no table keeps (RFC 7541 section 6.2.2); both texts are shorter than 127."""
    return b"\0" + bytes([len(name)]) + name.encode() + bytes([len(value)]) + value.encode()


_REQUEST = b"".join(_literal(*field) for field in (
    (":method", "POST"), (":scheme", "http"), (":path", PATH), (":authority", "localhost"), ("content-type", "application/grpc"),
    ("te", "trailers"), ("api-consumer", CONSUMER)))


class HeldConnections:
    """`count` connections to `port` that have said hello. A context: they close at its end."""

    def __init__(self, port, count):
        hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
        if hard < count + 100:
            raise RuntimeError(f"{count} connections need as many files open at once, and the limit is {hard} (ulimit -Hn)")
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        self._calls = 0
        self._sockets = []
        for _ in range(count):
            connection = socket.create_connection(("127.0.0.1", port), timeout=_PATIENCE)
            connection.sendall(_PREFACE + _frame(_SETTINGS, 0, 0))
            self._sockets.append(connection)
        for connection in self._sockets:
            connection.recv(4096)
            connection.sendall(_frame(_SETTINGS, _ACK, 0))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for connection in self._sockets:
            connection.close()

    def _streams(self):
        return range(1, 2 * self._calls, 2)

    def begin_calls(self, each):
        """`each` calls on every connection: headers, and nothing of the message yet."""
        self._calls = each
        opening = b"".join(_frame(_HEADERS, _END_HEADERS, stream, _REQUEST) for stream in self._streams())
        for number, connection in enumerate(self._sockets):
            connection.sendall(opening)
            if number % 50 == 0:
                time.sleep(_BREATH)  # the proxy may have to connect, and lets only so many calls wait for it

    def finish_calls(self):
        """Sends every call its message; how many of them were answered to their end."""
        ending = b"".join(_frame(_DATA, _END_STREAM, stream, b"\0\0\0\0\0") for stream in self._streams())
        for connection in self._sockets:
            connection.sendall(ending)
        answered = 0
        for number, connection in enumerate(self._sockets, 1):
            answered += self._answers(connection)
            if answered < number * self._calls:
                break  # it has been waited for long enough
        return answered

    def _answers(self, connection):
        """Of the calls on `connection` that have ended: how many brought a message, and were not only refused."""
        ended, with_message = 0, set()
        unread = b""
        while ended < self._calls:
            try:
                more = connection.recv(1 << 16)
            except TimeoutError:
                break
            if not more:
                break
            unread += more
            while len(unread) >= 9 and len(unread) >= 9 + int.from_bytes(unread[:3], "big"):
                size = int.from_bytes(unread[:3], "big")
                if unread[3] == _DATA and size > 0:
                    with_message.add(unread[5:9])
                ended += unread[3] == _HEADERS and bool(unread[4] & _END_STREAM)
                unread = unread[9 + size:]
        return len(with_message)
