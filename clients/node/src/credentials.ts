/** A consumer's or an owner's secrets, as gRPC's credentials of calls: they are only sent over TLS. */
import {readFile} from 'node:fs/promises';

import {CallCredentials, credentials, Metadata, status} from '@grpc/grpc-js';

/** For `credentials.combineChannelCredentials`. `header`: of the gateway's listener. */
export function apiKey(key: string, header = 'x-api-key'): CallCredentials {
  return inMetadata(header, async () => key);
}

/** A bearer token, of a consumer towards gateways or of an owner towards the registry. A source is asked for each call. */
export function token(source: string | (() => string | Promise<string>)): CallCredentials {
  return inMetadata('authorization', async () => `Bearer ${typeof source === 'string' ? source : await source()}`);
}

/** A bearer token in a file, which is read for each call, so that it can be replaced. */
export function tokenFile(path: string): CallCredentials {
  return token(async () => {
    const text = (await readFile(path, 'utf8')).trim();
    if (text === '') throw new Error(`${path}: holds no token`);
    return text;
  });
}

function inMetadata(name: string, value: () => Promise<string>): CallCredentials {
  return credentials.createFromMetadataGenerator((_, callback) => {
    value().then(text => {
      const metadata = new Metadata();
      metadata.set(name, text);
      callback(null, metadata);
    }, error => callback(Object.assign(new Error(error.message), {code: status.UNAUTHENTICATED})));
  });
}
