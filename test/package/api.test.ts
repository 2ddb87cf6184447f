import { describe, expect, it } from 'vitest';
import { start } from './emulated.js';

describe('the public API', () => {
  it('is what test/golden/api says', () => {
    const { status, stderr } = start([process.execPath], 'tools/api.mjs');
    expect([stderr, status]).toEqual(['', 0]);
  });
});
