"""The caller's side: pins go out, versions, notices and refusals come back."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import grpc

from pinion import chain, notices, refusal


def pin(expression: str, header: str = "api-version") -> tuple[str, str]:
    """Asks for a version in one call, whatever else is pinned: stub.Get(request, metadata=[pinion.pin("^2")])."""
    return header, chain.sendable(expression)


class _Details(NamedTuple):
    method: str
    timeout: float | None
    metadata: Any
    credentials: Any
    wait_for_ready: Any
    compression: Any


class Rules:
    """What a connection sends, and tells of what it hears; the options are those of ClientInterceptor."""

    def __init__(self, pins: Mapping[str, str] | None, default_pin: str, header: str, pass_on: bool,
                 on_deprecation: Callable[[notices.Notice], None] | None, logger: logging.Logger | None):
        self.header = header.lower()
        self._pins, self._default_pin, self._pass_on = dict(pins or {}), default_pin, pass_on
        self._notices = notices.Notices(on_deprecation, logger)

    def metadata(self, method: str, given: Iterable[tuple[str, Any]] | None) -> list[tuple[str, Any]]:
        """What is sent, if the caller has given this."""
        sent = list(given or ())
        passed_on = chain.pins_of_chain() if self._pass_on else {}
        if not any(name == self.header for name, _ in sent):
            service = method.strip("/").partition("/")[0]
            wanted = passed_on.get(service) or self._pins.get(service) or self._default_pin
            if wanted:
                sent.append((self.header, chain.sendable(wanted)))
        if passed_on:
            sent.append((self.header + chain.SUFFIX, chain.sendable(chain.form(passed_on))))
        return sent

    def tell(self, response: notices.Response) -> None:
        if response.notice:
            self._notices.tell(response.notice)


class ClientInterceptor(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamUnaryClientInterceptor,
                        grpc.StreamStreamClientInterceptor):
    """For grpc.intercept_channel. Any number of channels and threads may share one.

    The pin of a call is the first of: the caller's own metadata (see `pin`), the chain, `pins`, `default_pin`.
    """

    def __init__(self, pins: Mapping[str, str] | None = None, *, default_pin: str = "", header: str = "api-version",
                 pass_on: bool = False, on_deprecation: Callable[[notices.Notice], None] | None = None,
                 logger: logging.Logger | None = None):
        """`pins`: by full gRPC service name; an expression is a version's name, a range (`^1.4`) or a channel (`@stable`). It stands
        before the pin that the registry keeps for this consumer. `default_pin`: for services that have none. `header`: where
        the gateway's is another one. `pass_on`: calls follow the pins of `chain_pins`, and hand them on. `on_deprecation`: called
        once for each different notice, on any thread; `logger` gets a line then, `pinion` unless set."""
        self._rules = Rules(pins, default_pin, header, pass_on, on_deprecation, logger)

    def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._future(continuation, client_call_details, request)

    def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return self._future(continuation, client_call_details, request_iterator)

    def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return self._stream(continuation, client_call_details, request)

    def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return self._stream(continuation, client_call_details, request_iterator)

    def _future(self, continuation: Any, details: Any, request: Any) -> "_Future":
        answered = _Future(continuation(self._with_pin(details), request), details.method, self._tell)
        answered.add_done_callback(lambda _: answered.tell())
        return answered

    def _stream(self, continuation: Any, details: Any, request: Any) -> "_Stream":
        return _Stream(continuation(self._with_pin(details), request), details.method, self._tell)

    def _tell(self, call: "_Call") -> None:
        self._rules.tell(notices.response(call, self._rules.header))

    def _with_pin(self, details: Any) -> _Details:
        return _Details(details.method, details.timeout, self._rules.metadata(details.method, details.metadata), details.credentials,
                        getattr(details, "wait_for_ready", None), getattr(details, "compression", None))


class _Call:
    """A call whose errors are typed; all else is that of gRPC's own."""

    def __init__(self, call: Any, method: str, tell: Callable[["_Call"], None]):
        self._call, self.pinion_method, self._tell = call, method, tell

    def __getattr__(self, name: str) -> Any:
        return getattr(self._call, name)

    def tell(self) -> None:
        """Once the answer has begun, so that nothing waits for it here; says the notice, at most once."""
        tell, self._tell = self._tell, lambda _: None
        tell(self)


class _Future(_Call):
    def result(self, timeout: float | None = None) -> Any:
        try:
            return self._call.result(timeout)
        except grpc.RpcError as error:
            raise refusal.typed(error) from None

    def exception(self, timeout: float | None = None) -> Any:
        return refusal.typed(self._call.exception(timeout))

    def add_done_callback(self, done: Callable[["_Future"], None]) -> None:
        self._call.add_done_callback(lambda _: done(self))


class _Stream(_Call):
    def __iter__(self) -> Iterator[Any]:
        return self

    def __next__(self) -> Any:
        try:
            message = next(self._call)
        except StopIteration:
            self.tell()
            raise
        except grpc.RpcError as error:
            self.tell()
            raise refusal.typed(error) from None
        self.tell()
        return message
