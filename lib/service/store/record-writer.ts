import { crc32 } from 'node:zlib';
import {
  HEADER_BLOCK_BYTES,
  RECORD_BYTES,
  encodeHeaderHead,
  encodeHole,
  encodeRecord,
} from './blocks.js';
import { KIND, encodeNumber, encodeSafe, encodeSegment, headerPlaceKey } from './codec.js';
import { numberKey, ordinalKey, segmentKey, timeKey } from './codec.js';
import type { Entered, IndexOp } from './committer.js';
import type { Counted, StreamCounters } from './counters.js';
import { FLAG, encodePlace, encodeRecordEntry, recordOf } from './entries.js';
import { SegmentWriter, type WriterHost } from './segment-writer.js';
import type { HeaderPlace, SegmentFile } from './segment.js';
import type { Durability, FragmentRecord, LeaseToken, MediaWriter } from './types.js';
import type { StoredHeader, WholeMedia } from './types.js';

/** What a writer of format 4 needs besides. @internal */
export interface RecordHost extends WriterHost {
  readonly generation: Uint8Array;
  readonly counters: StreamCounters;
}

interface OpenFragment {
  readonly number: bigint;
  readonly file: SegmentFile;
  /** Where the room for its record is. */
  readonly at: number;
  readonly header: StoredHeader;
  readonly place: HeaderPlace;
  /** CRC-32 of what stands behind the record so far. */
  sum: number;
}

/** Writes format 4: before each Cluster stands a record of all that is known of it. @internal */
export class RecordWriter implements MediaWriter {
  readonly layout = 4;
  readonly #id: number;
  readonly #segments: SegmentWriter;
  readonly #host: RecordHost;
  #open: OpenFragment | undefined;
  /** What was given up and has no head yet: it is written when something comes behind. */
  #hole: { readonly file: SegmentFile; readonly at: number } | undefined;
  #closing: Promise<void> | undefined;

  constructor(id: number, host: RecordHost, file: SegmentFile) {
    this.#id = id;
    this.#host = host;
    this.#segments = new SegmentWriter(host, file);
  }

