import { KIND, decodeSafe, decodeStream, encodeSafe, encodeStream, streamKey } from './codec.js';
import type { Index } from './open-index.js';
import { clearIndex } from './clear-index.js';
import type { Turns } from './turns.js';
import type { Catalog, StreamItem, StreamRecord } from './types.js';

/** What a catalog needs of the store. @internal */
export interface CatalogParts {
  readonly index: Index;
  /** One change of a stream at a time. */
  readonly turns: Turns;
  /** Removes the files of a stream. */
  readonly removeFiles: (id: number) => Promise<void>;
}

/** The catalog of formats 1 to 3: entries of the index. @internal */
export class EntryCatalog implements Catalog {
  readonly #index: Index;
  readonly #turns: Turns;
  readonly #removeFiles: (id: number) => Promise<void>;

  constructor({ index, turns, removeFiles }: CatalogParts) {
    this.#index = index;
    this.#turns = turns;
    this.#removeFiles = removeFiles;
  }

  async streams(): Promise<StreamRecord[]> {
    const values = await this.#index.values({
      gte: Uint8Array.of(KIND.stream),
      lt: Uint8Array.of(KIND.stream + 1),
    });
    return values.map(decodeStream);
  }

  newStreamId(): Promise<number> {
    return this.#turns.run(0, async () => {
      const key = streamKey(KIND.nextId, 0);
      const value = await this.#index.get(key);
      const id = value === undefined ? 1 : decodeSafe(value);
      await this.#index.put(key, encodeSafe(id + 1), { sync: true });
      return id;
    });
  }

  putStream(record: StreamRecord, since: string | undefined): Promise<boolean> {
    return this.#turns.run(record.id, async () => {
      const key = streamKey(KIND.stream, record.id);
      const value = await this.#index.get(key);
      const now = value === undefined ? undefined : decodeStream(value).version;
      if (now !== since) return false;
      await this.#index.put(key, encodeStream(record), { sync: true });
      return true;
    });
  }

  async deleteStream(id: number): Promise<void> {
    // The data key goes first: without it nobody can read what a crash would leave behind.
    const own = [KIND.stream, KIND.dataKey, KIND.sessions];
    await this.#index.batch(
      own.map((kind) => ({ type: 'del' as const, key: streamKey(kind, id) })),
      { sync: true },
    );
    await this.#turns.run(id, async () => {
      await this.#removeFiles(id);
      await clearIndex(this.#index, id);
    });
  }

  item(id: number, name: StreamItem): Promise<Uint8Array | undefined> {
    return this.#index.get(streamKey(KIND[name], id));
  }

  swapItem(
    id: number,
    name: StreamItem,
    before: Uint8Array | undefined,
    after: Uint8Array,
  ): Promise<boolean> {
    return this.#turns.run(id, async () => {
      const key = streamKey(KIND[name], id);
      const now = await this.#index.get(key);
      if (Buffer.compare(now ?? NONE, before ?? NONE) !== 0) return false;
      await this.#index.put(key, after, { sync: true });
      return true;
    });
  }

  /** The first of `count` sequence numbers that nobody was or will be given; durable. */
  reserve(id: number, count: number): Promise<number> {
    return this.#turns.run(id, async () => {
      const key = streamKey(KIND.reserved, id);
      const value = await this.#index.get(key);
      const first = value === undefined ? 1 : decodeSafe(value);
      await this.#index.put(key, encodeSafe(first + count), { sync: true });
      return first;
    });
  }
}

const NONE: Readonly<Uint8Array> = new Uint8Array();
