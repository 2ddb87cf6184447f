import { KvsError } from '../base/errors.js';
import { MKV_ID } from '../generated/elements.js';
import { parseBlock, type MkvBlock } from './block.js';
import type { MkvData, MkvEvent } from './events.js';
import { lacedDurationMs } from './lace-times.js';
import { FragmentMetadataVisitor, type FragmentMetadata } from './metadata.js';
import type { MediaFrame } from './media-frame.js';
import { joinPieces, SplitFrame } from './pieces.js';
import { inBandKvsError } from './tags.js';
import { readUint } from './values.js';

/** A frame, or the end of a fragment with everything that is known of it, or an in-band error. */
export type MediaEvent =
  | MediaFrame
  | { readonly kind: 'fragmentEnd'; readonly fragment: FragmentMetadata }
  | { readonly kind: 'error'; readonly error: KvsError };

/** Bits of a SimpleBlock's flags, and the usual length of its head. */
const KEY = 0x80;
const INVISIBLE = 0x08;
const LACING = 0x06;
const DISCARDABLE = 0x01;
const HEAD_BYTES = 4;

interface HeldBlock {
  readonly block: MkvBlock;
  readonly keyFrame: boolean;
  readonly durationTicks: number | undefined;
}

/**
 * Makes frames and fragment ends of a reader's events. After each `take`, everything that `waiting`
 * has must be fetched before the next event.
 * @internal
 */
