import {
  MKV_ID,
  StreamingMkvReader,
  writeHeader,
  type MkvCapture,
  type MkvElementType,
} from '../../parser/index.js';

function capture({ id }: MkvElementType): MkvCapture {
  const entered = id === MKV_ID.SEGMENT || id === MKV_ID.CLUSTER || id === MKV_ID.BLOCK_GROUP;
  return entered ? 'whole' : 'skip';
}

/** Counts the frames of a Cluster that goes by in any pieces: one for each block. @internal */
export class FrameCounter {
  readonly #reader = new StreamingMkvReader({ capture });
  #frames = 0;

  constructor() {
    // A Cluster alone is no document.
    this.#reader.push(writeHeader(MKV_ID.SEGMENT, undefined));
  }

  get frames(): number {
    return this.#frames;
  }

  /** Takes the next bytes; they were stored whole, so that there is nothing in them to refuse. */
  push(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    for (;;) {
      const event = this.#reader.next();
      if (event === undefined) return;
      if (event.kind !== 'skipped') continue;
      if (event.id === MKV_ID.SIMPLE_BLOCK || event.id === MKV_ID.BLOCK) this.#frames += 1;
    }
  }
}
