import { describe, expect, it } from 'vitest';
import { cut, dump, dumpPath, golden, goldenNames, singles } from './helpers.js';

const STREAM_BLOCKS = {
  capture: (element: { readonly name: string }) =>
    element.name === 'SIMPLE_BLOCK' ? ('stream' as const) : ('whole' as const),
};

/** Data events put together, so that only the splitting of data may differ. */
function merged(lines: readonly string[]): string[] {
  const out: string[] = [];
  let bytes = 0;
  for (const text of lines) {
    const data = /^\d+ data (\w+) (\d+) (true|false)$/.exec(text);
    if (data === null) out.push(text);
    else bytes += Number(data[2]);
    if (data?.[3] === 'true') {
      out.push(`data ${data[1]} ${bytes}`);
      bytes = 0;
    }
  }
  return out;
}

describe.each(goldenNames())('golden %s', (name) => {
  const bytes = golden(name);
  const whole = dump([bytes]);

  it('gives the events of its dump', async () => {
    await expect(`${whole.join('\n')}\n`).toMatchFileSnapshot(dumpPath(name));
  });

  it('gives the same events byte by byte', () => {
    expect(dump(singles(bytes))).toEqual(whole);
  });

  it('gives the same events split in two at every position', () => {
    const text = whole.join('\n');
    for (let at = 0; at <= bytes.length; at += 1) {
      if (dump(cut(bytes, at)).join('\n') !== text)
        expect(dump(cut(bytes, at)), `at ${at}`).toEqual(whole);
    }
  });

  it('streams blocks alike in any chunking', () => {
    const once = merged(dump([bytes], STREAM_BLOCKS));
    expect(
      once.some((text) => text.startsWith('data SIMPLE_BLOCK')) || name.includes('groups'),
    ).toBe(true);
    expect(merged(dump(singles(bytes), STREAM_BLOCKS))).toEqual(once);
    for (const step of [2, 7, 100]) {
      const at = Array.from({ length: Math.floor(bytes.length / step) }, (_, i) => i * step);
      expect(merged(dump(cut(bytes, ...at), STREAM_BLOCKS))).toEqual(once);
    }
  });
});
