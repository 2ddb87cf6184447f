// What a producer's process holds after an hour of stream time and after many streams: as much as
// before. Measured in a process of its own by the benchmark's own code; the soak runs at full length.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startService, type KvsService } from '../../lib/service/index.js';
import { BUILT } from '../support/service-process.js';

const WORK = fileURLToPath(new URL('../../bench/producer/work.mjs', import.meta.url));
const SOAK = process.env['KVS_SOAK'] === '1';
const MB = 2 ** 20;
const run = promisify(execFile);

describe.skipIf(!BUILT)('the memory of a process (needs npm run build)', () => {
  let directory = '';
  let service: KvsService;

  beforeEach(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-memory-'));
    service = await startService({ dataDir: join(directory, 'data'), limits: 'off' });
  });

  afterEach(async () => {
    await service.close();
    await rm(directory, { recursive: true, force: true });
  });

  async function work(mode: string, amount: number, size: number): Promise<Map<string, number>> {
    const args = ['--expose-gc', WORK, mode, service.endpoint, String(amount), String(size)];
    const { stdout } = await run(process.execPath, args);
    const figures: unknown = JSON.parse(stdout.trim().split('\n').at(-1) ?? '');
    if (typeof figures !== 'object' || figures === null) throw new Error(`no figures: ${stdout}`);
    return new Map(Object.entries(figures));
  }

  const timeout = SOAK ? 900_000 : 60_000;

  it('is flat over an hour of stream time, with acks and sessions', { timeout }, async () => {
    const figures = await work('hour', 60, SOAK ? 20_972 : 1000);
    expect(figures.get('frames')).toBe(90_000);
    expect(figures.get('droppedFrames')).toBe(0);
    // All of 1,800 fragments but the open one; a session that is over may have been sent again.
    expect(figures.get('persistedAcks')).toBeGreaterThanOrEqual(1799);
    expect(figures.get('sessions')).toBeGreaterThanOrEqual(3);
    expect(figures.get('arena')).toBeLessThanOrEqual(SOAK ? 2 * MB : MB / 4); // an open fragment
    expect(figures.get('arrayBuffers')).toBeLessThan(4 * MB); // buffers that go round
    expect(figures.get('heapUsed')).toBeLessThan(2 * MB);
    expect(figures.get('rss')).toBeLessThan(16 * MB);
  });

  it('is flat over streams that are created, filled and stopped', { timeout }, async () => {
    const cycles = SOAK ? 10_000 : 100;
    const figures = await work('leak', cycles, 1000);
    expect(figures.get('alive')).toBe(0);
    expect(figures.get('arena')).toBe(0);
    expect(figures.get('arrayBuffers')).toBeLessThan(4 * MB);
    expect(figures.get('heapUsed')).toBeLessThan(2 * MB);
    expect(figures.get('rss')).toBeLessThan(16 * MB);
  });
});
