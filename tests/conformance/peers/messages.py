"""The messages of gRPC's interoperability tests, made from a descriptor set, so that no code has to be generated for one version of
protobuf."""

import pathlib

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

INITIAL_KEY, TRAILING_KEY = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"


class Messages:
    """The message classes of grpc.testing, by name."""

    def __init__(self, path):
        pool = descriptor_pool.DescriptorPool()
        for file in descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(path).read_bytes()).file:
            pool.Add(file)
        self._pool = pool

    def __getattr__(self, name):
        return message_factory.GetMessageClass(self._pool.FindMessageTypeByName(f"grpc.testing.{name}"))
