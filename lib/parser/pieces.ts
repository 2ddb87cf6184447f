import type { MediaFrame } from './media-frame.js';

/** A frame that lies across pushed chunks; its bytes are joined only when `data` is read. @internal */
export class SplitFrame implements MediaFrame {
  readonly kind = 'frame' as const;
  readonly trackNumber: number;
  readonly timecodeMs: number;
  readonly durationMs: number | undefined;
  readonly keyFrame: boolean;
  readonly discardable: boolean;
  readonly invisible: boolean;
  readonly pieces: readonly Uint8Array[];
  readonly fragment: MediaFrame['fragment'];
  readonly track: MediaFrame['track'];
  readonly clusterTimecodeMs: number;
  #joined: Uint8Array | undefined;

  constructor(head: MediaFrame, pieces: readonly Uint8Array[]) {
    this.trackNumber = head.trackNumber;
    this.timecodeMs = head.timecodeMs;
    this.durationMs = head.durationMs;
    this.keyFrame = head.keyFrame;
    this.discardable = head.discardable;
    this.invisible = head.invisible;
    this.pieces = pieces;
    this.fragment = head.fragment;
    this.track = head.track;
    this.clusterTimecodeMs = head.clusterTimecodeMs;
  }

  get data(): Uint8Array {
    this.#joined ??= joinPieces(this.pieces);
    return this.#joined;
  }
}

/** The pieces as bytes of their own. @internal */
export function joinPieces(pieces: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(pieces.reduce((sum, piece) => sum + piece.length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
