import { crc32 } from 'node:zlib';
import { KIND, encodeNumber, encodeSegment } from './codec.js';
import { headerKey, numberKey, segmentKey, timeKey } from './codec.js';
import type { IndexOp } from './committer.js';
import { NOT_COUNTED } from './counters.js';
import { decodePlace, encodeFragment, encodePlace, entryBody } from './entries.js';
import { SegmentWriter, type WriterHost } from './segment-writer.js';
import type { SegmentFile } from './segment.js';
import type { Durability, FragmentRecord, LeaseToken, MediaWriter } from './types.js';
import type { StoredHeader, WholeMedia } from './types.js';

interface OpenFragment {
  readonly number: bigint;
  readonly file: SegmentFile;
  /** Where the Cluster begins. */
  readonly offset: number;
}

/** Writes formats 1 to 3: Clusters in segment files, all that is known of them in the index. @internal */
export class EntryWriter implements MediaWriter {
  readonly layout = 3;
  readonly #id: number;
  readonly #segments: SegmentWriter;
  readonly #host: WriterHost;
  #open: OpenFragment | undefined;
  #header: StoredHeader | undefined;
  #headerStored = true;
  #closing: Promise<void> | undefined;

  constructor(id: number, host: WriterHost, file: SegmentFile) {
    this.#id = id;
    this.#host = host;
    this.#segments = new SegmentWriter(host, file);
  }

  /** Names the header that the next commit will refer to. */
  get headerId(): Uint8Array | undefined {
    return this.#header?.id;
  }

  get due(): number {
    return (this.#open?.file ?? this.#segments.file).due;
  }

  set due(bytes: number) {
    (this.#open?.file ?? this.#segments.file).due = bytes;
  }

  begin(number: bigint, _lease: LeaseToken, header: StoredHeader): void {
    if (header !== this.#header) {
      this.#header = header;
      this.#headerStored = false;
    }
    const file = this.#segments.begin();
    this.#open = { number, file, offset: file.end };
  }

  growthToBegin(): number {
    return 0;
  }

  append(bytes: Uint8Array): void {
    this.#open?.file.append(bytes);
  }

  backlog(): number {
    return (this.#open?.file ?? this.#segments.file).backlog();
  }

  drained(): Promise<void> {
    return (this.#open?.file ?? this.#segments.file).written();
  }

  commit(whole: WholeMedia, durability: Durability): Promise<FragmentRecord> {
    const open = this.#open;
    const header = this.#header;
    if (open?.number !== whole.meta.number || header === undefined) {
      return Promise.reject(new Error('commit without a begin of this number'));
    }
    this.#open = undefined;
    const record = recordOf(whole, open, header);
    const ops = this.#ops(record, whole.tags, open.file.end, header);
    const done = this.#commit(open.number, open.file, ops, durability, header);
    this.#segments.whole(open.file, done);
    return done.then(() => record);
  }

  abort(): void {
    // The bytes stay behind the last committed one; they are cut off when the file is reopened.
    if (this.#open !== undefined) this.#open.file.due = 0;
    this.#open = undefined;
    this.#segments.giveUp();
  }

  close(): Promise<void> {
    this.abort();
    return (this.#closing ??= this.#segments.close().then(() => {
      this.#host.closed(this);
    }));
  }

  async #commit(
    number: bigint,
    file: SegmentFile,
    ops: IndexOp[],
    durability: Durability,
    header: StoredHeader,
  ): Promise<void> {
    await file.written();
    this.#segments.check();
    const durable = durability === 'flushed';
    await this.#host.committer.commit({ file, number, durable, enter: () => ({ ops }) });
    if (header === this.#header) this.#headerStored = true;
  }

  #ops(record: FragmentRecord, tags: Uint8Array, end: number, header: StoredHeader): IndexOp[] {
    const id = this.#id;
    const { number } = record;
    const none = new Uint8Array();
    const { segment } = decodePlace(record.place);
    const ops: IndexOp[] = [
      put(numberKey(KIND.fragment, id, number), encodeFragment(record)),
      put(timeKey(KIND.producer, id, record.producerTime, number), none),
      put(timeKey(KIND.server, id, record.serverTime, number), none),
      put(headerKey(KIND.headerUse, id, record.headerId), encodeNumber(number)),
      put(segmentKey(id, segment), encodeSegment({ end, last: number })),
    ];
    if (tags.length > 0) ops.push(put(numberKey(KIND.tags, id, number), tags));
    if (!this.#headerStored) ops.push(put(headerKey(KIND.header, id, header.id), header.bytes));
    return ops;
  }
}

function recordOf(whole: WholeMedia, open: OpenFragment, header: StoredHeader): FragmentRecord {
  const { meta, clusterBytes, sums, tagsBytes, tags, seal } = whole;
  const layout = seal === undefined ? (1 as const) : (3 as const);
  const record = {
    ...{ ...meta, ...whole.detail, ...NOT_COUNTED, live: false, tableBytes: 0, storedBytes: 0 },
    ...{ layout, clusterBytes, tagsBytes, sums, tagsSum: crc32(tags), headerId: header.id },
    place: encodePlace({ segment: open.file.segment, offset: open.offset }),
  };
  if (seal === undefined) return record;
  const over = entryBody(record);
  return { ...record, sealed: { over, seal: seal(over) } };
}

function put(key: Uint8Array, value: Uint8Array): IndexOp {
  return { type: 'put', key, value };
}
