import { NOT_COUNTED, StreamCounters } from '../../lib/service/store/counters.js';
import { LocalTail } from '../../lib/service/store/local-tail.js';
import type {
  Catalog,
  ExpireBound,
  FragmentIndex,
  FragmentRecord,
  FragmentStore,
  LeaseToken,
  LiveTail,
  MediaPart,
  MediaReader,
  MediaStore,
  MediaWriter,
  NumberRange,
  OrdinalRange,
  StoredHeader,
  StreamItem,
  StreamRecord,
  TimeRange,
  WholeMedia,
} from '../../lib/service/store/types.js';

/* A store in plain maps: the shortest that keeps the contract, and so a second opinion on it. */

/** A fragment as it was given. */
interface Stored {
  readonly record: FragmentRecord;
  readonly header: Uint8Array;
  readonly cluster: Uint8Array;
  readonly tags: Uint8Array;
  readonly table: Uint8Array;
}

/** What outlasts the store that works on it. */
export class MemoryData {
  readonly streams: Map<number, StreamRecord> = new Map<number, StreamRecord>();
  readonly fragments: Map<number, Map<bigint, Stored>> = new Map<number, Map<bigint, Stored>>();
  readonly items: Map<string, Uint8Array> = new Map<string, Uint8Array>();
  readonly reserved: Map<number, number> = new Map<number, number>();
  readonly counters: Map<number, StreamCounters> = new Map<number, StreamCounters>();
  lastId = 0;

  /** Fragments of a stream in the order of their numbers. */
  of(id: number): Stored[] {
    const all = [...(this.fragments.get(id)?.values() ?? [])];
    return all.sort((a, b) => (a.record.number < b.record.number ? -1 : 1));
  }

  add(id: number, stored: Stored): void {
    const fragments = this.fragments.get(id) ?? new Map<bigint, Stored>();
    this.fragments.set(id, fragments.set(stored.record.number, stored));
  }
}

class MemoryWriter implements MediaWriter {
  readonly layout = 4;
  due = 0;
  readonly #id: number;
  readonly #data: MemoryData;
  #open:
    | { readonly number: bigint; readonly header: StoredHeader; readonly parts: Uint8Array[] }
    | undefined;

  constructor(id: number, data: MemoryData) {
    this.#id = id;
    this.#data = data;
  }

  begin(number: bigint, _lease: LeaseToken, header: StoredHeader): void {
    this.#open = { number, header, parts: [] };
  }

  growthToBegin(): number {
    return 0;
  }

  append(bytes: Uint8Array): void {
    this.#open?.parts.push(bytes);
  }

  backlog(): number {
    return 0;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  commit({ meta, detail, seal, tags, table, ...whole }: WholeMedia): Promise<FragmentRecord> {
    const open = this.#open;
    if (open?.number !== meta.number) {
      return Promise.reject(new Error('commit without a begin of this number'));
    }
    this.#open = undefined;
    const counters = this.#data.counters.get(this.#id) ?? new StreamCounters(NOT_COUNTED);
    this.#data.counters.set(this.#id, counters);
    const over = Buffer.from(JSON.stringify({ ...meta, number: String(meta.number) }));
    const record = {
      ...{ ...meta, ...whole, ...detail, ...counters.next(meta, detail), layout: 4 as const },
      ...{ headerId: open.header.id, place: new Uint8Array(), tagsSum: 0, storedBytes: 0 },
      ...(seal && { sealed: { over, seal: seal(over) } }),
    };
    this.#data.add(this.#id, {
      record,
      header: Uint8Array.from(open.header.bytes),
      cluster: Buffer.concat(open.parts),
      tags: Uint8Array.from(tags),
      table: Uint8Array.from(table),
    });
    return Promise.resolve(record);
  }

  abort(): void {
    this.#open = undefined;
  }

  close(): Promise<void> {
    this.#open = undefined;
    return Promise.resolve();
  }
}

class MemoryReader implements MediaReader {
  readonly #id: number;
  readonly #data: MemoryData;

  constructor(id: number, data: MemoryData) {
    this.#id = id;
    this.#data = data;
  }

  read(record: FragmentRecord, from: number, length: number): Promise<Uint8Array | undefined> {
    const bytes = this.#stored(record)?.cluster.subarray(from, from + length);
    return Promise.resolve(bytes?.length === length ? bytes : undefined);
  }

  part(record: FragmentRecord, part: MediaPart): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#stored(record)?.[part]);
  }

  agrees(): Promise<boolean> {
    return Promise.resolve(true);
  }

  where(): string {
    return 'memory';
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #stored({ number }: FragmentRecord): Stored | undefined {
    return this.#data.fragments.get(this.#id)?.get(number);
  }
}

