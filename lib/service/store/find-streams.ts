import {
  KIND,
  decodeNumber,
  decodeSafe,
  decodeStream,
  partsOfSegmentKey,
  streamKey,
} from './codec.js';
import { clearIndex } from './clear-index.js';
import { StreamFile, newStream, type DirectoryFile } from './directory-files.js';
import type { Hands, LostFound } from './lost-found.js';
import type { Index } from './open-index.js';

/** What is brought in step. @internal */
export interface ReconcileJob {
  readonly index: Index;
  readonly media: string;
  readonly directory: DirectoryFile;
  readonly lost: LostFound;
  readonly warn: (message: string) => void;
  /** `all`: the index is empty, or not to be believed. */
  readonly from: 'tail' | 'all';
  readonly verify: 'heads' | 'contents';
  /** `off`: only the index is brought in step; nothing else in the directory is changed. */
  readonly hands: Hands;
}

/** The stream of a folder: by its own file or, where that is lost, by the index. @internal */
export async function streamOf(job: ReconcileJob, id: number): Promise<StreamFile | undefined> {
  const { media, index, directory, warn } = job;
  const own = await StreamFile.load(media, id);
  if (own?.state.generation === directory.state?.generation) return own;
  const value = await index.get(streamKey(KIND.stream, id));
  if (value === undefined || directory.state?.streams.includes(id) !== true) return undefined;
  warn(`media/${String(id)}/stream.json is lost or damaged; it is written anew from the index`);
  return fromIndex(job, id, value);
}

async function fromIndex(
  { media, index, directory, hands }: ReconcileJob,
  id: number,
  value: Uint8Array,
): Promise<StreamFile> {
  const reserved = await index.get(streamKey(KIND.reserved, id));
  const dataKey = await index.get(streamKey(KIND.dataKey, id));
  const lowMark = await index.get(streamKey(KIND.lowMark, id));
  const state = newStream(directory.state?.generation ?? '', id);
  const known = {
    ...state,
    record: decodeStream(value),
    // Numbers may have been reserved since the index was written.
    reserved: (reserved === undefined ? 1 : decodeSafe(reserved)) + 2 ** 32,
    ...(dataKey && { dataKey: Buffer.from(dataKey).toString('base64') }),
    ...(lowMark && { lowMark: decodeNumber(lowMark).toString() }),
  };
  const stream = new StreamFile(media, known);
  if (hands === 'on') await stream.change({});
  return stream;
}

/** Restores streams whose folders are gone without having been deleted. @internal */
export async function restoreLost(
  job: ReconcileJob,
  streams: Map<number, StreamFile>,
): Promise<void> {
  const range = { gte: Uint8Array.of(KIND.stream), lt: Uint8Array.of(KIND.stream + 1) };
  for (const [key, value] of await job.index.entries(range)) {
    const id = partsOfSegmentKey(Buffer.concat([key, new Uint8Array(4)])).id;
    if (streams.has(id)) continue;
    if (job.directory.state?.streams.includes(id) === true) {
      job.warn(`media/${String(id)} is lost with all media of the stream`);
      streams.set(id, await fromIndex(job, id, value));
    } else await clearIndex(job.index, id);
  }
}
