import { KvsError } from '../../base/errors.js';
import { StreamingMkvReader } from '../../parser/index.js';
import { TrackCollector, type MkvTrack } from '../../parser/tracks.js';
import { ServiceError } from '../errors.js';
import type { FragmentIndex, FragmentRecord, StreamRecord } from '../store/types.js';
import { isHlsAudio, isHlsVideo, isValidCodecPrivate } from './codec-private.js';
import type { HlsRequest } from './request.js';

/** A live stream is one that has got a fragment within this time, ms. */
const LIVE_WITHIN = 30_000;
const NO_END = Number.MAX_SAFE_INTEGER - 1;

/**
 * A fragment that the session would show: the newest of a live one, the first of the others.
 * Rejects with ResourceNotFoundException where there is none. @internal
 */
export async function findShown(
  index: FragmentIndex,
  { id, name }: StreamRecord,
  { mode, timestamps: kind, from = 0, to = NO_END }: HlsRequest,
  now: number,
): Promise<FragmentRecord> {
  if (mode === 'LIVE') {
    const recent = { kind: 'server', from: Math.max(0, now - LIVE_WITHIN), to: NO_END } as const;
    const [newest] = await index.byTime(id, { ...recent, limit: 1, order: 'descending' });
    if (newest !== undefined) return newest;
    throw notFound(`Stream ${name} has no fragment within the last 30 seconds.`);
  }
  const before = { kind, from: 0, to: from, limit: 1, order: 'descending' } as const;
  const [holding] = await index.byTime(id, before);
  if (holding !== undefined && timeOf(holding, kind) + holding.duration > from) return holding;
  const [first] = await index.byTime(id, { kind, from, to: Math.min(to, NO_END), limit: 1 });
  if (first !== undefined) return first;
  throw notFound(`Stream ${name} has no fragment within the requested time range.`);
}

function timeOf(record: FragmentRecord, kind: HlsRequest['timestamps']): number {
  return kind === 'producer' ? record.producerTime : record.serverTime;
}

/**
 * Throws unless a player can be given media under this MKV header: UnsupportedStreamMediaType-,
 * MissingCodecPrivateData- or InvalidCodecPrivateDataException. @internal
 */
export function checkPlayable(header: Uint8Array): void {
  const tracks = tracksOf(header);
  const [video, audio, ...more] = tracks;
  const playable =
    video !== undefined &&
    isHlsVideo(video.codecId) &&
    (audio === undefined || isHlsAudio(audio.codecId)) &&
    more.length === 0;
  if (!playable) {
    const found = tracks.map(({ codecId }) => codecId).join(', ');
    throw new ServiceError(
      'UnsupportedStreamMediaTypeException',
      'HLS takes a track of H.264 (V_MPEG4/ISO/AVC) or H.265 (V_MPEGH/ISO/HEVC) and, behind it, ' +
        `one of AAC (A_AAC) or none; the stream has: ${found}`,
    );
  }
  for (const { number, codecPrivate } of tracks) {
    if (codecPrivate !== undefined && codecPrivate.length > 0) continue;
    throw new ServiceError(
      'MissingCodecPrivateDataException',
      `Track ${String(number)} of the stream has no codec private data.`,
    );
  }
  for (const { number, codecId, codecPrivate = new Uint8Array() } of tracks) {
    if (isValidCodecPrivate(codecId, codecPrivate)) continue;
    throw new ServiceError(
      'InvalidCodecPrivateDataException',
      `The codec private data of track ${String(number)} is not the configuration record that ` +
        `MP4 has for ${codecId}; see the NAL adaptation flags of the producer.`,
    );
  }
}

function tracksOf(header: Uint8Array): readonly MkvTrack[] {
  const reader = new StreamingMkvReader({ maxCaptureBytes: Math.max(1, header.length) });
  const collector = new TrackCollector();
  try {
    reader.push(header);
    for (let event = reader.next(); event !== undefined; event = reader.next()) {
      collector.visit(event);
    }
  } catch (error) {
    // PutMedia looks at less of a header than a player has to.
    if (!(error instanceof KvsError)) throw error;
    throw new ServiceError(
      'UnsupportedStreamMediaTypeException',
      `The tracks of the stream cannot be read: ${error.message}`,
    );
  }
  return [...collector.tracks.values()].sort((a, b) => a.number - b.number);
}

function notFound(message: string): ServiceError {
  return new ServiceError('ResourceNotFoundException', message);
}
