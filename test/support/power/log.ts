import { readFileSync } from 'node:fs';

/* Reads what test/power/power.c wrote. */

/** One call of a recorded process, or bytes that it told others. Paths are relative to the data directory. */
export type Op =
  | { readonly kind: 'process' }
  | {
      readonly kind: 'open';
      readonly fd: number;
      readonly path: string;
      /** What the call did to the file besides opening it. */
      readonly effect: 'created' | 'truncated' | 'none';
    }
  | { readonly kind: 'close'; readonly fd: number }
  | {
      readonly kind: 'write';
      readonly fd: number;
      readonly offset: number;
      readonly bytes: Uint8Array;
    }
  | { readonly kind: 'sync'; readonly fd: number }
  | { readonly kind: 'truncate'; readonly fd: number; readonly size: number }
  | { readonly kind: 'rename'; readonly path: string; readonly to: string }
  | { readonly kind: 'unlink' | 'mkdir' | 'rmdir'; readonly path: string }
  | { readonly kind: 'told'; readonly fd: number; readonly bytes: Uint8Array };

const HEAD_BYTES = 24;
const PROCESS = 1;
const CREATED = 1;
const TRUNCATED = 2;

/** The calls in a log, in the order in which they were made. */
export function readLog(path: string): Op[] {
  const log = readFileSync(path);
  const ops: Op[] = [];
  let root = '';
  for (let at = 0; at + HEAD_BYTES <= log.length;) {
    const first = log.readUInt32LE(at + 16);
    const second = log.readUInt32LE(at + 20);
    const from = at + HEAD_BYTES;
    const kind = log.readUInt32LE(at);
    if (kind === PROCESS) root = log.toString('utf8', from, from + first);
    ops.push(
      opOf({
        kind,
        fd: log.readInt32LE(at + 4),
        offset: Number(log.readBigUInt64LE(at + 8)),
        first: log.subarray(from, from + first),
        second: log.subarray(from + first, from + first + second),
        root,
      }),
    );
    at = from + first + second;
  }
  return ops;
}

interface Parts {
  readonly kind: number;
  readonly fd: number;
  readonly offset: number;
  readonly first: Buffer;
  readonly second: Buffer;
  readonly root: string;
}

function opOf({ kind, fd, offset, first, second, root }: Parts): Op {
  const path = (bytes: Buffer): string => bytes.toString().slice(root.length + 1);
  switch (kind) {
    case PROCESS:
      return { kind: 'process' };
    case 2:
      return { kind: 'open', fd, path: path(first), effect: effectOf(offset) };
    case 3:
      return { kind: 'close', fd };
    case 4:
      return { kind: 'write', fd, offset, bytes: first };
    case 5:
      return { kind: 'sync', fd };
    case 6:
      return { kind: 'truncate', fd, size: offset };
    case 7:
      return { kind: 'rename', path: path(first), to: path(second) };
    case 8:
      return { kind: 'unlink', path: path(first) };
    case 9:
      return { kind: 'mkdir', path: path(first) };
    case 10:
      return { kind: 'rmdir', path: path(first) };
    case 11:
      return { kind: 'told', fd, bytes: first };
    default:
      throw new Error(`the log has a record of kind ${kind}`);
  }
}

function effectOf(flags: number): 'created' | 'truncated' | 'none' {
  if ((flags & CREATED) !== 0) return 'created';
  return (flags & TRUNCATED) === 0 ? 'none' : 'truncated';
}
