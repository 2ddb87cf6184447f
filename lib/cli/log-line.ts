import type { LogLevel } from '../service/index.js';

/** A line of the service's log for people: errors in words, with what caused them. */
export function logLine(
  level: LogLevel,
  message: string,
  detail?: Readonly<Record<string, unknown>>,
): string {
  const shown = detail === undefined ? '' : ` ${JSON.stringify(detail, inWords)}`;
  return `${level}: ${message}${shown}\n`;
}

function inWords(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return value instanceof Error ? wordsOf(value) : value;
}

function wordsOf(error: Error): string {
  const words = [`${error.name}: ${error.message}`];
  for (let at = error.cause; at instanceof Error && words.length < 5; at = at.cause) {
    words.push(at.message);
  }
  return words.join('; caused by ');
}
