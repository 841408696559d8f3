"""Greets through a gateway, asking for the version that it was written against."""

import argparse
import sys

import greeter_pb2
import greeter_pb2_grpc
import grpc

import pinion


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--gateway", default="127.0.0.1:8080", help="where calls go")
    parser.add_argument("--pin", default="^1", help="the version that this program was written against")
    options = parser.parse_args()

    interceptor = pinion.ClientInterceptor({"pinion.sample.v1.Greeter": options.pin})
    with grpc.insecure_channel(options.gateway) as plain:
        stub = greeter_pb2_grpc.GreeterStub(grpc.intercept_channel(plain, interceptor))
        try:
            reply, call = stub.Greet.with_call(greeter_pb2.GreetRequest(name="ada"), timeout=10)
        except pinion.Refusal as refusal:
            sys.exit(f"refused, {refusal.reason}: {refusal.details()}")
        except grpc.RpcError as error:
            sys.exit(f"{error.code().name}: {error.details()}")
        print(f"{reply.text} (api-version: {pinion.response(call).version})")


if __name__ == "__main__":
    main()
