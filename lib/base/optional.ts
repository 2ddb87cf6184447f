import { KvsError } from './errors.js';
import { isError } from './values.js';

/**
 * Loads a package that not every user has installed (`npm install --omit=optional`). When it is not
 * there, throws `KvsError` STATUS_NOT_FOUND, which says what needs it and how to get it; any other
 * failure of loading is passed on. @internal
 */
export async function loadOptional<T>(
  name: string,
  purpose: string,
  load: () => Promise<T>,
): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    if (!isMissing(cause, name)) throw cause;
    throw new KvsError({
      status: 'STATUS_NOT_FOUND',
      message: `${purpose} needs the package ${name}, which is not installed; run: npm install ${name}`,
      cause,
    });
  }
}

/** A package that the missing one would itself ask for does not count: that is another fault. */
function isMissing(cause: unknown, name: string): boolean {
  if (!isError(cause) || !('code' in cause)) return false;
  const missing = cause.code === 'ERR_MODULE_NOT_FOUND' || cause.code === 'MODULE_NOT_FOUND';
  return missing && cause.message.includes(`'${name}'`);
}
