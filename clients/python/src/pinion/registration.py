"""A server's place in the registry, kept under a lease."""

import threading
import time
from collections.abc import Callable
from typing import Any

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool

from pinion import refusal
from pinion.description import Server
from pinion.registry.v1 import registry_pb2, registry_pb2_grpc
from pinion.routing.v1 import routing_pb2

_CALL_SECONDS = 10
_FAREWELL_SECONDS = 3
_RETRY_SECONDS = 1
_RENEWALS_PER_LEASE = 3
# A renewal may take a quarter of the lease, so that two that hang leave time for a third.
_RENEWAL_TIMEOUTS_PER_LEASE = 4
# With these another try can succeed although nothing is changed here.
_MAY_PASS = (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED, grpc.StatusCode.ABORTED,
             grpc.StatusCode.RESOURCE_EXHAUSTED)


def descriptor_set(grpc_services: Any) -> bytes:
    """A serialised FileDescriptorSet of these services with all that they import, each file after its imports."""
    made = descriptor_pb2.FileDescriptorSet()
    seen = set()

    def add(file: Any) -> None:
        if file.name in seen:
            return
        seen.add(file.name)
        for imported in file.dependencies:
            add(imported)
        file.CopyToProto(made.file.add())

    for name in grpc_services:
        add(descriptor_pool.Default().FindServiceByName(name).file)
    return made.SerializeToString(deterministic=True)


def parse_address(text: str) -> routing_pb2.Address:
    """ValueError: it is none that gateways could call."""
    if text.startswith("unix:"):
        return routing_pb2.Address(pipe=routing_pb2.Pipe(path=text.removeprefix("unix:")))
    host, _, port = text.rpartition(":")
    host = host.removeprefix("[").removesuffix("]")
    if not host or not port.isdecimal():
        raise ValueError(f"address: `{text}` is neither HOST:PORT nor unix:PATH")
    if host in ("0.0.0.0", "::"):
        raise ValueError(f"address: `{text}` is every address of this machine; say the one that gateways reach it at")
    return routing_pb2.Address(socket_address=routing_pb2.SocketAddress(address=host, port_value=int(port)))


class Registration:
    """Publishes, registers and renews on a thread of its own, from start() to end()."""

    def __init__(self, registry: grpc.Channel, server: Server):
        """KeyError: a service that is to be published is not linked into the program. ValueError: see parse_address()."""
        self._stub = registry_pb2_grpc.RegistryStub(registry)
        self._server = server
        self._metadata = [("pinion-actor", server.actor)] if server.actor else []
        self._request = registry_pb2.RegisterInstanceRequest(
            instance=routing_pb2.Instance(service=server.service, version=server.version, address=parse_address(server.address),
                                          tls_name=server.tls_name, weight=server.weight, zone=server.zone), owner=server.owner)
        self._to_publish = self._version() if server.publish else None  # None: nothing, or it is done
        self._request.lease_ttl.FromNanoseconds(int(server.lease_seconds * 1e9))
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="pinion registration", daemon=True)
        self._on_refusal: Callable[[], None] = lambda: None
        self._uid = ""  # empty: not registered. Of the thread, and of end() after it
        self._known = False  # registered once
        self._last_error = ""  # what was logged last, so that an outage is one line
        self.refusal: Exception | None = None
        """Why the registry does not have this server at all, or what `on_registered` has raised; valid after end()."""

    def _version(self) -> registry_pb2.PublishVersionRequest:
        names = list(self._server.grpc_services)
        return registry_pb2.PublishVersionRequest(
            service=self._server.service, name=self._server.version, descriptor_set=descriptor_set(names), notes=self._server.notes,
            owner=self._server.owner, grpc_services=names)

    def start(self, on_refusal: Callable[[], None]) -> None:
        """`on_refusal` is called from the thread when there is a `refusal`."""
        self._on_refusal = on_refusal
        self._thread.start()

    def end(self) -> None:
        """Takes the server out of routing. Whatever becomes of that, its lease ends by itself. Also before start()."""
        self._end.set()
        if self._thread.ident is not None:
            self._thread.join()
        if not self._uid:
            return
        try:
            self._call("DeregisterInstance", registry_pb2.DeregisterInstanceRequest(uid=self._uid), _FAREWELL_SECONDS)
        except grpc.RpcError as error:
            self._server.logger.warning("could not deregister; the lease ends by itself: %s", error.details())
        self._uid = ""

    def _call(self, method: str, request: Any, seconds: float) -> Any:
        try:
            return getattr(self._stub, method)(request, timeout=seconds, metadata=self._metadata)
        except grpc.RpcError as error:
            raise refusal.typed(error) from None

    def _keep(self) -> None:
        due = 0.0
        while not self._end.wait(max(due - time.monotonic(), 0)):
            begun = time.monotonic()
            wait = self._server.lease_seconds / _RENEWALS_PER_LEASE
            try:
                self._publish()
                self._renew_or_register()
            except grpc.RpcError as error:
                if not self._known and error.code() not in _MAY_PASS:
                    self.refusal = error
                    self._on_refusal()
                    return
                self._report(error)
                wait = min(self._server.lease_seconds / _RENEWAL_TIMEOUTS_PER_LEASE, _RETRY_SECONDS)
            except Exception as error:  # the program's own: its server must not go on with a lease that nobody renews
                self.refusal = error
                self._on_refusal()
                return
            else:
                self._known = True
                self._report(None)
            due = begun + wait

    def _publish(self) -> None:
        if self._to_publish:
            self._call("PublishVersion", self._to_publish, _CALL_SECONDS)
            self._to_publish = None

    def _renew_or_register(self) -> None:
        if self._uid:
            try:
                self._call("RenewInstance", registry_pb2.RenewInstanceRequest(uid=self._uid),
                           min(self._server.lease_seconds / _RENEWAL_TIMEOUTS_PER_LEASE, _CALL_SECONDS))
                return
            except grpc.RpcError as error:
                if error.code() != grpc.StatusCode.NOT_FOUND:
                    raise
            self._uid = ""  # the lease has expired, for instance while this machine slept
        self._uid = self._call("RegisterInstance", self._request, _CALL_SECONDS).instance.instance.uid
        if self._server.on_registered:
            self._server.on_registered(self._uid)

    def _report(self, error: grpc.RpcError | None) -> None:
        text = error.details() or str(error.code()) if error else ""
        if text == self._last_error:
            return
        self._last_error = text
        if error is None:
            self._server.logger.info("the registry has this server again, as %s", self._uid)
        elif isinstance(error, refusal.Refusal):
            self._server.logger.error("the registry refuses this server (%s); trying again: %s", error.reason, text)
        else:
            self._server.logger.warning("the registry does not answer; trying again: %s", text)
