import { open, stat } from 'node:fs/promises';
import {
  BLOCK,
  HEADER_BLOCK_BYTES,
  SEGMENT_HEAD_BYTES,
  decodeHeaderHead,
  decodeSegmentHead,
} from './blocks.js';
import { KIND, decodeNumber, decodeSegment, encodeSegment, headerPlaceKey } from './codec.js';
import { numberKey, ordinalKey, segmentKey } from './codec.js';
import type { IndexOp } from './committer.js';
import { readExactly } from './disk-reader.js';
import { encodePlace, encodeRecordEntry, recordOf } from './entries.js';
import type { Index } from './open-index.js';
import { encodeHeaderPlace, recordOps } from './record-writer.js';
import { scanSegment, type FoundBlock } from './scan.js';

const BATCH = 500;

/** Which segment file is taken into the index, and how. @internal */
export interface TakeInJob {
  readonly index: Index;
  readonly path: string;
  readonly stream: number;
  readonly segment: number;
  readonly generation: Uint8Array;
  /** Fragments of lower numbers have expired. */
  readonly lowMark: bigint;
  /** `tail`: what stands behind the end that the index knows; `all`: from the first byte on. */
  readonly from: 'tail' | 'all';
  readonly verify: 'heads' | 'contents';
}

/** What was found in a segment file. @internal */
export interface TakenIn {
  readonly fragments: number;
  /** Fragments that are not whole; they stay out of the index. */
  readonly damaged: number;
  /** Bytes behind the last whole block. */
  readonly rest: number;
  readonly size: number;
}

/**
 * Brings the index in step with a segment file of format 4: every whole fragment in it that has not
 * expired has its entries then. Undefined where the file is none of this directory and stream.
 * @internal
 */
export async function takeIn(job: TakeInJob): Promise<TakenIn | undefined> {
  const { size } = await stat(job.path);
  if (!(await isOwn(job))) return undefined;
  const key = segmentKey(job.stream, job.segment);
  const value = await job.index.get(key);
  const known = value === undefined ? undefined : decodeSegment(value);
  const from = job.from === 'all' ? SEGMENT_HEAD_BYTES : (known?.end ?? SEGMENT_HEAD_BYTES);
  const { path, stream, generation, verify } = job;
  const found = { fragments: 0, damaged: 0, end: Math.min(size, known?.end ?? from) };
  const state = { last: known?.last ?? 0n, newest: known?.newest ?? 0 };
  let ops: IndexOp[] = [];
  for await (const block of scanSegment({ path, stream, generation, from, to: size, verify })) {
    if (block.whole) ops.push(...(await blockOps(job, block, state)));
    if (block.kind === BLOCK.fragment) {
      if (block.whole) found.fragments += 1;
      else found.damaged += 1;
    }
    found.end = Math.max(found.end, block.offset + block.bytes);
    if (ops.length >= BATCH) {
      await job.index.batch(ops);
      ops = [];
    }
  }
  if (known !== undefined || found.end > SEGMENT_HEAD_BYTES) {
    ops.push({ type: 'put', key, value: encodeSegment({ end: found.end, ...state }) });
  }
  await job.index.batch(ops, { sync: true });
  return { ...found, rest: size - found.end, size };
}

/** Whether a file begins as one of this directory, stream and number. */
async function isOwn({ path, stream, segment, generation }: TakeInJob): Promise<boolean> {
  const file = await open(path, 'r');
  try {
    const bytes = await readExactly(file, 0, SEGMENT_HEAD_BYTES);
    const head = bytes && decodeSegmentHead(bytes);
    if (head?.stream !== stream || head.segment !== segment) return false;
    return Buffer.compare(head.generation, generation) === 0;
  } finally {
    await file.close();
  }
}

async function blockOps(
  job: TakeInJob,
  block: FoundBlock,
  state: { last: bigint; newest: number },
): Promise<IndexOp[]> {
  const { stream: id, segment } = job;
  if (block.kind === BLOCK.header) {
    const { id: headerId } = decodeHeaderHead(block.head);
    const bytes = block.bytes - HEADER_BLOCK_BYTES;
    const value = encodeHeaderPlace({ offset: block.offset + HEADER_BLOCK_BYTES, bytes });
    return [{ type: 'put', key: headerPlaceKey(id, segment, headerId), value }];
  }
  if (block.kind !== BLOCK.fragment) return [];
  const place = { segment, offset: block.offset };
  const record = recordOf(block.head, encodePlace(place));
  if (record.number > state.last) state.last = record.number;
  state.newest = Math.max(state.newest, record.serverTime);
  if (record.number < job.lowMark) return [];
  const ops = recordOps(id, record, encodeRecordEntry(block.head, place));
  return (await isOutnumbered(job, record.ordinal, record.number))
    ? []
    : [...(await withoutOlder(job, record.ordinal, record.number)), ...ops];
}

/** Of two records with one ordinal the larger number counts: the other was never acknowledged. */
async function isOutnumbered(
  { index, stream }: TakeInJob,
  ordinal: number,
  number: bigint,
): Promise<boolean> {
  const other = await index.get(ordinalKey(stream, ordinal));
  return other !== undefined && decodeNumber(other) > number;
}

async function withoutOlder(
  { index, stream }: TakeInJob,
  ordinal: number,
  number: bigint,
): Promise<IndexOp[]> {
  const value = await index.get(ordinalKey(stream, ordinal));
  const other = value === undefined ? number : decodeNumber(value);
  if (other === number) return [];
  return [{ type: 'del', key: numberKey(KIND.fragment, stream, other) }];
}
