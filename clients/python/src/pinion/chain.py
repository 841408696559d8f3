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


def form(pins: Mapping[str, str]) -> str:
    return ", ".join(f"{service}={pins[service]}" for service in sorted(pins))


class ChainServerInterceptor(grpc.ServerInterceptor):
    """Takes the pins that a caller has passed on into the context of handlers. A malformed list is refused with INVALID_ARGUMENT."""

    def __init__(self, header: str = "api-version"):
        """`header`: the gateway's."""
        self._name = header.lower() + SUFFIX

    def intercept_service(self, continuation: Callable[[Any], Any], handler_call_details: Any) -> Any:
        handler = continuation(handler_call_details)
        received = [value for name, value in handler_call_details.invocation_metadata if name == self._name]
        if handler is None or not received:
            return handler
        try:
            pins = parse(",".join(received))
        except ValueError as error:
            problem = f"the metadata `{self._name}` is malformed: {error}"
            return _replaced(handler, lambda _: lambda _request, context: context.abort(grpc.StatusCode.INVALID_ARGUMENT, problem))
        return _replaced(handler, lambda behavior: _streaming(behavior, pins) if handler.response_streaming else _unary(behavior, pins))


def _replaced(handler: Any, wrap: Callable[[Any], Any]) -> Any:
    kind = f"{'stream' if handler.request_streaming else 'unary'}_{'stream' if handler.response_streaming else 'unary'}"
    make = getattr(grpc, f"{kind}_rpc_method_handler")
    return make(wrap(getattr(handler, kind)), handler.request_deserializer, handler.response_serializer)


def _context_with(pins: Mapping[str, str]) -> contextvars.Context:
    context = contextvars.copy_context()
    context.run(_pins.set, {**_pins.get(), **pins})
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
