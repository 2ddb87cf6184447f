import type { Op } from './log.js';

/* What the load on a store said while it was recorded: store-load.mjs. */

/** A stream's record as it was stored. */
export interface StreamValue {
  readonly id: number;
  readonly name: string;
  readonly retentionHours: number;
  readonly tags: Readonly<Record<string, string>>;
}

/** Lengths of a fragment's parts, bytes. */
export interface Lengths {
  readonly cluster: number;
  readonly tags: number;
  readonly header: number;
}

type ItemName = 'dataKey' | 'sessions';

/** One line: `…ing` before something, the rest when the store had done it. */
export type Said =
  | { readonly event: 'id'; readonly id: number }
  | { readonly event: 'streaming' | 'stream'; readonly id: number; readonly value: StreamValue }
  | {
      readonly event: 'iteming' | 'item';
      readonly id: number;
      readonly name: ItemName;
      readonly value: string;
    }
  | {
      readonly event: 'writing';
      readonly id: number;
      readonly number: string;
      readonly lengths: Lengths;
      readonly headerOf: string;
    }
  | { readonly event: 'aborted' | 'persisted'; readonly id: number; readonly number: string }
  | { readonly event: 'expiring' | 'expired'; readonly id: number; readonly bound: string }
  | { readonly event: 'deleting' | 'deleted'; readonly id: number }
  /** What is done from here on, by name; of no stream. */
  | { readonly event: 'step'; readonly id: 0; readonly name: string };

/** A line, and the call before which it was said. */
export interface SaidAt {
  readonly at: number;
  readonly said: Said;
}

/** What was said on standard output, in order. */
export function saidIn(ops: readonly Op[]): SaidAt[] {
  return ops.flatMap((op, at) => {
    if (op.kind !== 'told' || op.fd !== 1) return [];
    const said: unknown = JSON.parse(Buffer.from(op.bytes).toString());
    if (!isSaid(said)) throw new Error(`not a line of the load: ${JSON.stringify(said)}`);
    return [{ at, said }];
  });
}

function isSaid(value: unknown): value is Said {
  return typeof value === 'object' && value !== null && 'event' in value && 'id' in value;
}
