"""The same with grpc.aio."""

import asyncio
import contextlib
import threading

import echo_pb2
import echo_pb2_grpc
import grpc
from calls import SECONDS, Calls, error_answer, notice_answer, reply_answer, sent_metadata
from servers import ECHO, Server

import pinion
from pinion import aio


class AioCalls(Calls):
    def __init__(self):
        super().__init__()
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, daemon=True).start()

    def _await(self, coroutine):
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(2 * SECONDS)

    def _stub(self, target, of_channel, pins, **options):
        async def make():
            interceptors = aio.interceptors(pins, **options)
            channel = (grpc.aio.secure_channel(target, of_channel, interceptors=interceptors) if of_channel
                       else grpc.aio.insecure_channel(target, interceptors=interceptors))
            return echo_pb2_grpc.EchoStub(channel)
        return self._await(make())

    def call(self, **command):
        return self._await(self._call(**command))

    async def _call(self, method="Say", pin="", metadata=None, chain=None, through=(), **named):
        connection = self._connections[named["as"]]
        with pinion.chain_pins(chain) if chain else contextlib.nullcontext():
            call = getattr(connection.stub, method)(echo_pb2.SayRequest(through=through), timeout=SECONDS,
                                                    metadata=sent_metadata(connection, metadata or {}, pin))
            try:
                said = reply_answer([reply async for reply in call][0] if method == "Repeat" else await call)
            except grpc.aio.AioRpcError as error:
                said = {"error": error_answer(error)}
        answered = await aio.response(call, connection.header, ECHO)
        return {"version": answered.version, "notice": notice_answer(answered.notice), **said}


class _Echo(echo_pb2_grpc.EchoServicer):
    def __init__(self, version):
        self._version = version

    async def Say(self, request, context):
        reply = echo_pb2.SayReply(version=self._version, received=dict(context.invocation_metadata()))
        if not request.through:
            return reply
        async with grpc.aio.insecure_channel(request.through[0], interceptors=aio.interceptors(pass_on=True)) as channel:
            try:
                next_one = echo_pb2_grpc.EchoStub(channel)
                reply.through.CopyFrom(await next_one.Say(echo_pb2.SayRequest(through=request.through[1:]), timeout=SECONDS))
            except grpc.aio.AioRpcError as error:
                await context.abort(error.code(), error.details())
        return reply

    Later = Say

    async def Repeat(self, request, context):
        for _ in range(2):
            yield await self.Say(request, context)


class AioServer(Server):
    def _serve(self, registry):
        asyncio.run(self._serve_in_loop(registry))

    async def _serve_in_loop(self, registry):
        program = grpc.aio.server(interceptors=[aio.ChainServerInterceptor()])
        echo_pb2_grpc.add_EchoServicer_to_server(_Echo(self._options["version"]), program)
        until = asyncio.Event()
        loop = asyncio.get_running_loop()
        threading.Thread(target=lambda: self._until.wait() and loop.call_soon_threadsafe(until.set), daemon=True).start()
        await aio.serve(program, registry, self._description(program), until)
