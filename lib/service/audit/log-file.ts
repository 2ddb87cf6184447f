import { open, rename, rm, type FileHandle } from 'node:fs/promises';
import { KvsError } from '../../base/errors.js';
import { isError } from '../../base/values.js';

/** Where API calls are logged, and when the file is followed by a new one. */
export interface ApiLogOptions {
  /** The file; older ones are `<path>.1`, `<path>.2`, … */
  readonly path: string;
  /** Size at which a new file is begun, bytes; default 64 MiB. */
  readonly maxBytes?: number;
  /** Older files that are kept; default 5. */
  readonly keep?: number;
}

const MAX_BYTES = 64 * 1024 * 1024;
const KEEP = 5;

/** A log that is appended to in order and rotated by size. @internal */
export class LogFile {
  readonly #path: string;
  readonly #maxBytes: number;
  readonly #keep: number;
  readonly #failed: (error: unknown) => void;
  #file: FileHandle | undefined;
  #size = 0;
  #pending: string[] = [];
  #writing: Promise<void> | undefined;

  private constructor(options: ApiLogOptions, failed: (error: unknown) => void) {
    this.#path = options.path;
    this.#maxBytes = options.maxBytes ?? MAX_BYTES;
    this.#keep = options.keep ?? KEEP;
    this.#failed = failed;
  }

  /**
   * Opens the file behind what is in it. Rejects with `KvsError` when it cannot be written;
   * `failed` is told of what fails later, which loses lines but no calls.
   */
  static async open(options: ApiLogOptions, failed: (error: unknown) => void): Promise<LogFile> {
    const log = new LogFile(options, failed);
    try {
      await log.#open();
    } catch (cause) {
      throw new KvsError({
        status: 'STATUS_OPEN_FILE_FAILED',
        message: `startService: apiLog ${options.path} cannot be written; its directory must exist`,
        cause,
      });
    }
    return log;
  }

  /** Adds a line, which ends with a line feed; it is written soon. */
  add(line: string): void {
    this.#pending.push(line);
    this.#writing ??= this.#drain();
  }

  /** Resolves when every line is written and the file closed. */
  async close(): Promise<void> {
    await this.#writing;
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  async #drain(): Promise<void> {
    // Lines of the same moment share a write.
    await Promise.resolve();
    while (this.#pending.length > 0) {
      const lines = this.#pending;
      this.#pending = [];
      try {
        for (const part of this.#parts(lines)) await this.#write(part);
      } catch (error) {
        this.#failed(error);
      }
    }
    this.#writing = undefined;
  }

  /** Lines in runs, each for one file: a run ends where the file is full. */
  *#parts(lines: readonly string[]): Generator<string, void, undefined> {
    let part = '';
    let size = this.#size;
    for (const line of lines) {
      const length = Buffer.byteLength(line);
      if (size > 0 && size + length > this.#maxBytes) {
        if (part !== '') yield part;
        part = '';
        size = 0;
      }
      part += line;
      size += length;
    }
    yield part;
  }

  async #write(part: string): Promise<void> {
    const length = Buffer.byteLength(part);
    if (this.#size > 0 && this.#size + length > this.#maxBytes) await this.#rotate();
    const file = this.#file ?? (await this.#open());
    try {
      await file.appendFile(part);
    } catch (error) {
      await this.#dropHalf(file);
      throw error;
    }
    this.#size += length;
  }

  /** Cuts off what a failed write has left, which the next line would be glued to. */
  async #dropHalf(file: FileHandle): Promise<void> {
    try {
      await file.truncate(this.#size);
    } catch {
      // The write's own failure is what is told.
    }
  }

  async #rotate(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
    for (let age = this.#keep; age > 0; age -= 1) {
      await renameIfThere(this.#name(age - 1), this.#name(age));
    }
    if (this.#keep === 0) await rm(this.#path, { force: true });
    await this.#open();
  }

  #name(age: number): string {
    return age === 0 ? this.#path : `${this.#path}.${String(age)}`;
  }

  async #open(): Promise<FileHandle> {
    const file = await open(this.#path, 'a', 0o600);
    this.#file = file;
    this.#size = (await file.stat()).size;
    return file;
  }
}

async function renameIfThere(from: string, to: string): Promise<void> {
  try {
    await rename(from, to);
  } catch (error) {
    if (!(isError(error) && 'code' in error && error.code === 'ENOENT')) throw error;
  }
}
