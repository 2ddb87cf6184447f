import { describe, expect, it } from 'vitest';
import { runChild } from './support.js';

const STAGES = [
  'nothing',
  'loaded',
  'client',
  'stream',
  'stream alone',
  'frames',
  'session',
  'half taken',
  'stopping',
  'freed',
  'closed',
] as const;
const ENDS = ['return', 'exit', 'exit in a callback', 'worker terminated'] as const;

describe.each(ENDS)('a process ends by %s', (end) => {
  it.each(STAGES)('at the stage: %s', async (stage) => {
    expect(await runChild('stage.cjs', [stage, end])).toEqual({
      code: 0,
      signal: null,
      stdout: 'reached\n',
      stderr: '',
    });
  });
});
