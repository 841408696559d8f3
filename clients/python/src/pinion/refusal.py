"""Calls that a gateway or registry answers itself."""

from typing import Any

import grpc
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2

_DOMAIN = "pinion"
_DETAILS = "grpc-status-details-bin"


class Refusal(grpc.RpcError):
    """The error of a call that was refused: what gRPC would have raised, with the reason. What does not apply is empty."""

    def __init__(self, cause: Any, info: error_details_pb2.ErrorInfo, help_link: str):
        said = dict(info.metadata)
        self.cause = cause
        """gRPC's own error."""
        self.reason: str = info.reason
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
        self.metadata: dict[str, str] = said
        """Every variable of the message, these among them."""
        Exception.__init__(self, str(cause))

    def __str__(self) -> str:
        return str(self.cause)

    def code(self) -> grpc.StatusCode:
        return self.cause.code()

    def details(self) -> str:
        return self.cause.details()

    def initial_metadata(self) -> Any:
        return self.cause.initial_metadata()

    def trailing_metadata(self) -> Any:
        return self.cause.trailing_metadata()


class AioRefusal(Refusal, grpc.aio.AioRpcError):
    """The same from grpc.aio."""


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
    return made(error, info, links.links[0].url if links.links else "")
