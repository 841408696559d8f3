/** The server's side: a version's server that publishes and registers itself, and leaves in good order. */
import {ChannelCredentials, Server} from '@grpc/grpc-js';
import {HealthImplementation} from 'grpc-health-check';

import {interceptor} from './interceptor';
import {registryClient} from './protos';
import {addReflection} from './reflection';
import {Registration} from './registration';
import {Schema} from './schema';

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** A server of one API version, as the registry is to know it. */
export interface ServerDescription {
  /** The registry's name, such as `addressbook`. */
  service: string;
  version: string;
  /** host:port that gateways reach this server at, or unix:PATH. */
  address: string;
  /** Full names of the gRPC services that it offers under this version. */
  grpcServices: string[];
  /**
   * Their schema: a serialised FileDescriptorSet with all imports, as `protoc --include_imports --descriptor_set_out` or `buf build`
   * write it. The server shows it by reflection, which is what proves it where the service's policy is `enforce`.
   */
  descriptorSet?: Uint8Array;
  /**
   * Also publishes the version, with `descriptorSet`. It is the same request each time, so that any number of servers may make it; a
   * schema that differs from what was published before ends `serve`.
   */
  publish?: boolean;
  /** Of the version that is published. */
  notes?: string;
  /** To be called with TLS, under this name. */
  tlsName?: string;
  weight?: number;
  zone?: string;
  owner?: string;
  /** Who makes the changes, for a registry that does not know by the credentials. */
  actor?: string;
  /** 15 unless set; 1 to 86,400. Renewed three times within that time. */
  leaseSeconds?: number;
  /** How long calls may go on after the end was asked for; 30 unless set. */
  drainSeconds?: number;
  /** Called with the uid of each registration: the first, and those after a lease had expired. What it throws ends `serve`. */
  onRegistered?: (uid: string) => void;
  /** console.warn unless set. */
  log?: (line: string) => void;
}

/** Where the registry is, and what is shown to it: TLS, a client's certificate, a `token`. */
export interface RegistryChannel {
  /** HOST:PORT or unix:PATH. */
  address: string;
  credentials: ChannelCredentials;
}

/**
 * Keeps `server`, which has its services and is bound, in the registry until `until` is aborted; without one, until SIGTERM or SIGINT.
 *
 * Publishes the version if told to, and registers. A registry that is away only delays that, and calls are served meanwhile; one that
 * refuses rejects the promise with its Refusal. At the end the server is taken out of routing first, then its open calls are waited
 * for, and it is shut down. Health and, with a `descriptorSet`, reflection are added here, so `server` must have neither.
 */
export async function serve(server: Server, registry: RegistryChannel, description: ServerDescription, until?: AbortSignal): Promise<void> {
  const {descriptorSet, grpcServices, publish} = description;
  if (publish && !descriptorSet) throw new Error('descriptorSet: there is none to publish');
  const schema = descriptorSet && new Schema(descriptorSet, grpcServices);
  const options = {interceptors: [interceptor()], 'grpc.use_local_subchannel_pool': 1}; // else two clients share a connection
  const connect = () => registryClient(registry.address, registry.credentials, options);
  const registration = new Registration(connect, description, publish ? schema : undefined);
  const names = ['', ...grpcServices];
  const health = new HealthImplementation(Object.fromEntries(names.map(name => [name, 'SERVING' as const])));
  health.addToServer(server);
  if (schema) addReflection(server, schema);
  const {signal, release} = askedToEnd(until);
  try {
    await registration.keep(signal);
  } finally {
    release();
    for (const name of names) health.setStatus(name, 'NOT_SERVING');
    await registration.end();
    await drain(server, (description.drainSeconds ?? 30) * 1000);
  }
}

function askedToEnd(until?: AbortSignal): {signal: AbortSignal, release: () => void} {
  if (until) return {signal: until, release: () => {}};
  const asked = new AbortController();
  const end = () => asked.abort();
  for (const name of SIGNALS) process.once(name, end);
  return {signal: asked.signal, release: () => SIGNALS.forEach(name => process.off(name, end))};
}

function drain(server: Server, milliseconds: number): Promise<void> {
  return new Promise(resolve => {
    const impatient = setTimeout(() => server.forceShutdown(), milliseconds);
    server.tryShutdown(() => {
      clearTimeout(impatient);
      resolve();
    });
  });
}
