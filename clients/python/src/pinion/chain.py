"""Pins for a whole chain of calls.

A pin holds for one hop: the gateway takes the header that asks for a version out of what it forwards. Pins for a chain travel
beside it, in metadata of the header's name and `-context`: `acme.people.People=^2, acme.billing.Billing=1.4.0`.
"""

import contextlib
import contextvars
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import grpc

SUFFIX = "-context"
_BYTES_MAX = 4096

_pins: contextvars.ContextVar[Mapping[str, str]] = contextvars.ContextVar("pinion-pins", default={})


def pins_of_chain() -> dict[str, str]:
    """The pins that calls made here would pass on."""
    return dict(_pins.get())


@contextlib.contextmanager
def chain_pins(pins: Mapping[str, str]) -> Iterator[None]:
    """Adds pins, by gRPC service, for the calls made inside. Channels with `pass_on` follow them, and so do the servers behind these
    that have a `ChainServerInterceptor` and pass on as well."""
    before = _pins.set({**_pins.get(), **pins})
    try:
        yield
    finally:
        _pins.reset(before)


def parse(text: str) -> dict[str, str]:
    """ValueError says what is malformed."""
    if len(text) > _BYTES_MAX:
        raise ValueError(f"{len(text)} bytes, the limit is {_BYTES_MAX}")
    pins = {}
    for entry in text.split(","):
        service, _, expression = entry.strip().partition("=")
        if not service or not expression:
            raise ValueError(f"`{entry}` is not SERVICE=EXPRESSION")
        pins[service] = expression
    return pins


def sendable(text: str) -> str:
    """`text` as metadata can hold it, with "?" for the rest: whoever reads it then refuses it as malformed, where gRPC would only say
    that it cannot be sent."""
    return "".join(letter if " " <= letter <= "~" else "?" for letter in text)


def form(pins: Mapping[str, str]) -> str:
    return ", ".join(f"{service}={pins[service]}" for service in sorted(pins))


class Receiver:
    """Reads the pins that a caller has passed on."""

    def __init__(self, header: str):
        self._name = header.lower() + SUFFIX

    def pins(self, metadata: Any) -> dict[str, str]:
        """Those of a request's metadata. ValueError: a message for the caller, when they are malformed."""
        received = [value for name, value in metadata or () if name == self._name]
        try:
            return parse(",".join(received)) if received else {}
        except ValueError as error:
            raise ValueError(f"the metadata `{self._name}` is malformed: {error}") from None


class ChainServerInterceptor(grpc.ServerInterceptor):
    """Takes the pins that a caller has passed on into the context of handlers. A malformed list is refused with INVALID_ARGUMENT."""

    def __init__(self, header: str = "api-version"):
        """`header`: the gateway's."""
        self._receiver = Receiver(header)

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        if handler is None:
            return handler
        try:
            pins = self._receiver.pins(handler_call_details.invocation_metadata)
        except ValueError as error:
            problem = str(error)
            return replaced(handler, lambda _: lambda _request, context: context.abort(grpc.StatusCode.INVALID_ARGUMENT, problem))
        if not pins:
            return handler
        return replaced(handler, lambda behavior: _streaming(behavior, pins) if handler.response_streaming else _unary(behavior, pins))


def replaced(handler: Any, wrap: Callable[[Any], Any]) -> Any:
    """`handler` with wrap(its behavior)."""
    kind = f"{'stream' if handler.request_streaming else 'unary'}_{'stream' if handler.response_streaming else 'unary'}"
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    return make(wrap(getattr(handler, kind)), handler.request_deserializer, handler.response_serializer)


def receive(pins: Mapping[str, str]) -> None:
    """Adds pins to the current context, for good."""
    _pins.set({**_pins.get(), **pins})


def _context_with(pins: Mapping[str, str]) -> contextvars.Context:
    context = contextvars.copy_context()
    context.run(receive, pins)
    return context


def _unary(behavior: Any, pins: Mapping[str, str]) -> Any:
    return lambda request, context: _context_with(pins).run(behavior, request, context)


def _streaming(behavior: Any, pins: Mapping[str, str]) -> Any:
    # The answers may be asked for on one thread after another.
    def answers(request: Any, context: Any) -> Iterator[Any]:
        inside = _context_with(pins)
        replies = iter(inside.run(behavior, request, context))
        nothing = object()
        while (reply := inside.run(next, replies, nothing)) is not nothing:
            yield reply
    return answers
