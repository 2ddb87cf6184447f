import { readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';

/* What test/power/power.c does to calls: the bytes of its control file. */

/** Calls that may be hit. */
export type CallKind =
  'open' | 'read' | 'write' | 'sync' | 'truncate' | 'rename' | 'unlink' | 'mkdir' | 'rmdir';

const KINDS: Readonly<Record<CallKind, number>> = {
  open: 2,
  write: 4,
  sync: 5,
  truncate: 6,
  rename: 7,
  unlink: 8,
  mkdir: 9,
  rmdir: 10,
  read: 12,
};

/** `kill`: gone before the call; `tear`: half of a write is done before; `lie`: not done, and no error. */
type Action = 'kill' | 'tear' | 'lie' | keyof typeof constants.errno;

const ACTIONS: Readonly<Record<string, number>> = { kill: 1000, tear: 1001, lie: 1002 };

/** Which calls are hit, and how. */
export interface Order {
  readonly kinds: readonly CallKind[];
  readonly action: Action;
  /** So many calls that are meant pass before; default 0. */
  readonly skip?: number;
  /** How many are hit; default all from there on. */
  readonly times?: number;
  /** Only where the path has this in it; default anywhere. */
  readonly path?: string;
}

const FILE_BYTES = 256;
const SEEN_AT = 16;
const PATH_AT = 20;

/** Gives an order, and forgets the one before; without one all calls are done. */
export function giveOrder(control: string, order?: Order): void {
  const bytes = Buffer.alloc(FILE_BYTES);
  if (order !== undefined) {
    const { kinds, action, skip = 0, times = 0, path = '' } = order;
    for (const kind of kinds) bytes.writeUInt32LE(bytes.readUInt32LE(0) | (1 << KINDS[kind]), 0);
    bytes.writeUInt32LE(numberOf(action), 4);
    bytes.writeUInt32LE(skip, 8);
    bytes.writeUInt32LE(times, 12);
    bytes.write(path, PATH_AT, FILE_BYTES - PATH_AT - 1);
  }
  // In place, since a running process has it mapped.
  writeFileSync(control, bytes, { flag: 'r+' });
}

/** How many calls the order was about so far, those included that passed. */
export function callsSeen(control: string): number {
  return readFileSync(control).readUInt32LE(SEEN_AT);
}

/** Makes the file, with no order in it. */
export function makeControl(control: string): void {
  writeFileSync(control, Buffer.alloc(FILE_BYTES));
}

function numberOf(action: Action): number {
  const own = ACTIONS[action];
  if (own !== undefined) return own;
  return Object.entries(constants.errno).find(([name]) => name === action)?.[1] ?? 0;
}
