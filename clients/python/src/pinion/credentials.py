"""A consumer's or an owner's secrets, as gRPC's credentials of calls: they are only sent over TLS."""

import os
import pathlib
from collections.abc import Callable
from typing import Any

import grpc


class _Plugin(grpc.AuthMetadataPlugin):
    def __init__(self, name: str, value: Callable[[], str]):
        self._name, self._value = name, value

    def __call__(self, context: Any, callback: Any) -> None:
        try:
            callback(((self._name, self._value()),), None)
        except Exception as error:  # of the caller's source: gRPC reports it as the call's error
            callback((), error)


def api_key(key: str, header: str = "x-api-key") -> grpc.CallCredentials:
    """For grpc.composite_channel_credentials. `header`: of the gateway's listener."""
    return grpc.metadata_call_credentials(_Plugin(header, lambda: key), "pinion api key")


def token(source: str | Callable[[], str]) -> grpc.CallCredentials:
    """A bearer token, of a consumer towards gateways or of an owner towards the registry. A source is asked for each call."""
    value = source if callable(source) else lambda: source
    return grpc.metadata_call_credentials(_Plugin("authorization", lambda: f"Bearer {value()}"), "pinion token")


def token_file(path: str | os.PathLike[str]) -> grpc.CallCredentials:
    """A bearer token in a file, which is read for each call, so that it can be replaced."""
    def read() -> str:
        text = pathlib.Path(path).read_text(encoding="ascii").strip()
        if not text:
            raise ValueError(f"{path}: holds no token")
        return text
    return token(read)
