import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { KvsError } from '../../base/errors.js';
import { isLoopback } from '../options.js';
import type { OpenAnswer } from './open-answer.js';

/** Where the listener of metrics is, and what it answers by path. @internal */
export interface MetricsListener {
  readonly host: string;
  readonly port: number;
  readonly pages: ReadonlyMap<string, () => Promise<OpenAnswer>>;
}

/** A listener of metrics that runs. @internal */
export interface RunningListener {
  readonly port: number;
  close(): Promise<void>;
}

/**
 * Starts a listener that asks for no signature: who can reach it may read what it shows, which is no
 * media. Rejects with `KvsError` where the address cannot be had. @internal
 */
export async function listenForMetrics(listener: MetricsListener): Promise<RunningListener> {
  const { host, port } = listener;
  const server = createServer((request, response) => {
    void answer(listener, request, response);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', (cause) => {
      const message = `startService: metricsListen: cannot listen on ${host} port ${String(port)}; give another`;
      reject(new KvsError({ status: 'STATUS_INVALID_ARG', message, cause }));
    });
    server.listen(port, host, () => {
      resolve();
    });
  });
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => {
          resolve();
        });
        server.closeAllConnections();
      }),
  };
}

async function answer(
  { host, pages }: MetricsListener,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.on('error', () => undefined);
  request.resume();
  const page = pages.get((request.url ?? '').split('?', 1)[0] ?? '');
  if (isLoopback(host) && !isLoopback(hostOf(request))) {
    // A web page whose name was made to mean this machine.
    end(response, 403, 'text/plain', 'Host is no name of this machine\n');
  } else if (page === undefined || (request.method !== 'GET' && request.method !== 'HEAD')) {
    end(response, 404, 'text/plain', `Only GET ${[...pages.keys()].join(', ')}\n`);
  } else {
    try {
      const { status, type, body } = await page();
      end(response, status, type, body);
    } catch {
      end(response, 500, 'text/plain', 'The figures cannot be read now\n');
    }
  }
}

function hostOf({ headers: { host = '' } }: IncomingMessage): string {
  return URL.canParse(`http://${host}`)
    ? new URL(`http://${host}`).hostname.replace(/^\[|\]$/g, '')
    : '';
}

function end(response: ServerResponse, status: number, type: string, body: string): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) });
  response.end(body);
}
