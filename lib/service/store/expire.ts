import {
  KIND,
  decodeFragment,
  decodeNumber,
  decodeSegment,
  headerIdOfKey,
  headerKey,
  numberKey,
  numberOfKey,
  partsOfSegmentKey,
  streamKey,
  streamKeyEnd,
  timeKey,
} from './codec.js';
import type { IndexOp } from './committer.js';
import type { Index } from './open-index.js';
import type { FragmentRecord } from './types.js';

/** What expiring needs of the store. @internal */
export interface ExpireJob {
  readonly index: Index;
  readonly id: number;
  readonly expired: (record: FragmentRecord) => boolean;
  /** Whether a writer may still refer to a header that no stored fragment needs. */
  readonly headerInUse: (headerId: Uint8Array) => boolean;
  /** Removes the file, or says false while somebody appends to it. */
  readonly removeSegment: (segment: number) => Promise<boolean>;
}

const BATCH = 500;

/**
 * Removes the oldest fragments while they are expired, then the headers and files that only
 * they used. Numbers in a file and under a header grow, so the highest number tells. @internal
 */
export async function expireFragments(job: ExpireJob): Promise<number> {
  let count = 0;
  let last: bigint | undefined;
  // Mostly nothing has expired, and one look tells.
  for (let size = 1; ; size = BATCH) {
    const batch = await nextExpired(job, size);
    const newest = batch.at(-1);
    if (newest === undefined) break;
    await job.index.batch(batch.flatMap((record) => removal(job.id, record)));
    count += batch.length;
    last = newest.number;
    if (batch.length < size) break;
  }
  if (last !== undefined) {
    await removeHeaders(job, last);
    await removeSegments(job, last);
  }
  return count;
}

async function nextExpired(job: ExpireJob, limit: number): Promise<FragmentRecord[]> {
  const { fragment } = KIND;
  const entries = await job.index.entries({
    gte: streamKey(fragment, job.id),
    lt: streamKeyEnd(fragment, job.id),
    limit,
  });
  const records = entries.map(([key, value]) => decodeFragment(numberOfKey(key), value));
  const kept = records.findIndex((record) => !job.expired(record));
  return kept === -1 ? records : records.slice(0, kept);
}

function removal(id: number, record: FragmentRecord): IndexOp[] {
  const { number } = record;
  return [
    numberKey(KIND.fragment, id, number),
    numberKey(KIND.tags, id, number),
    timeKey(KIND.producer, id, record.producerTime, number),
    timeKey(KIND.server, id, record.serverTime, number),
  ].map((key) => ({ type: 'del', key }));
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

async function removeSegments(job: ExpireJob, last: bigint): Promise<void> {
  const range = { gte: streamKey(KIND.segment, job.id), lt: streamKeyEnd(KIND.segment, job.id) };
  for (const [key, value] of await job.index.entries(range)) {
    if (decodeSegment(value).last > last) continue;
    if (!(await job.removeSegment(partsOfSegmentKey(key).segment))) continue;
    await job.index.del(key);
  }
}
