import {
  KIND,
  decodeNumber,
  decodeSafe,
  decodeSegment,
  encodeNumber,
  encodeSafe,
  headerIdOfKey,
  headerKey,
  headerPlaceKey,
  numberKey,
  numberOfKey,
  ordinalKey,
  partsOfSegmentKey,
  segmentKey,
  streamKey,
  streamKeyEnd,
  timeKey,
} from './codec.js';
import type { IndexOp } from './committer.js';
import { decodeFragment } from './entries.js';
import type { Index } from './open-index.js';
import { FragmentDamagedError, type ExpireBound, type FragmentRecord } from './types.js';

/** What expiring needs of the store. @internal */
export interface ExpireJob {
  readonly index: Index;
  readonly id: number;
  readonly bound: ExpireBound;
  /** Whether a writer may still refer to a header that no stored fragment needs. */
  readonly headerInUse: (headerId: Uint8Array) => boolean;
  /** Whether somebody appends to a segment. */
  readonly isTaken: (segment: number) => boolean;
  /** Makes durable that lower numbers are gone, before a file with some of them goes. */
  readonly markLow: (before: bigint) => Promise<void>;
  readonly removeSegment: (segment: number) => Promise<boolean>;
}

const BATCH = 500;

/**
 * Removes the oldest fragments up to a bound: first the files that hold no others, which needs no
 * room on a full disk, then the entries. Numbers in a file and under a header grow, so the highest
 * number tells. @internal
 */
export async function expireFragments(job: ExpireJob): Promise<number> {
  const bound = await numberBound(job);
  const range = {
    gte: streamKey(KIND.fragment, job.id),
    lt: numberKey(KIND.fragment, job.id, bound),
  };
  const [last] = bound === 0n ? [] : await job.index.keys({ ...range, limit: 1, reverse: true });
  if (last === undefined) return 0;
  // Never above what goes: fragments to come must not be taken for gone.
  const before = numberOfKey(last) + 1n;
  const segments = await segmentsBelow(job, before);
  if (segments.length > 0 || (await isNewestBelow(job, before))) await job.markLow(before);
  const removed: number[] = [];
  for (const segment of segments) if (await job.removeSegment(segment)) removed.push(segment);
  let count = 0;
  await job.index.put(streamKey(KIND.lowMark, job.id), encodeNumber(before));
  for (;;) {
    const batch = await job.index.entries({ ...range, limit: BATCH });
    if (batch.length === 0) break;
    const records = batch.map(([key, value]) => readable(numberOfKey(key), value));
    const ordinals = records.map((record) => record?.ordinal ?? 0);
    await job.index.batch([
      ...batch.flatMap(([key], at) => removal(job.id, numberOfKey(key), records[at])),
      ...(await holesKnown(job, Math.max(...ordinals))),
    ]);
    count += batch.length;
  }
  await removeHeaders(job, before - 1n);
  for (const segment of removed) await removeSegmentEntries(job, segment);
  return count;
}

async function segmentsBelow(job: ExpireJob, before: bigint): Promise<number[]> {
  const range = { gte: streamKey(KIND.segment, job.id), lt: streamKeyEnd(KIND.segment, job.id) };
  const entries = await job.index.entries(range);
  return entries
    .filter(([, value]) => decodeSegment(value).last < before)
    .map(([key]) => partsOfSegmentKey(key).segment)
    .filter((segment) => !job.isTaken(segment));
}

async function isNewestBelow({ index, id }: ExpireJob, before: bigint): Promise<boolean> {
  const range = { gte: streamKey(KIND.fragment, id), lt: streamKeyEnd(KIND.fragment, id) };
  const [newest] = await index.keys({ ...range, limit: 1, reverse: true });
  return newest !== undefined && numberOfKey(newest) < before;
}

async function removeSegmentEntries({ index, id }: ExpireJob, segment: number): Promise<void> {
  await index.clear({ gte: headerPlaceKey(id, segment), lt: headerPlaceKey(id, segment + 1) });
  await index.del(segmentKey(id, segment));
}

/** The number that the bound stands for: behind the last fragment that is older. */
async function numberBound({ index, id, bound }: ExpireJob): Promise<bigint> {
  if (bound.kind === 'number') return bound.before;
  let before = 0n;
  let from = streamKey(KIND.server, id);
  const end = timeKey(KIND.server, id, Math.max(0, bound.before), 0n);
  for (;;) {
    const keys = await index.keys({ gte: from, lt: end, limit: BATCH });
    for (const key of keys) if (numberOfKey(key) >= before) before = numberOfKey(key) + 1n;
    const last = keys.at(-1);
    if (last === undefined || keys.length < BATCH) return before;
    from = Buffer.concat([last, Uint8Array.of(0)]);
  }
}

/** Ordinals are given in another order than numbers where two write: one that goes may leave a hole. */
async function holesKnown({ index, id }: ExpireJob, ordinal: number): Promise<IndexOp[]> {
  const key = streamKey(KIND.scanned, id);
  const value = await index.get(key);
  if (value !== undefined && decodeSafe(value) >= ordinal) return [];
  return [{ type: 'put', key, value: encodeSafe(ordinal) }];
}

/** An entry that cannot be read goes too; its entries by time find nothing then. */
function removal(id: number, number: bigint, record: FragmentRecord | undefined): IndexOp[] {
  const keys = [numberKey(KIND.fragment, id, number), numberKey(KIND.tags, id, number)];
  if (record !== undefined) {
    keys.push(timeKey(KIND.producer, id, record.producerTime, number));
    keys.push(timeKey(KIND.server, id, record.serverTime, number));
    if (record.ordinal > 0) keys.push(ordinalKey(id, record.ordinal));
  }
  return keys.map((key) => ({ type: 'del', key }));
}

function readable(number: bigint, value: Uint8Array): FragmentRecord | undefined {
  try {
    return decodeFragment(number, value);
  } catch (error) {
    if (error instanceof FragmentDamagedError) return undefined;
    throw error;
  }
}
async function removeHeaders(job: ExpireJob, last: bigint): Promise<void> {
  const uses = await job.index.entries({
    gte: streamKey(KIND.headerUse, job.id),
    lt: streamKeyEnd(KIND.headerUse, job.id),
  });
  const free = uses
    .filter(([, value]) => decodeNumber(value) <= last)
    .map(([key]) => headerIdOfKey(key))
    .filter((headerId) => !job.headerInUse(headerId));
  await job.index.batch(
    free.flatMap((headerId) => [
      { type: 'del' as const, key: headerKey(KIND.header, job.id, headerId) },
      { type: 'del' as const, key: headerKey(KIND.headerUse, job.id, headerId) },
    ]),
  );
}
