import { isBytes } from '../../base/values.js';
import { TRACK_TYPE, type TrackInfo } from '../../base/media.js';
import type { NativeTrackInfo } from '../../native/index.js';
import { known, list, number, object, refuse, text } from './field-check.js';
import type { StreamDefinition } from './stream-definition.js';

const NAMES: Readonly<Record<keyof TrackInfo, true>> = {
  trackId: true,
  trackType: true,
  codecId: true,
  trackName: true,
  codecPrivateData: true,
  pixelWidth: true,
  pixelHeight: true,
  samplingFrequency: true,
  channels: true,
  bitDepth: true,
};
const TRACK_NAMES: readonly string[] = Object.keys(NAMES);

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  'V_MPEG4/ISO/AVC': 'video/h264',
  'V_MPEGH/ISO/HEVC': 'video/h265',
  A_AAC: 'audio/aac',
};

/** The MIME type of a stream with these tracks: each one's, apart by commas. @internal */
export function contentTypeOf(tracks: readonly NativeTrackInfo[]): string {
  const types = tracks.map(({ codecId, trackType }) => {
    const type = CONTENT_TYPES[codecId];
    if (type !== undefined) return type;
    if (trackType === TRACK_TYPE.VIDEO) return 'video/x-matroska';
    return trackType === TRACK_TYPE.AUDIO ? 'audio/x-matroska' : 'application/octet-stream';
  });
  return [...new Set(types)].join(',');
}

const AAC_RATES = [
  96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8000,
  7350,
] as const;
const AAC_LOW_COMPLEXITY = 2;

/** The AudioSpecificConfig of an AAC track that says its rate and channels, and gives none itself. */
function aacConfig(track: TrackInfo): Uint8Array | undefined {
  const { samplingFrequency: rate, channels } = track;
  if (track.codecId !== 'A_AAC' || rate === undefined || channels === undefined) return undefined;
  const index = AAC_RATES.findIndex((one) => one === rate);
  if (index < 0 || !(channels >= 1 && channels <= 7)) return undefined;
  const bits = (AAC_LOW_COMPLEXITY << 11) | (index << 7) | (channels << 3);
  return Uint8Array.of(bits >> 8, bits & 0xff);
}

/** The tracks of a definition, defaults filled in and checked. @internal */
export function checkTracks(definition: StreamDefinition): readonly NativeTrackInfo[] {
  const { codecId, trackName, codecPrivateData } = definition;
  const tracks = definition.tracks ?? undefined;
  if (tracks !== undefined) list(tracks, 'tracks', 'a list of 1 to 3');
  const single: TrackInfo = {
    ...(codecId === undefined ? {} : { codecId }),
    ...(trackName === undefined ? {} : { trackName }),
    ...(codecPrivateData === undefined ? {} : { codecPrivateData }),
  };
  if (tracks !== undefined && Object.keys(single).length > 0) {
    const fields = Object.keys(single).join(', ');
    refuse('STATUS_INVALID_ARG', `${fields} stand beside tracks; give them in tracks`);
  }
  const given = tracks ?? [single];
  if (given.length === 0) refuse('STATUS_TRACK_INFO_MISSING', 'tracks is empty; give 1 to 3');
  if (given.length > 3) {
    const what = `tracks has ${given.length} entries`;
    refuse('STATUS_MAX_TRACK_COUNT_EXCEEDED', `${what}; the service takes at most 3`);
  }
  const checked = given.map(checkTrack);
  const ids = new Set(checked.map((track) => track.trackId));
  if (ids.size < checked.length) {
    const all = checked.map((track) => track.trackId).join(', ');
    refuse('STATUS_DUPLICATE_TRACK_ID_FOUND', `the trackIds ${all} are not unique`);
  }
  return checked;
}

function checkTrack(track: TrackInfo, index: number): NativeTrackInfo {
  const where = `tracks[${index}]`;
  object(track, where, 'an object, {} for one of video');
  known(track, TRACK_NAMES, where);
  const type = track.trackType ?? TRACK_TYPE.VIDEO;
  const video = type === TRACK_TYPE.VIDEO;
  if (!Object.values(TRACK_TYPE).includes(type)) {
    refuse('STATUS_INVALID_ARG', `${where}.trackType is ${type}; give one of TRACK_TYPE`);
  }
  const trackId = track.trackId ?? 1;
  if (!Number.isSafeInteger(trackId) || trackId < 1) {
    refuse('STATUS_MKV_INVALID_TRACK_UID', `${where}.trackId is ${trackId}; give 1 or more`);
  }
  if (type === TRACK_TYPE.AUDIO) needsCodec(track, where);
  const cpd = track.codecPrivateData;
  if (cpd !== undefined && (!isBytes(cpd) || cpd.length > 1024 * 1024)) {
    refuse(
      'STATUS_MKV_INVALID_CODEC_PRIVATE_LENGTH',
      `${where}.codecPrivateData is no Uint8Array of at most 1,048,576 bytes`,
    );
  }
  return {
    trackId,
    trackType: type,
    codecId: text(track.codecId ?? (video ? 'V_MPEG4/ISO/AVC' : ''), `${where}.codecId`, 32, {
      status: 'STATUS_MKV_INVALID_CODEC_ID_LENGTH',
    }),
    trackName: text(track.trackName ?? (video ? 'kinesis_video' : ''), `${where}.trackName`, 32, {
      status: 'STATUS_MKV_INVALID_TRACK_NAME_LENGTH',
    }),
    codecPrivateData: cpd ?? aacConfig(track),
    pixelWidth: number(track.pixelWidth ?? 0, `${where}.pixelWidth`, 0, 65_535),
    pixelHeight: number(track.pixelHeight ?? 0, `${where}.pixelHeight`, 0, 65_535),
    samplingFrequency: number(track.samplingFrequency ?? 0, `${where}.samplingFrequency`, 0, 1e7),
    channels: number(track.channels ?? 0, `${where}.channels`, 0, 65_535),
    bitDepth: number(track.bitDepth ?? 0, `${where}.bitDepth`, 0, 65_535),
  };
}

/** Sound has no codec that is meant when none is given. */
function needsCodec(track: TrackInfo, where: string): void {
  if ((track.codecId ?? '') !== '') return;
  refuse(
    'STATUS_MKV_INVALID_CODEC_ID_LENGTH',
    `${where}.codecId is missing; give that of the sound, for example 'A_AAC'`,
  );
}
