import { PART, type DataKey, type FragmentKey } from '../../lib/service/store/seal.js';
import { FragmentDamagedError, PIECE_BYTES } from '../../lib/service/store/types.js';
import type {
  FragmentMeta,
  FragmentReader,
  FragmentRecord,
  FragmentStore,
  FragmentWriter,
  KeySource,
  NumberRange,
  StreamItem,
  StreamRecord,
  TimeRange,
} from '../../lib/service/store/types.js';

/* A store in plain maps: the shortest that keeps the contract, and so a second opinion on it. */

/** Without a key the bytes as they were sent, else their sealed form. */
interface Stored {
  readonly record: FragmentRecord;
  readonly header: Uint8Array;
  readonly cluster: Uint8Array;
  readonly tags: Uint8Array;
}

/** What outlasts the store that works on it. */
export class MemoryData {
  readonly streams: Map<number, StreamRecord> = new Map<number, StreamRecord>();
  readonly fragments: Map<number, Map<bigint, Stored>> = new Map<number, Map<bigint, Stored>>();
  readonly items: Map<string, Uint8Array> = new Map<string, Uint8Array>();
  readonly reserved: Map<number, number> = new Map<number, number>();
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

const HEADER_ID = new Uint8Array(16);
const NO_SEAL = new Uint8Array();

class MemoryWriter implements FragmentWriter {
  readonly #id: number;
  readonly #data: MemoryData;
  readonly #key: DataKey | undefined;
  #open: { readonly number: bigint; header: Uint8Array; parts: Uint8Array[] } | undefined;

  constructor(id: number, data: MemoryData, key: DataKey | undefined) {
    this.#id = id;
    this.#data = data;
    this.#key = key;
  }

  begin(header: Uint8Array, number: bigint): void {
    this.#open = { number, header, parts: [] };
  }

  append(bytes: Uint8Array): void {
    this.#open?.parts.push(bytes);
  }

  growth(bytes: number): number {
    return bytes;
  }

  backlog(): number {
    return 0;
  }

  drained(): Promise<void> {
    return Promise.resolve();
  }

  commit(meta: FragmentMeta, tags: Uint8Array): Promise<FragmentRecord> {
    const open = this.#open;
    if (open?.number !== meta.number) {
      return Promise.reject(new Error('commit without a begin of this number'));
    }
    this.#open = undefined;
    const cluster = Buffer.concat(open.parts);
    const key = this.#key?.fragment(this.#id, meta.number);
    const record = {
      ...{ ...meta, headerId: HEADER_ID, segment: 0, offset: 0, tagsSum: 0, sums: [] },
      ...{ clusterBytes: cluster.length, tagsBytes: tags.length },
      ...(key !== undefined && { seal: NO_SEAL }),
    };
    this.#data.add(this.#id, {
      record,
      header: key?.seal(PART.header, open.header) ?? Uint8Array.from(open.header),
      cluster: key?.seal(0, cluster) ?? cluster,
      tags: key?.seal(PART.tags, tags) ?? Uint8Array.from(tags),
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

class MemoryReader implements FragmentReader {
  readonly #id: number;
  readonly #data: MemoryData;
  readonly #key: KeySource | undefined;

  constructor(id: number, data: MemoryData, key: KeySource | undefined) {
    this.#id = id;
    this.#data = data;
    this.#key = key;
  }

  header(record: FragmentRecord): Promise<Uint8Array> {
    return this.#opened(record, PART.header, ({ header }) => header);
  }

  tags(record: FragmentRecord): Promise<Uint8Array> {
    return this.#opened(record, PART.tags, ({ tags }) => tags);
  }

  async *pieces(record: FragmentRecord): AsyncGenerator<Uint8Array, void, undefined> {
    const cluster = await this.#opened(record, 0, (stored) => stored.cluster);
    for (let at = 0; at < cluster.length; at += PIECE_BYTES) {
      yield cluster.subarray(at, at + PIECE_BYTES);
    }
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #opened(
    record: FragmentRecord,
    part: number,
    of: (stored: Stored) => Uint8Array,
  ): Promise<Uint8Array> {
    const stored = this.#data.fragments.get(this.#id)?.get(record.number);
    const key = record.seal === undefined ? undefined : await this.#fragmentKey(record.number);
    const bytes = stored && (key === undefined ? of(stored) : key.open(part, of(stored)));
    if (bytes !== undefined) return bytes;
    throw new FragmentDamagedError(`fragment ${String(record.number)} is gone or changed`);
  }

  async #fragmentKey(number: bigint): Promise<FragmentKey> {
    if (this.#key === undefined) throw new Error('the reader of a sealed fragment has no key');
    return (await this.#key()).fragment(this.#id, number);
  }
}

/** Keeps everything in memory: in `data`, which another store may go on with. */
export class MemoryStore implements FragmentStore {
  readonly #data: MemoryData;

  constructor(data: MemoryData) {
    this.#data = data;
  }

  streams(): Promise<StreamRecord[]> {
    return Promise.resolve([...this.#data.streams.values()].sort((a, b) => a.id - b.id));
  }

  newStreamId(): Promise<number> {
    this.#data.lastId += 1;
    return Promise.resolve(this.#data.lastId);
  }

  putStream(record: StreamRecord): Promise<void> {
    this.#data.streams.set(record.id, record);
    return Promise.resolve();
  }

  deleteStream(id: number): Promise<void> {
    const { streams, items, reserved } = this.#data;
    streams.delete(id);
    reserved.delete(id);
    for (const name of ['dataKey', 'sessions'] as const) items.delete(itemName(id, name));
    return this.clearStream(id);
  }

  clearStream(id: number): Promise<void> {
    this.#data.fragments.delete(id);
    return Promise.resolve();
  }

  reserve(id: number, count: number): Promise<number> {
    const first = this.#data.reserved.get(id) ?? 1;
    this.#data.reserved.set(id, first + count);
    return Promise.resolve(first);
  }

  item(id: number, name: StreamItem): Promise<Uint8Array | undefined> {
    return Promise.resolve(this.#data.items.get(itemName(id, name)));
  }

  putItem(id: number, name: StreamItem, value: Uint8Array): Promise<void> {
    this.#data.items.set(itemName(id, name), Uint8Array.from(value));
    return Promise.resolve();
  }

  room(): number {
    return Infinity;
  }

  openWriter(id: number, key?: DataKey): Promise<FragmentWriter> {
    return Promise.resolve(new MemoryWriter(id, this.#data, key));
  }

  openReader(id: number, key?: KeySource): FragmentReader {
    return new MemoryReader(id, this.#data, key);
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

  get(id: number, numbers: readonly bigint[]): Promise<(FragmentRecord | undefined)[]> {
    const fragments = this.#data.fragments.get(id);
    return Promise.resolve(numbers.map((number) => fragments?.get(number)?.record));
  }

  expire(id: number, expired: (record: FragmentRecord) => boolean): Promise<number> {
    const all = this.#records(id);
    const kept = all.findIndex((record) => !expired(record));
    const old = kept === -1 ? all : all.slice(0, kept);
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
