import { statfs } from 'node:fs/promises';

/** Below so much free space no media are taken: it is for the index, deletions, and others. */
const MOST_FLOOR = 64 * 1024 * 1024;
/** Of a small disk, at most this part. */
const PART = 64;
/** How long what is known of the disk is believed, ms. */
const FRESH = 500;

/** How much of the disk may still be filled with media. @internal */
export class DiskSpace {
  readonly #path: string;
  #room = Infinity;
  #lookedAt = -Infinity;
  #looking: Promise<void> | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** Bytes, as of half a second ago; below 0 when the disk is fuller than it may be. */
  get room(): number {
    if (performance.now() - this.#lookedAt > FRESH) void this.look();
    return this.#room;
  }

  /** Looks at the disk now. Never rejects: where the system does not tell, there is room. */
  look(): Promise<void> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = undefined;
    });
    return this.#looking;
  }

  async #look(): Promise<void> {
    try {
      const { bavail, blocks, bsize } = await statfs(this.#path);
      const floor = Math.min(MOST_FLOOR, Math.floor((blocks * bsize) / PART));
      this.#room = bavail * bsize - floor;
    } catch {
      this.#room = Infinity;
    }
    this.#lookedAt = performance.now();
  }
}
