/** The caller's side: pins go out, versions, notices and refusals come back. */
import {InterceptingCall, Interceptor, ListenerBuilder, Metadata, RequesterBuilder} from '@grpc/grpc-js';

import {CHAIN_SUFFIX, DEFAULT_HEADER, parsePins, sendable} from './chain';
import {Notice, Notices, response} from './notices';
import {typed} from './refusal';

export interface InterceptorOptions {
  /**
   * By full gRPC service name. An expression is a version's name, a range (`^1.4`) or a channel (`@stable`). It stands before the pin
   * that the registry keeps for this consumer.
   */
  pins?: Record<string, string>;
  /** For services that have none. */
  defaultPin?: string;
  /** Metadata that pins are sent in and versions are told in, where the gateway's is not `api-version`. */
  header?: string;
  /** Calls follow the pins of `chain()` and `passOn()`, and hand them on; without it they send nothing of them. */
  passOn?: boolean;
  /** Called once for each different notice. */
  onDeprecation?: (notice: Notice) => void;
  /** Gets a line then; console.warn unless set. */
  log?: (line: string) => void;
}

/** Metadata that asks for a version in one call, whatever else is pinned: `client.get(request, pin('^2'), …)`. */
export function pin(expression: string, header = DEFAULT_HEADER): Metadata {
  const metadata = new Metadata();
  metadata.set(header, sendable(expression));
  return metadata;
}

/**
 * For a client's options: `{interceptors: [interceptor({pins: {'acme.people.People': '^2'}})]}`. Any number of clients may share one.
 * The pin of a call is the first of: the caller's own metadata (see `pin`), the chain, `pins`, `defaultPin`.
 */
export function interceptor(options: InterceptorOptions = {}): Interceptor {
  const header = (options.header ?? DEFAULT_HEADER).toLowerCase();
  const notices = new Notices(options.onDeprecation ?? (() => {}), options.log ?? (line => console.warn(line)));
  return (callOptions, nextCall) => {
    const grpcService = callOptions.method_definition.path.split('/')[1] ?? '';
    const tell = (metadata: Metadata) => {
      const {notice} = response(metadata, grpcService, header);
      if (notice) notices.tell(notice);
    };
    const requester = new RequesterBuilder().withStart((metadata, _, next) => {
      next(withPins(metadata, grpcService, header, options), new ListenerBuilder()
        .withOnReceiveMetadata((received, pass) => {
          tell(received);
          pass(received);
        })
        .withOnReceiveStatus((status, pass) => {
          if (status.metadata) tell(status.metadata);
          pass(typed(status));
        })
        .build());
    }).build();
    return new InterceptingCall(nextCall(callOptions), requester);
  };
}

function withPins(given: Metadata, grpcService: string, header: string, options: InterceptorOptions): Metadata {
  const metadata = given.clone();
  const passedOn = options.passOn ? metadata.get(header + CHAIN_SUFFIX).join(',') : '';
  if (!options.passOn) metadata.remove(header + CHAIN_SUFFIX);
  if (metadata.get(header).length > 0) return metadata;
  const wanted = pinsIn(passedOn)[grpcService] ?? options.pins?.[grpcService] ?? options.defaultPin;
  if (wanted) metadata.set(header, sendable(wanted));
  return metadata;
}

// Malformed ones, which the caller has set by hand, are the server's to refuse.
function pinsIn(passedOn: string): Record<string, string> {
  try {
    return passedOn === '' ? {} : parsePins(passedOn);
  } catch {
    return {};
  }
}
