"""Servers that publish and register themselves."""

import queue
import threading
from concurrent import futures

import echo_pb2
import echo_pb2_grpc
import grpc
from calls import credentials, error_answer
from grpc_health.v1 import health_pb2, health_pb2_grpc

import pinion

SECONDS = 10
ECHO = "pinion.conformance.v1.Echo"
_ALIVE = [("grpc.keepalive_time_ms", 10_000), ("grpc.keepalive_permit_without_calls", 1), ("grpc.keepalive_timeout_ms", 3_000),
          ("grpc.http2.ping_timeout_ms", 3_000)]


class Echo(echo_pb2_grpc.EchoServicer):
    def __init__(self, version):
        self._version = version

    def Say(self, request, context):
        reply = echo_pb2.SayReply(version=self._version, received=dict(context.invocation_metadata()))
        if not request.through:
            return reply
        with grpc.insecure_channel(request.through[0]) as plain:
            next_one = echo_pb2_grpc.EchoStub(grpc.intercept_channel(plain, pinion.ClientInterceptor(pass_on=True)))
            try:
                reply.through.CopyFrom(next_one.Say(echo_pb2.SayRequest(through=request.through[1:]), timeout=SECONDS))
            except grpc.RpcError as error:
                context.abort(error.code(), error.details())
        return reply

    Later = Say

    def Repeat(self, request, context):
        for _ in range(2):
            yield self.Say(request, context)


class Server:
    """One that runs on a thread, and tells what becomes of it."""

    def __init__(self, registry, shown, version, publish, lease_seconds):
        """`shown`: the credentials of the channel to the registry; None: no TLS."""
        self.address = ""
        self.events = queue.Queue()  # uids, then the end: an error or None
        self._until = threading.Event()
        self._options = {"service": "echo", "version": version, "grpc_services": [ECHO], "publish": publish, "actor": "driver",
                         "lease_seconds": lease_seconds, "on_registered": self.events.put}
        self._registry, self._shown = registry, shown
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        error = None
        try:
            with (grpc.secure_channel(self._registry, self._shown, _ALIVE) if self._shown
                  else grpc.insecure_channel(self._registry, _ALIVE)) as registry:
                self._serve(registry)
        except grpc.RpcError as refused:
            error = refused
        self.events.put(error)

    def _serve(self, registry):
        program = grpc.server(futures.ThreadPoolExecutor(8), interceptors=[pinion.ChainServerInterceptor()])
        echo_pb2_grpc.add_EchoServicer_to_server(Echo(self._options["version"]), program)
        pinion.serve(program, registry, self._description(program), self._until)

    def _description(self, program):
        self.address = f"127.0.0.1:{program.add_insecure_port('127.0.0.1:0')}"
        return pinion.Server(address=self.address, **self._options)

    def next_event(self):
        event = self.events.get(timeout=SECONDS)
        if isinstance(event, str):
            return {"uid": event, "address": self.address}
        return {"error": error_answer(event)} if event else {}

    def end(self):
        self._until.set()
        self._thread.join(SECONDS)
        return {"failure": "did not end"} if self._thread.is_alive() else self.next_event()


class Servers:
    def __init__(self, make=Server):
        self._make = make
        self._servers = {}

    def serve(self, registry, version, publish=False, lease_seconds=15, **named):
        server = self._servers[named["as"]] = self._make(registry, credentials(**named), version, publish, lease_seconds)
        return server.next_event()

    def again(self, **named):
        return self._servers[named["as"]].next_event()

    def health(self, **named):
        with grpc.insecure_channel(self._servers[named["as"]].address) as channel:
            checked = health_pb2_grpc.HealthStub(channel).Check(health_pb2.HealthCheckRequest(service=ECHO), timeout=SECONDS)
        return {"status": health_pb2.HealthCheckResponse.ServingStatus.Name(checked.status)}

    def end(self, **named):
        return self._servers[named["as"]].end()
