"""A greeter that keeps itself registered as one version of the service `greeter`, until SIGTERM or Ctrl-C."""

import argparse
import logging
import pathlib
import sys
from concurrent import futures

import greeter_pb2
import greeter_pb2_grpc
import grpc

import pinion


class Greeter(greeter_pb2_grpc.GreeterServicer):
    def __init__(self, version):
        self._version = version

    def Greet(self, request, context):
        return greeter_pb2.GreetReply(text=f"hello {request.name}, says {self._version}")


# A registry whose machine has vanished is noticed before a lease of 15 s ends.
ALIVE = [("grpc.keepalive_time_ms", 10_000), ("grpc.keepalive_permit_without_calls", 1), ("grpc.keepalive_timeout_ms", 3_000),
         ("grpc.http2.ping_timeout_ms", 3_000)]


def connect(options):
    """To the registry; over TLS and with a token where it asks who calls."""
    if not options.tls_ca:
        return grpc.insecure_channel(options.registry, ALIVE)
    credentials = grpc.ssl_channel_credentials(options.tls_ca.read_bytes())
    if options.token_file:
        credentials = grpc.composite_channel_credentials(credentials, pinion.token_file(options.token_file))
    return grpc.secure_channel(options.registry, credentials, ALIVE)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--registry", default="127.0.0.1:8081", help="HOST:PORT or unix:PATH")
    parser.add_argument("--version", default="1.0.0", help="the API version that this server serves")
    parser.add_argument("--tls-ca", type=pathlib.Path, help="who signs the registry's certificate; without it, no TLS")
    parser.add_argument("--token-file", help="what the registry is shown")
    options = parser.parse_args()
    if options.token_file and not options.tls_ca:
        parser.error("a token is only sent over TLS: --token-file needs --tls-ca")
    logging.basicConfig(level=logging.INFO)

    server = grpc.server(futures.ThreadPoolExecutor())
    greeter_pb2_grpc.add_GreeterServicer_to_server(Greeter(options.version), server)
    port = server.add_insecure_port("127.0.0.1:0")
    with connect(options) as registry:
        pinion.serve(server, registry, pinion.Server(
            service="greeter", version=options.version, address=f"127.0.0.1:{port}",
            grpc_services=[greeter_pb2.DESCRIPTOR.services_by_name["Greeter"].full_name], publish=True, actor="greeter-sample",
            on_registered=lambda uid: print("registered as", uid, flush=True)))


if __name__ == "__main__":
    try:
        main()
    except pinion.Refusal as refusal:
        sys.exit(f"refused, {refusal.reason}: {refusal.details()}")
    except OSError as error:
        sys.exit(str(error))
