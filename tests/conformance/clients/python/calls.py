"""Connections and the calls on them."""

import contextlib
import logging
import pathlib

import echo_pb2
import echo_pb2_grpc
import grpc

import pinion

SECONDS = 10
_TEXTS = ("reason", "service", "version", "consumer", "asked", "source", "available", "successor", "help")


class Connection:
    def __init__(self, stub, notices, lines, header):
        self.stub, self.notices, self.lines, self.header = stub, notices, lines, header


class _Lines(logging.Handler):
    def __init__(self):
        super().__init__()
        self.count = 0

    def emit(self, record):
        record.getMessage()
        self.count += 1


def error_answer(error):
    said = {"code": error.code().value[0], "message": error.details()}
    if isinstance(error, pinion.Refusal):
        said["refusal"] = {name: getattr(error, name) for name in _TEXTS}
    return said


def notice_answer(notice):
    if notice is None:
        return None
    return {"service": notice.grpc_service, "version": notice.version, "deprecated": int(notice.deprecated.timestamp()),
            "sunset": int(notice.sunset.timestamp()) if notice.sunset else None, "link": notice.link}


def reply_answer(reply):
    said = {"served_by": reply.version, "received": dict(reply.received)}
    if reply.HasField("through"):
        said["through"] = reply_answer(reply.through)
    return said


def credentials(ca=None, api_key=None, token=None, token_file=None, certificate=None, key=None, **_):
    """None: no TLS."""
    if not ca:
        return None
    own = {"private_key": pathlib.Path(key).read_bytes(), "certificate_chain": pathlib.Path(certificate).read_bytes()} if key else {}
    plain = grpc.ssl_channel_credentials(pathlib.Path(ca).read_bytes(), **own)
    of_calls = [make(value) for make, value in ((pinion.api_key, api_key), (pinion.token, token), (pinion.token_file, token_file))
                if value]
    return grpc.composite_channel_credentials(plain, *of_calls) if of_calls else plain


def sent_metadata(connection, metadata, pin):
    """What the caller itself sends."""
    if not pin:
        return list(metadata.items())
    return [(name, value) for name, value in metadata.items() if name != connection.header] + [pinion.pin(pin, connection.header)]


class Calls:
    def __init__(self):
        self._connections = {}

    def dial(self, **command):
        notices, lines = [], _Lines()
        logger = logging.getLogger(f"connection {command['as']}")
        logger.addHandler(lines)
        logger.propagate = False
        options = {name: command[name] for name in ("default_pin", "header", "pass_on") if name in command}
        stub = self._stub(command["target"], credentials(**command), command.get("pins"), logger=logger,
                          on_deprecation=lambda notice: notices.append(notice_answer(notice)), **options)
        self._connections[command["as"]] = Connection(stub, notices, lines, command.get("header", "api-version"))
        return {}

    @staticmethod
    def _stub(target, of_channel, pins, **options):
        plain = grpc.secure_channel(target, of_channel) if of_channel else grpc.insecure_channel(target)
        return echo_pb2_grpc.EchoStub(grpc.intercept_channel(plain, pinion.ClientInterceptor(pins, **options)))

    def call(self, method="Say", pin="", metadata=None, chain=None, through=(), **named):
        connection = self._connections[named["as"]]
        sent = sent_metadata(connection, metadata or {}, pin)
        with pinion.chain_pins(chain) if chain else contextlib.nullcontext():
            try:
                reply, call = self._say(connection.stub, method, echo_pb2.SayRequest(through=through), sent)
                said = reply_answer(reply)
            except grpc.RpcError as error:
                call, said = error, {"error": error_answer(error)}
        answered = pinion.response(call, connection.header)
        return {"version": answered.version, "notice": notice_answer(answered.notice), **said}

    @staticmethod
    def _say(stub, method, request, metadata):
        if method != "Repeat":
            return getattr(stub, method).with_call(request, timeout=SECONDS, metadata=metadata)
        stream = stub.Repeat(request, timeout=SECONDS, metadata=metadata)
        replies = list(stream)
        return replies[0], stream

    def told(self, **named):
        connection = self._connections[named["as"]]
        return {"notices": connection.notices, "lines": connection.lines.count}
