import { open, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClassicLevel } from 'classic-level';
import type { IndexOp } from './committer.js';

/** What must be free on the disk before an index that failed is opened again, bytes. */
const ROOM = 8 * 1024 * 1024;

/** Keys that are removed in one write. */
const PART = 1000;

/** A range of keys, as LevelDB takes it. */
interface KeyRange {
  readonly gte?: Uint8Array;
  readonly gt?: Uint8Array;
  readonly lt?: Uint8Array;
  readonly limit?: number;
  readonly reverse?: boolean;
}

type Level = ClassicLevel<Uint8Array, Uint8Array>;

/**
 * The index: an ordered map of bytes to bytes, LevelDB, which survives that the disk is full. A
 * write that fails may leave half a record in LevelDB's log, behind which a later start finds
 * nothing; so nothing is written behind it. The next write opens the index anew, which reads the
 * log up to there and begins another, as soon as there is room. Who reads meanwhile waits for that.
 */
export class HealingIndex {
  readonly #level: Level;
  readonly #directory: string;
  readonly #warn: (message: string) => void;
  #failed = false;
  /** The last time that the index was opened anew. */
  #opened: Promise<void> = Promise.resolve();
  /** The last write; one at a time, so that none is behind one that fails. */
  #last: Promise<void> = Promise.resolve();

  /** `directory`: where the index lies. */
  constructor(level: Level, directory: string, warn: (message: string) => void) {
    this.#level = level;
    this.#directory = directory;
    this.#warn = warn;
  }

  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#read(() => this.#level.get(key));
  }

  getMany(keys: Uint8Array[]): Promise<(Uint8Array | undefined)[]> {
    return this.#read(() => this.#level.getMany(keys));
  }

  entries(range: KeyRange): Promise<[Uint8Array, Uint8Array][]> {
    return this.#read(() => this.#level.iterator(range).all());
  }

  keys(range: KeyRange): Promise<Uint8Array[]> {
    return this.#read(() => this.#level.keys(range).all());
  }

  values(range: KeyRange): Promise<Uint8Array[]> {
    return this.#read(() => this.#level.values(range).all());
  }

  put(key: Uint8Array, value: Uint8Array, options: { sync?: boolean } = {}): Promise<void> {
    return this.#write(() => this.#level.put(key, value, options));
  }

  del(key: Uint8Array, options: { sync?: boolean } = {}): Promise<void> {
    return this.#write(() => this.#level.del(key, options));
  }

  batch(ops: IndexOp[], options: { sync?: boolean } = {}): Promise<void> {
    return this.#write(() => this.#level.batch(ops, options));
  }

  /** Removes what a range holds, a part at a time, so that other writes come in between. */
  async clear(range: KeyRange): Promise<void> {
    let rest = range;
    for (;;) {
      const keys = await this.keys({ ...rest, limit: PART });
      const last = keys.at(-1);
      if (last === undefined) return;
      await this.batch(keys.map((key) => ({ type: 'del', key })));
      rest = { gt: last, ...(range.lt !== undefined && { lt: range.lt }) };
    }
  }

  async close(): Promise<void> {
    await this.#last;
    await this.#level.close();
  }

  /** Reads; once more where the index was opened anew in the middle of it. */
  async #read<T>(work: () => Promise<T>): Promise<T> {
    for (;;) {
      const opened = this.#opened;
      await this.#open(opened);
      try {
        return await work();
      } catch (error) {
        if (this.#opened === opened) throw error;
      }
    }
  }

  /** Waits until the index is open; tries once more where that has failed. */
  async #open(opened: Promise<void>): Promise<void> {
    try {
      await opened;
    } catch {
      if (this.#opened === opened) this.#opened = this.#level.open();
      await this.#opened;
    }
  }

  #write(work: () => Promise<void>): Promise<void> {
    const done = this.#last.then(async () => {
      if (this.#failed) await this.#heal();
      try {
        await work();
      } catch (error) {
        this.#failed = true;
        throw error;
      }
    });
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #heal(): Promise<void> {
    await this.#checkRoom();
    this.#opened = this.#level.close().then(() => this.#level.open());
    await this.#opened;
    this.#failed = false;
    this.#warn('the index could not be written; it was opened anew and can be written again');
  }

  /** Rejects while the disk is full: an index that was closed could not be opened then. */
  async #checkRoom(): Promise<void> {
    const path = join(this.#directory, 'room.tmp');
    const file = await open(path, 'w', 0o600);
    try {
      // Without a name at once, so that nothing of it is left whatever happens.
      await rm(path);
      await file.writeFile(Buffer.alloc(ROOM));
      await file.datasync();
    } finally {
      await file.close();
    }
  }
}
