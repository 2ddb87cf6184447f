import { randomBytes } from 'node:crypto';
import { crc32 } from 'node:zlib';
import { ClusterAppender } from './cluster.js';
import { KIND, encodeFragment, encodeNumber, encodeSegment } from './codec.js';
import { headerKey, numberKey, sealedBody, segmentKey, timeKey } from './codec.js';
import type { Committer, IndexOp } from './committer.js';
import { PART, type DataKey, type FragmentKey } from './seal.js';
import { asError, type SegmentFile } from './segment.js';
import type { Durability, FragmentMeta, FragmentRecord, FragmentWriter } from './types.js';

/** What a writer needs from the store that made it. @internal */
export interface WriterHost {
  readonly committer: Committer;
  readonly segmentBytes: number;
  /** With it everything is sealed. */
  readonly key: DataKey | undefined;
  /** A segment file of the stream that nobody else appends to. */
  takeSegment(): Promise<SegmentFile>;
  /** Ends the use of a segment file. */
  leaveSegment(file: SegmentFile): Promise<void>;
  closed(writer: DiskWriter): void;
}

interface OpenFragment {
  readonly number: bigint;
  readonly cluster: ClusterAppender;
}

/** The disk store's `FragmentWriter`: appends to one segment file after the other. @internal */
export class DiskWriter implements FragmentWriter {
  readonly #id: number;
  readonly #host: WriterHost;
  /** The file that the next fragment goes to. */
  #file: SegmentFile;
  #rolling: Promise<void> | undefined;
  #rollFailure: Error | undefined;
  #closing: Promise<void> | undefined;
  #open: OpenFragment | undefined;
  /** A file that was rolled away from while a fragment was open in it. */
  #late: SegmentFile | undefined;
  #header: Uint8Array = new Uint8Array();
  #headerId: Uint8Array = new Uint8Array(16);
  /** The header as it is stored. */
  #storedHeader: Uint8Array | undefined;
  #headerStored = true;
  /** Commits under way, by file. */
  readonly #commits = new Map<SegmentFile, Set<Promise<void>>>();

  constructor(id: number, host: WriterHost, file: SegmentFile) {
    this.#id = id;
    this.#host = host;
    this.#file = file;
  }

  /** Names the header that the next commit will refer to. */
  get headerId(): Uint8Array {
    return this.#headerId;
  }

  begin(header: Uint8Array, number: bigint): void {
    if (header !== this.#header) {
      this.#header = header;
      // Not shared between writers, so that the use of a header is recorded in number order.
      this.#headerId = randomBytes(16);
      this.#storedHeader = undefined;
      this.#headerStored = false;
    }
    const key = this.#host.key?.fragment(this.#id, number);
    this.#open = { number, cluster: new ClusterAppender(this.#file, key) };
  }

  append(bytes: Uint8Array): void {
    this.#open?.cluster.append(bytes);
  }

  growth(bytes: number): number {
    return this.#open?.cluster.growth(bytes) ?? bytes;
  }