/** Keeps everything in memory: in `data`, which another store may go on with. */
export class MemoryStore implements FragmentStore, Catalog, FragmentIndex, MediaStore {
  readonly catalog: Catalog = this;
  readonly index: FragmentIndex = this;
  readonly media: MediaStore = this;
  readonly live: LiveTail;
  readonly #data: MemoryData;

  constructor(data: MemoryData) {
    this.#data = data;
    this.live = new LocalTail((id, count) => {
      const first = data.reserved.get(id) ?? 1;
      data.reserved.set(id, first + count);
      return Promise.resolve(first);
    });
  }

  streams(): Promise<StreamRecord[]> {
    return Promise.resolve([...this.#data.streams.values()].sort((a, b) => a.id - b.id));
  }

  newStreamId(): Promise<number> {
    this.#data.lastId += 1;
    return Promise.resolve(this.#data.lastId);
  }

  putStream(record: StreamRecord, since: string | undefined): Promise<boolean> {
    if (this.#data.streams.get(record.id)?.version !== since) return Promise.resolve(false);
    this.#data.streams.set(record.id, record);
    return Promise.resolve(true);
  }

  deleteStream(id: number): Promise<void> {
    const { streams, items, reserved, fragments, counters } = this.#data;
    streams.delete(id);
    reserved.delete(id);
    fragments.delete(id);
    counters.delete(id);
    for (const name of ['dataKey', 'sessions'] as const) items.delete(itemName(id, name));
    return Promise.resolve();
  }

  item(id: number, name: StreamItem): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#data.items.get(itemName(id, name)));
  }

  swapItem(
    id: number,
    name: StreamItem,
    before: Uint8Array | undefined,
    after: Uint8Array,
  ): Promise<boolean> {
    const now = this.#data.items.get(itemName(id, name));
    if (String(now) !== String(before)) return Promise.resolve(false);
    this.#data.items.set(itemName(id, name), Uint8Array.from(after));
    return Promise.resolve(true);
  }

  room(): number {
    return Infinity;
  }

  lookForRoom(): Promise<void> {
    return Promise.resolve();
  }

  openWriter(id: number): Promise<MediaWriter> {
    return Promise.resolve(new MemoryWriter(id, this.#data));
  }

  openReader(id: number): MediaReader {
    return new MemoryReader(id, this.#data);
  }

  byNumber(
    id: number,
    { from = 0n, before, limit, order }: NumberRange,
  ): Promise<FragmentRecord[]> {
    const found = this.#records(id).filter(
      ({ number }) => number >= from && (before === undefined || number < before),
    );
    return page(found, limit, order);
  }

  byTime(
    id: number,
    { kind, from, to, limit, order, after }: TimeRange,
  ): Promise<FragmentRecord[]> {
    const timeOf = (one: FragmentRecord): number =>
      kind === 'producer' ? one.producerTime : one.serverTime;
    const found = this.#records(id)
      .filter((one) => timeOf(one) >= from && timeOf(one) <= to)
      .sort((a, b) => timeOf(a) - timeOf(b) || (a.number < b.number ? -1 : 1));
    if (after === undefined) return page(found, limit, order);
    const behind = found.filter((one) => {
      const later = timeOf(one) - after.time || (one.number < after.number ? -1 : 1);
      return one.number !== after.number && later > 0 === (order !== 'descending');
    });
    return page(behind, limit, order);
  }

  byOrdinal(
    id: number,
    { from = 0, before = Infinity, limit, order }: OrdinalRange,
  ): Promise<FragmentRecord[]> {
    const found = this.#records(id)
      .filter(({ ordinal }) => ordinal >= from && ordinal < before)
      .sort((a, b) => a.ordinal - b.ordinal);
    return page(found, limit, order);
  }

  get(id: number, numbers: readonly bigint[]): Promise<(FragmentRecord | undefined)[]> {
    const fragments = this.#data.fragments.get(id);
    return Promise.resolve(numbers.map((number) => fragments?.get(number)?.record));
  }

  expire(id: number, bound: ExpireBound): Promise<number> {
    const all = this.#records(id);
    const last = all.findLastIndex((record) =>
      bound.kind === 'number' ? record.number < bound.before : record.serverTime < bound.before,
    );
    const old = all.slice(0, last + 1);
    for (const { number } of old) this.#data.fragments.get(id)?.delete(number);
    return Promise.resolve(old.length);
  }

  flushes(): number {
    return 0;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #records(id: number): FragmentRecord[] {
    return this.#data.of(id).map(({ record }) => record);
  }
}

function itemName(id: number, name: StreamItem): string {
  return `${String(id)} ${name}`;
}

function page(
  found: readonly FragmentRecord[],
  limit: number,
  order: NumberRange['order'],
): Promise<FragmentRecord[]> {
  const ordered = order === 'descending' ? [...found].reverse() : found;
  return Promise.resolve(ordered.slice(0, limit));
}
