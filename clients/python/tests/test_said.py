"""What is read from metadata: notices and refusals."""

import datetime
import unittest

import grpc
from google.rpc import error_details_pb2, status_pb2

from pinion import notices, refusal

_UTC = datetime.timezone.utc
_DEPRECATED = datetime.datetime.fromtimestamp(1764000000, _UTC)


class Read(unittest.TestCase):
    def test_notice(self):
        for metadata, want in (
            ([], None),
            ([("api-version", "1.0.0"), ("sunset", "Mon, 01 Mar 2027 00:00:00 GMT")], notices.Response("1.0.0")),
            ([("api-version", "1.0.0"), ("deprecation", "@1764000000")],
             notices.Response("1.0.0", notices.Notice("a.A", "1.0.0", _DEPRECATED))),
            ([("api-version", "1.0.0"), ("deprecation", "@1764000000"), ("sunset", "Mon, 01 Mar 2027 00:00:00 GMT"),
              ("link", '<https://a.example>; rel="next"'), ("link", '<https://a.example/v2>; rel="successor-version"')],
             notices.Response("1.0.0", notices.Notice("a.A", "1.0.0", _DEPRECATED, datetime.datetime(2027, 3, 1, tzinfo=_UTC),
                                                      "https://a.example/v2"))),
            ([("api-version", "1.0.0"), ("deprecation", "yes"), ("sunset", "soon")],
             notices.Response("1.0.0", notices.Notice("a.A", "1.0.0", None))),
        ):
            with self.subTest(metadata):
                self.assertEqual(notices.read(metadata, "/a.A/Get", "api-version"), want)


class _Error(grpc.RpcError):
    def __init__(self, trailers):
        super().__init__("no such version")
        self._trailers = trailers

    def code(self):
        return grpc.StatusCode.UNIMPLEMENTED

    def trailing_metadata(self):
        return self._trailers


def refused(domain):
    status = status_pb2.Status(code=12)
    said = {"service": "people", "asked": "^3", "available": "2.0.0, 1.0.0", "more": "x"}
    status.details.add().Pack(error_details_pb2.ErrorInfo(reason="VERSION_NOT_FOUND", domain=domain, metadata=said))
    status.details.add().Pack(error_details_pb2.Help(links=[error_details_pb2.Help.Link(url="https://a.example/help")]))
    return _Error([("grpc-status-details-bin", status.SerializeToString())])


class Typed(unittest.TestCase):
    def test_refusal(self):
        cause = refused("pinion")
        got = refusal.typed(cause)
        self.assertIsInstance(got, refusal.Refusal)
        self.assertIsInstance(got, grpc.RpcError)
        self.assertEqual((got.reason, got.service, got.asked, got.available, got.help, got.metadata["more"], got.code()),
                         ("VERSION_NOT_FOUND", "people", "^3", ["2.0.0", "1.0.0"], "https://a.example/help", "x",
                          grpc.StatusCode.UNIMPLEMENTED))
        self.assertIs(got.cause, cause)

    def test_others_stay_what_they_are(self):
        for other in (None, ValueError("x"), _Error(()), _Error(None), _Error([("grpc-status-details-bin", b"\xff")]),
                      refused("another.example")):
            with self.subTest(other):
                self.assertIs(refusal.typed(other), other)


if __name__ == "__main__":
    unittest.main()
