"""A connection that sends and receives at the same time, as far as the other side lets it."""

import select
import socket
import struct

from tests.harness import h2

_RECEIVE_BYTES = 1 << 16


class Link:
    """A context manager. ConnectionError from send() and frames() when the peer has gone."""

    def __init__(self, port, settings=b""):
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self._out = bytearray(h2.PREFACE + h2.frame(h2.SETTINGS, 0, 0, settings))
        self._in = bytearray()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._socket.close()

    def send(self, data):
        self._out += data
        self._flush()

    def waiting(self):
        """Bytes that the peer has not taken yet."""
        return len(self._out)

    def wait(self, seconds, reads=True):
        """Until something comes, or goes out, or that time is over."""
        readable, _, _ = select.select([self._socket] if reads else [], [self._socket] if self._out else [], [], max(0, seconds))
        self._flush()
        if readable:
            received = self._socket.recv(_RECEIVE_BYTES)
            if not received:
                raise ConnectionError("the peer closed")
            self._in += received

    def frames(self, answers=True):
        """(kind, flags, stream, payload) of each frame that has come; `answers`: to SETTINGS and PING."""
        at, size = 0, len(self._in)
        while size - at >= 9:
            end = at + 9 + int.from_bytes(self._in[at:at + 3], "big")
            if end > size:
                break
            kind, flags, stream = self._in[at + 3], self._in[at + 4], struct.unpack_from(">I", self._in, at + 5)[0]
            payload = bytes(self._in[at + 9:end])
            if answers and kind in (h2.SETTINGS, h2.PING) and not flags & h2.ACK:
                self.send(h2.frame(kind, h2.ACK, 0, b"" if kind == h2.SETTINGS else payload))
            yield kind, flags, stream, payload
            at = end
        del self._in[:at]

    def _flush(self):
        try:
            while self._out:
                del self._out[:self._socket.send(self._out)]
        except BlockingIOError:
            pass
