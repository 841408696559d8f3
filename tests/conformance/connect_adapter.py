"""Stands between connectconformance and the client or server that it drives, so that their calls pass the gateway.

usage: python3 -m tests.conformance.connect_adapter server --gateway PORT [--certificate FILE] -- COMMAND…
       python3 -m tests.conformance.connect_adapter client --gateway PORT [--certificate FILE] -- COMMAND…

connectconformance speaks with both by messages on standard input and output, each behind its length in four bytes. As `server`
the program named is asked to listen without TLS, and its answer names the gateway instead of itself. As `client` each request to
the program named is told to call the gateway. With a certificate the gateway is called over TLS, and this is what to trust.
"""

import argparse
import signal
import subprocess
import sys
import threading

_LENGTH_BYTES = 4
_HOST = b"127.0.0.1"

# Field numbers of connectrpc.conformance.v1.
_SERVER_REQUEST_TLS = {4, 5, 7}  # use_tls, client_tls_cert, server_creds
_SERVER_RESPONSE = {"host": 1, "port": 2, "certificate": 3}
_CLIENT_REQUEST = {"host": 6, "port": 7, "certificate": 8}

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


def read_message(stream):
    """The next message, None at the end."""
    length = stream.read(_LENGTH_BYTES)
    return stream.read(int.from_bytes(length, "big")) if len(length) == _LENGTH_BYTES else None


def write_message(stream, message):
    stream.write(len(message).to_bytes(_LENGTH_BYTES, "big") + message)
    stream.flush()


def read_varint(message, at):
    """(value, where it ends)."""
    value = shift = 0
    while True:
        byte = message[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def field(number, value):
    """A field with an integer or bytes."""
    if isinstance(value, int):
        return varint(number << 3 | _VARINT) + varint(value)
    return varint(number << 3 | _BYTES) + varint(len(value)) + value


def without(message, numbers):
    """The message without these of its fields."""
    kept, at = bytearray(), 0
    while at < len(message):
        start = at
        tag, at = read_varint(message, at)
        kind = tag & 7
        if kind == _VARINT:
            _, at = read_varint(message, at)
        elif kind == _BYTES:
            length, at = read_varint(message, at)
            at += length
        elif kind in (_FIXED32, _FIXED64):
            at += 4 if kind == _FIXED32 else 8
        else:
            raise ValueError(f"wire type {kind} at byte {start}")
        if tag >> 3 not in numbers:
            kept += message[start:at]
    return bytes(kept)


def redirected(message, numbers, port, certificate):
    """The message with the gateway as the address to call."""
    address = field(numbers["host"], _HOST) + field(numbers["port"], port)
    return without(message, set(numbers.values())) + address + (
        field(numbers["certificate"], certificate) if certificate else b"")


def start(command):
    """The program; SIGTERM to this one ends both."""
    child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def stop(*_):
        child.terminate()
        try:
            child.wait(2)
        except subprocess.TimeoutExpired:
            child.kill()
        sys.exit(0)

    signal.signal(signal.SIGTERM, stop)
    return child


def serve(command, port, certificate):
    child = start(command)
    write_message(child.stdin, without(read_message(sys.stdin.buffer), _SERVER_REQUEST_TLS))
    child.stdin.close()
    answer = read_message(child.stdout)
    if answer is not None:
        write_message(sys.stdout.buffer, redirected(answer, _SERVER_RESPONSE, port, certificate))
    return child.wait()


def call(command, port, certificate):
    child = start(command)

    def pass_requests():
        while (request := read_message(sys.stdin.buffer)) is not None:
            write_message(child.stdin, redirected(request, _CLIENT_REQUEST, port, certificate))
        child.stdin.close()

    threading.Thread(target=pass_requests, daemon=True).start()
    while (answer := read_message(child.stdout)) is not None:
        write_message(sys.stdout.buffer, answer)
    return child.wait()


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("role", choices=("server", "client"))
    parser.add_argument("--gateway", type=int, required=True)
    parser.add_argument("--certificate")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args(argv)
    certificate = None
    if options.certificate:
        with open(options.certificate, "rb") as file:
            certificate = file.read()
    role = serve if options.role == "server" else call
    return role(options.command, options.gateway, certificate)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