export class FrameCollector {
  readonly metadata: FragmentMetadataVisitor = new FragmentMetadataVisitor();
  readonly #lend: boolean;
  readonly #maxHeldBytes: number;
  /** Blocks that wait for the cluster's time. */
  #held: HeldBlock[] = [];
  #heldBytes = 0;
  /** Parts of the block that is coming in. */
  #pieces: Uint8Array[] = [];
  /** Frames of a laced block that are still to be given. */
  #laced: MediaFrame[] = [];
  #group: { block: MkvBlock | undefined; referenced: boolean; ticks: number | undefined } = {
    block: undefined,
    referenced: false,
    ticks: undefined,
  };

  constructor(lend: boolean, maxHeldBytes: number) {
    this.#lend = lend;
    this.#maxHeldBytes = maxHeldBytes;
  }

  /** What earlier events led to, one by one; undefined when there is no more. */
  waiting(): MediaEvent | undefined {
    if (this.#laced.length > 0) return this.#laced.shift();
    if (this.#held.length > 0 && this.metadata.hasClusterTime) return this.#releaseHeld();
    const error = this.metadata.takeError();
    if (error !== undefined) return { kind: 'error', error: inBandKvsError(error) };
    const fragment = this.metadata.takeEnded();
    return fragment === undefined ? undefined : { kind: 'fragmentEnd', fragment };
  }

  /** Takes an event; gives the first frame of a block at once. */
  take(event: MkvEvent): MediaFrame | undefined {
    if (event.kind === 'element' && event.id === MKV_ID.SIMPLE_BLOCK) {
      return this.#takeSimple(event.data, event.offset);
    }
    if (event.kind === 'data') return this.#takePiece(event);
    if (event.kind === 'streamStart') this.#checkSize(event.size, event.offset);
    if (event.kind === 'masterEnd' && event.id === MKV_ID.CLUSTER) this.#checkHeld(event.offset);
    this.metadata.visit(event);
    this.#followGroup(event);
    return undefined;
  }

  #takeSimple(data: Uint8Array, offset: number): MediaFrame | undefined {
    if (!this.metadata.hasClusterTime) return this.#holdSimple(data, offset);
    // Nearly all frames: one byte of track number, no lacing. No block is made of them.
    const flags = data[3];
    const first = data[0] ?? 0;
    if (flags !== undefined && first >= 0x80 && (flags & LACING) === 0) {
      return this.#plainFrame(data, first & 0x7f, flags);
    }
    const block = parseBlock(data, offset);
    return this.#frame(block, block.keyFrame, undefined);
  }

  /** A part of a SimpleBlock that is captured with `stream`. */
  #takePiece({ id, bytes, last, offset }: MkvData): MediaFrame | undefined {
    if (id !== MKV_ID.SIMPLE_BLOCK) return undefined;
    if (last && this.#pieces.length === 0) return this.#takeSimple(bytes, offset);
    this.#pieces.push(bytes);
    if (!last) return undefined;
    const pieces = this.#pieces;
    this.#pieces = [];
    const [head, ...rest] = pieces;
    const flags = head?.[3];
    const plain = flags !== undefined && (flags & LACING) === 0 && (head?.[0] ?? 0) >= 0x80;
    if (head === undefined || !plain || !this.metadata.hasClusterTime) {
      return this.#takeSimple(joinPieces(pieces), offset);
    }
    const frame = this.#plainFrame(head, (head[0] ?? 0) & 0x7f, flags);
    return new SplitFrame(frame, [head.subarray(HEAD_BYTES), ...rest]);
  }

  /** What the reader checks of blocks that it gives whole. */
  #checkSize(size: number, offset: number): void {
    if (size <= this.#maxHeldBytes) return;
    throw new KvsError({
      status: 'STATUS_BUFFER_TOO_SMALL',
      message: `Matroska input at byte ${offset}: SIMPLE_BLOCK has ${size} bytes, maxBlockBytes is ${this.#maxHeldBytes}; raise it`,
    });
  }

  #holdSimple(data: Uint8Array, offset: number): undefined {
    const block = parseBlock(data.slice(), offset);
    this.#hold({ block, keyFrame: block.keyFrame, durationTicks: undefined });
  }

  /** The frame of a SimpleBlock that has a head of four bytes. */
  #plainFrame(data: Uint8Array, trackNumber: number, flags: number): MediaFrame {
    const { timeline, tracks, fragment } = this.metadata;
    const track = tracks.get(trackNumber);
    const relative = (((data[1] ?? 0) << 24) >> 16) | (data[2] ?? 0);
    return {
      kind: 'frame',
      trackNumber,
      timecodeMs: timeline.at(relative),
      durationMs: track?.defaultDurationMs,
      keyFrame: (flags & KEY) !== 0,
      discardable: (flags & DISCARDABLE) !== 0,
      invisible: (flags & INVISIBLE) !== 0,
      data: this.#lend ? data.subarray(HEAD_BYTES) : data.slice(HEAD_BYTES),
      fragment,
      track,
      clusterTimecodeMs: timeline.at(0),
    };
  }

  /** A Block is a key frame when nothing in its group is referenced: known at the group's end. */
  #followGroup(event: MkvEvent): void {
    if (event.kind === 'masterStart' && event.id === MKV_ID.BLOCK_GROUP) {
      this.#group = { block: undefined, referenced: false, ticks: undefined };
    }
    if (event.kind === 'element') {
      if (event.id === MKV_ID.BLOCK) {
        this.#group.block = parseBlock(event.data.slice(), event.offset);
      }
      if (event.id === MKV_ID.REFERENCE_BLOCK) this.#group.referenced = true;
      if (event.id === MKV_ID.BLOCK_DURATION) this.#group.ticks = readUint(event.data);
    }
    if (event.kind === 'masterEnd' && event.id === MKV_ID.BLOCK_GROUP) {
      const { block, referenced, ticks } = this.#group;
      if (block !== undefined) {
        this.#hold({ block, keyFrame: !referenced, durationTicks: ticks });
      }
    }
  }

  #hold(held: HeldBlock): void {
    for (const frame of held.block.frames) this.#heldBytes += frame.length;
    this.#held.push(held);
    if (this.#heldBytes > this.#maxHeldBytes) {
      throw new KvsError({
        status: 'STATUS_BUFFER_TOO_SMALL',
        message: `frames: ${this.#heldBytes} bytes of blocks stand before their cluster's Timestamp; maxBlockBytes is ${this.#maxHeldBytes}`,
      });
    }
  }

  #releaseHeld(): MediaFrame | undefined {
    const held = this.#held.shift();
    if (held === undefined) return undefined;
    for (const frame of held.block.frames) this.#heldBytes -= frame.length;
    return this.#frame(held.block, held.keyFrame, held.durationTicks);
  }

  #checkHeld(offset: number): void {
    if (this.#held.length === 0) return;
    throw new KvsError({
      status: 'STATUS_MKV_INVALID_FRAME_TIMESTAMP',
      message: `Matroska input at byte ${offset}: a Cluster with blocks ends without a Timestamp`,
    });
  }

  /** The first frame of a block; the others of a lace wait in `#laced`. */
  #frame(block: MkvBlock, keyFrame: boolean, ticks: number | undefined): MediaFrame | undefined {
    const [data] = block.frames;
    if (data === undefined) return undefined;
    const { timeline, tracks } = this.metadata;
    const track = tracks.get(block.trackNumber);
    const count = block.frames.length;
    const whole = ticks === undefined ? undefined : timeline.durationMs(ticks) / count;
    const first: MediaFrame = {
      kind: 'frame',
      trackNumber: block.trackNumber,
      timecodeMs: timeline.at(block.timecode),
      durationMs: whole ?? track?.defaultDurationMs,
      keyFrame,
      discardable: block.discardable,
      invisible: block.invisible,
      data: this.#lend ? data : data.slice(),
      fragment: this.metadata.fragment,
      track,
      clusterTimecodeMs: timeline.at(0),
    };
    if (count > 1) this.#queueLaced(first, block.frames, whole);
    return first;
  }

  /** Frames after the first of a lace follow each other by their durations. */
  #queueLaced(first: MediaFrame, frames: readonly Uint8Array[], each: number | undefined): void {
    let timecodeMs = first.timecodeMs;
    let before: Uint8Array | undefined;
    for (const data of frames) {
      if (before !== undefined) {
        timecodeMs += each ?? lacedDurationMs(first.track, before);
        this.#laced.push({ ...first, timecodeMs, data: this.#lend ? data : data.slice() });
      }
      before = data;
    }
  }
}
