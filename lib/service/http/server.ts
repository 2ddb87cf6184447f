import { createServer } from 'node:http';
import type { Server, ServerOptions } from 'node:http';
import { createServer as createSecureServer, type Server as SecureServer } from 'node:https';
import { serverTls, type CheckedOptions } from '../options.js';

/** Why an address cannot be listened on, in words. @internal */
export function whyNot(error: NodeJS.ErrnoException): string {
  switch (error.code) {
    case 'EADDRINUSE':
      return ': another program listens there; give another port, or 0 for any free one';
    case 'EADDRNOTAVAIL':
      return ': no interface of this machine has that address';
    case 'EACCES':
      return ': this user may not use that port; give one above 1023';
    default:
      return `: ${error.message}`;
  }
}

/** The HTTP or HTTPS server, not listening yet. @internal */
export function newServer({
  tls,
  requestTimeoutMs,
}: Pick<CheckedOptions, 'tls' | 'requestTimeoutMs'>): Server | SecureServer {
  const settings: ServerOptions = {
    // PutMedia bodies last for hours; JSON bodies have their own time-out.
    requestTimeout: 0,
    keepAliveTimeout: 65_000,
    headersTimeout: requestTimeoutMs,
    connectionsCheckingInterval: Math.ceil(requestTimeoutMs / 2),
    maxHeaderSize: 16 * 1024,
    // A client that is gone without a word is found out.
    keepAlive: true,
    keepAliveInitialDelay: 60_000,
  };
  return tls === undefined
    ? createServer(settings)
    : createSecureServer({ ...settings, ...serverTls(tls) });
}
