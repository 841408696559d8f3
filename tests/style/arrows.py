"""The include arrows of ARCHITECTURE.md, and the folders to which third-party headers are confined.

One table each. A folder may include itself, what its row names, and nothing else; the most specific row counts.
"""

# folder (or file) → what it may include. `protos` stands for generated message headers.
ARROWS = {
    "base": [],
    # Reads a message that every gRPC error may carry.
    "base/error_info.cc": ["base", "protos"],
    "auth": ["base", "protos"],
    "dial": ["base"],
    "gateway/limits.h": [],
    "gateway/upstream_limits.h": [],
    "gateway/memory_limits.h": [],
    "gateway/watch_limits.h": [],
    "gateway/tls_limits.h": [],
    "gateway/observability_limits.h": [],
    "gateway/route": ["base", "gateway/limits.h", "gateway/upstream_limits.h", "registry/version", "protos"],
    "gateway/http2": ["base", "gateway/limits.h"],
    "gateway/net": ["auth/tls_peer.h", "base", "gateway/limits.h", "gateway/tls_limits.h"],
    "gateway/transport": ["base", "gateway/limits.h", "gateway/http2", "gateway/net"],
    "gateway/upstream": ["gateway/transport", "gateway/route", "gateway/http2", "gateway/net",
                         "gateway/limits.h", "gateway/upstream_limits.h", "base"],
    "gateway/builtin": ["gateway/route", "gateway/limits.h", "base", "protos"],
    "gateway/access_log": ["base", "gateway/limits.h", "gateway/observability_limits.h"],
    "gateway/proxy": ["gateway/access_log", "auth", "gateway/builtin", "gateway/upstream", "gateway/transport", "gateway/route", "gateway/http2", "gateway/net",
                      "gateway/limits.h", "gateway/upstream_limits.h", "gateway/watch_limits.h", "gateway/memory_limits.h", "gateway/observability_limits.h",
                      "base", "protos"],
    "gateway/worker": ["gateway/access_log", "auth", "gateway/proxy", "gateway/builtin", "gateway/upstream", "gateway/transport", "gateway/route", "gateway/http2",
                       "gateway/net", "gateway/limits.h", "gateway/upstream_limits.h", "gateway/tls_limits.h", "gateway/memory_limits.h", "base", "protos"],
    "gateway/watch": ["dial", "gateway/route", "gateway/limits.h", "gateway/watch_limits.h", "base", "protos"],
    "gateway/admin": ["gateway/observability_limits.h", "base", "protos"],
    "registry/version": ["base", "protos"],
    "registry/model": ["registry/version", "base", "protos"],
    "registry/access": ["registry/model", "registry/version", "base", "protos"],
    "registry/schema": ["registry/model", "registry/version", "base", "protos"],
    "registry/compat": ["registry/schema", "registry/model", "registry/version", "base", "protos"],
    "registry/probe": ["registry/compat", "registry/schema", "registry/model", "registry/version", "base", "protos"],
    "registry/store": ["registry/model", "registry/version", "base", "protos"],
    "registry/archive": ["registry/model", "registry/version", "base", "protos"],
    "registry/service": ["auth", "registry/access", "registry/archive", "registry/probe", "registry/compat", "registry/schema", "registry/store", "registry/model", "registry/version", "base", "protos"],
    # The files of certificates and keys are checked by what will use them.
    "config": ["auth/verification_key.h", "auth/limits.h", "dial/credentials.h", "registry/access", "gateway/net/tls_files.h", "registry/compat", "registry/schema", "registry/model", "registry/version", "base", "protos"],
    "clients": ["dial", "registry/version", "base", "protos"],
    # `validate` and `explain` answer without a server: they read the file and route with the gateway's own pure code. So does
    # `schema check`, with the registry's. `audit verify` trusts no registry either, and backups are files of the command's.
    "clients/cli": ["config", "dial", "gateway/route", "registry/archive", "registry/compat", "registry/model", "registry/schema", "registry/version", "base",
                    "protos"],
    # A project of its own; its headers are installed as pinion/client/….
    "clients/cpp": ["pinion/client", "protos"],
    "pinion": ["auth", "dial", "gateway", "registry", "config", "clients", "base", "protos"],
    "examples": ["clients", "base", "dial", "protos"],
    "tests": ["auth", "dial", "gateway", "registry", "config", "clients", "pinion", "examples", "base", "protos"],
}

# Headers of third parties (and of the kernel's sockets) → where they may be included. Tests may use any of them.
CONFINED = {
    "nghttp2/": ["gateway/http2"],
    "curl/": ["auth", "gateway/admin"],
    "simdjson.h": ["auth"],
    "openssl/": ["gateway/net", "auth", "dial/certificate", "registry/schema/digest", "base/sha256", "base/openssl_ptr"],
    "grpcpp/": ["dial", "gateway/watch", "registry/probe", "registry/service", "registry/store/etcd", "clients", "examples"],
    "grpc/": ["dial", "gateway/watch", "registry/probe", "registry/service", "registry/store/etcd", "clients", "examples"],
    "sqlite3.h": ["registry/store/sqlite", "examples"],
    "yaml-cpp/": ["config"],
    "prometheus/": ["gateway/admin"],
    "microhttpd.h": ["gateway/admin"],
    "ares.h": ["gateway/net"],
    "spdlog/": ["base/log"],
    "civetweb.h": ["examples"],
    "CLI/": ["clients/cli", "pinion", "examples"],
    "sys/epoll.h": ["gateway/net"],
    "sys/socket.h": ["gateway/net"],
    "netinet/": ["gateway/net"],
    "gtest/": [],
    "gmock/": [],
    "benchmark/": [],
}

_GENERATED = (".pb.h",)


def _within(path, prefix):
    return path == prefix or path.startswith(prefix + "/")


def _row(path):
    """The most specific row of ARROWS that `path` belongs to; None outside the layout."""
    rows = [row for row in ARROWS if _within(path, row)]
    return max(rows, key=len) if rows else None


def _target(include):
    """What an include path stands for in the table. The messages that protobuf itself brings are not of protos/."""
    if include.endswith(_GENERATED) and not include.startswith("google/protobuf/"):
        return "protos"
    return include


def check(source):
    """Yields (line, rule, message)."""
    row = _row(source.path)
    for number, quoted, include in source.includes():
        yield from _confinement(source, number, include)
        target = _target(include)
        if target != "protos" and _row(include) is None:
            if quoted and (include.startswith(".") or "/" not in include):
                yield (number, "include-path",
                       f'"{include}" is not a path from the root; write e.g. "gateway/route/route_table.h"')
            continue
        if row is None or _within(target, row) or any(_within(target, to) for to in ARROWS[row]):
            continue
        if source.is_test and include.startswith("tests/"):
            continue
        yield (number, "arrow",
               f'{row} may not include "{include}" (it may include: {", ".join(ARROWS[row]) or "nothing"}); pass a '
               "value or a callback in from above, or move the code to the layer that may see both")


def _confinement(source, number, include):
    if source.is_test or include.endswith(_GENERATED):
        return
    for prefix, places in CONFINED.items():
        if not (include.startswith(prefix) if prefix.endswith("/") else include == prefix):
            continue
        if not any(source.path.startswith(place) for place in places):
            yield (number, "confined-header",
                   f"<{include}> belongs to {', '.join(places) or 'tests'} alone; use what that folder offers instead")
