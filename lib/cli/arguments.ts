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
