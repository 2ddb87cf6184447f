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
import { FragmentDamagedError, type ExpireBound, type FragmentRecord } from './types.js';

/** What expiring needs of the store. @internal */
export interface ExpireJob {
  readonly index: Index;
  readonly id: number;
  readonly bound: ExpireBound;
  /** Whether a writer may still refer to a header that no stored fragment needs. */
  readonly headerInUse: (headerId: Uint8Array) => boolean;
  /** Removes the file, or says false while somebody appends to it. */
  readonly removeSegment: (segment: number) => Promise<boolean>;
}

const BATCH = 500;

/**
 * Removes the oldest fragments up to a bound, then the headers and files that only they used.
 * Numbers in a file and under a header grow, so the highest number tells. @internal
 */
export async function expireFragments(job: ExpireJob): Promise<number> {
  const before = await numberBound(job);
  let count = 0;
  let last: bigint | undefined;
  for (;;) {
    const batch = await job.index.entries({
      gte: streamKey(KIND.fragment, job.id),
      lt: numberKey(KIND.fragment, job.id, before),
      limit: BATCH,
    });
    const newest = batch.at(-1);
    if (newest === undefined) break;
    await job.index.batch(
      batch.flatMap(([key, value]) => removal(job.id, numberOfKey(key), value)),
    );
    count += batch.length;
    last = numberOfKey(newest[0]);
  }
  if (last !== undefined) {
    await removeHeaders(job, last);
    await removeSegments(job, last);
  }
  return count;
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

/** An entry that cannot be read goes too; its entries by time are found damaged with it. */
function removal(id: number, number: bigint, value: Uint8Array): IndexOp[] {
  const keys = [numberKey(KIND.fragment, id, number), numberKey(KIND.tags, id, number)];
  const record = readable(number, value);
  if (record !== undefined) {
    keys.push(timeKey(KIND.producer, id, record.producerTime, number));
    keys.push(timeKey(KIND.server, id, record.serverTime, number));
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

async function removeSegments(job: ExpireJob, last: bigint): Promise<void> {
  const range = { gte: streamKey(KIND.segment, job.id), lt: streamKeyEnd(KIND.segment, job.id) };
  for (const [key, value] of await job.index.entries(range)) {
    if (decodeSegment(value).last > last) continue;
    if (!(await job.removeSegment(partsOfSegmentKey(key).segment))) continue;
    await job.index.del(key);
  }
}
