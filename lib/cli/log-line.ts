import { printable } from '../base/printable.js';
import type { LogLevel } from '../service/index.js';
import { isError } from '../base/values.js';

const MOST_CAUSES = 5;

/** A line of the service's log for people: errors in words, with what caused them. */
export function logLine(
  level: LogLevel,
  message: string,
  detail?: Readonly<Record<string, unknown>>,
): string {
  const shown = detail === undefined ? '' : ` ${JSON.stringify(detail, inWords)}`;
  return `${printable(`${level}: ${message}${shown}`)}\n`;
}

/** How values that JSON does not have are written: large numbers and errors as text. */
export function inWords(_key: string, value: unknown): unknown {
  if (typeof value === 'bigint') return value.toString();
  return isError(value) ? `${value.name}: ${messageOf(value)}` : value;
}

/** What was thrown, in words, with what caused it. */
export function messageOf(thrown: unknown): string {
  if (!isError(thrown)) return String(thrown);
  const words = [thrown.message];
  for (let at = thrown.cause; isError(at) && words.length < MOST_CAUSES; at = at.cause) {
    words.push(at.message);
  }
  return words.join('; caused by ');
}
