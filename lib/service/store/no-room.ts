import { isError } from '../../base/values.js';

const CODES: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);
/** LevelDB gives the system's words and no code. */
const WORDS = /: (?:No space left on device|Disk quota exceeded)$/;

/** Whether something failed because the disk has no room, or its user no more of it. @internal */
export function isNoRoom(error: unknown): boolean {
  for (let at = error; isError(at); at = at.cause) {
    if ('code' in at && CODES.has(at.code)) return true;
    if (WORDS.test(at.message)) return true;
  }
  return false;
}
