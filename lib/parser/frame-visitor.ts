import type { KvsError } from '../base/errors.js';
import type { MkvEvent } from './events.js';
import { FrameCollector, type MediaEvent } from './frame-collector.js';
import type { MediaFrame } from './media-frame.js';
import type { FragmentMetadata, FragmentMetadataVisitor } from './metadata.js';
import type { MkvElementVisitor } from './visitor.js';

/** What a `FrameVisitor` calls. */
export interface FrameVisitorOptions {
  /** Told of each frame; its data is lent for the call when `lend` is true. */
  readonly onFrame: (frame: MediaFrame) => void;
  /** Told when a fragment is over, with what stands after its media. */
  readonly onFragmentEnd?: (fragment: FragmentMetadata) => void;
  /** Told of an error inside the media; without it, `visit` throws the error. */
  readonly onError?: (error: KvsError) => void;
  /** Do not copy frames. Default false. */
  readonly lend?: boolean;
}

const MAX_HELD_BYTES = 64 * 1024 * 1024;

/** Gives the frames of a reader that other visitors look at, too. Blocks must be given whole. */
export class FrameVisitor implements MkvElementVisitor {
  readonly #frames: FrameCollector;
  readonly #options: FrameVisitorOptions;

  constructor(options: FrameVisitorOptions) {
    this.#options = options;
    this.#frames = new FrameCollector(options.lend ?? false, MAX_HELD_BYTES);
  }

  /** The tracks of the current Segment and the newest token and delay. */
  get metadata(): FragmentMetadataVisitor {
    return this.#frames.metadata;
  }

  visit(event: MkvEvent): void {
    const frame = this.#frames.take(event);
    if (frame !== undefined) this.#tell(frame);
    this.#tellWaiting();
  }

  /** Says that the input has ended: the last fragment is over. */
  finish(): void {
    this.#frames.metadata.finish();
    this.#tellWaiting();
  }

  #tellWaiting(): void {
    for (let event = this.#frames.waiting(); event !== undefined; event = this.#frames.waiting()) {
      this.#tell(event);
    }
  }

  #tell(event: MediaEvent): void {
    switch (event.kind) {
      case 'frame':
        this.#options.onFrame(event);
        break;
      case 'fragmentEnd':
        this.#options.onFragmentEnd?.(event.fragment);
        break;
      case 'error':
        if (this.#options.onError === undefined) throw event.error;
        this.#options.onError(event.error);
        break;
    }
  }
}
