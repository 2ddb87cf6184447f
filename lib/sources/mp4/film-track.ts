import { TRACK_TYPE, type TrackInfo } from '../../base/media.js';
import { readAudioEntry } from './audio-entry.js';
import type { Track } from './movie.js';
import { readVideoEntry } from './video-entry.js';

/** A track that can go into a stream, and how its samples become frames. */
export interface FilmTrack {
  readonly track: Track;
  readonly info: TrackInfo;
  /** Bytes of the length before each NAL unit; 0: frames are taken as they are. */
  readonly nalLength: number;
  /** Samples go out with start codes, and their sets with them: the sets change or stand in samples. */
  readonly annexB: boolean;
  /** Bytes of one sample of all channels, where a frame is many of them; else 0. */
  readonly sampleBytes: number;
  /** Decoder configuration of each sample description. */
  readonly configs: readonly (Uint8Array | undefined)[];
}

/** A track as it was found, taken or not. */
export interface JudgedTrack {
  readonly id: number;
  readonly kind: 'video' | 'audio' | 'other';
  readonly codec: string;
  readonly film: FilmTrack | undefined;
  /** Why it cannot be taken. */
  readonly reason: string | undefined;
}

/** What can be made of a track. */
export function judgeTrack(track: Track): JudgedTrack {
  if (track.handler === 'vide') return judgeVideo(track);
  if (track.handler === 'soun') return judgeAudio(track);
  const codec = track.entries[0]?.type ?? track.handler;
  return refused(track, 'other', codec, 'it is neither video nor audio');
}

function refused(
  track: Track,
  kind: JudgedTrack['kind'],
  codec: string,
  reason: string,
): JudgedTrack {
  return { id: track.id, kind, codec, film: undefined, reason };
}

function judgeVideo(track: Track): JudgedTrack {
  const entries = track.entries.map(readVideoEntry);
  const first = entries[0];
  if (first === undefined)
    return refused(track, 'video', 'unknown', 'it has no sample description');
  const odd = entries.find((entry) => entry.kind === 'skipped');
  if (odd !== undefined) return refused(track, 'video', odd.codec, odd.reason);
  if (!(track.timescale > 0)) return refused(track, 'video', 'unknown', 'it has no time scale');
  const videos = entries.flatMap((entry) => (entry.kind === 'video' ? [entry] : []));
  const [main] = videos;
  if (main === undefined || videos.some((entry) => entry.info.codecId !== main.info.codecId)) {
    return refused(track, 'video', 'several', 'its codec changes on the way');
  }
  const changes = videos.length > 1;
  if (changes && main.nalLength === 0) {
    return refused(track, 'video', main.info.codecId ?? '', 'its format changes on the way');
  }
  const film: FilmTrack = {
    track,
    info: main.info,
    nalLength: main.nalLength,
    annexB: main.nalLength > 0 && (changes || main.setsInSamples),
    sampleBytes: 0,
    configs: videos.map((entry) => entry.info.codecPrivateData),
  };
  return { id: track.id, kind: 'video', codec: main.info.codecId ?? '', film, reason: undefined };
}

function judgeAudio(track: Track): JudgedTrack {
  const entries = track.entries.map(readAudioEntry);
  const first = entries[0];
  if (first === undefined)
    return refused(track, 'audio', 'unknown', 'it has no sample description');
  if (first.kind === 'skipped') return refused(track, 'audio', first.codec, first.reason);
  if (!(track.timescale > 0)) return refused(track, 'audio', 'unknown', 'it has no time scale');
  const same = entries.every(
    (entry) => entry.kind === 'audio' && sameFormat(entry.info, first.info),
  );
  if (!same) {
    return refused(track, 'audio', first.info.codecId ?? '', 'its format changes on the way');
  }
  const film: FilmTrack = {
    track,
    info: first.info,
    nalLength: 0,
    annexB: false,
    sampleBytes: first.sampleBytes,
    configs: [],
  };
  return { id: track.id, kind: 'audio', codec: first.info.codecId ?? '', film, reason: undefined };
}

function sameFormat(a: TrackInfo, b: TrackInfo): boolean {
  const [x, y] = [a.codecPrivateData ?? NOTHING, b.codecPrivateData ?? NOTHING];
  return a.codecId === b.codecId && Buffer.compare(x, y) === 0;
}

const NOTHING: Readonly<Uint8Array> = new Uint8Array(0);

/** Whether a track is sound. */
export function isAudio(film: FilmTrack): boolean {
  return film.info.trackType === TRACK_TYPE.AUDIO;
}
