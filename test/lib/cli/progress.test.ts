import { describe, expect, it } from 'vitest';
import { Progress } from '../../../lib/cli/progress.js';
import { formatTable, withCommas } from '../../../lib/cli/table.js';

function capture(isTTY: boolean): { text: string; isTTY: boolean; write(text: string): void } {
  return {
    text: '',
    isTTY,
    write(text: string): void {
      this.text += text;
    },
  };
}

describe('Progress', () => {
  it('writes a line for every quarter where there is no terminal', () => {
    const output = capture(false);
    const progress = new Progress(output, 'upload');
    for (let i = 0; i <= 100; i += 1) progress.update(i / 100, () => `${i} frames`);
    progress.finish('100 frames');
    expect(output.text.split('\n')).toEqual([
      'upload 25 %  25 frames',
      'upload 50 %  50 frames',
      'upload 75 %  75 frames',
      'upload 100 %  100 frames',
      '',
    ]);
  });

  it('redraws one line of the width of the terminal', () => {
    const output = { ...capture(true), columns: 50 };
    const progress = new Progress(output, 'upload');
    progress.update(0.5, () => 'a detail that is longer than the line');
    progress.finish('done');
    const lines = output.text.split('\r\u001b[2K').slice(1);
    expect(lines[0]).toMatch(/^upload █{10}░{10} {2}50 %/);
    expect(lines[0]?.length).toBeLessThan(50);
    expect(lines[1]).toMatch(/^upload █{20} 100 % {2}done\n$/);
  });
});

it('formatTable lays values out in one column', () => {
  expect(
    formatTable([
      ['frames', '600'],
      ['MB/s', '5.1'],
    ]),
  ).toBe('  frames  600\n  MB/s    5.1\n');
  expect([0, 999, 1000, 1234567].map(withCommas)).toEqual(['0', '999', '1,000', '1,234,567']);
});
