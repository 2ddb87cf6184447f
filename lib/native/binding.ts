import type { ClientMetrics, StreamMetrics } from '../generated/metrics.js';
import type { NativeEvent } from '../generated/events.js';

/**
 * What the addon exports; a pure JavaScript fake could implement it. Times are milliseconds.
 * Every method that may act takes `mono` and `wall` (`Clock`). Methods that answer a *packed* number
 * answer `status * 4 + flags` (read it with lib/native/packed.ts). Constructors, `createStream` and
 * `metrics` throw an `Error` with the number of the status in `code`. Any method throws a `TypeError` or
 * a `RangeError` that names the argument when one is of the wrong type or outside what C can hold.
 * Times are 0 to 2^43 ms, kept to 100 ns below 2^39 ms (17 years) and to 1 us above.
 */
export interface NativeBinding {
  readonly NativeClient: new (info: NativeDeviceInfo, mono: number, wall: number) => NativeClient;
}

/** Flag of a packed number: `events()` has something to give. */
export const PACKED_EVENTS = 1;
/**
 * Flag of a packed number: the deadline is earlier than `deadline()` last said; after `step`, that there
 * is one at all. A timer that fires too early costs one `step` and does no harm.
 */
export const PACKED_DEADLINE = 2;

/** Outcomes of `take`: `bytes * 32 + outcome * 4 + flags`. */
export const TAKE_DATA = 0;
export const TAKE_NO_MORE_DATA = 1;
export const TAKE_AWAITING_ACK = 2;
export const TAKE_END = 3;
export const TAKE_ABORTED = 4;

/** Bits of the events of a fragment (`KVS_STREAM_EVENT_*`). */
export const STREAM_EVENT_IMAGE_GENERATION = 1;
export const STREAM_EVENT_NOTIFICATION = 2;

export interface NativeDeviceInfo {
  readonly name: string;
  readonly clientId: string;
  readonly streamCount: number;
  /** Bytes of the arena, 10 MiB to 10 GiB. */
  readonly storageSize: number;
  readonly tagCount: number;
  /** 64 random bits, two times 32: all that the core ever calls random comes from them. */
  readonly seed0: number;
  readonly seed1: number;
}

export interface NativeTrackInfo {
  readonly trackId: number;
  readonly trackType: number;
  readonly codecId: string;
  readonly trackName: string;
  readonly codecPrivateData: Uint8Array | undefined;
  readonly pixelWidth: number;
  readonly pixelHeight: number;
  readonly samplingFrequency: number;
  readonly channels: number;
  readonly bitDepth: number;
}

/** `kvs_stream_info`; every field is given, durations in milliseconds (`Infinity` where C has KVS_NEVER). */
export interface NativeStreamInfo {
  readonly name: string;
  readonly contentType: string;
  readonly kmsKeyId: string;
  readonly tagCount: number;
  readonly retention: number;
  readonly streamingType: number;
  readonly overflowPolicy: number;
  readonly nalAdaptationFlags: number;
  readonly frameRate: number;
  readonly avgBandwidthBps: number;
  readonly maxLatency: number;
  readonly fragmentDuration: number;
  readonly minFragmentDuration: number;
  readonly maxFragmentDuration: number;
  readonly timecodeScale: number;
  readonly bufferDuration: number;
  readonly replayDuration: number;
  readonly connectionStaleness: number;
  readonly sessionDuration: number;
  readonly idleDuration: number;
  readonly keyFrameFragmentation: boolean;
  readonly frameTimecodes: boolean;
  readonly absoluteFragmentTimes: boolean;
  readonly fragmentAcks: boolean;
  readonly restartOnError: boolean;
  readonly recalculateMetrics: boolean;
  readonly allowStreamCreation: boolean;
  readonly tracks: readonly NativeTrackInfo[];
}

/** One `kvs_client`. Freed by `close` or with the environment; a closed one answers STATUS_INVALID_OPERATION. */
export interface NativeClient {
  /** Throws `Error` with `code`. */
  createStream(info: NativeStreamInfo, mono: number, wall: number): NativeStream;
  /** Packed. */
  step(mono: number, wall: number): number;
  /** Mono milliseconds of the next deadline; Infinity when there is none. Clears PACKED_DEADLINE. */
  deadline(): number;
  /** Takes what waits, oldest first. Clears PACKED_EVENTS. */
  events(): NativeEvent[];
  /** `kvs_client_answer`; `expiration` in wall milliseconds or Infinity. Packed. */
  answer(call: number, result: number, expiration: number, mono: number, wall: number): number;
  metrics(mono: number, wall: number): ClientMetrics;
  /** Walks the arena: a status. */
  check(): number;
  close(): void;
}

/** What the last refused put broke (`kvs_refusal`), times in milliseconds. */
export interface NativeRefusal {
  readonly status: number;
  readonly trackId: number;
  readonly value: number;
  readonly previous: number;
  readonly limit: number;
  /** STATUS_STORE_OUT_OF_MEMORY: the stream's `bufferDuration` where that is full, else 0. */
  readonly window: number;
}

/** One `kvs_stream`. */
export interface NativeStream {
  readonly id: number;
  /** `decodingTs` NaN: the same as `presentationTs`. Packed. */
  put(
    frameData: Uint8Array,
    flags: number,
    trackId: number,
    decodingTs: number,
    presentationTs: number,
    duration: number,
    mono: number,
    wall: number,
  ): number;
  /** Bytes into `into`; `bytes * 32 + outcome * 4 + flags`. */
  take(session: number, into: Uint8Array, mono: number, wall: number): number;
  /** Packed. */
  parseAck(session: number, bytes: Uint8Array, mono: number, wall: number): number;
  /** `kvs_stream_answer`. `retention` in ms. Packed. */
  answer(
    call: number,
    result: number,
    streamStatus: number,
    retention: number,
    expiration: number,
    mono: number,
    wall: number,
  ): number;
  /** Packed. */
  sessionEnded(session: number, result: number, mono: number, wall: number): number;
  /** Packed. */
  putMetadata(name: string, value: string, persistent: boolean, mono: number, wall: number): number;
  /**
   * Events (STREAM_EVENT_*) for the next fragment, with up to 10 pairs of `names` and `values`; an empty
   * `imagePrefix` is none. Packed.
   */
  putEvent(
    events: number,
    imagePrefix: string,
    names: readonly string[],
    values: readonly string[],
    mono: number,
    wall: number,
  ): number;
  /** Packed. */
  formatChanged(trackId: number, codecPrivateData: Uint8Array, mono: number, wall: number): number;
  /** Packed. */
  stop(mono: number, wall: number): number;
  /** Packed. */
  start(mono: number, wall: number): number;
  /** Packed. */
  reset(mono: number, wall: number): number;
  /** Packed. */
  resetConnection(hard: boolean, mono: number, wall: number): number;
  metrics(mono: number, wall: number): StreamMetrics;
  lastRefusal(): NativeRefusal;
  free(): void;
}
