/** A server's place in the registry, kept under a lease. */
import {setTimeout as sleep} from 'node:timers/promises';

import {Metadata, ServiceError, status} from '@grpc/grpc-js';

import type {RegisterInstanceRequest} from './generated/pinion/registry/v1/RegisterInstanceRequest';
import type {RegisterInstanceResponse__Output} from './generated/pinion/registry/v1/RegisterInstanceResponse';
import type {RegistryClient} from './generated/pinion/registry/v1/Registry';
import {Refusal} from './refusal';
import type {Schema} from './schema';
import type {ServerDescription} from './server';

const CALL_MILLISECONDS = 10_000;
const FAREWELL_MILLISECONDS = 3_000;
const RETRY_MILLISECONDS = 1_000;
const RENEWALS_PER_LEASE = 3;
// A renewal may take a quarter of the lease, so that two that hang leave time for a third.
const RENEWAL_TIMEOUTS_PER_LEASE = 4;
// With these another try can succeed although nothing is changed here.
const MAY_PASS = [status.UNAVAILABLE, status.DEADLINE_EXCEEDED, status.ABORTED, status.RESOURCE_EXHAUSTED];

/** Throws an Error when it is none that gateways could call. */
export function parseAddress(text: string) {
  if (text.startsWith('unix:')) return {pipe: {path: text.slice('unix:'.length)}};
  const [, host, port] = /^\[?([^[\]]+?)\]?:(\d+)$/.exec(text) ?? [];
  if (!host || !port) throw new Error(`address: \`${text}\` is neither HOST:PORT nor unix:PATH`);
  if (host === '0.0.0.0' || host === '::') {
    throw new Error(`address: \`${text}\` is every address of this machine; say the one that gateways reach it at`);
  }
  return {socket_address: {address: host, port_value: Number(port)}};
}

type Unary<Request, Response> = (request: Request, metadata: Metadata, options: {deadline: number},
  callback: (error: ServiceError | null, response?: Response) => void) => unknown;

export class Registration {
  #client: RegistryClient;
  readonly #metadata = new Metadata();
  readonly #request;
  readonly #leaseMilliseconds: number;
  #toPublish?: Schema; // undefined: nothing, or it is done
  #uid = ''; // empty: not registered
  #lastError = ''; // what was logged last, so that an outage is one line

  /**
   * Publishes `toPublish` before it registers. Throws an Error when the description is none that can be registered. `connect` makes
   * clients with connections of their own, which are closed here.
   */
  constructor(readonly connect: () => RegistryClient, readonly server: ServerDescription, toPublish?: Schema) {
    this.#client = connect();
    this.#toPublish = toPublish;
    this.#leaseMilliseconds = (server.leaseSeconds ?? 15) * 1000;
    this.#request = {
      instance: {service: server.service, version: server.version, address: parseAddress(server.address), tls_name: server.tlsName,
        weight: server.weight, zone: server.zone},
      lease_ttl: {seconds: Math.floor(this.#leaseMilliseconds / 1000), nanos: (this.#leaseMilliseconds % 1000) * 1e6},
      owner: server.owner,
    };
    if (server.actor) this.#metadata.set('pinion-actor', server.actor);
  }

  /** Publishes, registers, and renews until `end`. Rejects when the registry refuses to have this server at all. */
  async keep(end: AbortSignal): Promise<void> {
    let known = false;
    while (!end.aborted) {
      const begun = performance.now();
      let wait = this.#leaseMilliseconds / RENEWALS_PER_LEASE;
      try {
        await this.#publish();
        await this.#renewOrRegister();
        known = true;
        this.#report();
      } catch (error) {
        // Without `details` it is the program's own, of `onRegistered`.
        const {code, details} = error as ServiceError;
        if (details === undefined || (!known && !MAY_PASS.includes(code))) throw error;
        this.#report(error as ServiceError);
        wait = Math.min(this.#leaseMilliseconds / RENEWAL_TIMEOUTS_PER_LEASE, RETRY_MILLISECONDS);
      }
      await sleep(Math.max(begun + wait - performance.now(), 0), undefined, {signal: end}).catch(() => {});
    }
  }

  /** Takes the server out of routing. Whatever becomes of that, its lease ends by itself. */
  async end(): Promise<void> {
    if (this.#uid !== '') {
      await this.#call(this.#client.DeregisterInstance, FAREWELL_MILLISECONDS, {uid: this.#uid}).catch(error =>
        this.#log(`could not deregister; the lease ends by itself: ${error.details}`));
      this.#uid = '';
    }
    this.#client.close();
  }

  async #publish(): Promise<void> {
    if (!this.#toPublish) return;
    const {service, version: name, notes, owner} = this.server;
    const {bytes, grpcServices} = this.#toPublish;
    await this.#call(this.#client.PublishVersion, CALL_MILLISECONDS,
      {service, name, descriptor_set: Buffer.from(bytes), notes, owner, grpc_services: grpcServices});
    this.#toPublish = undefined;
  }

  async #renewOrRegister(): Promise<void> {
    if (this.#uid !== '') {
      try {
        const timeout = Math.min(this.#leaseMilliseconds / RENEWAL_TIMEOUTS_PER_LEASE, CALL_MILLISECONDS);
        await this.#call(this.#client.RenewInstance, timeout, {uid: this.#uid});
        return;
      } catch (error) {
        const {code} = error as ServiceError;
        if (code === status.DEADLINE_EXCEEDED) this.#reconnect();
        if (code !== status.NOT_FOUND) throw error;
        this.#uid = ''; // the lease has expired, for instance while this machine slept
      }
    }
    const registered = await this.#call<RegisterInstanceRequest, RegisterInstanceResponse__Output>(
      this.#client.RegisterInstance, CALL_MILLISECONDS, this.#request);
    this.#uid = registered?.instance?.instance?.uid ?? '';
    this.server.onRegistered?.(this.#uid);
  }

  // The registry's machine may have vanished, which TCP would notice long after the lease has ended. So may pings: grpc-js sends them by
  // the age of a connection, not by when it was heard last.
  #reconnect(): void {
    this.#client.close();
    this.#client = this.connect();
  }

  #call<Request, Response>(method: Unary<Request, Response>, milliseconds: number, request: Request): Promise<Response | undefined> {
    return new Promise((resolve, reject) => method.call(this.#client, request, this.#metadata, {deadline: Date.now() + milliseconds},
      (error, response) => (error ? reject(error) : resolve(response))));
  }

  #report(error?: ServiceError): void {
    const text = error ? error.details : '';
    // Failures of one outage differ in the times and ports that they tell, and those of deadlines in where the time went.
    const same = error?.code === status.DEADLINE_EXCEEDED ? 'late' : text.replace(/\d+/g, '');
    if (same === this.#lastError) return;
    this.#lastError = same;
    if (!error) this.#log(`the registry has this server again, as ${this.#uid}`);
    else if (error instanceof Refusal) this.#log(`the registry refuses this server (${error.reason}); trying again: ${text}`);
    else this.#log(`the registry does not answer; trying again: ${text}`);
  }

  #log(line: string): void {
    (this.server.log ?? (text => console.warn(text)))(line);
  }
}
