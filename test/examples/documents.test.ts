// The programs of docs/parser.md, as they stand there, against a service that has a stream.
import { execFile } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startService, type KvsService } from '../../lib/service/index.js';
import { fillReal, START } from '../lib/consumer/helpers.js';
import { framesOf } from '../lib/parser/media.js';
import { golden } from '../lib/parser/helpers.js';
import { BUILT } from '../support/service-process.js';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const PAGE = readFileSync(join(ROOT, 'docs/parser.md'), 'utf8');
const SOURCE = 'ffmpeg-file.mkv';
const LINES = 16;

const programs = [...PAGE.matchAll(/^```js program (\w+)\n([\s\S]*?)^```$/gm)].map((hit) => ({
  kind: hit[1] ?? '',
  text: hit[2] ?? '',
}));

describe.skipIf(!BUILT)('programs of docs/parser.md (need npm run build)', () => {
  let directory = '';
  let service: KvsService | undefined;
  beforeAll(async () => {
    // Inside the package, so that its own name resolves as it does for a user.
    mkdirSync(join(ROOT, 'build-core'), { recursive: true });
    directory = mkdtempSync(join(ROOT, 'build-core', 'documents-'));
    service = await startService({ dataDir: join(directory, 'data'), limits: 'off' });
    await fillReal(service, 'cam', SOURCE);
  });
  afterAll(async () => {
    await service?.close();
    rmSync(directory, { recursive: true, force: true });
  });

  /** Runs the program in which the text stands; gives what it printed. */
  async function runProgram(needle: string, kind: string, path: string): Promise<string> {
    const found = programs.filter(({ text }) => text.includes(needle));
    expect(found.map((program) => program.kind)).toEqual([kind]);
    const file = join(directory, 'program.mjs');
    // The stream's media have the fixed times of the tests.
    const text = (found[0]?.text ?? '').replaceAll('Date.now()', String(START + 1_000_000));
    writeFileSync(file, text);
    const env = {
      PATH: process.env['PATH'],
      AWS_ENDPOINT_URL_KINESIS_VIDEO: service?.endpoint,
      AWS_REGION: 'us-west-2',
      AWS_ACCESS_KEY_ID: 'AKIDTEST',
      AWS_SECRET_ACCESS_KEY: 'secret',
    };
    const options = { cwd: ROOT, env, timeout: 120_000 };
    return (await promisify(execFile)(process.execPath, [file, 'cam', path], options)).stdout;
  }

  const source = join(ROOT, 'test/golden/mkv', SOURCE);
  const frames = framesOf(golden(SOURCE));
  const keyFrames = frames.filter((frame) => frame.keyFrame).length;

  it('are short, and all of them are run here', () => {
    expect(programs.map(({ kind }) => kind)).toEqual([
      'file',
      'file',
      'stream',
      'stream',
      'stream',
    ]);
    for (const { text } of programs)
      expect(text.trimEnd().split('\n').length).toBeLessThanOrEqual(LINES);
  });

  it('readFrames', async () => {
    expect(await runProgram('createReadStream(process.argv[3]))) {', 'file', source)).toBe(
      `${frames.length} frames, ${keyFrames} key frames\n`,
    );
  });

  it('visitors', async () => {
    expect(await runProgram('OutputSegmentMerger', 'file', source)).toBe(
      '1 segment, V_MPEG4/ISO/AVC 64x48\n',
    );
  });

  it('GetMediaReader', async () => {
    expect(await runProgram('GetMediaReader', 'stream', '')).toMatch(
      new RegExp(`^${frames.length} frames; go on from \\d{47}\n$`),
    );
  });

  it('getMediaForFragments', async () => {
    expect(await runProgram('listFragments', 'stream', '')).toBe(
      `${frames.length} frames in 3 fragments\n`,
    );
  });

  it('saveClip', async () => {
    const path = join(directory, 'clip.mp4');
    expect(await runProgram('saveClip', 'stream', path)).toBe(
      `${frames.length} frames, 2 s in ${path}\n`,
    );
    expect(existsSync(path)).toBe(true);
  });
});
