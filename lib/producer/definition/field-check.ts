import { textOf } from '../../base/values.js';
import { unknownName } from '../../base/known-names.js';
import { KvsError } from '../../base/errors.js';
import type { StatusName } from '../../generated/status.js';

/** The status of a broken rule. @internal */
export interface Rule {
  readonly status: StatusName;
}

const INVALID: Readonly<Rule> = { status: 'STATUS_INVALID_ARG' };

/** The number that `key` stands for. @internal */
export function choice<K extends string>(
  table: Readonly<Record<K, number>>,
  key: K,
  field: string,
): number {
  const value: number | undefined = Object.hasOwn(table, key) ? table[key] : undefined;
  if (value !== undefined) return value;
  return refuse(
    'STATUS_INVALID_ARG',
    `${field} is '${textOf(key)}'; give ${Object.keys(table).join(', ')}`,
  );
}

/** `value`, which must be `least` to `most`. @internal */
export function number(
  value: number,
  field: string,
  least: number,
  most: number,
  rule: Rule = INVALID,
): number {
  if (typeof value === 'number' && value >= least && value <= most) return value;
  const limit = most === Infinity ? `${least} or more` : `${least} to ${most}`;
  return refuse(rule.status, `${field} is ${textOf(value)}; give ${limit}`);
}

/** `value`, which must be text of at most `most` bytes. @internal */
export function text(value: string, field: string, most: number, rule: Rule): string {
  if (typeof value !== 'string') refuse(rule.status, `${field} is no text`);
  const length = Buffer.byteLength(value);
  if (length > most) refuse(rule.status, `${field} has ${length} bytes; at most ${most} are taken`);
  if (value.includes('\0')) refuse(rule.status, `${field} has a zero character in it`);
  return value;
}

/** Refuses what is no object, or a list. @internal */
export function object(value: unknown, field: string, wanted: string): void {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return;
  refuse('STATUS_INVALID_ARG', `${field} is ${textOf(value)}; give ${wanted}`);
}

/** Refuses an object that has a name which is not known. @internal */
export function known(value: object, names: readonly string[], where?: string): void {
  const unknown = unknownName(value, names);
  if (unknown === undefined) return;
  refuse('STATUS_INVALID_ARG', where === undefined ? unknown : `${where}: ${unknown}`);
}

/** Refuses what is no list. @internal */
export function list(value: unknown, field: string, wanted: string): void {
  if (!Array.isArray(value)) {
    refuse('STATUS_INVALID_ARG', `${field} is ${textOf(value)}; give ${wanted}`);
  }
}

/** Throws the error of a broken rule. @internal */
export function refuse(status: StatusName, message: string): never {
  throw new KvsError({ status, message: `the stream definition is refused: ${message}` });
}
