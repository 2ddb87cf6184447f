import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, readdirSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { compileLib, type CompiledLib } from '../../support/compiled.js';
import { golden, goldenNames } from './helpers.js';
import { framesOf, have } from './media.js';

const PARSER = new URL('../../../lib/parser/', import.meta.url);

describe('the parser in a browser', () => {
  it('imports nothing but itself, base and generated, and names nothing of Node', () => {
    for (const name of readdirSync(PARSER)) {
      const source = readFileSync(new URL(name, PARSER), 'utf8');
      const imports = [...source.matchAll(/from '([^']+)'/g)].map((match) => match[1] ?? '');
      for (const path of imports) expect(path).toMatch(/^\.\/|^\.\.\/(base|generated)\//);
      expect(source).not.toMatch(/\bBuffer\.|\bprocess\.|\brequire\(|\bsetImmediate\(/);
    }
  });

  it.skipIf(!have('chromium'))(
    'chromium: gives the frames of every golden',
    async () => {
      const page = await start();
      try {
        const { stdout } = await promisify(execFile)('chromium', [
          '--headless',
          '--no-sandbox',
          '--disable-gpu',
          '--disable-dev-shm-usage',
          `--user-data-dir=${page.profile}`,
          '--virtual-time-budget=20000',
          '--dump-dom',
          page.address,
        ]);
        const [, text] = /<pre>(.*)<\/pre>/s.exec(stdout) ?? [];
        expect(JSON.parse(text ?? 'null')).toEqual(expected());
      } finally {
        await page.close();
      }
    },
    60_000,
  );
});

/** Of each golden, what the page says, too. */
function expected(): Record<string, string[]> {
  return Object.fromEntries(
    goldenNames().map((name) => [
      name,
      framesOf(golden(name)).map(
        (frame) =>
          `${frame.trackNumber} ${frame.timecodeMs} ${frame.keyFrame} ${frame.data.length}`,
      ),
    ]),
  );
}

/** The page reads each golden through a Web stream, in pieces of a hundred bytes. */
const PAGE = (names: readonly string[]): string => `<!doctype html><pre>nothing</pre>
<script type="module">
  const pre = document.querySelector('pre');
  try {
    const { frameTransformStream } = await import('/lib/parser/index.js');
    const found = {};
    for (const name of ${JSON.stringify(names)}) {
      const bytes = new Uint8Array(await (await fetch('/golden/' + name)).arrayBuffer());
      const source = new ReadableStream({
        start(controller) {
          for (let at = 0; at < bytes.length; at += 100) controller.enqueue(bytes.slice(at, at + 100));
          controller.close();
        },
      });
      found[name] = [];
      const frames = source.pipeThrough(frameTransformStream()).getReader();
      for (let step = await frames.read(); !step.done; step = await frames.read()) {
        const { trackNumber, timecodeMs, keyFrame, data } = step.value;
        found[name].push([trackNumber, timecodeMs, keyFrame, data.length].join(' '));
      }
    }
    pre.textContent = JSON.stringify(found);
  } catch (error) {
    pre.textContent = JSON.stringify(String(error.stack));
  }
</script>`;

let compiled: CompiledLib | undefined;
beforeAll(async () => {
  if (have('chromium')) compiled = await compileLib();
});
afterAll(() => compiled?.remove());

/** Serves page, compiled library and goldens on loopback. */
async function start(): Promise<{ address: string; profile: string; close(): Promise<void> }> {
  const server: Server = createServer((request, response) => {
    const path = new URL(request.url ?? '/', 'http://localhost').pathname;
    void answer(path).then(
      ({ type, body }) => response.writeHead(200, { 'content-type': type }).end(body),
      () => response.writeHead(404).end(),
    );
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  const port = typeof bound === 'object' && bound !== null ? bound.port : 0;
  const profile = await mkdtemp(join(tmpdir(), 'kvs-browser-'));
  const close = async (): Promise<void> => {
    server.closeAllConnections();
    server.close();
    await rm(profile, { recursive: true, force: true, maxRetries: 5 });
  };
  return { address: `http://127.0.0.1:${port}/`, profile, close };
}

async function answer(path: string): Promise<{ type: string; body: string | Uint8Array }> {
  if (path === '/') return { type: 'text/html', body: PAGE(goldenNames()) };
  if (path.startsWith('/golden/')) {
    return { type: 'application/octet-stream', body: golden(path.slice('/golden/'.length)) };
  }
  const file = join(compiled?.directory ?? '', path.replace(/^\/lib\//, ''));
  return { type: 'text/javascript', body: await readFile(file, 'utf8') };
}
