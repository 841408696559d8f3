"""Refusals as programs meet them: through interceptors of others, printed, and copied."""

import asyncio
import pickle
import unittest
from concurrent import futures

import grpc
from google.rpc import error_details_pb2, status_pb2

import pinion
from pinion import aio

_SERVICE = "acme.people.People"
_KINDS = ("unary_unary", "unary_stream", "stream_unary", "stream_stream")


def _details():
    status = status_pb2.Status(code=12)
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="VERSION_NOT_FOUND", domain="pinion", metadata={"available": "2.0.0"}))
    return status.SerializeToString()


def _refuse(_request, context):
    context.set_trailing_metadata([("grpc-status-details-bin", _details())])
    context.abort(grpc.StatusCode.UNIMPLEMENTED, "no such version")


class _PassThrough(grpc.UnaryUnaryClientInterceptor, grpc.UnaryStreamClientInterceptor, grpc.StreamUnaryClientInterceptor,
                   grpc.StreamStreamClientInterceptor):
    """Another's, which looks at what becomes of each call."""

    def __init__(self):
        self.ended = []

    def _call(self, continuation, details, request):
        call = continuation(details, request)
        if hasattr(call, "add_done_callback"):
            call.add_done_callback(lambda ended: self.ended.append(ended.code()))
        return call

    intercept_unary_unary = intercept_unary_stream = intercept_stream_unary = intercept_stream_stream = _call


class RefusedCalls(unittest.TestCase):
    def setUp(self):
        server = grpc.server(futures.ThreadPoolExecutor(2))
        handlers = {kind: getattr(grpc, f"{kind}_rpc_method_handler")(_refuse) for kind in _KINDS}
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(_SERVICE, handlers),))
        self.address = f"127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
        server.start()
        self.addCleanup(lambda: server.stop(0).wait())
        self.plain = grpc.insecure_channel(self.address)
        self.addCleanup(self.plain.close)

    @staticmethod
    def call(channel, kind):
        called = getattr(channel, kind)(f"/{_SERVICE}/{kind}")
        answer = called(iter([b""]) if kind.startswith("stream") else b"", timeout=10)
        return list(answer) if kind.endswith("stream") else answer

    def refusal(self, kind):
        with self.assertRaises(pinion.Refusal) as raised:
            self.call(grpc.intercept_channel(self.plain, pinion.ClientInterceptor()), kind)
        return raised.exception

    def aio_refusal(self, kind):
        async def call():
            async with grpc.aio.insecure_channel(self.address, interceptors=aio.interceptors()) as channel:
                called = getattr(channel, kind)(f"/{_SERVICE}/{kind}")(b"", timeout=10)
                return [message async for message in called] if kind.endswith("stream") else await called
        with self.assertRaises(pinion.Refusal) as raised:
            asyncio.run(call())
        return raised.exception

    def test_interceptors_of_others_on_both_sides(self):
        for kind in _KINDS:
            outer, inner = _PassThrough(), _PassThrough()
            with self.subTest(kind), self.assertRaises(pinion.Refusal) as raised:
                self.call(grpc.intercept_channel(self.plain, outer, pinion.ClientInterceptor(), inner), kind)
            self.assertEqual(raised.exception.reason, "VERSION_NOT_FOUND")
            if kind.endswith("unary"):
                self.assertEqual(outer.ended, [grpc.StatusCode.UNIMPLEMENTED])

    def test_a_future_through_an_interceptor_of_another(self):
        channel = grpc.intercept_channel(self.plain, _PassThrough(), pinion.ClientInterceptor())
        future = channel.unary_unary(f"/{_SERVICE}/unary_unary").future(b"", timeout=10)
        self.assertIsInstance(future.exception(), pinion.Refusal)
        self.assertRaises(pinion.Refusal, future.result)

    def test_it_is_a_call_that_has_ended(self):
        refusal = self.refusal("unary_unary")
        self.assertIsInstance(refusal, grpc.Call)
        self.assertIsInstance(refusal, grpc.Future)
        self.assertEqual((refusal.done(), refusal.running(), refusal.cancelled(), refusal.cancel(), refusal.is_active()),
                         (True, False, False, False, False))
        self.assertIsNotNone(refusal.traceback())

    def test_printed_and_copied(self):
        for refusal in (self.refusal("unary_unary"), self.refusal("unary_stream"), self.aio_refusal("unary_unary"),
                        self.aio_refusal("unary_stream")):
            with self.subTest(type(refusal.cause)):
                self.assertIn("no such version", repr(refusal))
                self.assertIn("no such version", refusal.debug_error_string())
                copied = pickle.loads(pickle.dumps(refusal))
                self.assertIs(type(copied), type(refusal))
                self.assertEqual((copied.reason, copied.available, copied.code(), copied.details()),
                                 ("VERSION_NOT_FOUND", ["2.0.0"], grpc.StatusCode.UNIMPLEMENTED, "no such version"))
                self.assertEqual(list(copied.trailing_metadata()), list(refusal.trailing_metadata()))
                self.assertEqual(copied.debug_error_string(), refusal.debug_error_string())


if __name__ == "__main__":
    unittest.main()
