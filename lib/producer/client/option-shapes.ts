import { unknownName } from '../../base/known-names.js';
import { isBytes, textOf } from '../../base/values.js';
import { KvsError } from '../../base/errors.js';
import type { StatusName } from '../../generated/status.js';
import type { ProducerOptions } from './options.js';

/** What an option must be. TypeScript sees to it; callers in JavaScript learn it here. */
interface Shape {
  readonly fits: (value: unknown) => boolean;
  /** What to give instead. */
  readonly wanted: string;
}

const OBJECT: Readonly<Shape> = { fits: isObject, wanted: 'an object' };
const TEXT: Readonly<Shape> = {
  fits: (value) => typeof value === 'string' && value !== '',
  wanted: 'text',
};
const SWITCH: Readonly<Shape> = {
  fits: (value) => typeof value === 'boolean',
  wanted: 'true or false',
};

const SHAPES: Readonly<Partial<Record<keyof ProducerOptions, Shape>>> = {
  deviceInfo: OBJECT,
  clientCallbackProvider: OBJECT,
  streamCallbackProvider: OBJECT,
  callbackProvider: withMethods('getSecurityToken', 'describeStream', 'putStream'),
  transport: withMethods('open'),
  ca: { fits: isPem, wanted: 'PEM, as text or bytes, or a list of such' },
  logger: withMethods('debug', 'info', 'warn', 'error'),
  gatherMs: {
    fits: (value) => typeof value === 'number' && value >= 0 && value <= 10_000,
    wanted: 'milliseconds, 0 to 10,000',
  },
  limits: { fits: (value) => value === 'off', wanted: "'off'" },
  meterProvider: withMethods('getMeter'),
  clock: withMethods('mono', 'wall'),
  region: TEXT,
  endpoint: TEXT,
  useFipsEndpoint: SWITCH,
  useDualstackEndpoint: SWITCH,
  httpAgent: OBJECT,
  httpsAgent: OBJECT,
};

/** Throws `KvsError` for an option of a wrong type. @internal */
export function checkShapes(options: ProducerOptions): void {
  if (!isObject(options)) refuseOption('STATUS_INVALID_ARG', 'they are no object');
  const unknown = unknownName(options, [...Object.keys(SHAPES), 'credentials']);
  if (unknown !== undefined) refuseOption('STATUS_INVALID_ARG', unknown);
  for (const [name, shape] of Object.entries(SHAPES)) {
    const value: unknown = Reflect.get(options, name);
    if (value === undefined || shape.fits(value)) continue;
    const what = `${name} is ${spelled(value)}; give ${shape.wanted}, or leave it out`;
    refuseOption('STATUS_INVALID_ARG', what);
  }
}

/** A value of any type, briefly. @internal */
export function spelled(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`;
  if (typeof value === 'function') return 'a function';
  return isObject(value) ? 'an object that does not fit' : textOf(value);
}

/** Whether a value may have fields. @internal */
export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null;
}

function withMethods(...names: readonly string[]): Shape {
  return {
    fits: (value) =>
      isObject(value) && names.every((name) => typeof Reflect.get(value, name) === 'function'),
    wanted: `an object with ${names.map((name) => `${name}()`).join(', ')}`,
  };
}

function isPem(value: unknown): boolean {
  if (Array.isArray(value)) return value.every(isPem);
  return typeof value === 'string' || isBytes(value);
}

/** Throws the error of an option that breaks its rule. @internal */
export function refuseOption(status: StatusName, message: string): never {
  throw new KvsError({ status, message: `the producer's options are refused: ${message}` });
}
