import { expect, it } from 'vitest';
import { logLine, messageOf } from '../../../lib/cli/log-line.js';

it('says what an error said, and why, in one line', () => {
  const cause = new Error('ENOSPC: no space left on device');
  const error = new TypeError('the fragment is lost', { cause });
  expect(logLine('error', 'a call failed', { stream: 'cam', fragment: 7n, error })).toBe(
    'error: a call failed {"stream":"cam","fragment":"7","error":' +
      '"TypeError: the fragment is lost; caused by ENOSPC: no space left on device"}\n',
  );
  expect(logLine('info', 'listening')).toBe('info: listening\n');
  expect(logLine('warn', 'two', { text: 'a\nb' })).toBe('warn: two {"text":"a\\nb"}\n');
  expect(messageOf(error)).toBe('the fragment is lost; caused by ENOSPC: no space left on device');
  expect(messageOf('thrown')).toBe('thrown');
  const loop = new Error('round');
  loop.cause = loop;
  expect(logLine('warn', 'x', { loop })).toMatch(/^warn: x \{"loop":"Error: round.*"\}\n$/);
});
