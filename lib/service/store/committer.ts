import { asError, type SegmentFile } from './segment.js';

/** One change of the index. @internal */
export type IndexOp =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

/** Writes changes of the index as one atomic step. @internal */
export type WriteIndex = (ops: IndexOp[], durable: boolean) => Promise<void>;

interface Commit {
  readonly file: SegmentFile;
  readonly ops: readonly IndexOp[];
  readonly durable: boolean;
  readonly done: (failure?: unknown) => void;
}

/**
 * Group commit. Fragments that become whole while a flush runs share the next one: first the
 * media files are flushed, then one batch of index entries is written and flushed. An entry of
 * the index therefore never names bytes that are not on disk. @internal
 */
export class Committer {
  readonly #writeIndex: WriteIndex;
  readonly #most: number;
  #waiting: Commit[] = [];
  #running: Promise<void> | undefined;
  #rounds = 0;

  /** `most`: how many fragments may share a flush. */
  constructor(writeIndex: WriteIndex, most: number) {
    this.#writeIndex = writeIndex;
    this.#most = most;
  }

  /** Resolves when the bytes of `file` and then `ops` are on disk, or handed over if not durable. */
  commit(file: SegmentFile, ops: readonly IndexOp[], durable: boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({
        file,
        ops,
        durable,
        done: (failure) => {
          if (failure === undefined) resolve();
          else reject(asError(failure));
        },
      });
      this.#running ??= this.#run().finally(() => {
        this.#running = undefined;
      });
    });
  }

  /** Flushes so far. */
  get rounds(): number {
    return this.#rounds;
  }

  /** Resolves when no commit is under way. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    // Others that become whole in this turn of the event loop are taken along.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#waiting.length > 0) await this.#round(this.#waiting.splice(0, this.#most));
  }

  async #round(batch: Commit[]): Promise<void> {
    this.#rounds += 1;
    const failures = await flushFiles(batch);
    const good = batch.filter((commit) => !failures.has(commit.file));
    let failure: unknown;
    try {
      const ops = good.flatMap((commit) => commit.ops);
      if (ops.length > 0) {
        await this.#writeIndex(
          ops,
          good.some((commit) => commit.durable),
        );
      }
    } catch (error) {
      failure = error;
    }
    for (const commit of batch) commit.done(failures.get(commit.file) ?? failure);
  }
}

async function flushFiles(batch: readonly Commit[]): Promise<Map<SegmentFile, unknown>> {
  const failures = new Map<SegmentFile, unknown>();
  const files = new Set(batch.filter((commit) => commit.durable).map((commit) => commit.file));
  await Promise.all(
    [...files].map(async (file) => {
      try {
        await file.flush();
      } catch (error) {
        failures.set(file, error);
      }
    }),
  );
  return failures;
}
