import type { ServiceLog } from '../service/index.js';
import { inWords, logLine } from './log-line.js';

/** The forms that the log of `kvs serve` has. */
export const LOG_FORMATS = ['text', 'json'] as const;
export type LogFormat = (typeof LOG_FORMATS)[number];

/** Writes each line of a service's log with its time: for people, or one JSON object a line. */
export function serviceLog(
  format: LogFormat,
  write: (line: string) => unknown,
  now: () => number = Date.now,
): ServiceLog {
  return (level, message, detail) => {
    const time = new Date(now()).toISOString();
    switch (format) {
      case 'text':
        write(`${time} ${logLine(level, message, detail)}`);
        return;
      case 'json':
        write(`${JSON.stringify({ time, level, message, ...(detail && { detail }) }, inWords)}\n`);
        return;
    }
  };
}
