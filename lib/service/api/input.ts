import { ServiceError, type ServiceErrorName } from '../errors.js';
import { faultsOf, isObject } from './fields.js';
import { isDeeperThan } from './json-depth.js';
import type { Operation } from './operation.js';

/** Reads the values of a request that has been found valid. @internal */
export class Input {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(values: Readonly<Record<string, unknown>>) {
    this.#values = values;
  }

  string(name: string): string | undefined {
    const value = this.#values[name];
    return typeof value === 'string' ? value : undefined;
  }

  number(name: string): number | undefined {
    const value = this.#values[name];
    return typeof value === 'number' ? value : undefined;
  }

  object(name: string): Input | undefined {
    const value = this.#values[name];
    return isObject(value) ? new Input(value) : undefined;
  }

  strings(name: string): readonly string[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
  }

  objects(name: string): readonly Input[] {
    const value = this.#values[name];
    return Array.isArray(value) ? value.filter(isObject).map((item) => new Input(item)) : [];
  }

  /** The strings of a map. */
  entries(name: string): readonly (readonly [string, string])[] {
    const value = this.#values[name];
    if (!isObject(value)) return [];
    return Object.entries(value).flatMap(([key, item]) =>
      typeof item === 'string' ? [[key, item] as const] : [],
    );
  }
}

/** Checks values against the operation's table. Throws what the guide says. @internal */
export function checkInput(operation: Operation, values: Readonly<Record<string, unknown>>): Input {
  const faults = faultsOf(operation.fields, values);
  if (faults.length > 0) {
    const noun = faults.length === 1 ? 'error' : 'errors';
    throw new ServiceError(
      faultName(operation, values, faults),
      `${String(faults.length)} validation ${noun} detected: ${faults.slice(0, 5).join('; ')}`,
    );
  }
  return new Input(values);
}

/** Operations on tags have an exception of their own for an ARN that is none. */
function faultName(
  operation: Operation,
  values: Readonly<Record<string, unknown>>,
  faults: readonly string[],
): ServiceErrorName {
  const ofArn = typeof values['StreamARN'] === 'string';
  const alone = faults.every((fault) => fault.includes("at 'streamARN'"));
  return operation.errors.includes('InvalidResourceFormatException') && ofArn && alone
    ? 'InvalidResourceFormatException'
    : 'InvalidArgumentException';
}

/** Deepest nesting of a JSON body; the tables of operations need five. */
const MAX_DEPTH = 32;

/** The values of a JSON body. Throws SerializationException. @internal */
export function parseBody(body: Uint8Array): Readonly<Record<string, unknown>> {
  if (isDeeperThan(MAX_DEPTH, body)) {
    throw new ServiceError(
      'SerializationException',
      `The request body is nested more than ${String(MAX_DEPTH)} levels deep`,
    );
  }
  const text = new TextDecoder().decode(body);
  if (text.trim() === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new ServiceError('SerializationException', 'The request body is not valid JSON');
  }
  if (isObject(value)) return value;
  throw new ServiceError('SerializationException', 'The request body is not a JSON object');
}

/** The values of an operation that carries them in HTTP headers. @internal */
export function readHeaders(
  operation: Operation,
  header: (name: string) => string | undefined,
): Readonly<Record<string, unknown>> {
  const values: Record<string, unknown> = {};
  for (const [name, field] of Object.entries(operation.fields)) {
    const at = 'header' in field ? field.header : undefined;
    const text = at === undefined ? undefined : header(at);
    if (text === undefined) continue;
    const isTime = field.type === 'timestamp' && /^\d{1,15}(\.\d{1,9})?$/.test(text);
    values[name] = isTime ? Number(text) : text;
  }
  return values;
}
