"""Calls that a gateway or registry answers itself."""

import sys
from collections.abc import Callable, Mapping
from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

_DOMAIN = "pinion"
_DETAILS = "grpc-status-details-bin"


class Refusal(grpc.RpcError, grpc.Call, grpc.Future):
    """The error of a call that was refused: what gRPC would have raised, with the reason. What does not apply is empty. As gRPC's own,
    it is also a call that has ended, since that is what interceptors are given."""

    def __init__(self, cause: Any, reason: str, said: Mapping[str, str], help_link: str):
        self.cause = cause
        """gRPC's own error."""
        self.reason = reason
        """To switch on, such as "VERSION_NOT_FOUND"."""
        self.service: str = said.get("service", "")
        self.version: str = said.get("version", "")
        self.consumer: str = said.get("consumer", "")
        self.asked: str = said.get("asked", "")
        self.source: str = said.get("source", "")
        """Where what was asked came from."""
        self.available: list[str] = said["available"].split(", ") if said.get("available") else []
        """What this caller may ask for instead, newest first; ten at most."""
        self.successor: str = said.get("successor", "")
        self.help: str = help_link
        self.metadata: dict[str, str] = dict(said)
        """Every variable of the message, these among them."""
        Exception.__init__(self, str(cause))

    def __str__(self) -> str:
        return str(self.cause)

    __repr__ = __str__

    def __reduce__(self) -> Any:
        # gRPC's own error may hold locks, which cannot be copied; what it says can.
        said = grpc.aio.AioRpcError(self.code(), _pairs(self.initial_metadata()), _pairs(self.trailing_metadata()), self.details(),
                                    self.debug_error_string())
        return type(self), (said, self.reason, self.metadata, self.help)

    def code(self) -> grpc.StatusCode:
        return self.cause.code()

    def details(self) -> str:
        return self.cause.details()

    def initial_metadata(self) -> Any:
        return self.cause.initial_metadata()

    def trailing_metadata(self) -> Any:
        return self.cause.trailing_metadata()

    def debug_error_string(self) -> str:
        return self.cause.debug_error_string()

    def cancel(self) -> bool:
        return False

    def cancelled(self) -> bool:
        return False

    def running(self) -> bool:
        return False

    def done(self) -> bool:
        return True

    def is_active(self) -> bool:
        return False

    def time_remaining(self) -> None:
        return None

    def add_callback(self, _callback: Callable[[], None]) -> bool:
        return False

    def result(self, timeout: float | None = None) -> Any:
        raise self

    def exception(self, timeout: float | None = None) -> "Refusal":
        return self

    def traceback(self, timeout: float | None = None) -> Any:
        try:
            raise self
        except Refusal:
            return sys.exc_info()[2]

    def add_done_callback(self, done: Callable[["Refusal"], None]) -> None:
        done(self)


class AioRefusal(Refusal, grpc.aio.AioRpcError):
    """The same from grpc.aio."""


def _pairs(metadata: Any) -> Any:
    """Metadata that can be copied: the pairs of blocking gRPC are of a type that cannot."""
    return metadata if isinstance(metadata, grpc.aio.Metadata) else tuple(map(tuple, metadata or ()))


def typed(error: Any) -> Any:
    """`error`, as a Refusal if it is one."""
    if error is None or isinstance(error, Refusal) or not hasattr(error, "trailing_metadata"):
        return error
    packed = next((value for name, value in error.trailing_metadata() or () if name == _DETAILS), None)
    if packed is None:
        return error
    try:
        status = status_pb2.Status.FromString(packed)
    except DecodeError:
        return error
    info, links = error_details_pb2.ErrorInfo(), error_details_pb2.Help()
    for detail in status.details:
        detail.Unpack(info) or detail.Unpack(links)
    if info.domain != _DOMAIN:
        return error
    made = AioRefusal if isinstance(error, grpc.aio.AioRpcError) else Refusal
    return made(error, info.reason, info.metadata, links.links[0].url if links.links else "")
