import { isIP } from 'node:net';
import { API_NAMES } from './api/common-fields.js';
import { rangeOf } from './policy/policy.js';

/** The key of `publicEndpoint` that stands for every API without one of its own. @internal */
export const ANY_API = 'default';

/** How clients reach the service, where that is not the address it is bound to. */
export interface AddressOptions {
  /**
   * What GetDataEndpoint and the URLs of sessions say: an origin, `https://video.example.org`, for all
   * APIs or for each (`PUT_MEDIA`, `GET_MEDIA`, …; `default` for the others). Default: where the service
   * is bound to every address of the machine (`0.0.0.0`, `::`), or a trusted proxy passed the call on,
   * the Host that the caller has signed; else the bound address.
   */
  readonly publicEndpoint?: string | Readonly<Record<string, string>>;
  /** Names and addresses that a generated certificate is for, besides those it is always for. */
  readonly tlsHosts?: readonly string[];
  /**
   * Where metrics of all streams and of the service itself are answered to anybody, without signatures
   * (`GET /metrics`, `/health`, `/ready`; plain HTTP): a port of 127.0.0.1, or `address:port`; port 0 takes
   * any free one. Default: nowhere.
   */
  readonly metricsListen?: number | string;
  /**
   * Addresses or ranges (`10.0.0.0/8`) of proxies in front, whose `X-Forwarded-For`, `-Proto` and
   * `-Port` are believed; default none. Needs credentials, since others call through a proxy.
   */
  readonly trustedProxies?: readonly string[];
}

/** The same with every default filled in. @internal */
export interface CheckedAddresses {
  readonly publicEndpoint: Readonly<Record<string, string>>;
  readonly tlsHosts: readonly string[];
  readonly trustedProxies: readonly string[];
  readonly metricsListen: { readonly host: string; readonly port: number } | undefined;
}

/** Fills in the defaults; calls `bad` with what breaks its rule. @internal */
export function checkAddresses(
  options: AddressOptions & { readonly credentials?: unknown },
  bad: (message: string) => never,
): CheckedAddresses {
  const { publicEndpoint = {}, tlsHosts = [], trustedProxies = [] } = options;
  const given = typeof publicEndpoint === 'string' ? { [ANY_API]: publicEndpoint } : publicEndpoint;
  const origins = Object.entries(given).map(([api, text]) => {
    if (api !== ANY_API && !API_NAMES.includes(api)) {
      bad(`publicEndpoint of '${api}': give ${ANY_API}, or one of ${API_NAMES.join(', ')}`);
    }
    return [api, originOf(text, bad)] as const;
  });
  for (const name of tlsHosts) {
    if (isIP(name) !== 0 || /^(?!-)[\w-]{1,63}(\.[\w-]{1,63})*$/.test(name)) continue;
    bad(`tlsHosts: '${name}' is no host name or address`);
  }
  for (const range of trustedProxies) {
    if (rangeOf(range) === undefined) bad(`trustedProxies: '${range}' is no IP address or range`);
  }
  if (trustedProxies.length > 0 && (options.credentials ?? 'open') === 'open') {
    bad('trustedProxies let others call than this machine; give credentials');
  }
  const named = origins.map(([, origin]) => new URL(origin).hostname.replace(/^\[|\]$/g, ''));
  return {
    publicEndpoint: Object.fromEntries(origins),
    tlsHosts: [...new Set([...tlsHosts, ...named])],
    trustedProxies,
    metricsListen: listenerOf(options.metricsListen, bad),
  };
}

function listenerOf(
  text: number | string | undefined,
  bad: (message: string) => never,
): CheckedAddresses['metricsListen'] {
  if (text === undefined) return undefined;
  const [, bracketed, host = bracketed ?? '127.0.0.1', digits] =
    /^(?:(?:\[([\da-f:.]+)\]|([\w.-]+)):)?(\d{1,5})$/i.exec(String(text)) ?? [];
  const port = Number(digits);
  if (digits === undefined || port > 65_535) {
    bad(`metricsListen '${String(text)}' is not like 9464, 10.0.0.5:9464 or [::1]:9464`);
  }
  return { host, port };
}

/** A signature covers the path, so that no proxy can put one in front. */
function originOf(text: string, bad: (message: string) => never): string {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const plain = url !== undefined && /^https?:$/.test(url.protocol) && url.username === '';
  if (!plain || url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    bad(`publicEndpoint '${text}' is not like https://video.example.org or http://10.0.0.5:8443`);
  }
  return url.origin;
}
