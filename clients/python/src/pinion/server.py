"""The server's side: a version's server that publishes and registers itself, and leaves in good order."""

import contextlib
import signal
import threading
from collections.abc import Iterator, Sequence

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from pinion.description import Server
from pinion.registration import Registration

SIGNALS = (signal.SIGTERM, signal.SIGINT)


def add_reflection(server: grpc.Server | grpc.aio.Server, grpc_services: Sequence[str]) -> None:
    """By which the registry can see that what runs is what was published."""
    reflection.enable_server_reflection((*grpc_services, health.SERVICE_NAME, reflection.SERVICE_NAME), server)


def serve(server: grpc.Server, registry: grpc.Channel, description: Server, until: threading.Event | None = None) -> None:
    """Starts `server` and serves until `until` is set; without one, which needs the main thread, until SIGTERM or SIGINT.

    Publishes the version if told to, serves, and registers, on `registry`: a channel with whatever credentials the registry wants.
    One that is away only delays that, and calls are served meanwhile; one that refuses ends this with its `Refusal`. At the end, be it
    an exception, the server is taken out of routing first, then its open calls are waited for. Health and reflection are added, so
    `server` must have neither, and must not have been started.
    """
    state = health.HealthServicer()
    names = ("", *description.grpc_services)
    registration = Registration(registry, description)
    health_pb2_grpc.add_HealthServicer_to_server(state, server)
    add_reflection(server, description.grpc_services)
    for name in names:
        state.set(name, health_pb2.HealthCheckResponse.SERVING)
    server.start()
    try:
        with _asked_to_end(until) as end:
            registration.start(on_refusal=end.set)
            end.wait()
    finally:
        state.enter_graceful_shutdown()
        registration.end()
        server.stop(description.drain_seconds).wait()
    if registration.refusal:
        raise registration.refusal


@contextlib.contextmanager
def _asked_to_end(until: threading.Event | None) -> Iterator[threading.Event]:
    if until:
        yield until
        return
    end = threading.Event()
    before = {number: signal.signal(number, lambda *_: end.set()) for number in SIGNALS}
    try:
        yield end
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
