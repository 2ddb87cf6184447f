import { InvalidArgumentError } from 'commander';

/** Reads an option that is a whole number from 1 up. */
export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('Give a whole number from 1 up.');
  }
  return value;
}

/** Reads an option that is a number above 0. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (!Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError('Give a number above 0.');
  }
  return value;
}

/** Reads a TCP port; 0 lets the system choose. */
export function portNumber(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 0 || value > 65535) {
    throw new InvalidArgumentError('Give a whole number from 0 to 65535.');
  }
  return value;
}

const UNITS: Readonly<Record<string, number>> = { '': 1, K: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** Reads a number of bytes, with a decimal unit if one is given: `500MB`, `10GB`, `1.5TB`. */
export function byteCount(text: string): number {
  const [, number, unit = ''] = /^(\d+(?:\.\d+)?) ?([KMGT]?)B?$/i.exec(text.trim()) ?? [];
  const bytes = Math.floor(Number(number) * (UNITS[unit.toUpperCase()] ?? Number.NaN));
  if (!Number.isSafeInteger(bytes) || bytes < 1) {
    throw new InvalidArgumentError('Give a number of bytes above 0, for example 500MB or 10GB.');
  }
  return bytes;
}

/** Reads `URL`, or `API=URL`, one after the other: where clients reach the APIs of a service. */
export function publicEndpoint(
  text: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const [, api = 'default', url = text] = /^([A-Z_]+)=(.*)$/.exec(text) ?? [];
  return { ...before, [api]: url };
}
