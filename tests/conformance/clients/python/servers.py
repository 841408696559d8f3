"""Servers that publish and register themselves."""

import queue
import threading
from concurrent import futures

import echo_pb2
import echo_pb2_grpc
import grpc
from calls import error_answer
from grpc_health.v1 import health_pb2, health_pb2_grpc

import pinion

_SECONDS = 10
_ECHO = "pinion.conformance.v1.Echo"


class _Echo(echo_pb2_grpc.EchoServicer):
    def __init__(self, version):
        self._version = version

    def Say(self, request, context):
        reply = echo_pb2.SayReply(version=self._version, received=dict(context.invocation_metadata()))
        if not request.through:
            return reply
        with grpc.insecure_channel(request.through[0]) as plain:
            next_one = echo_pb2_grpc.EchoStub(grpc.intercept_channel(plain, pinion.ClientInterceptor(pass_on=True)))
            try:
                reply.through.CopyFrom(next_one.Say(echo_pb2.SayRequest(through=request.through[1:]), timeout=_SECONDS))
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
        return reply

    Later = Say

    def Repeat(self, request, context):
        for _ in range(2):
            yield self.Say(request, context)


class _Server:
    def __init__(self, registry, version, publish, lease_seconds):
        self._channel = grpc.insecure_channel(registry)
        self._program = grpc.server(futures.ThreadPoolExecutor(8), interceptors=[pinion.ChainServerInterceptor()])
        echo_pb2_grpc.add_EchoServicer_to_server(_Echo(version), self._program)
        self.address = f"127.0.0.1:{self._program.add_insecure_port('127.0.0.1:0')}"
        self._events = queue.Queue()  # uids, then the end: an error or None
        self._until = threading.Event()
        self._description = pinion.Server(service="echo", version=version, address=self.address, grpc_services=[_ECHO],
                                          publish=publish, lease_seconds=lease_seconds, actor="driver",
                                          on_registered=self._events.put)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        error = None
        try:
            pinion.serve(self._program, self._channel, self._description, self._until)
        except grpc.RpcError as refused:
            error = refused
        self._events.put(error)

    def next_event(self):
        event = self._events.get(timeout=_SECONDS)
        if isinstance(event, str):
            return {"uid": event, "address": self.address}
        return {"error": error_answer(event)} if event else {}

    def end(self):
        self._until.set()
        self._thread.join(_SECONDS)
        self._channel.close()
        return {"failure": "did not end"} if self._thread.is_alive() else self.next_event()


class Servers:
    def __init__(self):
        self._servers = {}

    def serve(self, registry, version, publish=False, lease_seconds=15, **named):
        server = self._servers[named["as"]] = _Server(registry, version, publish, lease_seconds)
        return server.next_event()

    def again(self, **named):
        return self._servers[named["as"]].next_event()

    def health(self, **named):
        with grpc.insecure_channel(self._servers[named["as"]].address) as channel:
            checked = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=_ECHO), timeout=_SECONDS)
        return {"status": health_pb2.HealthCheckResponse.ServingStatus.Name(checked.status)}

    def end(self, **named):
        return self._servers[named["as"]].end()
