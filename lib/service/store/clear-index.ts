import { KIND, streamKey, streamKeyEnd } from './codec.js';
import type { Index } from './open-index.js';

/** Entries that belong to a stream. */
const STREAM_KINDS: readonly number[] = [
  ...[KIND.stream, KIND.reserved, KIND.dataKey, KIND.sessions, KIND.lowMark, KIND.scanned],
  ...[KIND.fragment, KIND.producer, KIND.server, KIND.tags, KIND.ordinal],
  ...[KIND.header, KIND.headerUse, KIND.headerPlace, KIND.segment, KIND.event],
];

/** Takes all entries of a stream out of the index. @internal */
export async function clearIndex(index: Index, id: number): Promise<void> {
  for (const kind of STREAM_KINDS) {
    await index.clear({ gte: streamKey(kind, id), lt: streamKeyEnd(kind, id) });
  }
}
