import type { ISOFile, Sample, Track } from 'mp4box';
import { TRACK_TYPE, type TrackInfo } from '../base/media.js';
import { malformed } from './container.js';

/** A track of an MP4 file that goes into the stream. */
export interface Mp4Track {
  /** Its id in the file. */
  readonly id: number;
  /** What the edit list adds to its media times, ms. */
  readonly startMs: number;
  readonly info: TrackInfo;
}

type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;
type SampleEntry = Sample['description'];

/** The first H.264 or H.265 track and, beside it, the first AAC track; empty without video. */
export async function describeMp4Tracks(
  movie: ISOFile,
  path: string,
  readAt: ReadAt,
): Promise<readonly Mp4Track[]> {
  const info = movie.getInfo();
  const video = info.videoTracks.find((track) => /^(avc[13]|hvc1|hev1)/.test(track.codec));
  if (video === undefined) return [];
  const tracks = [await describeVideo(movie, video, path, readAt)];
  const audio = info.audioTracks.find((track) => track.codec.startsWith('mp4a'));
  if (audio !== undefined) tracks.push(await describeAudio(movie, audio, path, readAt));
  return tracks;
}

async function describeVideo(
  movie: ISOFile,
  track: Track,
  path: string,
  readAt: ReadAt,
): Promise<Mp4Track> {
  const entry = sampleEntry(movie, track, path);
  const children = 'boxes' in entry ? (entry.boxes ?? []) : [];
  const box = children.find((child) => child.type === 'avcC' || child.type === 'hvcC');
  if (box === undefined) {
    throw malformed(path, `video track ${track.id} (${track.codec}) has no avcC or hvcC box`);
  }
  const header = box.hdr_size ?? 8;
  return {
    id: track.id,
    startMs: editStart(track),
    info: {
      trackId: 1,
      trackType: TRACK_TYPE.VIDEO,
      codecId: box.type === 'hvcC' ? 'V_MPEGH/ISO/HEVC' : 'V_MPEG4/ISO/AVC',
      trackName: 'video',
      codecPrivateData: await readAt((box.start ?? 0) + header, box.size - header),
      pixelWidth: track.video?.width ?? 0,
      pixelHeight: track.video?.height ?? 0,
    },
  };
}

async function describeAudio(
  movie: ISOFile,
  track: Track,
  path: string,
  readAt: ReadAt,
): Promise<Mp4Track> {
  const entry = sampleEntry(movie, track, path);
  const bytes = 'size' in entry ? await readAt(entry.start ?? 0, entry.size) : new Uint8Array(0);
  const config = audioSpecificConfig(bytes);
  if (config === undefined || config.length < 2) {
    throw malformed(path, `audio track ${track.id} has no AudioSpecificConfig in its esds box`);
  }
  return {
    id: track.id,
    startMs: editStart(track),
    info: {
      trackId: 2,
      trackType: TRACK_TYPE.AUDIO,
      codecId: 'A_AAC',
      trackName: 'audio',
      codecPrivateData: config,
      samplingFrequency: track.audio?.sample_rate ?? 0,
      channels: channelsOf(config) ?? track.audio?.channel_count ?? 0,
    },
  };
}

/** The sample description commonly says 2 whatever is inside; the decoder's configuration is right. */
function channelsOf(config: Uint8Array): number | undefined {
  const word = ((config[0] ?? 0) << 8) | (config[1] ?? 0);
  const objectType = word >> 11;
  const frequencyIndex = (word >> 7) & 15;
  const layout = (word >> 3) & 15;
  // Escaped types and frequencies move the field; layout 0 is described elsewhere, 7 is 7.1.
  if (objectType === 31 || frequencyIndex === 15 || layout === 0 || layout > 7) return undefined;
  return layout === 7 ? 8 : layout;
}

function sampleEntry(movie: ISOFile, track: Track, path: string): SampleEntry {
  const entries = movie.getTrackById(track.id).mdia.minf.stbl.stsd.entries;
  const entry = entries[0];
  if (entry === undefined) throw malformed(path, `track ${track.id} has no sample description`);
  return entry;
}

/**
 * The decoder specific info (descriptor 5 in 4 in 3) of the esds box within a sample entry. The box
 * is looked for by name, because QuickTime puts it into a `wave` box.
 */
function audioSpecificConfig(entry: Uint8Array): Uint8Array | undefined {
  const name = [0x65, 0x73, 0x64, 0x73];
  const at = entry.findIndex((_, i) => name.every((byte, k) => entry[i + k] === byte));
  if (at < 0) return undefined;
  const elementary = descriptor(entry.subarray(at + 8), 3);
  const flags = elementary?.[2] ?? 0;
  const optional = (flags & 0x80 ? 2 : 0) + (flags & 0x40 ? 1 + (elementary?.[3] ?? 0) : 0);
  const decoder = elementary && descriptor(elementary.subarray(3 + optional), 4);
  return decoder && descriptor(decoder.subarray(13), 5)?.slice();
}

/** The body of a descriptor with this tag at the head of `bytes`: tag, size in groups of 7 bits, body. */
function descriptor(bytes: Uint8Array, tag: number): Uint8Array | undefined {
  if (bytes[0] !== tag) return undefined;
  let size = 0;
  for (let i = 1; i <= 4; i += 1) {
    const byte = bytes[i] ?? 0;
    size = size * 128 + (byte & 0x7f);
    if ((byte & 0x80) === 0) return bytes.subarray(i + 1, i + 1 + size);
  }
  return undefined;
}

/**
 * Start of the track on the film's time line: what empty edits put before it, less the media time
 * at which the first real edit begins (B-frame delay, audio priming). Later edits are passed over.
 */
function editStart(track: Track): number {
  let before = 0;
  for (const edit of track.edits ?? []) {
    if (edit.media_time >= 0) {
      return (before * 1000) / track.movie_timescale - (edit.media_time * 1000) / track.timescale;
    }
    before += edit.segment_duration;
  }
  return 0;
}
