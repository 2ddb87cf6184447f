import { MKV_ID } from '../generated/elements.js';
import type { MkvEvent } from './events.js';
import { readFloat, readString, readUint, readUint64 } from './values.js';

const NANOSECONDS_IN_MS = 1_000_000;

/** One TrackEntry: what a decoder must know. Undefined is what the input did not say. */
export interface MkvTrack {
  readonly number: number;
  readonly uid: bigint;
  /** 1 video, 2 audio, 3 and above other data. */
  readonly type: number;
  readonly codecId: string;
  readonly codecPrivate: Uint8Array | undefined;
  readonly name: string | undefined;
  readonly pixelWidth: number | undefined;
  readonly pixelHeight: number | undefined;
  /** Hz. */
  readonly samplingFrequency: number | undefined;
  readonly channels: number | undefined;
  readonly bitDepth: number | undefined;
  /** Milliseconds that each frame lasts. */
  readonly defaultDurationMs: number | undefined;
  /** Milliseconds that a player takes off every time of this track (Opus pre-skip). */
  readonly codecDelayMs: number | undefined;
}

type Draft = { -readonly [K in keyof MkvTrack]: MkvTrack[K] };

function emptyDraft(): Draft {
  return {
    number: 0,
    uid: 0n,
    type: 0,
    codecId: '',
    codecPrivate: undefined,
    name: undefined,
    pixelWidth: undefined,
    pixelHeight: undefined,
    samplingFrequency: undefined,
    channels: undefined,
    bitDepth: undefined,
    defaultDurationMs: undefined,
    codecDelayMs: undefined,
  };
}

/** Collects the tracks of a Tracks master from the reader's events. @internal */
export class TrackCollector {
  #tracks = new Map<number, MkvTrack>();
  #draft: Draft | undefined;

  /** The tracks of the newest Tracks master, by track number. */
  get tracks(): ReadonlyMap<number, MkvTrack> {
    return this.#tracks;
  }

  visit(event: MkvEvent): void {
    if (event.kind === 'masterStart') {
      if (event.id === MKV_ID.TRACKS) this.#tracks = new Map();
      if (event.id === MKV_ID.TRACK_ENTRY) this.#draft = emptyDraft();
      return;
    }
    if (this.#draft === undefined) return;
    if (event.kind === 'element') setField(this.#draft, event.id, event.data);
    if (event.kind === 'masterEnd' && event.id === MKV_ID.TRACK_ENTRY) {
      this.#tracks.set(this.#draft.number, this.#draft);
      this.#draft = undefined;
    }
  }
}

function setField(track: Draft, id: number, data: Uint8Array): void {
  switch (id) {
    case MKV_ID.TRACK_NUMBER:
      track.number = readUint(data);
      break;
    case MKV_ID.TRACK_UID:
      track.uid = readUint64(data);
      break;
    case MKV_ID.TRACK_TYPE:
      track.type = readUint(data);
      break;
    case MKV_ID.CODEC_ID:
      track.codecId = readString(data);
      break;
    case MKV_ID.CODEC_PRIVATE:
      track.codecPrivate = data.slice();
      break;
    case MKV_ID.NAME:
      track.name = readString(data);
      break;
    default:
      setMediaField(track, id, data);
  }
}

function setMediaField(track: Draft, id: number, data: Uint8Array): void {
  switch (id) {
    case MKV_ID.PIXEL_WIDTH:
      track.pixelWidth = readUint(data);
      break;
    case MKV_ID.PIXEL_HEIGHT:
      track.pixelHeight = readUint(data);
      break;
    case MKV_ID.SAMPLING_FREQUENCY:
      track.samplingFrequency = readFloat(data);
      break;
    case MKV_ID.CHANNELS:
      track.channels = readUint(data);
      break;
    case MKV_ID.BIT_DEPTH:
      track.bitDepth = readUint(data);
      break;
    case MKV_ID.DEFAULT_DURATION:
      track.defaultDurationMs = readUint(data) / NANOSECONDS_IN_MS;
      break;
    case MKV_ID.CODEC_DELAY:
      track.codecDelayMs = readUint(data) / NANOSECONDS_IN_MS;
      break;
    default:
  }
}
