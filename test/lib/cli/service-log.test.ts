import { expect, it } from 'vitest';
import { serviceLog } from '../../../lib/cli/service-log.js';

const NOW = Date.UTC(2026, 10, 30, 12, 0, 1, 5);

function lines(
  format: 'text' | 'json',
  use: (log: ReturnType<typeof serviceLog>) => void,
): string[] {
  const written: string[] = [];
  use(
    serviceLog(
      format,
      (line) => written.push(line),
      () => NOW,
    ),
  );
  return written;
}

it('each line has its time and its level', () => {
  expect(
    lines('text', (log) => {
      log('info', 'listening on x');
      log('warn', 'two', { stream: 'cam', fragment: 7n });
    }),
  ).toEqual([
    '2026-11-30T12:00:01.005Z info: listening on x\n',
    '2026-11-30T12:00:01.005Z warn: two {"stream":"cam","fragment":"7"}\n',
  ]);
});

it('as JSON it is an object a line, whatever is told', () => {
  const [line = '', bare = ''] = lines('json', (log) => {
    log('error', 'a\nb', { error: new TypeError('no', { cause: new Error('why') }) });
    log('info', 'closed');
  });
  expect(line.match(/\n/g)).toHaveLength(1);
  expect(JSON.parse(line)).toEqual({
    ...{ time: '2026-11-30T12:00:01.005Z', level: 'error', message: 'a\nb' },
    detail: { error: 'TypeError: no; caused by why' },
  });
  expect(JSON.parse(bare)).toEqual({
    ...{ time: '2026-11-30T12:00:01.005Z', level: 'info', message: 'closed' },
  });
});
