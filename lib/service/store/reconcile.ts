import { readdir, rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { SEGMENT_HEAD_BYTES } from './blocks.js';
import { KIND, decodeSafe, decodeSegment, encodeSafe } from './codec.js';
import { encodeStream, numberKey, ordinalKey, partsOfSegmentKey, segmentKey } from './codec.js';
import { streamKey, streamKeyEnd } from './codec.js';
import { clearIndex } from './clear-index.js';
import type { StreamFile } from './directory-files.js';
import { expireFragments } from './expire.js';
import { lowMarkOf } from './file-catalog.js';
import { restoreLost, streamOf, type ReconcileJob } from './find-streams.js';
import { exists } from './open-index.js';
import { recordsPath, segmentPath } from './segments.js';
import { takeIn, type TakenIn } from './take-in.js';
import { takeInRecords } from './moved-records.js';

/** What there is when all is in step. @internal */
export interface Reconciled {
  readonly streams: Map<number, StreamFile>;
  /** Segments that nobody is to append to. */
  readonly spoilt: readonly { readonly id: number; readonly segment: number }[];
  readonly fragments: number;
  readonly damaged: number;
}

/** Longest rest of a fragment that a crash can leave. */
const MOST_REST = 128 * 1024 * 1024;
/** So many of a stream's newest fragments are counted, of all streams together. */
const LOOKED_AT = 16_384;
const SEGMENT_NAME = /^(\d{10})\.media$/;
const RECORDS_NAME = /^(\d{10})\.records$/;
const OWN_NAMES: ReadonlySet<string> = new Set(['stream.json', 'stream-2.json']);

/**
 * Brings the index of a directory of format 4 in step with its media: ends deletions that a crash
 * cut off, takes in what was flushed and is not in the index, and moves to `lost+found` what it does
 * not understand. It deletes nothing but what a crash leaves. @internal
 */
export async function reconcile(job: ReconcileJob): Promise<Reconciled> {
  const found = { fragments: 0, damaged: 0 };
  const streams = new Map<number, StreamFile>();
  const spoilt: { id: number; segment: number }[] = [];
  for (const name of await readdir(job.media)) {
    if (name === 'catalog.json' || name === 'catalog-2.json') continue;
    const id = /^[1-9]\d{0,9}$/.test(name) ? Number(name) : undefined;
    const stream = id === undefined ? undefined : await streamOf(job, id);
    if (id === undefined || stream === undefined) {
      await job.lost.take(join(job.media, name), 'no stream of this service is known by it');
    } else if (stream.state.deleted === true) await finishDelete(job, id);
    else streams.set(id, stream);
  }
  await restoreLost(job, streams);
  const share = Math.max(64, Math.floor(LOOKED_AT / Math.max(1, streams.size)));
  for (const [id, stream] of streams) {
    const one = new StreamJob(job, id, stream, spoilt);
    await one.run(share);
    found.fragments += one.fragments;
    found.damaged += one.damaged;
  }
  return { streams, spoilt, ...found };
}

async function finishDelete(job: ReconcileJob, id: number): Promise<void> {
  const { directory } = job;
  if (job.hands === 'off') return;
  if (directory.state?.streams.includes(id) === true) {
    const streams = directory.state.streams.filter((one) => one !== id);
    await directory.store({ ...directory.state, streams });
  }
  await clearIndex(job.index, id);
  await rm(join(job.media, String(id)), { recursive: true, force: true });
}

/** One stream that is brought in step. */
class StreamJob {
  fragments = 0;
  damaged = 0;
  readonly #job: ReconcileJob;
  readonly #id: number;
  readonly #stream: StreamFile;
  readonly #spoilt: { id: number; segment: number }[];

  constructor(
    job: ReconcileJob,
    id: number,
    stream: StreamFile,
    spoilt: { id: number; segment: number }[],
  ) {
    this.#job = job;
    this.#id = id;
    this.#stream = stream;
    this.#spoilt = spoilt;
  }

  async run(lookedAt: number): Promise<void> {
    await this.#writeOwn();
    const folder = this.#folder();
    if (!(await exists(folder))) return;
    const segments = new Set<number>();
    for (const name of await readdir(folder)) {
      const segment = SEGMENT_NAME.exec(name)?.[1];
      if (segment !== undefined) {
        segments.add(Number(segment));
      } else if (!OWN_NAMES.has(name) && !RECORDS_NAME.test(name)) {
        await this.#job.lost.take(join(folder, name), 'not of this service');
      }
    }
    await this.#expireOld();
    const missing = await this.#missing(segments);
    for (const segment of segments) await this.#segment(segment, this.#job.from);
    if (this.#job.from === 'tail') {
      if (missing > 0 || (await this.#isDense(lookedAt))) return;
      this.#warn('the index has lost fragments; they are taken in from the media');
      for (const segment of segments) await this.#segment(segment, 'all');
    }
    await this.#scanned();
  }

  /** The index keeps a copy, for the case that both files are lost. */
  async #writeOwn(): Promise<void> {
    const { record, dataKey } = this.#stream.state;
    const { index } = this.#job;
    const own: [number, Uint8Array | undefined][] = [
      [KIND.stream, record && encodeStream(record)],
      [KIND.dataKey, dataKey === undefined ? undefined : Buffer.from(dataKey, 'base64')],
    ];
    for (const [kind, value] of own) {
      const key = streamKey(kind, this.#id);
      const now = await index.get(key);
      if (value === undefined || (now && Buffer.compare(now, value) === 0)) continue;
      await index.put(key, value);
    }
  }

  /** An index that is older than the media may still know what has expired. */
  async #expireOld(): Promise<void> {
    const before = BigInt(this.#stream.state.lowMark);
    const { index } = this.#job;
    const id = this.#id;
    const first = await index.keys({
      gte: streamKey(KIND.fragment, id),
      lt: numberKey(KIND.fragment, id, before),
      limit: 1,
    });
    if (first.length === 0) return;
    await expireFragments({
      ...{ index, id, bound: { kind: 'number', before } },
      // The files that are there are looked at next: a mark that is lower than theirs is no harm.
      ...{ headerInUse: () => false, isTaken: () => true, markLow: () => Promise.resolve() },
      removeSegment: () => Promise.resolve(false),
    });
  }

  /** Tells of files that the index knows and that are gone. */
  async #missing(segments: ReadonlySet<number>): Promise<number> {
    const { index } = this.#job;
    let count = 0;
    const range = {
      gte: streamKey(KIND.segment, this.#id),
      lt: streamKeyEnd(KIND.segment, this.#id),
    };
    for (const [key] of await index.entries(range)) {
      const { segment } = partsOfSegmentKey(key);
      this.#stream.nextSegment(Math.max(segment, this.#stream.state.segments));
      if (segments.has(segment)) continue;
      count += 1;
      await index.del(key);
      this.#warn(`${this.#path(segment)} is missing; fragments in it cannot be read`);
    }
    return count;
  }

  async #segment(segment: number, from: 'tail' | 'all'): Promise<void> {
    const { index, directory, verify } = this.#job;
    const value = await index.get(segmentKey(this.#id, segment));
    const path = this.#path(segment);
    const { size } = await stat(path);
    const known = value === undefined ? undefined : decodeSegment(value);
    if (await this.#isOld(segment)) {
      if (from === 'all') await this.#takeInOld(segment);
      else if (known !== undefined && size < known.end)
        this.#tooShort(path, size, known.end, segment);
      return;
    }
    if (known !== undefined && size < known.end) this.#tooShort(path, size, known.end, segment);
    if (from === 'tail' && known !== undefined && size <= known.end) return;
    const generation = Buffer.from(directory.state?.generation ?? '', 'hex');
    const lowMark = await lowMarkOf(index, this.#stream);
    const taken = await takeIn({
      ...{ index, path, segment, generation, lowMark, from, verify },
      stream: this.#id,
    });
    if (taken === undefined) return this.#notOwn(segment, size);
    await this.#told(segment, taken, known === undefined ? undefined : known.end);
  }

  async #told(segment: number, taken: TakenIn, end: number | undefined): Promise<void> {
    const path = this.#path(segment);
    const { fragments, damaged, rest, size } = taken;
    this.fragments += fragments;
    this.damaged += damaged;
    if (damaged > 0) {
      this.#spoil(segment);
      this.#warn(`${path}: ${String(damaged)} fragments are damaged and left out`);
    }
    if (this.#job.from === 'tail' && fragments > 0) {
      this.#warn(`${path}: ${String(fragments)} fragments that the index had not were taken in`);
    }
    if (rest === 0 || damaged > 0) return;
    // Behind what the index knew nothing was acknowledged: so much of it as a crash leaves is cut off.
    const torn = this.#job.from === 'tail' && fragments === 0 && rest <= MOST_REST;
    if (!torn || this.#job.hands === 'off') this.#spoil(segment);
    else if (end === undefined && size - rest <= SEGMENT_HEAD_BYTES) await rm(path);
    else await truncate(path, size - rest);
  }

  async #notOwn(segment: number, size: number): Promise<void> {
    const path = this.#path(segment);
    if (size > SEGMENT_HEAD_BYTES) {
      await this.#job.lost.take(path, 'its first bytes are not those of this stream and segment');
    } else if (this.#job.hands === 'on') {
      // A crash between making a file and writing its head.
      await rm(path);
    }
  }

  /** Whether the newest fragments, since the media were last looked through, follow without a gap. */
  async #isDense(count: number): Promise<boolean> {
    const { index } = this.#job;
    const id = this.#id;
    const value = await index.get(streamKey(KIND.scanned, id));
    const from = value === undefined ? 0 : decodeSafe(value) + 1;
    const range = { gte: ordinalKey(id, from), lt: streamKeyEnd(KIND.ordinal, id) };
    const keys = await index.keys({ ...range, limit: count, reverse: true });
    const [newest, oldest] = [keys[0], keys.at(-1)].map((key) => ordinalOfKey(key));
    return newest === undefined || oldest === undefined || newest - oldest === keys.length - 1;
  }

  /** What is missing up to here is missing from the media. */
  async #scanned(): Promise<void> {
    const { index } = this.#job;
    const id = this.#id;
    const range = { gte: streamKey(KIND.ordinal, id), lt: streamKeyEnd(KIND.ordinal, id) };
    const [newest] = await index.keys({ ...range, limit: 1, reverse: true });
    const ordinal = ordinalOfKey(newest);
    if (ordinal !== undefined) await index.put(streamKey(KIND.scanned, id), encodeSafe(ordinal));
  }

  async #isOld(segment: number): Promise<boolean> {
    return stat(recordsPath(this.#folder(), segment)).then(
      () => true,
      () => false,
    );
  }

  async #takeInOld(segment: number): Promise<void> {
    const path = recordsPath(this.#folder(), segment);
    const { index } = this.#job;
    const lowMark = await lowMarkOf(index, this.#stream);
    const count = await takeInRecords({ index, path, id: this.#id, segment, lowMark });
    if (count === undefined) this.#warn(`${path} is damaged; fragments of its segment are lost`);
    else this.fragments += count;
  }

  #tooShort(path: string, size: number, end: number, segment: number): void {
    this.#spoil(segment);
    this.#warn(
      `${path} has ${String(size)} bytes, ${String(end)} were committed; the rest is lost`,
    );
  }

  #spoil(segment: number): void {
    this.#spoilt.push({ id: this.#id, segment });
  }

  #warn(message: string): void {
    const { record } = this.#stream.state;
    this.#job.warn(`stream ${record?.name ?? String(this.#id)}: ${message}`);
  }

  #folder(): string {
    return join(this.#job.media, String(this.#id));
  }

  #path(segment: number): string {
    return segmentPath(this.#folder(), segment);
  }
}

function ordinalOfKey(key: Uint8Array | undefined): number | undefined {
  return key && decodeSafe(key.subarray(5));
}
