import type { IncomingMessage } from 'node:http';
import { BlockList, isIP } from 'node:net';
import { rangeOf } from '../policy/policy.js';
import { headerOf } from './header-of.js';

/** Where a call comes from, and how its client called the service. @internal */
export interface Source {
  /** The client's address; an IPv4 one never in the form of IPv6. */
  readonly address: string;
  /** Whether the client's own connection is encrypted. */
  readonly secure: boolean;
  /** Whether a proxy that is trusted passed the call on. */
  readonly forwarded: boolean;
  /** The Host header; undefined where it is none. */
  readonly host: string | undefined;
  /** Port that the client connected to, as a trusted proxy told it. */
  readonly port: number | undefined;
  /** Address of this machine that the connection came in at. */
  readonly local: string;
}

/** A host name or address, and perhaps a port. */
const HOST = /^(?:[\w.-]{1,253}|\[[\da-f:.]{2,45}\])(?::\d{1,5})?$/i;

/** Proxies whose word is taken for who calls. @internal */
export class TrustedProxies {
  readonly #ranges: readonly BlockList[];

  /** `ranges` are addresses, or ranges as `10.0.0.0/8`. */
  constructor(ranges: readonly string[]) {
    this.#ranges = ranges.flatMap((text) => rangeOf(text) ?? []);
  }

  includes(address: string): boolean {
    const version = isIP(address);
    if (version === 0) return false;
    const family = version === 4 ? 'ipv4' : 'ipv6';
    return this.#ranges.some((range) => range.check(address, family));
  }

  /**
   * Where a request comes from. The headers of a proxy count only where the connection is one of a
   * trusted proxy: anybody else could write them, too. Read while the connection is there; a closed
   * one has no addresses.
   */
  sourceOf(request: IncomingMessage): Source {
    const { socket } = request;
    const peer = plainAddress(socket.remoteAddress ?? '');
    const host = headerOf(request, 'host') ?? '';
    const found = {
      address: peer,
      secure: 'encrypted' in socket && socket.encrypted === true,
      forwarded: false,
      host: HOST.test(host) ? host : undefined,
      port: undefined,
      local: plainAddress(socket.localAddress ?? ''),
    };
    if (!this.includes(peer)) return found;
    const scheme = lastOf(headerOf(request, 'x-forwarded-proto'));
    const port = Number(lastOf(headerOf(request, 'x-forwarded-port')));
    return {
      ...found,
      forwarded: true,
      address: this.#clientOf(headerOf(request, 'x-forwarded-for') ?? '') ?? peer,
      secure: scheme === undefined ? found.secure : scheme.toLowerCase() === 'https',
      port: Number.isInteger(port) && port > 0 && port < 65_536 ? port : undefined,
    };
  }

  /** The last address that no trusted proxy has: those before it are what the client claims. */
  #clientOf(forwardedFor: string): string | undefined {
    let client: string | undefined;
    for (const item of forwardedFor.split(',').reverse()) {
      const address = plainAddress(item.trim().replace(/^\[(.*)\](?::\d+)?$/, '$1'));
      if (isIP(address) === 0) return client;
      client = address;
      if (!this.includes(address)) return client;
    }
    return client;
  }
}

/** An IPv4 client of a socket that takes both kinds. @internal */
export function plainAddress(address: string): string {
  return address.replace(/^::ffff:(?=[\d.]+$)/i, '');
}

function lastOf(list: string | undefined): string | undefined {
  const last = list?.split(',').at(-1)?.trim();
  return last === '' ? undefined : last;
}
