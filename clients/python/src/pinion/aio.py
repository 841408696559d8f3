"""The same for grpc.aio: `interceptors` for channels, `response` for calls, `serve` and `ChainServerInterceptor` for servers."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from typing import Any

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

from pinion import chain, client, notices, refusal
from pinion.description import Server
from pinion.registration import Registration
from pinion.server import SIGNALS, add_reflection

__all__ = ["ChainServerInterceptor", "interceptors", "response", "serve"]


def interceptors(pins: Mapping[str, str] | None = None, *, default_pin: str = "", header: str = "api-version", pass_on: bool = False,
                 on_deprecation: Callable[[notices.Notice], None] | None = None,
                 logger: logging.Logger | None = None) -> list[grpc.aio.ClientInterceptor]:
    """For a channel's `interceptors`; the options are those of pinion.ClientInterceptor. Any number of channels may share them."""
    rules = client.Rules(pins, default_pin, header, pass_on, on_deprecation, logger)
    return [_UnaryUnary(rules), _UnaryStream(rules), _StreamUnary(rules), _StreamStream(rules)]


async def response(call: Any, header: str = "api-version", grpc_service: str = "") -> notices.Response:
    """What the gateway says of the version that answers `call`, once it does. `grpc_service`: for the notice, as calls do not tell."""
    return await _response(call, grpc_service, header)


async def _response(call: Any, method: str, header: str) -> notices.Response:
    return (notices.read(await call.initial_metadata(), method, header)
            or notices.read(await call.trailing_metadata(), method, header) or notices.Response())


class _Interceptor:
    def __init__(self, rules: client.Rules):
        self._rules = rules

    async def _begun(self, continuation: Any, details: Any, request: Any) -> tuple[Any, str]:
        """The call, with its pin, and the method's path."""
        path = details.method.decode() if isinstance(details.method, bytes) else details.method
        metadata = grpc.aio.Metadata(*self._rules.metadata(path, details.metadata))
        return await continuation(details._replace(metadata=metadata), request), path

    async def _unary(self, continuation: Any, details: Any, request: Any) -> Any:
        call, path = await self._begun(continuation, details, request)
        try:
            await call
        except grpc.aio.AioRpcError as error:
            raise refusal.typed(error) from None
        finally:
            if call.done() and not call.cancelled():
                self._rules.tell(await _response(call, path, self._rules.header))
        return call

    async def _stream(self, continuation: Any, details: Any, request: Any) -> AsyncIterator[Any]:
        call, path = await self._begun(continuation, details, request)
        return self._messages(call, path)

    async def _messages(self, call: Any, path: str) -> AsyncIterator[Any]:
        told = False

        async def tell() -> None:
            nonlocal told
            if not told:
                told = True
                self._rules.tell(await _response(call, path, self._rules.header))
        try:
            async for message in call:
                await tell()
                yield message
        except grpc.aio.AioRpcError as error:
            await tell()
            raise refusal.typed(error) from None
        await tell()


class _UnaryUnary(_Interceptor, grpc.aio.UnaryUnaryClientInterceptor):
    async def intercept_unary_unary(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._unary(continuation, client_call_details, request)


class _StreamUnary(_Interceptor, grpc.aio.StreamUnaryClientInterceptor):
    async def intercept_stream_unary(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._unary(continuation, client_call_details, request_iterator)


class _UnaryStream(_Interceptor, grpc.aio.UnaryStreamClientInterceptor):
    async def intercept_unary_stream(self, continuation: Any, client_call_details: Any, request: Any) -> Any:
        return await self._stream(continuation, client_call_details, request)


class _StreamStream(_Interceptor, grpc.aio.StreamStreamClientInterceptor):
    async def intercept_stream_stream(self, continuation: Any, client_call_details: Any, request_iterator: Any) -> Any:
        return await self._stream(continuation, client_call_details, request_iterator)


class ChainServerInterceptor(grpc.aio.ServerInterceptor):
    """As pinion.ChainServerInterceptor."""

    def __init__(self, header: str = "api-version"):
        self._receiver = chain.Receiver(header)

    async def intercept_service(self, continuation: Any, handler_call_details: Any) -> Any:
        handler = await continuation(handler_call_details)
        try:
            pins = self._receiver.pins(handler_call_details.invocation_metadata)
        except ValueError as error:
            problem = str(error)

            async def refuse(_request: Any, context: Any) -> None:
                await context.abort(grpc.StatusCode.INVALID_ARGUMENT, problem)
            return handler and chain.replaced(handler, lambda _: refuse)
        if pins:
            chain.receive(pins)  # this call's task goes on with the handler
        return handler


async def serve(server: grpc.aio.Server, registry: grpc.Channel, description: Server, until: asyncio.Event | None = None) -> None:
    """As pinion.serve. `registry` is a blocking channel: registration has a thread of its own, so that its lease does not depend on
    how busy the event loop is. To be cancelled is to be asked to end. Without `until`, it ends with SIGTERM or SIGINT, which needs the
    main thread."""
    state = health.aio.HealthServicer()
    registration = Registration(registry, description)
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    add_reflection(server, description.grpc_services)
    loop = asyncio.get_running_loop()

    async def leave() -> None:
        await state.enter_graceful_shutdown()
        await asyncio.to_thread(registration.end)
        await server.stop(description.drain_seconds)
    for name in ("", *description.grpc_services):
        await state.set(name, health_pb2.HealthCheckResponse.SERVING)
    await server.start()
    try:
        with _asked_to_end(loop, until) as end:
            registration.start(on_refusal=lambda: loop.call_soon_threadsafe(end.set))
            await end.wait()
    finally:
        await asyncio.shield(leave())
    if registration.refusal:
        raise registration.refusal


@contextlib.contextmanager
def _asked_to_end(loop: asyncio.AbstractEventLoop, until: asyncio.Event | None) -> Iterator[asyncio.Event]:
    if until:
        yield until
        return
    end = asyncio.Event()
    for number in SIGNALS:
        loop.add_signal_handler(number, end.set)
    try:
        yield end
    finally:
        for number in SIGNALS:
            loop.remove_signal_handler(number)
