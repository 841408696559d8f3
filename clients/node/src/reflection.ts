/** Server reflection, v1 and v1alpha: by it the registry sees that what runs is what was published. */
import {Server, ServerDuplexStream, status} from '@grpc/grpc-js';

import type {ServerReflectionRequest as Request} from './generated/grpc/reflection/v1/ServerReflectionRequest';
import type {ServerReflectionResponse as Response} from './generated/grpc/reflection/v1/ServerReflectionResponse';
import {reflectionMethod} from './protos';
import type {Schema} from './schema';

export function addReflection(server: Server, schema: Schema): void {
  const method = reflectionMethod();
  const ServerReflectionInfo = (stream: ServerDuplexStream<Request, Response>) => {
    stream.on('data', (request: Request) => stream.write({original_request: request, ...answer(schema, request)}));
    stream.on('end', () => stream.end());
  };
  for (const version of ['v1', 'v1alpha']) { // which have the same messages
    const path = `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`;
    server.addService({ServerReflectionInfo: {...method, path}}, {ServerReflectionInfo});
  }
}

function answer(schema: Schema, request: Request): Response {
  switch (request.message_request) {
    case 'file_by_filename':
      return files(schema.file(request.file_by_filename!));
    case 'file_containing_symbol':
      return files(schema.declaring(request.file_containing_symbol!));
    case 'file_containing_extension': {
      const {containing_type: extended, extension_number: number} = request.file_containing_extension!;
      return files(schema.extension(extended ?? '', number ?? 0));
    }
    case 'all_extension_numbers_of_type': {
      const message = request.all_extension_numbers_of_type!;
      const numbers = schema.extensionsOf(message);
      return numbers ? {all_extension_numbers_response: {base_type_name: message, extension_number: numbers}} : NOT_FOUND;
    }
    case 'list_services':
      return {list_services_response: {service: schema.grpcServices.map(name => ({name}))}};
    default:
      return {error_response: {error_code: status.UNIMPLEMENTED, error_message: 'no such request'}};
  }
}

const NOT_FOUND: Response = {error_response: {error_code: status.NOT_FOUND, error_message: 'not found'}};

function files(found: Uint8Array[] | undefined): Response {
  return found ? {file_descriptor_response: {file_descriptor_proto: found}} : NOT_FOUND;
}