  get due(): number {
    return (this.#open?.file ?? this.#segments.file).due;
  }

  set due(bytes: number) {
    (this.#open?.file ?? this.#segments.file).due = bytes;
  }

  begin(number: bigint, _lease: LeaseToken, header: StoredHeader): void {
    const file = this.#segments.begin();
    this.#closeHole(file);
    const place = this.#placeHeader(file, header);
    this.#open = { number, file, at: file.end, header, place, sum: 0 };
    file.append(new Uint8Array(RECORD_BYTES));
  }

  growthToBegin(header: StoredHeader): number {
    const name = Buffer.from(header.id).toString('hex');
    if (this.#segments.file.headers.has(name)) return RECORD_BYTES;
    return RECORD_BYTES + HEADER_BLOCK_BYTES + header.bytes.length;
  }

  append(bytes: Uint8Array): void {
    const open = this.#open;
    if (open === undefined) return;
    open.sum = crc32(bytes, open.sum);
    open.file.append(bytes);
  }

  backlog(): number {
    return (this.#open?.file ?? this.#segments.file).backlog();
  }

  drained(): Promise<void> {
    return (this.#open?.file ?? this.#segments.file).written();
  }

  commit(whole: WholeMedia, durability: Durability): Promise<FragmentRecord> {
    const open = this.#open;
    if (open?.number !== whole.meta.number) {
      return Promise.reject(new Error('commit without a begin of this number'));
    }
    if (whole.tags.length > 0) this.append(whole.tags);
    if (whole.table.length > 0) this.append(whole.table);
    this.#open = undefined;
    const done = this.#commit(open, whole, open.file.end, durability);
    this.#segments.whole(open.file, done);
    return done;
  }

  abort(): void {
    const open = this.#open;
    if (open !== undefined) {
      open.file.due = 0;
      this.#hole = { file: open.file, at: open.at };
    }
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
    open: OpenFragment,
    whole: WholeMedia,
    end: number,
    durability: Durability,
  ): Promise<FragmentRecord> {
    const { file, number } = open;
    const { counters, committer } = this.#host;
    await file.written();
    this.#segments.check();
    let record: FragmentRecord | undefined;
    const enter = (): Entered => {
      const counted = counters.next(whole.meta, whole.detail);
      const bytes = this.#record(open, whole, counted, end);
      const place = { segment: file.segment, offset: open.at };
      record = recordOf(bytes, encodePlace(place));
      const entry = encodeRecordEntry(bytes, place);
      return { ops: this.#ops(record, entry, open, end), patch: { at: open.at, bytes } };
    };
    await committer.commit({ file, number, durable: durability === 'flushed', counters, enter });
    open.place.known = true;
    if (record === undefined) throw new Error('a fragment was stored that never entered a flush');
    return record;
  }

  #record(open: OpenFragment, whole: WholeMedia, counted: Counted, end: number): Uint8Array {
    const { meta, detail, seal } = whole;
    const { live, ...numbers } = counted;
    const flags =
      (seal === undefined ? 0 : FLAG.sealed) |
      (detail.keyStart ? FLAG.keyStart : 0) |
      (detail.reordered ? FLAG.reordered : 0) |
      (detail.laced ? FLAG.laced : 0) |
      (detail.cut ? FLAG.cut : 0) |
      (live ? FLAG.live : 0);
    return encodeRecord(
      {
        ...{ ...meta, ...numbers, flags, stream: this.#id, headerId: open.header.id },
        ...{ session: detail.session, configuration: detail.configuration },
        ...{ frames: detail.frames, clusterBytes: whole.clusterBytes },
        ...{ tagsBytes: whole.tagsBytes, tableBytes: whole.tableBytes, sum: open.sum },
        storedBytes: end - open.at - RECORD_BYTES,
      },
      this.#host.generation,
      seal,
    );
  }

  #ops(record: FragmentRecord, entry: Uint8Array, open: OpenFragment, end: number): IndexOp[] {
    const id = this.#id;
    const { segment } = open.file;
    const { number, serverTime } = record;
    const { newest } = (open.file.state = {
      end,
      last: number > (open.file.state?.last ?? 0n) ? number : (open.file.state?.last ?? number),
      newest: Math.max(serverTime, open.file.state?.newest ?? 0),
    });
    const ops = recordOps(id, record, entry);
    const { last } = open.file.state;
    ops.push(put(segmentKey(id, segment), encodeSegment({ end, last, newest })));
    if (!open.place.known) {
      ops.push(put(headerPlaceKey(id, segment, open.header.id), encodeHeaderPlace(open.place)));
    }
    return ops;
  }

  /** A file that uses a header holds it. */
  #placeHeader(file: SegmentFile, header: StoredHeader): HeaderPlace {
    const name = Buffer.from(header.id).toString('hex');
    const known = file.headers.get(name);
    if (known !== undefined) return known;
    const head = encodeHeaderHead(this.#id, header.id, header.bytes, this.#host.generation);
    const place = { offset: file.end + head.length, bytes: header.bytes.length, known: false };
    file.append(head);
    file.append(header.bytes);
    file.headers.set(name, place);
    return place;
  }

  #closeHole(file: SegmentFile): void {
    const hole = this.#hole;
    this.#hole = undefined;
    if (hole?.file !== file) return;
    const head = encodeHole(this.#id, file.end - hole.at, this.#host.generation);
    // Only those who read the whole file need it, and they find their way without.
    file
      .written()
      .then(() => file.patch(hole.at, head))
      .catch(() => undefined);
  }
}

/** Entries of a fragment of format 4. A cut one has no times: only its ordinal finds it. @internal */
export function recordOps(id: number, record: FragmentRecord, entry: Uint8Array): IndexOp[] {
  const { number } = record;
  const ops = [
    put(numberKey(KIND.fragment, id, number), entry),
    put(ordinalKey(id, record.ordinal), encodeNumber(number)),
  ];
  if (record.cut) return ops;
  const none = new Uint8Array();
  ops.push(put(timeKey(KIND.producer, id, record.producerTime, number), none));
  ops.push(put(timeKey(KIND.server, id, record.serverTime, number), none));
  return ops;
}

/** Where a header stands in its file. @internal */
export function encodeHeaderPlace({ offset, bytes }: Omit<HeaderPlace, 'known'>): Uint8Array {
  return Buffer.concat([encodeSafe(offset), encodeSafe(bytes)]);
}

function put(key: Uint8Array, value: Uint8Array): IndexOp {
  return { type: 'put', key, value };
}
