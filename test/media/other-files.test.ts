// Transport streams, files of sound alone, and files whose times begin late: every packet that ffprobe
// finds, with its time.
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Frame } from '../../lib/base/media.js';
import { type MediaFile, openMediaFile } from '../../lib/sources/index.js';
import { ffmpeg, have, probePackets } from '../support/media-tools.js';

const input = (name: string): string => fileURLToPath(new URL(`inputs/${name}`, import.meta.url));
const CAMERA = fileURLToPath(new URL('../../media/camera.mp4', import.meta.url));

async function framesOf(file: MediaFile): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of file.frames()) frames.push(frame);
  return frames;
}

const hash = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');

it('G.711 in WAV', async () => {
  const file = await openMediaFile(input('mulaw.wav'));
  expect(file.tracks).toMatchObject([
    { trackId: 1, codecId: 'A_MS/ACM', samplingFrequency: 8000, channels: 1 },
  ]);
  const bytes = (await framesOf(file)).reduce((sum, frame) => sum + frame.frameData.length, 0);
  expect(bytes).toBe(48_000); // six seconds of 8,000 samples
  expect(file.durationMs).toBe(6000);
});

const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100:d=2'];
const BOTH = ['-i', CAMERA, ...TONE, '-t', '4', '-c:v', 'copy', '-c:a', 'aac'];
const SOUND: readonly (readonly [string, readonly string[], string, string])[] = [
  ['tone.ogg', ['-c:a', 'libopus'], 'ogg', 'A_OPUS'],
  ['tone.flac', ['-c:a', 'flac'], 'flac', 'A_FLAC'],
  ['tone.mp3', ['-c:a', 'libmp3lame', '-write_xing', '0'], 'mp3', 'A_MPEG/L3'],
];

describe.skipIf(!have('ffmpeg') || !have('ffprobe'))('files from ffmpeg', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvs-other-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(SOUND)('%s', async (name, how, format, codecId) => {
    const path = join(folder, name);
    await ffmpeg(...TONE, ...how, path);
    const file = await openMediaFile(path);
    expect(file).toMatchObject({ format, tracks: [{ trackId: 1, codecId }] });
    const frames = await framesOf(file);
    const packets = await probePackets(path);
    expect(frames.map((frame) => hash(frame.frameData))).toEqual(packets.map(({ hash: h }) => h));
  });

  it('ADTS: frames without their headers, which become private data', async () => {
    const path = join(folder, 'tone.aac');
    const plain = join(folder, 'tone.m4a');
    await ffmpeg(...TONE, '-c:a', 'aac', plain);
    await ffmpeg('-i', plain, '-c', 'copy', path);
    const file = await openMediaFile(path);
    expect(file.tracks).toMatchObject([{ codecId: 'A_AAC', samplingFrequency: 44_100 }]);
    expect([...(file.tracks[0]?.codecPrivateData ?? [])]).toEqual([0x12, 0x08]);
    const packets = await probePackets(plain);
    expect((await framesOf(file)).map((frame) => hash(frame.frameData))).toEqual(
      packets.map((packet) => packet.hash),
    );
  });

  it.each([
    ['h264.ts', BOTH, 'V_MPEG4/ISO/AVC'],
    [
      'h265.ts',
      [
        '-i',
        CAMERA,
        '-t',
        '2',
        '-c:v',
        'libx265',
        '-x265-params',
        'log-level=none:pools=1:bframes=3',
      ],
      'V_MPEGH/ISO/HEVC',
    ],
  ])(
    '%s: pictures and times of the transport stream, counted from its begin',
    async (name, how, codecId) => {
      const path = join(folder, name);
      await ffmpeg(...how, path);
      const file = await openMediaFile(path);
      expect(file.format).toBe('ts');
      expect(file.tracks[0]).toMatchObject({ codecId });
      expect(file.startMs).toBeGreaterThan(1000);
      const frames = (await framesOf(file)).filter((frame) => frame.trackId === 1);
      const packets = (await probePackets(path)).filter((packet) => packet.stream === 'video');
      const times = packets.map((packet) => Math.round((packet.ptsMs ?? 0) + file.timeShiftMs));
      expect(frames.map((frame) => Math.round(frame.presentationTs))).toEqual(times);
      expect(Math.min(...frames.map((frame) => frame.decodingTs ?? 0))).toBeGreaterThanOrEqual(0);
      expect(frames.every((frame) => frame.presentationTs >= (frame.decodingTs ?? 0))).toBe(true);
    },
  );

  it('a recording that begins at the time of day counts from zero', async () => {
    const path = join(folder, 'late.mkv');
    await ffmpeg('-i', CAMERA, '-t', '2', '-c', 'copy', '-output_ts_offset', '3600', path);
    const file = await openMediaFile(path);
    expect(file.startMs).toBeGreaterThanOrEqual(3_600_000);
    expect((await framesOf(file))[0]?.decodingTs).toBe(0);
  });
});
