import { KIND, decodeNumber, encodeStream, streamKey } from './codec.js';
import {
  StreamFile,
  newStream,
  type DirectoryFile,
  type DirectoryState,
  type StreamState,
} from './directory-files.js';
import type { Index } from './open-index.js';
import { clearIndex } from './clear-index.js';
import type { Turns } from './turns.js';
import type { Catalog, StreamItem, StreamRecord } from './types.js';

/** What the catalog of format 4 needs of the store. @internal */
export interface FileCatalogParts {
  readonly index: Index;
  readonly media: string;
  readonly directory: DirectoryFile;
  readonly streams: Map<number, StreamFile>;
  /** One change of a stream at a time. */
  readonly turns: Turns;
  /** Removes the files of a stream. */
  readonly removeFiles: (id: number) => Promise<void>;
}

/** The catalog of format 4: a file beside the media of each stream; the index has a copy. @internal */
export class FileCatalog implements Catalog {
  readonly #parts: FileCatalogParts;

  constructor(parts: FileCatalogParts) {
    this.#parts = parts;
  }

  streams(): Promise<StreamRecord[]> {
    const all = [...this.#parts.streams.values()].map(({ state }) => state.record);
    const made = all.filter((record) => record !== undefined);
    return Promise.resolve(made.sort((a, b) => a.id - b.id));
  }

  newStreamId(): Promise<number> {
    return this.#directory(async (state, store) => {
      // Listed at once, which saves a writing: what has no file and no entry in the index is nothing.
      const id = state.nextId;
      await store({ ...state, nextId: id + 1, streams: [...state.streams, id] });
      return id;
    });
  }

  putStream(record: StreamRecord, since: string | undefined): Promise<boolean> {
    const { turns, streams, index } = this.#parts;
    return turns.run(record.id, async () => {
      if (streams.get(record.id)?.state.record?.version !== since) return false;
      const known = streams.get(record.id);
      // What has expired must not come back by a longer retention, should the index be lost.
      const lowMark = known === undefined ? 0n : await lowMarkOf(index, known);
      const change = { record, lowMark: lowMark.toString() };
      if (known === undefined) await this.#ensured(record.id, change);
      else await known.change(change);
      await index.put(streamKey(KIND.stream, record.id), encodeStream(record));
      return true;
    });
  }

  /** Makes the file of a stream where there is none yet. */
  ensure(id: number): Promise<StreamFile> {
    return this.#parts.turns.run(id, () => this.#ensured(id));
  }

  deleteStream(id: number): Promise<void> {
    const { turns, streams, index, removeFiles } = this.#parts;
    return turns.run(id, async () => {
      const stream = streams.get(id);
      if (stream === undefined) return;
      const { generation, reserved, lowMark, segments, counters } = stream.state;
      const left = { generation, id, reserved, lowMark, segments, counters, deleted: true };
      // It is without the data key then: nobody can read what a crash would leave.
      await stream.replace(left);
      streams.delete(id);
      await this.#directory((state, store) =>
        store({ ...state, streams: state.streams.filter((one) => one !== id) }),
      );
      await removeFiles(id);
      await clearIndex(index, id);
    });
  }

  item(id: number, name: StreamItem): Promise<Uint8Array | undefined> {
    const { index, streams } = this.#parts;
    if (name === 'sessions') return index.get(streamKey(KIND.sessions, id));
    const dataKey = streams.get(id)?.state.dataKey;
    return Promise.resolve(dataKey === undefined ? undefined : Buffer.from(dataKey, 'base64'));
  }

  swapItem(
    id: number,
    name: StreamItem,
    before: Uint8Array | undefined,
    after: Uint8Array,
  ): Promise<boolean> {
    const { turns, index } = this.#parts;
    return turns.run(id, async () => {
      const now = await this.item(id, name);
      if (Buffer.compare(now ?? NONE, before ?? NONE) !== 0) return false;
      if (name === 'dataKey') {
        const stream = await this.#ensured(id);
        await stream.change({ dataKey: Buffer.from(after).toString('base64') });
      }
      await index.put(streamKey(KIND[name], id), after, { sync: name === 'sessions' });
      return true;
    });
  }

  /** The first of `count` sequence numbers that nobody was or will be given; durable. */
  reserve(id: number, count: number): Promise<number> {
    return this.#parts.turns.run(id, async () => {
      const stream = await this.#ensured(id);
      const first = stream.state.reserved;
      await stream.change({ reserved: first + count });
      return first;
    });
  }

  async #ensured(id: number, first: Partial<StreamState> = {}): Promise<StreamFile> {
    const { streams, media } = this.#parts;
    const known = streams.get(id);
    if (known !== undefined) return known;
    return this.#directory(async (state, store) => {
      const stream = new StreamFile(media, newStream(state.generation, id));
      // In the list first: a file that is in none would be taken for one that was deleted.
      const nextId = Math.max(state.nextId, id + 1);
      if (!state.streams.includes(id)) {
        await store({ ...state, nextId, streams: [...state.streams, id] });
      }
      await stream.change(first);
      streams.set(id, stream);
      return stream;
    });
  }

  /** One change of the directory's own file at a time. */
  #directory<T>(
    change: (state: DirectoryState, store: (next: DirectoryState) => Promise<void>) => Promise<T>,
  ): Promise<T> {
    const { turns, directory } = this.#parts;
    return turns.run(DIRECTORY_TURN, () => {
      const { state } = directory;
      if (state === undefined) throw new Error('a directory of format 4 without its own file');
      return change(state, (next) => directory.store(next));
    });
  }
}

/** Fragments of lower numbers are gone. @internal */
export async function lowMarkOf(index: Index, { state }: StreamFile): Promise<bigint> {
  const value = await index.get(streamKey(KIND.lowMark, state.id));
  const own = BigInt(state.lowMark);
  const known = value === undefined ? 0n : decodeNumber(value);
  return known > own ? known : own;
}

const NONE: Readonly<Uint8Array> = new Uint8Array();
/** No stream has this id. */
const DIRECTORY_TURN = -1;
