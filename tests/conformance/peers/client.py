"""The client of gRPC's interoperability tests on grpcio, which packages none. Runs with that package, not with the harness's Python.

usage: client.py --descriptors FILE --port PORT [--metadata NAME:VALUE] [--ca FILE]

Runs every case against 127.0.0.1:PORT and prints `PASS name` or `FAIL name: why` for each. With --ca over TLS, trusting it.
"""

import argparse
import pathlib
import queue
import sys

import grpc
from messages import INITIAL_KEY, TRAILING_KEY, Messages

REQUEST_BYTES, RESPONSE_BYTES = 271828, 314159
REQUEST_SIZES, RESPONSE_SIZES = (27182, 8, 1828, 45904), (31415, 9, 2653, 58979)
INITIAL, TRAILING = (INITIAL_KEY, "test_initial_metadata_value"), (TRAILING_KEY, b"\xab\xab\xab")
STATUS_MESSAGE = "test status message"
SPECIAL_MESSAGE = "\t\ntest with whitespace\r\nand Unicode BMP \u263a and non-BMP \U0001f608\t\n"
CALL_SECONDS = 20
SOAK_CALLS, CONCURRENT_CALLS = 20, 100


class Stub:
    """The methods of the test service on one channel."""

    def __init__(self, channel, messages):
        def method(kind, name, response, service="TestService"):
            return getattr(channel, kind)(f"/grpc.testing.{service}/{name}",
                                          request_serializer=lambda message: message.SerializeToString(),
                                          response_deserializer=getattr(messages, response).FromString)
        self.empty = method("unary_unary", "EmptyCall", "Empty")
        self.unary = method("unary_unary", "UnaryCall", "SimpleResponse")
        self.output = method("unary_stream", "StreamingOutputCall", "StreamingOutputCallResponse")
        self.input = method("stream_unary", "StreamingInputCall", "StreamingInputCallResponse")
        self.duplex = method("stream_stream", "FullDuplexCall", "StreamingOutputCallResponse")
        self.unimplemented_method = method("unary_unary", "UnimplementedCall", "Empty")
        self.unimplemented_service = method("unary_unary", "UnimplementedCall", "Empty", "UnimplementedService")


class Requests:
    """An iterator of requests that is filled while the call runs."""

    def __init__(self):
        self._queue = queue.SimpleQueue()

    def send(self, request):
        self._queue.put(request)

    def end(self):
        self._queue.put(None)

    def __iter__(self):
        return self

    def __next__(self):
        request = self._queue.get()
        if request is None:
            raise StopIteration
        return request


def expect(what, actual, wanted):
    if actual != wanted:
        raise AssertionError(f"{what}: {str(actual)[:100]!r} instead of {str(wanted)[:100]!r}")


