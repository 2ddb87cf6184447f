import { KvsError } from '../base/errors.js';
import type { StatusName } from '../generated/status.js';

/** A fault in the input: what is wrong, and at which byte of the whole input. @internal */
export function inputError(status: StatusName, offset: number, what: string): KvsError {
  return new KvsError({ status, message: `Matroska input at byte ${offset}: ${what}` });
}
