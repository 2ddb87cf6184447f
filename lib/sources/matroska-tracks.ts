import { TRACK_TYPE, type TrackInfo } from '../base/media.js';
import {
  type MediaFrame,
  MKV_ID,
  type MkvEvent,
  type MkvTrack,
  readUint,
  StreamingMkvReader,
} from '../parser/index.js';
import { type FoundTrack, malformed } from './container.js';
import { DecodingClock, type Stamped } from './reorder.js';

const MKV_VIDEO = 1;
const MKV_AUDIO = 2;

/** What one pass over a file learns of one track. */
export class TrackScan {
  readonly number: number;
  readonly track: MkvTrack | undefined;
  frames = 0;
  /** First and last time at which something is shown, ms. */
  startMs: number = Infinity;
  endMs = 0;
  /** How far decoding must run ahead of showing, ms. */
  delayMs = 0;
  readonly #sorted: DecodingClock<undefined> = new DecodingClock(0);
  #lastPts = 0;
  #lastDuration: number | undefined;

  constructor(frame: MediaFrame) {
    this.number = frame.trackNumber;
    this.track = frame.track;
  }

  get codecId(): string {
    return this.track?.codecId ?? `track ${this.number} without a TrackEntry`;
  }

  /** Decoding time of the first frame, ms; below 0 where the file has B-frames at its beginning. */
  get firstDts(): number {
    return this.startMs - this.delayMs;
  }

  add(frame: MediaFrame): void {
    this.frames += 1;
    this.startMs = Math.min(this.startMs, frame.timecodeMs);
    if (frame.timecodeMs >= this.#lastPts) {
      this.#lastPts = frame.timecodeMs;
      this.#lastDuration = frame.durationMs;
    }
    this.#learn(this.#sorted.push(frame.timecodeMs, undefined));
  }

  /** Call once behind the last frame. */
  finish(): void {
    for (let rest = this.#sorted.take(); rest; rest = this.#sorted.take()) this.#learn(rest);
    const average = (this.#lastPts - this.startMs) / Math.max(1, this.frames - 1);
    this.endMs = this.#lastPts + (this.#lastDuration ?? average);
  }

  #learn(stamped: Stamped<undefined> | undefined): void {
    if (stamped) this.delayMs = Math.max(this.delayMs, stamped.dts - stamped.pts);
  }
}

/** The first video track and the first audio track, numbered from 1 in this order. */
export function chooseTracks(
  scans: ReadonlyMap<number, TrackScan>,
): readonly { readonly scan: TrackScan; readonly info: TrackInfo }[] {
  const all = [...scans.values()].sort((a, b) => a.number - b.number);
  const first = [MKV_VIDEO, MKV_AUDIO].flatMap((type) => {
    const scan = all.find((candidate) => candidate.track?.type === type);
    return scan?.track === undefined ? [] : [{ scan, info: trackInfo(scan.track) }];
  });
  return first.map(({ scan, info }, at) => ({ scan, info: { ...info, trackId: at + 1 } }));
}

function kindOf(type: number | undefined): FoundTrack['kind'] {
  if (type === MKV_VIDEO) return 'video';
  return type === MKV_AUDIO ? 'audio' : 'other';
}

/** What is told of a track; `trackId` where it is taken. */
export function foundTrack(scan: TrackScan, trackId: number | undefined): FoundTrack {
  const kind = kindOf(scan.track?.type);
  const base = { number: scan.number, kind, codec: scan.codecId } as const;
  if (trackId !== undefined) return { ...base, trackId };
  const reason =
    kind === 'other' ? 'it is neither video nor audio' : `another ${kind} track comes before it`;
  return { ...base, skipped: reason };
}

function trackInfo(track: MkvTrack): TrackInfo {
  const video = track.type === MKV_VIDEO;
  return {
    trackType: video ? TRACK_TYPE.VIDEO : TRACK_TYPE.AUDIO,
    codecId: track.codecId,
    trackName: video ? 'video' : 'audio',
    ...(track.codecPrivate !== undefined && { codecPrivateData: track.codecPrivate }),
    ...(track.pixelWidth !== undefined && { pixelWidth: track.pixelWidth }),
    ...(track.pixelHeight !== undefined && { pixelHeight: track.pixelHeight }),
    ...(track.samplingFrequency !== undefined && { samplingFrequency: track.samplingFrequency }),
    ...(track.channels !== undefined && { channels: track.channels }),
    ...(track.bitDepth !== undefined && { bitDepth: track.bitDepth }),
  };
}

/** Video or audio that the container compressed or encrypted would arrive as noise. */
export async function refuseEncodedTracks(
  path: string,
  chunks: AsyncIterable<Uint8Array>,
): Promise<void> {
  const reader = new StreamingMkvReader({
    capture: (element) => (element.id === MKV_ID.TAGS ? 'skip' : 'whole'),
  });
  const track = { number: 0, type: 0, encoded: false };
  for await (const chunk of chunks) {
    reader.push(chunk);
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      if (event.id === MKV_ID.CLUSTER) return;
      follow(track, event);
      const over = event.kind === 'masterEnd' && event.id === MKV_ID.TRACK_ENTRY;
      if (over && track.encoded && (track.type === MKV_VIDEO || track.type === MKV_AUDIO)) {
        throw malformed(
          path,
          `track ${track.number} is compressed or encrypted by the container; write it anew with mkvmerge --compression -1:none`,
        );
      }
    }
  }
}

function follow(track: { number: number; type: number; encoded: boolean }, event: MkvEvent): void {
  if (event.kind === 'masterStart' && event.id === MKV_ID.TRACK_ENTRY) {
    Object.assign(track, { number: 0, type: 0, encoded: false });
  }
  if (event.kind === 'masterStart' && event.id === MKV_ID.CONTENT_ENCODING) track.encoded = true;
  if (event.kind !== 'element') return;
  if (event.id === MKV_ID.TRACK_NUMBER) track.number = readUint(event.data);
  if (event.id === MKV_ID.TRACK_TYPE) track.type = readUint(event.data);
}
