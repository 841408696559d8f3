"""Just enough HTTP/2 to make one call after the other and to answer them: literal HPACK, no flow control beyond the default
windows. For tests that look at what the gateway says about calls, not at the calls themselves."""

import socket
import struct
import threading

DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY = 0, 1, 3, 4, 6, 7
END_STREAM, ACK, END_HEADERS = 1, 1, 4
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
CANCEL, INTERNAL_ERROR = 8, 2


def frame(kind, flags, stream, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes((kind, flags)) + struct.pack(">I", stream) + payload


def block(fields):
    """Literals without indexing; names and values of less than 127 bytes are strings or bytes."""
    out = b""
    for pair in fields:
        out += b"\0"
        for part in pair:
            part = part if isinstance(part, bytes) else part.encode("latin-1")
            out += (bytes((len(part),)) if len(part) < 127 else b"\x7f" + integer(len(part) - 127)) + part
    return out


def integer(value):
    """HPACK's way to write what a prefix of all ones has not said yet."""
    out = b""
    while value >= 0x80:
        out += bytes((value & 0x7F | 0x80,))
        value >>= 7
    return out + bytes((value,))


def _receive(connection, size):
    data = b""
    while len(data) < size:
        more = connection.recv(size - len(data))
        if not more:
            raise ConnectionError("the peer closed")
        data += more
    return data


def frames(connection):
    """Yields (kind, flags, stream, payload); answers SETTINGS and PING."""
    while True:
        head = _receive(connection, 9)
        kind, flags, stream = head[3], head[4], struct.unpack(">I", head[5:])[0]
        payload = _receive(connection, int.from_bytes(head[:3], "big"))
        if kind in (SETTINGS, PING) and not flags & ACK:
            connection.sendall(frame(kind, ACK, 0, b"" if kind == SETTINGS else payload))
        yield kind, flags, stream, payload


class Client:
    """One connection. A context manager."""

    def __init__(self, port, window=65535):
        """`window`: of each stream; what does not fit waits at the peer."""
        self._connection = socket.create_connection(("127.0.0.1", port), timeout=20)
        self._connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._connection.sendall(PREFACE + frame(SETTINGS, 0, 0, struct.pack(">HI", 4, window)))
        self._frames = frames(self._connection)
        self._next = 1

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._connection.close()

    def start(self, path, fields=(), method="POST", content_type="application/grpc", body=b"", end=True):
        """Sends a request and returns its stream."""
        stream, self._next = self._next, self._next + 2
        head = [(":method", method), (":scheme", "http"), (":path", path), (":authority", "test"),
                ("content-type", content_type), ("te", "trailers"), *fields]
        flags = END_HEADERS | (END_STREAM if end and not body else 0)
        self._connection.sendall(frame(HEADERS, flags, stream, block(head)))
        if body:
            self._connection.sendall(frame(DATA, END_STREAM if end else 0, stream, body))
        return stream

    def reset(self, stream, code=CANCEL):
        self._connection.sendall(frame(RST_STREAM, 0, stream, struct.pack(">I", code)))

    def wait(self, stream):
        """Until the stream is over: the kind of the frame that ended it."""
        for kind, flags, of, _ in self._frames:
            if of == stream and (kind == RST_STREAM or (kind in (DATA, HEADERS) and flags & END_STREAM)):
                return kind
            if kind == GOAWAY:
                raise ConnectionError("the peer said GOAWAY")
        raise ConnectionError("no more frames")

    def answer(self, path, fields=(), **more):
        """The header blocks and DATA of the answer, as they are on the wire."""
        of_call, parts = self.start(path, fields, **more), []
        for kind, flags, stream, payload in self._frames:
            if stream != of_call or kind not in (DATA, HEADERS, RST_STREAM):
                continue
            parts.append(payload)
            if kind == RST_STREAM or flags & END_STREAM:
                return b"".join(parts)
        raise ConnectionError("no more frames")

    def wait_data(self, stream):
        """Until DATA has come on the stream."""
        while next((kind, of) for kind, _, of, _ in self._frames) != (DATA, stream):
            pass

    def call(self, path, fields=(), **more):
        return self.wait(self.start(path, fields, **more))


class Server:
    """Answers every request with the same frames: `answer(stream)` gives their bytes. A context manager."""

    def __init__(self, answer):
        self._answer = answer
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self.requests = threading.Semaphore(0)  # one for each request that came
        self.heads = []                         # the header blocks of the requests
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        try:
            self._listener.shutdown(socket.SHUT_RDWR)  # a thread waits in accept(), which keeps a closed socket alive
        except OSError:
            pass
        self._listener.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            connection.sendall(frame(SETTINGS, 0, 0))
            _receive(connection, len(PREFACE))
            for kind, _, stream, payload in frames(connection):
                if kind == HEADERS:
                    self.heads.append(payload)
                    self.requests.release()
                    connection.sendall(self._answer(stream))
        except OSError:
            pass
        finally:
            connection.close()


def grpc_answer(status, body=b"", message=""):
    """Headers, a message, and trailers with this grpc-status."""
    def answer(stream):
        trailers = [("grpc-status", str(status))] + ([("grpc-message", message)] if message else [])
        return (frame(HEADERS, END_HEADERS, stream, block([(":status", "200"), ("content-type", "application/grpc")])) +
                (frame(DATA, 0, stream, body) if body else b"") +
                frame(HEADERS, END_HEADERS | END_STREAM, stream, block(trailers)))
    return answer


def trailers_only(status):
    return lambda stream: frame(HEADERS, END_HEADERS | END_STREAM, stream, block(
        [(":status", "200"), ("content-type", "application/grpc"), ("grpc-status", str(status))]))


def http_answer(status):
    return lambda stream: frame(HEADERS, END_HEADERS | END_STREAM, stream, block([(":status", str(status))]))


def reset_answer(code):
    return lambda stream: frame(RST_STREAM, 0, stream, struct.pack(">I", code))


def no_answer(_):
    return b""
