import { describe, expect, it } from 'vitest';
import { printed, runChild } from './support.js';

describe('workers', () => {
  it('five environments work in parallel and never meet', async () => {
    const { code, signal, stdout, stderr } = await runChild('workers.cjs', ['parallel']);
    expect([code, signal, stderr]).toEqual([0, null, '']);
    const results: unknown = JSON.parse(stdout);
    expect(results).toEqual(Array.from({ length: 5 }, () => ({ wrong: 0, frames: 1001 })));
  });

  // Eight arenas of 1 GiB each; one that stayed would show.
  it.skipIf(process.platform !== 'linux')(
    'an environment that ends gives its arenas back',
    async () => {
      const ended = await runChild('workers.cjs', ['leak']);
      expect([ended.code, ended.stderr]).toEqual([0, '']);
      const { grownMiB } = printed(ended);
      expect(grownMiB).toBeLessThan(900);
    },
  );
});
