/** Calls that a gateway or registry answers itself. */
import {Metadata, ServiceError, StatusObject} from '@grpc/grpc-js';

import {unpack} from './protos';

const DOMAIN = 'pinion';
const MARK = Symbol.for('pinion.refusal');

/**
 * The error of a call that was refused: gRPC's own, with the reason. What does not apply is empty. grpc-js makes the error objects
 * itself, from the status that the interceptor completes, so `instanceof` goes by what an error has.
 */
export abstract class Refusal extends Error implements ServiceError {
  abstract readonly code: number;
  abstract readonly details: string;
  abstract readonly metadata: Metadata;
  /** To switch on, such as `VERSION_NOT_FOUND`. */
  abstract readonly reason: string;
  abstract readonly service: string;
  abstract readonly version: string;
  abstract readonly consumer: string;
  abstract readonly asked: string;
  /** Where what was asked came from. */
  abstract readonly source: string;
  /** What this caller may ask for instead, newest first; ten at most. */
  abstract readonly available: string[];
  abstract readonly successor: string;
  /** URL. */
  abstract readonly help: string;
  /** Every variable of the message, the above among them. */
  abstract readonly variables: Record<string, string>;

  static [Symbol.hasInstance](error: unknown): boolean {
    return typeof error === 'object' && error !== null && MARK in error;
  }
}

/** `status`, with the parts of a Refusal if it is one. */
export function typed(status: StatusObject): StatusObject {
  const [packed] = status.metadata?.get('grpc-status-details-bin') ?? [];
  const found = packed === undefined ? undefined : unpack(packed as Buffer);
  if (found?.info?.domain !== DOMAIN) return status;
  const variables = {...found.info.metadata};
  const {service = '', version = '', consumer = '', asked = '', source = '', available = '', successor = ''} = variables;
  return Object.assign({}, status, {[MARK]: true, reason: found.info.reason, service, version, consumer, asked, source,
    available: available === '' ? [] : available.split(', '), successor, help: found.link ?? '', variables});
}
