"""How a server stays in the registry and leaves it, with a registry that can be slow."""

import asyncio
import threading
import time
import unittest
from concurrent import futures
from unittest import mock

import grpc

import pinion
from pinion import aio
from pinion.registration import Registration
from pinion.registry.v1 import registry_pb2, registry_pb2_grpc

_SECONDS = 10
_UID = "one"


class _Registry(registry_pb2_grpc.RegistryServicer):
    """Remembers what it was asked. A context manager, as the channel to it."""

    def __init__(self, hanging=0):
        """`hanging`: so many renewals are not answered."""
        self.calls = []
        self.renewed = threading.Event()  # for the first time
        self.left = threading.Event()
        self._hanging = hanging
        self._server = grpc.server(futures.ThreadPoolExecutor(8))
        registry_pb2_grpc.add_RegistryServicer_to_server(self, self._server)
        self._port = self._server.add_insecure_port("127.0.0.1:0")

    def __enter__(self):
        self._server.start()
        self.channel = grpc.insecure_channel(f"127.0.0.1:{self._port}")
        return self

    def __exit__(self, *_):
        self.channel.close()
        self._server.stop(0).wait()

    def RegisterInstance(self, _request, _context):
        self.calls.append("register")
        response = registry_pb2.RegisterInstanceResponse()
        response.instance.instance.uid = _UID
        return response

    def RenewInstance(self, _request, _context):
        self.calls.append("renew")
        if self.calls.count("renew") <= self._hanging:
            self.renewed.wait(_SECONDS)
        self.renewed.set()
        return registry_pb2.RenewInstanceResponse()

    def DeregisterInstance(self, request, _context):
        self.calls.append(f"deregister {request.uid}")
        self.left.set()
        return registry_pb2.DeregisterInstanceResponse()


def _description(**more):
    return pinion.Server("echo", "1.0.0", "127.0.0.1:1", [], logger=mock.Mock(), drain_seconds=1, **more)


class _InterruptedOnce(threading.Event):
    """What Ctrl-C does where Python's own handler of SIGINT is in place."""

    def wait(self, timeout=None):
        super().wait(_SECONDS)
        raise KeyboardInterrupt


class Renewals(unittest.TestCase):
    def test_two_may_hang(self):
        lease = 3
        with _Registry(hanging=2) as registry:
            kept = Registration(registry.channel, _description(lease_seconds=lease))
            begun = time.monotonic()
            kept.start(on_refusal=lambda: None)
            self.assertTrue(registry.renewed.wait(_SECONDS))
            taken = time.monotonic() - begun
            kept.end()
        self.assertLess(taken, lease)
        self.assertEqual(registry.calls, ["register", "renew", "renew", "renew", f"deregister {_UID}"])


class Leaving(unittest.TestCase):
    def assert_left(self, registry):
        self.assertEqual(registry.calls, ["register", f"deregister {_UID}"])
        self.assertNotIn("pinion registration", [thread.name for thread in threading.enumerate()])

    def test_a_keyboard_interrupt(self):
        until = _InterruptedOnce()
        with _Registry() as registry:
            with self.assertRaises(KeyboardInterrupt):
                pinion.serve(grpc.server(futures.ThreadPoolExecutor(2)), registry.channel,
                             _description(on_registered=lambda _: until.set()), until)
            self.assert_left(registry)

    def cancelled(self, registry, times):
        """Serves, and is cancelled so often once it is registered."""
        async def serve():
            loop, registered = asyncio.get_running_loop(), asyncio.Event()
            description = _description(on_registered=lambda _: loop.call_soon_threadsafe(registered.set))
            task = asyncio.create_task(aio.serve(grpc.aio.server(), registry.channel, description, asyncio.Event()))
            await asyncio.wait_for(registered.wait(), _SECONDS)
            for _ in range(times):
                task.cancel()
                await asyncio.sleep(0)
            with self.assertRaises(asyncio.CancelledError):
                await task
            await asyncio.to_thread(registry.left.wait, _SECONDS)
        asyncio.run(serve())

    def test_a_task_that_is_cancelled(self):
        with _Registry() as registry:
            self.cancelled(registry, 1)
            self.assert_left(registry)

    def test_a_task_that_is_cancelled_while_it_leaves(self):
        with _Registry() as registry:
            self.cancelled(registry, 2)
            self.assert_left(registry)


if __name__ == "__main__":
    unittest.main()
