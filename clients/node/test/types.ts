// What a program in TypeScript writes; compiled, never run.
import {credentials, Server, ServiceError} from '@grpc/grpc-js';
import {interceptor, Notice, pin, Refusal, response, serve, token} from '..';

export const options = {interceptors: [interceptor({pins: {'acme.People': '^2'}, onDeprecation: (notice: Notice) => notice.sunset?.getTime()})]};

export function explain(error: ServiceError): string {
  if (error instanceof Refusal) return `${error.reason}: ${error.available.join()} ${error.code}`;
  return response(pin('^2')).notice?.link ?? error.details;
}

export const running: Promise<void> = serve(new Server(), {
  address: 'registry.corp:443',
  credentials: credentials.combineChannelCredentials(credentials.createSsl(), token(async () => 'secret')),
}, {service: 'people', version: '2.0.0', address: '10.0.0.3:50051', grpcServices: ['acme.People']});
