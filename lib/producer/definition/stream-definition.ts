import type { TrackInfo } from '../../base/media.js';
import type { StreamCallbackProvider, StreamHandle } from '../../providers/index.js';

/** How frames are kept and sent (guide: STREAMING_TYPE). */
export type StreamingType = 'REALTIME' | 'NEAR_REALTIME' | 'OFFLINE';

/**
 * What goes when the storage or the window is full: the oldest fragment, or nothing, and the frame
 * that has no room is refused.
 */
export type OverflowPolicy = 'DROP_OLDEST' | 'REFUSE';

/**
 * A stream to upload to (guide: StreamDefinition). Everything is optional; times are milliseconds.
 */
export interface StreamDefinition<S extends StreamHandle = StreamHandle> {
  /** 1 to 256 of `a-z A-Z 0-9 _ . -`; random when left out. */
  readonly streamName?: string;
  /** How long a stream that is created keeps its media: whole hours in ms, or 0; default 3,600,000. */
  readonly retentionPeriod?: number;
  /** At most 50 tags; names 1 to 128 characters, values at most 1,024. Added to those it has. */
  readonly tags?: Readonly<Record<string, string>>;
  /** KMS key of a stream that is created; `aws/kinesisvideo` when left out. */
  readonly kmsKeyId?: string;
  /** Default REALTIME. */
  readonly streamingType?: StreamingType;
  /** Default DROP_OLDEST; for OFFLINE it is REFUSE. */
  readonly overflowPolicy?: OverflowPolicy;
  /** MIME type of at most 128 characters; that of the tracks when left out. */
  readonly contentType?: string;
  /** Media that may wait before `streamLatencyPressure` is called; 0, the default, for never. */
  readonly maxLatency?: number;
  /** Length of fragments where `keyFrameFragmentation` is false, 1,000 to 20,000; default 2,000. */
  readonly fragmentDuration?: number;
  /** Key frames that come sooner do not begin a fragment; default 1,000. */
  readonly minFragmentDuration?: number;
  /**
   * Fragments are cut before they are so long; 1,000 to 20,000, which is the service's limit, default
   * 10,000.
   */
  readonly maxFragmentDuration?: number;
  /**
   * Unit of time in the media, 0.0001 to 1,000; default 1. At least `maxFragmentDuration` / 32,767 (0.3052
   * for 10 s): no block could tell a time farther from the begin of its fragment.
   */
  readonly timecodeScale?: number;
  /** Whether each key frame begins a fragment; default true. */
  readonly keyFrameFragmentation?: boolean;
  /** Whether frames carry their own times; false stamps them as they come. Default true. */
  readonly frameTimecodes?: boolean;
  /** Whether times count from 1970; false counts from the first frame. Default true. */
  readonly absoluteFragmentTimes?: boolean;
  /** Whether the service acknowledges fragments; default true. */
  readonly fragmentAcks?: boolean;
  /** Whether to go on after errors of the service; default true. */
  readonly restartOnError?: boolean;
  /** Whether to keep running rates; default true. */
  readonly recalculateMetrics?: boolean;
  /** Whether a stream that does not exist is created; default true. */
  readonly allowStreamCreation?: boolean;
  /** Sum of `NAL_ADAPTATION`; default Annex-B to AVCC for frames and codec private data. */
  readonly nalAdaptationFlags?: number;
  /** Frames a second, an estimate; default 25. */
  readonly frameRate?: number;
  /** Bits a second, an estimate; default 4,194,304. */
  readonly avgBandwidthBps?: number;
  /** Bits a second that are sent at most; the service's limit, 100,000,000, when left out. */
  readonly maxBandwidthBps?: number;
  /** Media that is kept for the service at most, 20,000 or more; default 120,000. */
  readonly bufferDuration?: number;
  /** Media sent again after a lost connection where nothing is ever persisted; default 40,000. */
  readonly replayDuration?: number;
  /** Time without an ack after which a connection is given up; 0 for never, default 30,000. */
  readonly connectionStaleness?: number;
  /**
   * Length of a session, 1000 to 2,700,000, when the service ends it; Infinity for a service that
   * does not. Default 2,400,000.
   */
  readonly sessionDuration?: number;
  /** Time without frames after which a session is ended; 0 for never, default 20,000. */
  readonly idleDuration?: number;
  /** Codec of the one track; for several, use `tracks`. Default `V_MPEG4/ISO/AVC`. */
  readonly codecId?: string;
  /** Name of the one track; default `kinesis_video`. */
  readonly trackName?: string;
  /** Decoder configuration of the one track; may come later with `start` or in the frames. */
  readonly codecPrivateData?: Uint8Array;
  /** 1 to 3 tracks; instead of the three fields above. */
  readonly tracks?: readonly TrackInfo[];
  /** Callbacks about this stream alone. */
  readonly callbacks?: StreamCallbackProvider<S>;
}
