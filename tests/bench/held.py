"""Connections and calls that are held open: what they cost a proxy, and whether each still ends as it should."""

import resource
import socket
import time

from tests.bench.load import CONSUMER, PATH
from tests.harness import h2

_BREATH = 0.02
_PATIENCE = 20  # seconds; everything happens on one machine
_REQUEST = h2.block((
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
            connection.sendall(h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0))
            self._sockets.append(connection)
        self._frames = [h2.frames(connection) for connection in self._sockets]
        for frames in self._frames:
            next(frames)  # SETTINGS, which it answers

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
        opening = b"".join(h2.frame(h2.HEADERS, h2.END_HEADERS, stream, _REQUEST) for stream in self._streams())
        for number, connection in enumerate(self._sockets):
            connection.sendall(opening)
            if number % 50 == 0:
                time.sleep(_BREATH)  # the proxy may have to connect, and lets only so many calls wait for it

    def finish_calls(self):
        """Sends every call its message; how many of them were answered to their end."""
        ending = b"".join(h2.frame(h2.DATA, h2.END_STREAM, stream, b"\0\0\0\0\0") for stream in self._streams())
        for connection in self._sockets:
            connection.sendall(ending)
        answered = 0
        for number, frames in enumerate(self._frames, 1):
            answered += self._answers(frames)
            if answered < number * self._calls:
                break  # it has been waited for long enough
        return answered

    def _answers(self, frames):
        """Of the calls on one connection that have ended: how many brought a message, and were not only refused."""
        ended, with_message = 0, set()
        try:
            for kind, flags, stream, payload in frames:
                if kind == h2.DATA and payload:
                    with_message.add(stream)
                ended += kind == h2.HEADERS and bool(flags & h2.END_STREAM)
                if ended == self._calls:
                    break
        except OSError:
            pass  # what has not come by now, or from who closed, is missing
        return len(with_message)
