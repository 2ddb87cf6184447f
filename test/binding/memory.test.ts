import { describe, expect, it } from 'vitest';
import { printed, runChild } from './support.js';

async function measure(mode: string): Promise<Readonly<Record<string, unknown>>> {
  const ended = await runChild('memory.cjs', [mode], ['--expose-gc']);
  expect([ended.code, ended.signal, ended.stderr]).toEqual([0, null, '']);
  return printed(ended);
}

describe('memory', () => {
  it('2,000 takes make no buffer', async () => {
    const { bytes, arrayBuffers, external } = await measure('takes');
    expect(bytes).toBeGreaterThan(8_000_000);
    expect(arrayBuffers).toBeLessThanOrEqual(0); // less: of before, swept late
    expect(external).toBeLessThan(64 * 1024); // V8's own, a few hundred bytes
  });

  it('100,000 puts leave nothing in the heap of JavaScript', async () => {
    const { heapGrownKiB, external } = await measure('puts');
    expect(heapGrownKiB).toBeLessThan(256);
    expect(external).toBeLessThan(64 * 1024);
  });

  const onLinux = it.skipIf(process.platform !== 'linux');

  onLinux('what nobody holds is collected, with its arena; a stream holds its client', async () => {
    expect(await measure('collected')).toEqual({
      held: true,
      given: true,
      statuses: [0],
      withStream: true,
      withoutStream: true,
      streams: 0,
      atEnd: true,
    });
  });

  onLinux('an arena is reserved, not committed, and V8 is not told of it', async () => {
    const { reservedMiB, residentMiB, external } = await measure('reserve');
    expect(reservedMiB).toBeGreaterThan(4000);
    expect(residentMiB).toBeLessThan(20);
    expect(external).toBeLessThan(1024 * 1024);
  });
});
