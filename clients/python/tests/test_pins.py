"""Which pin a call is given, pins of a chain, and what servers say of themselves."""

import collections
import unittest
from unittest import mock

from pinion import chain, chain_pins, client, pin, pins_of_chain, registration

_PEOPLE = "acme.people.People"
_Details = collections.namedtuple("_Details", "method timeout metadata credentials")


class PinOfACall(unittest.TestCase):
    def sent(self, interceptor, metadata=None):
        sent = []

        def answer(details, _request):
            sent.extend(value for name, value in details.metadata if name == "api-version")
            return mock.Mock(initial_metadata=lambda: (), trailing_metadata=lambda: ())
        interceptor.intercept_unary_unary(answer, _Details(f"/{_PEOPLE}/Get", None, metadata, None), None)
        return sent

    def test_precedence(self):
        make = client.ClientInterceptor
        for want, interceptor, metadata in (
            ([], make(), None),
            (["^1"], make(default_pin="^1"), None),
            (["^2"], make({_PEOPLE: "^2"}, default_pin="^1"), None),
            ([], make({"acme.X": "^2"}), None),
            (["^3"], make({_PEOPLE: "^2"}, pass_on=True), None),
            (["^5"], make({_PEOPLE: "^2"}, pass_on=True), [pin("^5")]),
        ):
            with self.subTest(want):
                if want == ["^3"]:
                    with chain_pins({_PEOPLE: "^3"}):
                        self.assertEqual(self.sent(interceptor, metadata), want)
                else:
                    self.assertEqual(self.sent(interceptor, metadata), want)

    def test_a_chain_that_is_not_passed_on(self):
        with chain_pins({_PEOPLE: "^3"}):
            self.assertEqual(self.sent(client.ClientInterceptor({_PEOPLE: "^2"})), ["^2"])


class Chain(unittest.TestCase):
    def test_there_and_back(self):
        text = "a.A=>=1 <2 || 3, b.B=@stable"
        self.assertEqual(chain.parse(text), {"a.A": ">=1 <2 || 3", "b.B": "@stable"})
        self.assertEqual(chain.form(chain.parse(text)), text)

    def test_malformed(self):
        for text in ("", "a.A", "a.A=", "=^1", "a.A=^1,", "x" * 4097):
            with self.subTest(text[:20]), self.assertRaises(ValueError):
                chain.parse(text)

    def test_nesting(self):
        with chain_pins({"a.A": "^1"}):
            with chain_pins({"a.A": "^2", "b.B": "^1"}):
                self.assertEqual(pins_of_chain(), {"a.A": "^2", "b.B": "^1"})
            self.assertEqual(pins_of_chain(), {"a.A": "^1"})
        self.assertEqual(pins_of_chain(), {})


class Address(unittest.TestCase):
    def test_good(self):
        for text, host, port in (("10.0.0.3:50051", "10.0.0.3", 50051), ("[::1]:1", "::1", 1), ("people.corp:443", "people.corp", 443)):
            got = registration.parse_address(text).socket_address
            self.assertEqual((got.address, got.port_value), (host, port))
        self.assertEqual(registration.parse_address("unix:/run/people").pipe.path, "/run/people")

    def test_bad(self):
        for text in ("", "host", ":50051", "0.0.0.0:50051", "[::]:50051", "host:http"):
            with self.subTest(text), self.assertRaises(ValueError):
                registration.parse_address(text)


class DescriptorSet(unittest.TestCase):
    def test_imports_come_first(self):
        from google.protobuf import descriptor_pb2
        made = descriptor_pb2.FileDescriptorSet.FromString(registration.descriptor_set(["pinion.registry.v1.Registry"]))
        names = [file.name for file in made.file]
        self.assertEqual(names[-1], "pinion/registry/v1/registry.proto")
        self.assertLess(names.index("google/protobuf/duration.proto"), names.index("pinion/routing/v1/routing.proto"))
        self.assertEqual(len(names), len(set(names)))


if __name__ == "__main__":
    unittest.main()
