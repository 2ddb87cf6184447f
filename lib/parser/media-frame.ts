import type { FragmentMetadata } from './metadata.js';
import type { MkvTrack } from './tracks.js';

/** One frame, as it stands in the input (decode order). */
export interface MediaFrame {
  readonly kind: 'frame';
  readonly trackNumber: number;
  /** When it is shown, ms: cluster time and relative time together. */
  readonly timecodeMs: number;
  /** How long it is shown, ms, where the input says so. */
  readonly durationMs: number | undefined;
  readonly keyFrame: boolean;
  readonly discardable: boolean;
  readonly invisible: boolean;
  /** The frame's own copy of its bytes; with `lend`, lent until the next frame is asked for. */
  readonly data: Uint8Array;
  /**
   * With the option `pieces`, the parts of a frame that lies across pushed chunks, lent until the
   * next frame is asked for; reading `data` then joins them. Undefined where `data` is all there is.
   */
  readonly pieces?: readonly Uint8Array[] | undefined;
  readonly fragment: FragmentMetadata | undefined;
  /** The track that `trackNumber` names; undefined when the input has no such TrackEntry. */
  readonly track: MkvTrack | undefined;
  /** The time of the cluster that it stands in, ms. */
  readonly clusterTimecodeMs: number;
}
