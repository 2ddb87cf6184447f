import { describe, expect, it } from 'vitest';
import { printed, runChild } from './support.js';

const SOAK = process.env['KVS_SOAK'] !== undefined;
const SEEDS = Array.from({ length: SOAK ? 200 : 4 }, (_, i) => i + 1);

function counters(value: unknown): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) throw new TypeError('no counters');
  return { ...value };
}

describe('calls in any order, with arguments good and bad', () => {
  // A child process each, so that a crash names its seed: node --expose-gc random.cjs ADDON SEED 20000
  it.each(SEEDS)('seed %d leaves the arena sound', async (seed) => {
    const ended = await runChild('random.cjs', [`${seed}`, '20000'], ['--expose-gc']);
    expect([ended.code, ended.signal, ended.stderr]).toEqual([0, null, '']);
    const { count, reached } = printed(ended);
    // It went everywhere: every method did its work, and media went out and were acknowledged.
    expect(Object.keys(counters(count)).length).toBeGreaterThan(20);
    for (const [name, times] of Object.entries(counters(reached))) {
      expect(times, name).toBeGreaterThan(0);
    }
  });
});
