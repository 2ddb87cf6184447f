import type { StreamCounters, CounterState } from './counters.js';
import { asError, type SegmentFile } from './segment.js';

/** One change of the index. @internal */
export type IndexOp =
  | { readonly type: 'put'; readonly key: Uint8Array; readonly value: Uint8Array }
  | { readonly type: 'del'; readonly key: Uint8Array };

/** Writes changes of the index as one atomic step. @internal */
export type WriteIndex = (ops: IndexOp[], durable: boolean) => Promise<void>;

/** What a fragment becomes when it enters a flush. @internal */
export interface Entered {
  readonly ops: readonly IndexOp[];
  /** Bytes to be written over those at `at`, before the flush. */
  readonly patch?: { readonly at: number; readonly bytes: Uint8Array };
}

/** A whole fragment on its way to the disk. @internal */
export interface Commit {
  readonly file: SegmentFile;
  readonly number: bigint;
  readonly durable: boolean;
  /** What counts the stream's fragments, where they are counted. */
  readonly counters?: StreamCounters;
  /** Called once, in the order of numbers of those that share a flush. */
  enter(): Entered;
}

interface Waiting {
  readonly commit: Commit;
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
  #waiting: Waiting[] = [];
  #running: Promise<void> | undefined;
  #rounds = 0;

  readonly #flushed: ((ms: number) => void) | undefined;

  /** `most`: how many fragments may share a flush. `flushed` is told how long each one took, ms. */
  constructor(writeIndex: WriteIndex, most: number, flushed?: (ms: number) => void) {
    this.#writeIndex = writeIndex;
    this.#most = most;
    this.#flushed = flushed;
  }

  /** Resolves when the bytes of the file and then the index are on disk, or handed over if not durable. */
  commit(commit: Commit): Promise<void> {
    return new Promise((resolve, reject) => {
      const done = (failure?: unknown): void => {
        if (failure === undefined) resolve();
        else reject(asError(failure));
      };
      this.#waiting.push({ commit, done });
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
    while (this.#waiting.length > 0) {
      const began = performance.now();
      await this.#round(this.#waiting.splice(0, this.#most));
      this.#flushed?.(performance.now() - began);
    }
  }

  async #round(batch: readonly Waiting[]): Promise<void> {
    this.#rounds += 1;
    const round = new Round(batch.map(({ commit }) => commit));
    await round.flush();
    const ops = round.ops();
    let failure: unknown;
    try {
      if (ops.length > 0) await this.#writeIndex(ops, round.isDurable());
    } catch (error) {
      failure = error;
      round.putBack();
    }
    for (const { commit, done } of batch) done(round.failureOf(commit) ?? failure);
  }
}

/** The fragments of one flush. */
class Round {
  readonly #commits: readonly Commit[];
  readonly #entered = new Map<Commit, Entered>();
  readonly #failures = new Map<SegmentFile, unknown>();
  readonly #before = new Map<StreamCounters, CounterState>();
  /** Streams of which a file failed: what else of theirs is in this round has numbers behind a hole. */
  readonly #spoilt = new Map<StreamCounters, unknown>();

  constructor(commits: readonly Commit[]) {
    this.#commits = commits;
    const inOrder = [...commits].sort((a, b) => (a.number < b.number ? -1 : 1));
    for (const commit of inOrder) this.#enter(commit);
  }

  async flush(): Promise<void> {
    const files = new Set(this.#commits.map(({ file }) => file));
    await Promise.all([...files].map((file) => this.#flushFile(file)));
    for (const { file, counters } of this.#commits) {
      const failure = this.#failures.get(file);
      if (failure === undefined || counters === undefined) continue;
      this.#spoilt.set(counters, failure);
      this.#putBack(counters);
    }
  }

  ops(): IndexOp[] {
    const good = this.#commits.filter((commit) => this.failureOf(commit) === undefined);
    return good.flatMap((commit) => this.#entered.get(commit)?.ops ?? []);
  }

  isDurable(): boolean {
    return this.#commits.some(({ durable }) => durable);
  }

  failureOf(commit: Commit): unknown {
    const own = this.#failures.get(commit.file);
    return own ?? (commit.counters && this.#spoilt.get(commit.counters));
  }

  /** Nothing of this round was stored: the next fragments get its ordinals. */
  putBack(): void {
    for (const counters of this.#before.keys()) this.#putBack(counters);
  }

  #putBack(counters: StreamCounters): void {
    const before = this.#before.get(counters);
    if (before !== undefined) counters.state = before;
  }

  #enter(commit: Commit): void {
    const { counters, file } = commit;
    if (counters !== undefined && !this.#before.has(counters)) {
      this.#before.set(counters, counters.state);
    }
    try {
      this.#entered.set(commit, commit.enter());
    } catch (error) {
      this.#failures.set(file, error);
    }
  }

  async #flushFile(file: SegmentFile): Promise<void> {
    try {
      const own = this.#commits.filter((commit) => commit.file === file);
      const patches = own.map((commit) => this.#entered.get(commit)?.patch);
      await Promise.all(
        patches.map(async (patch) => {
          if (patch !== undefined) await file.patch(patch.at, patch.bytes);
        }),
      );
      if (own.some(({ durable }) => durable)) await file.flush();
    } catch (error) {
      this.#failures.set(file, error);
    }
  }
}
