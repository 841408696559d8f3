"""The server of gRPC's interoperability tests on grpcio, which packages none. Runs with that package, not with the harness's Python.

usage: server.py --descriptors FILE

Listens on a free port of 127.0.0.1 until it is ended.
"""

import argparse
import signal
import sys
import time
from concurrent import futures

import grpc
from messages import INITIAL_KEY, TRAILING_KEY, Messages

CALLS_MAX = 128  # at once; a thread each


class TestService(grpc.GenericRpcHandler):
    """Each method that does not begin with `_` is one of the service's, named as on the wire."""

    def __init__(self, messages):
        self._messages = messages

    def service(self, details):
        kinds = {
            "EmptyCall": (grpc.unary_unary_rpc_method_handler, "Empty"),
            "UnaryCall": (grpc.unary_unary_rpc_method_handler, "SimpleRequest"),
            "StreamingOutputCall": (grpc.unary_stream_rpc_method_handler, "StreamingOutputCallRequest"),
            "StreamingInputCall": (grpc.stream_unary_rpc_method_handler, "StreamingInputCallRequest"),
            "FullDuplexCall": (grpc.stream_stream_rpc_method_handler, "StreamingOutputCallRequest"),
            "HalfDuplexCall": (grpc.stream_stream_rpc_method_handler, "StreamingOutputCallRequest"),
        }
        service, method = details.method.rsplit("/", 1)
        if service != "/grpc.testing.TestService" or method not in kinds:
            return None  # UNIMPLEMENTED
        handler, request = kinds[method]
        return handler(getattr(self, method), request_deserializer=getattr(self._messages, request).FromString,
                       response_serializer=lambda message: message.SerializeToString())

    def EmptyCall(self, request, context):
        _echo_metadata(context)
        return self._messages.Empty()

    def UnaryCall(self, request, context):
        _echo_metadata(context)
        _end_as_asked(request, context)
        return self._messages.SimpleResponse(payload=self._messages.Payload(body=bytes(request.response_size)))

    def StreamingOutputCall(self, request, context):
        _echo_metadata(context)
        yield from self._answers(request, context)

    def StreamingInputCall(self, requests, context):
        _echo_metadata(context)
        return self._messages.StreamingInputCallResponse(aggregated_payload_size=sum(len(each.payload.body) for each in requests))

    def FullDuplexCall(self, requests, context):
        _echo_metadata(context)
        for request in requests:
            yield from self._answers(request, context)

    def HalfDuplexCall(self, requests, context):
        _echo_metadata(context)
        for request in list(requests):
            yield from self._answers(request, context)

    def _answers(self, request, context):
        _end_as_asked(request, context)
        for wanted in request.response_parameters:
            time.sleep(wanted.interval_us / 1e6)
            yield self._messages.StreamingOutputCallResponse(payload=self._messages.Payload(body=bytes(wanted.size)))


def _echo_metadata(context):
    """Both kinds of custom metadata come back where the tests expect them."""
    received = context.invocation_metadata()
    context.send_initial_metadata([pair for pair in received if pair[0] == INITIAL_KEY])
    context.set_trailing_metadata([pair for pair in received if pair[0] == TRAILING_KEY])


def _end_as_asked(request, context):
    """With the status that the request wants, if it wants one."""
    status = request.response_status
    if status.code:
        context.abort(next(code for code in grpc.StatusCode if code.value[0] == status.code), status.message)


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--descriptors", required=True)
    options = parser.parse_args(argv)
    server = grpc.server(futures.ThreadPoolExecutor(CALLS_MAX), [TestService(Messages(options.descriptors))],
                         options=[("grpc.max_receive_message_length", -1)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    print(f"listening on {port}", flush=True)
    signal.sigwait([signal.SIGTERM, signal.SIGINT])
    server.stop(grace=1).wait()
    return 0


if __name__ == "__main__":
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM, signal.SIGINT])  # before gRPC starts its threads
    sys.exit(main(sys.argv[1:]))