def outcome(call):
    """(status code, message) of `call()`."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


class Cases:
    """Each method that does not begin with `_` is a case."""

    def __init__(self, messages, connect, metadata):
        self._messages, self._connect, self._metadata = messages, connect, metadata

    def _options(self, timeout=CALL_SECONDS, metadata=()):
        return {"timeout": timeout, "metadata": self._metadata + tuple(metadata)}

    def _payload(self, size):
        return self._messages.Payload(body=bytes(size))

    def _simple(self):
        return self._messages.SimpleRequest(response_size=RESPONSE_BYTES, payload=self._payload(REQUEST_BYTES))

    def _streamed(self, response_bytes, request_bytes, interval_us=0):
        wanted = self._messages.ResponseParameters(size=response_bytes, interval_us=interval_us)
        return self._messages.StreamingOutputCallRequest(response_parameters=[wanted], payload=self._payload(request_bytes))

    def _ping_pong(self, stub):
        requests = Requests()
        call = stub.duplex(requests, **self._options())
        for response_bytes, request_bytes in zip(RESPONSE_SIZES, REQUEST_SIZES):
            requests.send(self._streamed(response_bytes, request_bytes))
            expect("bytes", len(next(call).payload.body), response_bytes)
        requests.end()
        expect("further answers", list(call), [])
        expect("status", call.code(), grpc.StatusCode.OK)

    def empty_unary(self, stub):
        expect("answer", stub.empty(self._messages.Empty(), **self._options()), self._messages.Empty())

    def large_unary(self, stub):
        expect("bytes", len(stub.unary(self._simple(), **self._options()).payload.body), RESPONSE_BYTES)

    def client_streaming(self, stub):
        requests = [self._messages.StreamingInputCallRequest(payload=self._payload(size)) for size in REQUEST_SIZES]
        expect("bytes", stub.input(iter(requests), **self._options()).aggregated_payload_size, sum(REQUEST_SIZES))

    def server_streaming(self, stub):
        request = self._messages.StreamingOutputCallRequest(
            response_parameters=[self._messages.ResponseParameters(size=size) for size in RESPONSE_SIZES])
        sizes = tuple(len(response.payload.body) for response in stub.output(request, **self._options()))
        expect("sizes", sizes, RESPONSE_SIZES)

    def ping_pong(self, stub):
        self._ping_pong(stub)

    def empty_stream(self, stub):
        expect("answers", list(stub.duplex(iter(()), **self._options())), [])

    def timeout_on_sleeping_server(self, stub):
        requests = Requests()
        call = stub.duplex(requests, **self._options(timeout=0.001))
        requests.send(self._streamed(RESPONSE_SIZES[0], REQUEST_SIZES[0], interval_us=200_000))
        expect("status", outcome(lambda: next(call))[0], grpc.StatusCode.DEADLINE_EXCEEDED)
        requests.end()

    def cancel_after_begin(self, stub):
        requests = Requests()
        call = stub.input.future(requests, **self._options())
        call.cancel()
        expect("status", call.code(), grpc.StatusCode.CANCELLED)
        requests.end()

    def cancel_after_first_response(self, stub):
        requests = Requests()
        call = stub.duplex(requests, **self._options())
        requests.send(self._streamed(RESPONSE_SIZES[0], REQUEST_SIZES[0]))
        next(call)
        call.cancel()
        expect("status", outcome(lambda: next(call))[0], grpc.StatusCode.CANCELLED)
        requests.end()

    def status_code_and_message(self, stub):
        echo = self._messages.EchoStatus(code=2, message=STATUS_MESSAGE)
        wanted = (grpc.StatusCode.UNKNOWN, STATUS_MESSAGE)
        unary = self._messages.SimpleRequest(response_status=echo)
        expect("unary", outcome(lambda: stub.unary(unary, **self._options())), wanted)
        streamed = self._messages.StreamingOutputCallRequest(response_status=echo)
        expect("duplex", outcome(lambda: list(stub.duplex(iter([streamed]), **self._options()))), wanted)

    def special_status_message(self, stub):
        request = self._messages.SimpleRequest(response_status=self._messages.EchoStatus(code=2, message=SPECIAL_MESSAGE))
        expect("status", outcome(lambda: stub.unary(request, **self._options())), (grpc.StatusCode.UNKNOWN, SPECIAL_MESSAGE))

    def custom_metadata(self, stub):
        def check(call):
            expect("initial", [tuple(pair) for pair in call.initial_metadata() if pair[0] == INITIAL[0]], [INITIAL])
            expect("trailing", [tuple(pair) for pair in call.trailing_metadata() if pair[0] == TRAILING[0]], [TRAILING])

        _, call = stub.unary.with_call(self._simple(), **self._options(metadata=(INITIAL, TRAILING)))
        check(call)
        call = stub.duplex(iter([self._streamed(RESPONSE_BYTES, REQUEST_BYTES)]), **self._options(metadata=(INITIAL, TRAILING)))
        expect("answers", len(list(call)), 1)
        check(call)

    def unimplemented_method(self, stub):
        call = lambda: stub.unimplemented_method(self._messages.Empty(), **self._options())
        expect("status", outcome(call)[0], grpc.StatusCode.UNIMPLEMENTED)

    def unimplemented_service(self, stub):
        call = lambda: stub.unimplemented_service(self._messages.Empty(), **self._options())
        expect("status", outcome(call)[0], grpc.StatusCode.UNIMPLEMENTED)

    def rpc_soak(self, stub):
        for _ in range(SOAK_CALLS):
            self.large_unary(stub)

    def channel_soak(self, _):
        for _ in range(SOAK_CALLS):
            with self._connect() as channel:
                self.large_unary(Stub(channel, self._messages))

    def concurrent_unary(self, stub):
        for call in [stub.unary.future(self._simple(), **self._options()) for _ in range(CONCURRENT_CALLS)]:
            expect("bytes", len(call.result().payload.body), RESPONSE_BYTES)

    def concurrent_streams(self, stub):
        requests = [Requests() for _ in range(CONCURRENT_CALLS)]
        calls = [stub.duplex(each, **self._options()) for each in requests]
        for response_bytes, request_bytes in zip(RESPONSE_SIZES, REQUEST_SIZES):
            for each in requests:
                each.send(self._streamed(response_bytes, request_bytes))
            for call in calls:
                expect("bytes", len(next(call).payload.body), response_bytes)
        for each in requests:
            each.end()
        for call in calls:
            expect("further answers", list(call), [])


def main(argv):
    parser = argparse.ArgumentParser()
    parser.add_argument("--descriptors", required=True)
    parser.add_argument("--port", required=True)
    parser.add_argument("--metadata")
    parser.add_argument("--ca")
    options = parser.parse_args(argv)
    messages = Messages(options.descriptors)
    metadata = (tuple(options.metadata.split(":", 1)),) if options.metadata else ()
    arguments = [("grpc.use_local_subchannel_pool", 1), ("grpc.enable_http_proxy", 0)]

    def connect():
        target = f"127.0.0.1:{options.port}"
        if not options.ca:
            return grpc.insecure_channel(target, arguments)
        trusted = grpc.ssl_channel_credentials(pathlib.Path(options.ca).read_bytes())
        return grpc.secure_channel(target, trusted, [*arguments, ("grpc.ssl_target_name_override", "localhost")])

    cases = Cases(messages, connect, metadata)
    failed = 0
    for name in [name for name in vars(Cases) if not name.startswith("_")]:
        try:
            with connect() as channel:
                getattr(cases, name)(Stub(channel, messages))
            print(f"PASS {name}", flush=True)
        except (AssertionError, StopIteration, grpc.RpcError) as error:
            failed += 1
            why = f"{error.code().name}: {error.details()}" if isinstance(error, grpc.Call) else repr(error)
            print(f"FAIL {name}: {' '.join(why.split())[:220]}", flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
