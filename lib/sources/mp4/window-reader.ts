import type { FileHandle } from 'node:fs/promises';
import { readBytes, truncated } from '../container.js';

/** One read serves all frames that lie within it. */
const WINDOW_BYTES = 1024 * 1024;

/**
 * Serves small reads from large ones. Two windows, so that a file with all its video before all its
 * audio is not read anew for every frame. What it returned is never overwritten.
 */
export class WindowReader {
  readonly #file: FileHandle;
  readonly #path: string;
  #windows: readonly { readonly start: number; readonly bytes: Uint8Array }[] = [];

  constructor(file: FileHandle, path: string) {
    this.#file = file;
    this.#path = path;
  }

  async read(offset: number, size: number): Promise<Uint8Array> {
    const end = offset + size;
    let window = this.#windows.find(
      ({ start, bytes }) => offset >= start && end <= start + bytes.length,
    );
    if (window === undefined) {
      const length = Math.max(size, WINDOW_BYTES);
      const bytes = await readBytes(this.#file, this.#path, offset, length);
      if (bytes.length < size) {
        throw truncated(this.#path, `${size - bytes.length} bytes of the frame at ${offset} lack`);
      }
      window = { start: offset, bytes };
    }
    this.#windows = [window, ...this.#windows.filter((other) => other !== window)].slice(0, 2);
    return window.bytes.subarray(offset - window.start, end - window.start);
  }
}
