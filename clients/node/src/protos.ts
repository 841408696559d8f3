/** The schemas that the package brings along: of the registry, of reflection, and of the details of errors. */
import path from 'node:path';

import * as grpc from '@grpc/grpc-js';
import * as loader from '@grpc/proto-loader';
import * as protobuf from 'protobufjs';

import type {ServerReflectionRequest} from './generated/grpc/reflection/v1/ServerReflectionRequest';
import type {ServerReflectionResponse} from './generated/grpc/reflection/v1/ServerReflectionResponse';
import type {RegistryClient} from './generated/pinion/registry/v1/Registry';
import type {ProtoGrpcType} from './generated/registry';

const FOLDER = path.join(__dirname, 'protos');

function load(proto: string): loader.PackageDefinition {
  return loader.loadSync(proto, {includeDirs: [FOLDER], keepCase: true, longs: String, enums: String, oneofs: true});
}

export function registryClient(address: string, credentials: grpc.ChannelCredentials, options: grpc.ClientOptions): RegistryClient {
  const {pinion} = grpc.loadPackageDefinition(load('pinion/registry/v1/registry.proto')) as unknown as ProtoGrpcType;
  return new pinion.registry.v1.Registry(address, credentials, options);
}

/** The method of reflection, but for its path. */
export function reflectionMethod(): Omit<grpc.MethodDefinition<ServerReflectionRequest, ServerReflectionResponse>, 'path'> {
  const messages = load('grpc/reflection/v1/reflection.proto');
  const coded = (name: string) => messages[`grpc.reflection.v1.${name}`] as loader.MessageTypeDefinition<object, object>;
  const request = coded('ServerReflectionRequest');
  const response = coded('ServerReflectionResponse');
  return {
    requestStream: true, requestSerialize: request.serialize, requestDeserialize: request.deserialize,
    responseStream: true, responseSerialize: response.serialize, responseDeserialize: response.deserialize,
  };
}

const details = new protobuf.Root();
details.resolvePath = (_, target) => (target.startsWith('google/protobuf/') ? target : path.join(FOLDER, target));
details.loadSync(['google/rpc/status.proto', 'google/rpc/error_details.proto']);
const STATUS = details.lookupType('google.rpc.Status');

export interface ErrorInfo {
  reason: string;
  domain: string;
  metadata: Record<string, string>;
}

/** The ErrorInfo and the first link of a Help in a serialised google.rpc.Status; undefined: it cannot be read. */
export function unpack(packed: Uint8Array): {info?: ErrorInfo, link?: string} | undefined {
  try {
    const found: {info?: ErrorInfo, link?: string} = {};
    const status = STATUS.decode(packed) as unknown as {details: {type_url: string, value: Uint8Array}[]};
    for (const {type_url: url, value} of status.details) {
      const decode = <T>(name: string) => details.lookupType(name).decode(value) as unknown as T;
      if (url.endsWith('/google.rpc.ErrorInfo')) found.info = decode<ErrorInfo>('google.rpc.ErrorInfo');
      if (url.endsWith('/google.rpc.Help')) found.link = decode<{links: {url: string}[]}>('google.rpc.Help').links[0]?.url;
    }
    return found;
  } catch {
    return undefined;
  }
}
