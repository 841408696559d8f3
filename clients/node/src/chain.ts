/**
 * Pins for a whole chain of calls. A pin holds for one hop: the gateway takes the header that asks for a version out of what it
 * forwards. Pins for a chain travel beside it, in metadata of the header's name and `-context`:
 * `acme.people.People=^2, acme.billing.Billing=1.4.0`.
 */
import {Metadata, status} from '@grpc/grpc-js';

export const DEFAULT_HEADER = 'api-version';
export const CHAIN_SUFFIX = '-context';
const CHAIN_BYTES_MAX = 4096;

/** Metadata that starts a chain with these pins, by gRPC service; clients with `passOn` follow them. `header`: the gateway's. */
export function chain(pins: Record<string, string>, header = DEFAULT_HEADER): Metadata {
  const metadata = new Metadata();
  metadata.set(header + CHAIN_SUFFIX, sendable(formatPins(pins)));
  return metadata;
}

/**
 * Metadata that passes the pins of a call which is being handled on: `client.get(request, passOn(call.metadata))`. Throws what a
 * handler may give to its callback, INVALID_ARGUMENT, when they are malformed.
 */
export function passOn(received: Metadata, header = DEFAULT_HEADER): Metadata {
  const name = header + CHAIN_SUFFIX;
  const text = received.get(name).join(',');
  if (text === '') return new Metadata();
  try {
    return chain(parsePins(text), header);
  } catch (error) {
    const details = `the metadata \`${name}\` is malformed: ${(error as Error).message}`;
    throw Object.assign(new Error(details), {code: status.INVALID_ARGUMENT, details});
  }
}

/**
 * `text` as metadata can hold it, with `?` for the rest: whoever reads it then refuses it as malformed, where gRPC would only say that it
 * cannot be sent.
 */
export function sendable(text: string): string {
  return text.replace(/[^ -~]/g, '?');
}

/** Throws an Error that says what is malformed. */
export function parsePins(text: string): Record<string, string> {
  if (text.length > CHAIN_BYTES_MAX) throw new Error(`${text.length} bytes, the limit is ${CHAIN_BYTES_MAX}`);
  return Object.fromEntries(text.split(',').map(entry => {
    const [, service, expression] = /^\s*([^=]+)=(.+?)\s*$/.exec(entry) ?? [];
    if (!service || !expression) throw new Error(`\`${entry}\` is not SERVICE=EXPRESSION`);
    return [service, expression];
  }));
}

export function formatPins(pins: Record<string, string>): string {
  return Object.keys(pins).sort().map(service => `${service}=${pins[service]}`).join(', ');
}
