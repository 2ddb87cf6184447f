import type { MkvTrack } from './tracks.js';

/** Milliseconds of the four frame lengths of Opus' SILK, hybrid and CELT modes (RFC 6716, 3.1). */
const OPUS_SILK_MS = [10, 20, 40, 60] as const;
const OPUS_HYBRID_MS = [10, 20] as const;
const OPUS_CELT_MS = [2.5, 5, 10, 20] as const;

/** Samples in a frame of codecs where all frames have as many. */
const SAMPLES: ReadonlyMap<string, number> = new Map([
  ['A_AAC', 1024],
  ['A_MPEG/L3', 1152],
  ['A_AC3', 1536],
]);

/**
 * Milliseconds that a laced frame lasts: the track's default, else what its codec says; 0 where
 * neither does. Only the first frame of a lace has a time of its own.
 * @internal
 */
export function lacedDurationMs(track: MkvTrack | undefined, frame: Uint8Array): number {
  if (track === undefined) return 0;
  if (track.defaultDurationMs !== undefined) return track.defaultDurationMs;
  if (track.codecId === 'A_OPUS') return opusDurationMs(frame);
  const samples = SAMPLES.get(track.codecId);
  if (samples === undefined || track.samplingFrequency === undefined) return 0;
  return track.samplingFrequency > 0 ? (samples * 1000) / track.samplingFrequency : 0;
}

function opusDurationMs(packet: Uint8Array): number {
  const toc = packet[0];
  if (toc === undefined) return 0;
  const config = toc >> 3;
  let one = OPUS_CELT_MS[config & 3] ?? 0;
  if (config < 16) one = OPUS_HYBRID_MS[config & 1] ?? 0;
  if (config < 12) one = OPUS_SILK_MS[config & 3] ?? 0;
  const code = toc & 3;
  if (code === 3) return one * ((packet[1] ?? 0) & 0x3f);
  return code === 0 ? one : 2 * one;
}
