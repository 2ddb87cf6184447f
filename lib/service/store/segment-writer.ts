import type { Committer } from './committer.js';
import { asError, type SegmentFile } from './segment.js';

/** What a writer needs from the store that made it. @internal */
export interface WriterHost {
  readonly committer: Committer;
  readonly segmentBytes: number;
  /** A segment file of the stream that nobody else appends to. */
  takeSegment(): Promise<SegmentFile>;
  /** Ends the use of a segment file. */
  leaveSegment(file: SegmentFile): Promise<void>;
  closed(writer: object): void;
}

/** The segment files of one writer, one after the other: which is in use, which is left when. @internal */
export class SegmentWriter {
  readonly #host: WriterHost;
  /** The file that the next fragment goes to. */
  #file: SegmentFile;
  #rolling: Promise<void> | undefined;
  #rollFailure: Error | undefined;
  #closing: Promise<void> | undefined;
  /** A file that was rolled away from while a fragment was open in it. */
  #late: SegmentFile | undefined;
  /** The file that the open fragment is in. */
  #openIn: SegmentFile | undefined;
  /** Commits under way, by file. */
  readonly #commits = new Map<SegmentFile, Set<Promise<void>>>();

  constructor(host: WriterHost, file: SegmentFile) {
    this.#host = host;
    this.#file = file;
  }

  /** The file that the next fragment goes to. */
  get file(): SegmentFile {
    return this.#file;
  }

  /** A fragment begins in `file`. */
  begin(): SegmentFile {
    this.#openIn = this.#file;
    return this.#file;
  }

  /** Nothing more comes of the open fragment, which stays uncommitted. */
  giveUp(): void {
    this.#openIn = undefined;
    this.#leaveLate();
  }

  /** The open fragment is whole; `done` is its commit. */
  whole(file: SegmentFile, done: Promise<unknown>): void {
    this.#openIn = undefined;
    this.#track(file, done);
    if (file === this.#late) this.#leaveLate();
    else if (file.end >= this.#host.segmentBytes) this.#roll();
  }

  /** Throws where the file to come could not be had. */
  check(): void {
    if (this.#rollFailure !== undefined) throw this.#rollFailure;
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.giveUp();
    await this.#rolling;
    await this.#leave(this.#file);
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
        if (this.#openIn === old) this.#late = old;
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
}
