import { isIPv6 } from 'node:net';
import { ANY_API, type CheckedAddresses } from './address-options.js';
import type { Source } from './http/source.js';

type EndpointOptions = Pick<CheckedAddresses, 'publicEndpoint'> & {
  readonly host: string;
  /** `'open'`: nobody signs. */
  readonly credentials: unknown;
};

/** Where clients reach the service: what GetDataEndpoint and the URLs of sessions say. @internal */
export class Endpoints {
  readonly #options: EndpointOptions;
  readonly #scheme: 'http' | 'https';
  readonly #port: number;

  constructor(options: EndpointOptions, scheme: 'http' | 'https', port: number) {
    this.#options = options;
    this.#scheme = scheme;
    this.#port = port;
  }

  /** Where this machine reaches the service itself. */
  get local(): string {
    return this.#at(LOOPBACK_OF[this.#options.host] ?? this.#options.host, this.#port);
  }

  /**
   * Where the caller reaches an API: the public endpoint; else, where the service has many addresses
   * or stands behind a proxy, the name that the caller has called and signed; else the bound address.
   */
  of(source: Source, api: string): string {
    const { publicEndpoint, host, credentials } = this.#options;
    const told = publicEndpoint[api] ?? publicEndpoint[ANY_API];
    if (told !== undefined) return told;
    const wild = isWildcard(host);
    // Without signatures nobody vouches for a Host header: a page of another machine may have sent it.
    const called = credentials === 'open' ? undefined : this.#called(source);
    if (called !== undefined && (wild || source.forwarded)) return called;
    return wild && source.local !== '' ? this.#at(source.local, this.#port) : this.local;
  }

  /** AWS's C clients leave the port out of Host, whichever it is. */
  #called({ host, forwarded, port, secure }: Source): string | undefined {
    if (host === undefined) return undefined;
    const hasPort = /:\d+$/.test(host);
    if (!forwarded) {
      return `${this.#scheme}://${hasPort ? host : `${host}:${String(this.#port)}`}`;
    }
    const url = new URL(`${secure ? 'https' : 'http'}://${host}`);
    if (!hasPort && port !== undefined) url.port = String(port);
    return url.origin;
  }

  #at(address: string, port: number): string {
    return `${this.#scheme}://${isIPv6(address) ? `[${address}]` : address}:${String(port)}`;
  }
}

/** An address that stands for all of them is not one that a client can call. */
const LOOPBACK_OF: Readonly<Record<string, string>> = { '0.0.0.0': '127.0.0.1', '::': '::1' };

/** Whether an address stands for every address of the machine. @internal */
export function isWildcard(host: string): boolean {
  return Object.hasOwn(LOOPBACK_OF, host);
}
