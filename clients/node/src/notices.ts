/** What the gateway says about the version that answered. */
import {Metadata} from '@grpc/grpc-js';

import {DEFAULT_HEADER} from './chain';

/** That the version which answers will end. */
export interface Notice {
  grpcService: string;
  version: string;
  /** Since when (RFC 9745); undefined: it cannot be read. */
  deprecated?: Date;
  /** When it ends (RFC 8594); undefined: not announced. */
  sunset?: Date;
  /** About what comes instead. */
  link?: string;
}

export interface Response {
  /** Empty: no version answered. */
  version: string;
  notice?: Notice;
}

/** Reads the metadata of an answer (a call's event `metadata`) or of an error. `header`: the gateway's. */
export function response(metadata: Metadata, grpcService = '', header = DEFAULT_HEADER): Response {
  const all = (name: string) => metadata.get(name).map(String);
  const version = all(header).at(-1) ?? '';
  const [deprecation] = all('deprecation');
  if (version === '' || deprecation === undefined) return {version};
  const links = all('link').flatMap(link => /^<([^>]*)>.*rel="successor-version"/.exec(link)?.[1] ?? []);
  return {version, notice: {
    grpcService, version,
    deprecated: /^@\d+$/.test(deprecation) ? new Date(Number(deprecation.slice(1)) * 1000) : undefined,
    sunset: date(all('sunset')[0]),
    link: links.at(-1),
  }};
}

function date(text = ''): Date | undefined {
  const milliseconds = Date.parse(text);
  return Number.isNaN(milliseconds) ? undefined : new Date(milliseconds);
}

const TOLD_MAX = 1024; // then all are forgotten, and told again

/** Tells each different notice once. */
export class Notices {
  readonly #told = new Set<string>();

  constructor(readonly notify: (notice: Notice) => void, readonly log: (line: string) => void) {}

  tell(notice: Notice): void {
    const key = JSON.stringify(notice);
    if (this.#told.has(key)) return;
    if (this.#told.size >= TOLD_MAX) this.#told.clear();
    this.#told.add(key);
    this.log(`calls of ${notice.grpcService} are answered by version ${notice.version}, ` +
      `deprecated since ${notice.deprecated?.toISOString() ?? 'some time'}` +
      (notice.sunset ? `, which ends on ${notice.sunset.toISOString()}` : '') + (notice.link ? `; see ${notice.link}` : ''));
    this.notify(notice);
  }
}
