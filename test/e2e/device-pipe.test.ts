// The program of docs/devices.md, as it stands there, with a camera that writes H.264 into a pipe.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startService, type KvsService } from '../../lib/service/index.js';
import { annexBOf } from '../support/annexb.js';
import { storedIn, type Stored } from '../support/upload.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FRAMES = 120;
// Writes what it has in pieces that end anywhere, and for so long that it takes more than a moment.
const CAMERA = (path: string, then: string): string => `#!${process.execPath}
const { readFileSync } = require('node:fs');
const bytes = readFileSync(${JSON.stringify(path)});
let at = 0;
const timer = setInterval(() => {
  process.stdout.write(bytes.subarray(at, (at += 5003)));
  if (at < bytes.length) return;
  clearInterval(timer);
  ${then}
}, 2);
`;

describe('a device whose camera writes into a pipe', () => {
  let directory = '';
  let program = '';
  let service: KvsService;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-device-'));
    service = await startService({ dataDir: join(directory, 'data'), limits: 'off' });
    const page = await readFile(join(ROOT, 'docs/devices.md'), 'utf8');
    const text = /```js\n([^`]*rpicam-vid[^`]*)```/.exec(page)?.[1] ?? '';
    // Inside the package, so that its own name resolves as it does for a user.
    const folder = join(ROOT, 'build-core', 'devices');
    await mkdir(folder, { recursive: true });
    program = join(folder, 'upload.mjs');
    await writeFile(program, text);
    await writeFile(join(directory, 'clip.h264'), await annexBOf('media/camera.mp4', FRAMES));
  });

  afterEach(async () => {
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function run(then: string): Promise<Stored> {
    const camera = CAMERA(join(directory, 'clip.h264'), then);
    await writeFile(join(directory, 'rpicam-vid'), camera, { mode: 0o755 });
    const { HOME, TMPDIR, PATH } = process.env;
    const child = spawn(process.execPath, [program], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: {
        ...{ HOME, TMPDIR, PATH: `${directory}${delimiter}${PATH ?? ''}` },
        AWS_ENDPOINT_URL_KINESIS_VIDEO: service.endpoint,
        AWS_ACCESS_KEY_ID: 'AKIDTEST',
        AWS_SECRET_ACCESS_KEY: 'secret',
      },
    });
    let words = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      words += text;
      if (text.includes('all written')) child.kill('SIGTERM');
    });
    const [code]: unknown[] = await once(child, 'exit');
    if (code !== 0) throw new Error(`it ended with ${String(code)}: ${words}`);
    return storedIn(service.endpoint, 'front-door');
  }

  it.each([
    ['the camera ends', ''],
    [
      'the device is shut down',
      "process.stderr.write('all written'); setInterval(() => {}, 1000);",
    ],
  ])('stores each picture, and all by the time that %s', async (_when, then) => {
    const stored = await run(then);
    expect(stored.frames).toHaveLength(FRAMES);
    expect(stored.frames.filter((frame) => frame.keyFrame).length).toBeGreaterThan(1);
    const first = stored.frames[0]?.timecodeMs ?? 0;
    expect(Math.abs(first - Date.now())).toBeLessThan(60_000);
  });
});
