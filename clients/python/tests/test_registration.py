"""What keeps a registration going, and what ends it."""

import threading
import unittest
from unittest import mock

import grpc

from pinion import Server, registration
from pinion.registry.v1 import registry_pb2


class _Error(grpc.RpcError):
    def __init__(self, code):
        super().__init__(code.name)
        self._code = code

    def code(self):
        return self._code

    def details(self):
        return self._code.name

    def trailing_metadata(self):
        return ()


_AWAY, _LOST, _DENIED = (_Error(code) for code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.NOT_FOUND,
                                                   grpc.StatusCode.PERMISSION_DENIED))


class _Script:
    """A registry that answers each call with the next of its errors, then with none."""

    def __init__(self, errors):
        self._errors = list(errors)
        self.calls = []
        self.over = threading.Event()

    def _answer(self, name, response):
        self.calls.append(name)
        if not self._errors:
            self.over.set()
            return response
        error = self._errors.pop(0)
        if error:
            raise error
        return response

    def PublishVersion(self, _request, **_):
        return self._answer("publish", registry_pb2.PublishVersionResponse())

    def RegisterInstance(self, _request, **_):
        response = registry_pb2.RegisterInstanceResponse()
        response.instance.instance.uid = "one"
        return self._answer("register", response)

    def RenewInstance(self, _request, **_):
        return self._answer("renew", registry_pb2.RenewInstanceResponse())

    def DeregisterInstance(self, _request, **_):
        return registry_pb2.DeregisterInstanceResponse()


class Registration(unittest.TestCase):
    def test_goes_on(self):
        for errors, want, refusal in (
            ([_AWAY, _AWAY], ["register", "register", "register"], None),
            ([_AWAY, _DENIED], ["register", "register"], _DENIED),
            ([None, _AWAY, _DENIED, None], ["register", "renew", "renew", "renew", "renew"], None),
            ([None, _LOST, _AWAY, None], ["register", "renew", "register", "register", "renew"], None),
            ([_AWAY, None, _AWAY], ["publish", "publish", "register", "register"], None),
            ([_DENIED], ["publish"], _DENIED),
        ):
            with self.subTest(want):
                script = _Script(errors)
                with mock.patch.object(registration.registry_pb2_grpc, "RegistryStub", return_value=script):
                    server = Server("echo", "1.0.0", "127.0.0.1:1", [], publish=want[0] == "publish", lease_seconds=0.003, logger=mock.Mock())
                    kept = registration.Registration(None, server)
                kept.start(on_refusal=script.over.set)
                self.assertTrue(script.over.wait(10))
                kept.end()
                self.assertEqual(script.calls[:len(want)], want)
                self.assertIs(kept.refusal, refusal)


    def test_ends_with_what_the_callback_raises(self):
        raised = RuntimeError("of the program")
        script = _Script([])
        with mock.patch.object(registration.registry_pb2_grpc, "RegistryStub", return_value=script):
            kept = registration.Registration(None, Server("echo", "1.0.0", "127.0.0.1:1", [], on_registered=mock.Mock(side_effect=raised)))
        ended = threading.Event()
        kept.start(on_refusal=ended.set)
        self.assertTrue(ended.wait(10))
        kept.end()
        self.assertIs(kept.refusal, raised)


if __name__ == "__main__":
    unittest.main()
