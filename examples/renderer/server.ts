// Serves the renderer's page, the parser for browsers, and GetMedia for that page: browsers have no
// credentials, and the service's answers are for no page.
//
//   npm run build
//   node build-examples/renderer/server.js [--port N] [--stream NAME] [--file PATH]
//
// The service is the one at AWS_ENDPOINT_URL_KINESIS_VIDEO; without it one is started for the
// while, and the package's clip is put into it. Ctrl-C ends it.
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { openMediaFile, sampleClip } from 'kinesis-video/sources';
import { getMedia, openService, putFile, type Connection } from '../shared/service.js';

const PAGE = new URL('../../examples/renderer/', import.meta.url);
/** The parser and what it imports: plain modules that browsers load as they are. */
const PACKAGE = new URL('../', import.meta.resolve('kinesis-video/parser'));

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  mjs: 'text/javascript; charset=utf-8',
};

/** The file that a path stands for; undefined for everything that is none of the page's. */
function fileOf(path: string): URL | undefined {
  if (path === '/') return new URL('index.html', PAGE);
  if (/^\/[a-z]+\.mjs$/.test(path)) return new URL(path.slice(1), PAGE);
  const [, module] = /^\/kinesis-video\/((?:parser|base|generated)\/[\w-]+\.js)$/.exec(path) ?? [];
  return module === undefined ? undefined : new URL(module, PACKAGE);
}

async function sendFile(path: string, response: ServerResponse): Promise<void> {
  const file = fileOf(path);
  const body = file && (await readFile(file).catch(() => undefined));
  if (file === undefined || body === undefined) {
    response.writeHead(404).end(`nothing at ${path}`);
    return;
  }
  const type = TYPES[file.pathname.split('.').at(-1) ?? ''] ?? 'application/octet-stream';
  response.writeHead(200, { 'content-type': type }).end(body);
}

/** GetMedia as the response's body, until the page goes away. */
async function sendMedia(
  connection: Connection,
  query: URLSearchParams,
  response: ServerResponse,
): Promise<void> {
  const gone = new AbortController();
  response.once('close', () => {
    gone.abort();
  });
  const start = query.get('start') === 'NOW' ? 'NOW' : 'EARLIEST';
  const media = getMedia(connection, query.get('stream') ?? '', gone.signal, start);
  try {
    // With the first bytes in hand a refusal can still be told as one.
    const first = await media.next();
    response.writeHead(200, { 'content-type': 'video/x-matroska', 'cache-control': 'no-store' });
    if (first.value !== undefined) response.write(first.value);
    await pipeline(Readable.from(media), response);
  } catch (error) {
    if (gone.signal.aborted) return;
    if (response.headersSent) response.destroy();
    else response.writeHead(502).end(error instanceof Error ? error.message : String(error));
  }
}

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '8480' },
    stream: { type: 'string', default: 'render-example-stream' },
    file: { type: 'string' },
  },
});
const service = await openService();
const path = values.file ?? (service.own ? sampleClip() : undefined);
if (path !== undefined) {
  await putFile(service.connection, values.stream, await openMediaFile(path));
}
const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://127.0.0.1');
  if (url.pathname === '/media') void sendMedia(service.connection, url.searchParams, response);
  else void sendFile(url.pathname, response);
});
server.listen(Number(values.port), '127.0.0.1');
await once(server, 'listening');
const address = server.address();
const port = typeof address === 'object' && address !== null ? address.port : 0;
console.log(`http://127.0.0.1:${port}/?stream=${encodeURIComponent(values.stream)}`);
await Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
server.closeAllConnections();
server.close();
await service.close();
