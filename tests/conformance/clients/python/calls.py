"""Connections and the calls on them."""

import contextlib
import logging
import pathlib

import echo_pb2
import echo_pb2_grpc
import grpc

import pinion

_SECONDS = 10
_TEXTS = ("reason", "service", "version", "consumer", "asked", "source", "available", "successor", "help")


class _Connection:
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


def _notice_answer(notice):
    if notice is None:
        return None
    return {"service": notice.grpc_service, "version": notice.version, "deprecated": int(notice.deprecated.timestamp()),
            "sunset": int(notice.sunset.timestamp()) if notice.sunset else None, "link": notice.link}


def _reply_answer(reply):
    said = {"served_by": reply.version, "received": dict(reply.received)}
    if reply.HasField("through"):
        said["through"] = _reply_answer(reply.through)
    return said


class Calls:
    def __init__(self):
        self._connections = {}

    def dial(self, target, pins=None, default_pin="", header="api-version", pass_on=False, ca=None, api_key=None, token=None,
             **named):
        notices, lines = [], _Lines()
        logger = logging.getLogger(f"connection {named['as']}")
        logger.addHandler(lines)
        logger.propagate = False
        interceptor = pinion.ClientInterceptor(pins, default_pin=default_pin, header=header, pass_on=pass_on, logger=logger,
                                               on_deprecation=lambda notice: notices.append(_notice_answer(notice)))
        if ca:
            of_calls = [pinion.api_key(api_key)] if api_key else [pinion.token(token)] if token else []
            credentials = grpc.ssl_channel_credentials(pathlib.Path(ca).read_bytes())
            plain = grpc.secure_channel(target, grpc.composite_channel_credentials(credentials, *of_calls) if of_calls else credentials)
        else:
            plain = grpc.insecure_channel(target)
        stub = echo_pb2_grpc.EchoStub(grpc.intercept_channel(plain, interceptor))
        self._connections[named["as"]] = _Connection(stub, notices, lines, header)
        return {}

    def call(self, method="Say", pin="", metadata=None, chain=None, through=(), **named):
        connection = self._connections[named["as"]]
        sent = list((metadata or {}).items())
        if pin:
            sent = [(name, value) for name, value in sent if name != connection.header] + [pinion.pin(pin, connection.header)]
        with pinion.chain_pins(chain) if chain else contextlib.nullcontext():
            try:
                reply, call = self._say(connection.stub, method, echo_pb2.SayRequest(through=through), sent)
                said = _reply_answer(reply)
            except grpc.RpcError as error:
                call, said = error, {"error": error_answer(error)}
        answered = pinion.response(call, connection.header)
        return {"version": answered.version, "notice": _notice_answer(answered.notice), **said}

    @staticmethod
    def _say(stub, method, request, metadata):
        if method != "Repeat":
            return getattr(stub, method).with_call(request, timeout=_SECONDS, metadata=metadata)
        stream = stub.Repeat(request, timeout=_SECONDS, metadata=metadata)
        replies = list(stream)
        return replies[0], stream

    def told(self, **named):
        connection = self._connections[named["as"]]
        return {"notices": connection.notices, "lines": connection.lines.count}
