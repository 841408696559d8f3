"""What a server tells the registry about itself."""

import dataclasses
import logging
from collections.abc import Callable, Sequence


@dataclasses.dataclass(frozen=True)
class Server:
    """A server of one API version, as the registry is to know it."""

    service: str
    """The registry's name, such as "addressbook"."""
    version: str
    address: str
    """host:port that gateways reach this server at, or unix:PATH."""
    grpc_services: Sequence[str]
    """Full names of the gRPC services that it offers under this version."""
    publish: bool = False
    """Also publishes the version, with the descriptors of its services. It is the same request each time, so that any number of
    servers may make it; a schema that differs from what was published before ends `serve`."""
    notes: str = ""
    """Of the version that is published."""
    tls_name: str = ""
    """To be called with TLS, under this name."""
    weight: int = 0
    """0 means 1."""
    zone: str = ""
    owner: str = ""
    actor: str = ""
    """Who makes the changes, for a registry that does not know by the channel's credentials."""
    lease_seconds: float = 15
    """1 to 86,400. Renewed three times within that time."""
    drain_seconds: float = 30
    """How long calls may go on after the end was asked for."""
    on_registered: Callable[[str], None] | None = None
    """Called with the uid of each registration, on a thread of its own: the first, and those after a lease had expired. What it
    raises ends `serve`."""
    logger: logging.Logger = dataclasses.field(default_factory=lambda: logging.getLogger("pinion"))