  backlog(): number {
    return (this.#open?.cluster.file ?? this.#file).backlog();
  }

  drained(): Promise<void> {
    return (this.#open?.cluster.file ?? this.#file).written();
  }

  commit(meta: FragmentMeta, tags: Uint8Array, durability: Durability): Promise<FragmentRecord> {
    const open = this.#open;
    if (open?.number !== meta.number) {
      return Promise.reject(new Error('commit without a begin of this number'));
    }
    this.#open = undefined;
    const { cluster } = open;
    const { file, key } = cluster;
    const sums = cluster.end();
    const storedTags = key === undefined || tags.length === 0 ? tags : key.seal(PART.tags, tags);
    const record = sealedRecord(key, {
      ...meta,
      headerId: this.#headerId,
      segment: file.segment,
      offset: cluster.offset,
      clusterBytes: cluster.bytes,
      tagsBytes: tags.length,
      tagsSum: crc32(storedTags),
      sums,
    });
    this.#storedHeader ??= storedHeader(key, record, this.#header);
    const done = this.#commit(file, this.#ops(record, storedTags, file.end), durability);
    this.#track(file, done);
    if (file === this.#late) this.#leaveLate();
    else if (file.end >= this.#host.segmentBytes) this.#roll();
    return done.then(() => record);
  }

  abort(): void {
    // The bytes stay behind the last committed one; they are cut off when the file is reopened.
    this.#open?.cluster.giveUp();
    this.#open = undefined;
    this.#leaveLate();
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.abort();
    await this.#rolling;
    await this.#leave(this.#file);
    this.#host.closed(this);
  }

  async #commit(file: SegmentFile, ops: IndexOp[], durability: Durability): Promise<void> {
    const header = this.#headerId;
    await file.written();
    if (this.#rollFailure !== undefined) throw this.#rollFailure;
    await this.#host.committer.commit(file, ops, durability === 'flushed');
    if (header === this.#headerId) this.#headerStored = true;
  }

  #track(file: SegmentFile, done: Promise<unknown>): void {
    const settled = done.then(
      () => undefined,
      () => undefined,
    );
    const commits = this.#commits.get(file) ?? new Set<Promise<void>>();
    this.#commits.set(file, commits.add(settled));
    void settled.then(() => commits.delete(settled));
  }

  /** Takes a new file for the fragments to come; the open one, if any, stays where it is. */
  #roll(): void {
    if (this.#rolling !== undefined) return;
    this.#rolling = this.#host
      .takeSegment()
      .then((next) => {
        const old = this.#file;
        this.#file = next;
        // A fragment that began in the old file meanwhile is committed there.
        if (this.#open?.cluster.file === old) this.#late = old;
        else void this.#leave(old);
      })
      .catch((error: unknown) => {
        this.#rollFailure = asError(error);
      })
      .finally(() => {
        this.#rolling = undefined;
      });
  }

  #leaveLate(): void {
    if (this.#late !== undefined) void this.#leave(this.#late);
    this.#late = undefined;
  }

  async #leave(file: SegmentFile): Promise<void> {
    await Promise.all([...(this.#commits.get(file) ?? [])]);
    this.#commits.delete(file);
    await this.#host.leaveSegment(file);
  }

  #ops(record: FragmentRecord, tags: Uint8Array, end: number): IndexOp[] {
    const id = this.#id;
    const { number } = record;
    const none = new Uint8Array();
    const ops: IndexOp[] = [
      put(numberKey(KIND.fragment, id, number), encodeFragment(record)),
      put(timeKey(KIND.producer, id, record.producerTime, number), none),
      put(timeKey(KIND.server, id, record.serverTime, number), none),
      put(headerKey(KIND.headerUse, id, record.headerId), encodeNumber(number)),
      put(segmentKey(id, record.segment), encodeSegment({ end, last: number })),
    ];
    if (tags.length > 0) ops.push(put(numberKey(KIND.tags, id, number), tags));
    if (!this.#headerStored) {
      ops.push(put(headerKey(KIND.header, id, record.headerId), this.#storedHeader ?? none));
    }
    return ops;
  }
}

function sealedRecord(key: FragmentKey | undefined, record: FragmentRecord): FragmentRecord {
  if (key === undefined) return record;
  return { ...record, seal: key.seal(PART.entry, new Uint8Array(), sealedBody(record)) };
}

/** A sealed header begins with the number of the fragment whose key it is sealed with. */
function storedHeader(
  key: FragmentKey | undefined,
  { number, headerId }: FragmentRecord,
  header: Uint8Array,
): Uint8Array {
  if (key === undefined) return header;
  return Buffer.concat([encodeNumber(number), key.seal(PART.header, header, headerId)]);
}

function put(key: Uint8Array, value: Uint8Array): IndexOp {
  return { type: 'put', key, value };
}
