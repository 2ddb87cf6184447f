// Raw H.264 and H.265: what is a frame, where decoding can begin, and when each picture is shown. The
// times that ffmpeg's encoders wrote into Matroska are the oracle for the order of the same pictures.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRAME_FLAG, type Frame } from '../../lib/base/media.js';
import {
  type AccessUnit,
  AccessUnitSplitter,
  openMediaFile,
  type VideoCodec,
} from '../../lib/sources/index.js';
import { ffmpeg, have, probePackets } from '../support/media-tools.js';

const input = (name: string): string => fileURLToPath(new URL(`inputs/${name}`, import.meta.url));

async function framesOf(path: string): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of (await openMediaFile(path)).frames()) frames.push(frame);
  return frames;
}

const isKey = (frame: Frame): boolean => frame.flags === FRAME_FLAG.KEY_FRAME;

function cut(codec: VideoCodec, parts: readonly Uint8Array[]): AccessUnit[] {
  const splitter = new AccessUnitSplitter({ codec });
  return [...parts.flatMap((part) => splitter.push(part)), ...splitter.end()];
}

/** Everything about the frames but their bytes, of which it is a digest. */
const outline = (units: readonly AccessUnit[]): readonly string[] =>
  units.map(({ bytes, key, sequence, order }) => {
    const digest = createHash('md5').update(bytes).digest('hex');
    return `${digest} ${String(key)} ${sequence} ${order}`;
  });

describe('raw H.264', () => {
  it.each([
    ['open GOP: a recovery point of I slices is a key frame', 'opengop.264', 600, 12],
    ['a unit of type 14 before each slice begins no frame', 'svc-prefix.264', 50, 2],
    ['two field pictures are one frame', 'paff.264', 50, 2],
  ])('%s', async (_what, name, frames, keys) => {
    const file = await openMediaFile(input(name));
    const read = await framesOf(input(name));
    expect(file).toMatchObject({ format: 'h264', frameCount: frames, durationMs: frames * 40 });
    expect(read).toHaveLength(frames);
    expect(read.filter(isKey)).toHaveLength(keys);
    const shown = read.map((frame) => frame.presentationTs).sort((a, b) => a - b);
    expect(shown.every((time, at) => Math.abs(time - file.timeShiftMs - at * 40) < 0.01)).toBe(
      true,
    );
    expect(read.every((frame) => frame.presentationTs >= (frame.decodingTs ?? 0))).toBe(true);
  });

  it('loses no byte, whatever the chunks', async () => {
    const bytes = await readFile(input('paff.264'));
    const whole = cut('h264', [bytes]);
    expect(Buffer.concat(whole.map((unit) => unit.bytes)).equals(bytes)).toBe(true);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), (size) => {
        const parts = Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) =>
          bytes.subarray(at * size, (at + 1) * size),
        );
        expect(outline(cut('h264', parts))).toEqual(outline(whole));
      }),
      { numRuns: 20 },
    );
  });

  it('takes any bytes without an exception', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<VideoCodec>('h264', 'h265'),
        fc.array(fc.uint8Array({ maxLength: 60 })),
        (codec, units) => {
          const bytes = units.flatMap((unit) => [Uint8Array.of(0, 0, 1), unit]);
          cut(codec, bytes);
        },
      ),
    );
  });

  it('costs the same for each byte, however large the pictures are', () => {
    const code = Uint8Array.of(0, 0, 0, 1, 0x65, 0x88);
    const slice = new Uint8Array(1_000_000).fill(0x55);
    const bytes = Buffer.concat(Array.from({ length: 24 }, () => [code, slice]).flat());
    const chunks = Array.from({ length: Math.ceil(bytes.length / 16_384) }, (_, at) =>
      bytes.subarray(at * 16_384, (at + 1) * 16_384),
    );
    const began = performance.now();
    expect(cut('h264', chunks)).toHaveLength(24);
    // 24 MB; searching each picture anew with every chunk took above a minute.
    expect(performance.now() - began).toBeLessThan(10_000);
  });
});

const CLIP = ['-f', 'lavfi', '-i', 'testsrc2=s=160x120:r=25:d=3'];
const H264 = ['-c:v', 'libx264', '-pix_fmt', 'yuv420p', '-x264-params'];
const H265 = ['-c:v', 'libx265', '-x265-params'];
const ENCODED: readonly (readonly [string, VideoCodec, readonly string[]])[] = [
  ['B-frames in a pyramid', 'h264', [...H264, 'bframes=8:b-pyramid=normal:keyint=30']],
  ['open GOPs', 'h264', [...H264, 'bframes=3:open-gop=1:keyint=20:scenecut=0']],
  ['interlaced', 'h264', [...H264, 'bframes=3:tff=1:keyint=20']],
  ['slices and delimiters', 'h264', [...H264, 'slices=4:aud=1:keyint=20']],
  ['key frames alone', 'h264', [...H264, 'keyint=1']],
  ['weighted prediction', 'h264', [...H264, 'weightp=2:weightb=1:ref=5:keyint=25']],
  ['H.265', 'h265', [...H265, 'log-level=none:pools=1:keyint=30:bframes=6']],
  ['H.265 open GOPs', 'h265', [...H265, 'log-level=none:pools=1:keyint=20:open-gop=1:slices=2']],
];

describe.skipIf(!have('ffmpeg') || !have('ffprobe'))('raw video from ffmpeg', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvs-raw-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(ENCODED)('%s (%s): frames, key frames and times', async (what, codec, options) => {
    const name = what.replaceAll(' ', '-');
    const mkv = join(folder, `${name}.mkv`);
    const raw = join(folder, `${name}.${codec}`);
    await ffmpeg(...CLIP, ...options, mkv);
    await ffmpeg('-i', mkv, '-c', 'copy', raw);
    const packets = await probePackets(mkv);
    const frames = await framesOf(raw);
    expect(frames.map(isKey)).toEqual(packets.map((packet) => packet.key));
    const first = Math.min(...packets.map((packet) => packet.ptsMs ?? 0));
    const shift = Math.min(...frames.map((frame) => frame.presentationTs));
    const times = frames.map((frame) => Math.round(frame.presentationTs - shift));
    expect(times).toEqual(packets.map((packet) => Math.round((packet.ptsMs ?? 0) - first)));
  });

  it('takes the rate that the parameter sets state, and the one that is asked for', async () => {
    const raw = join(folder, 'rate.h264');
    await ffmpeg('-f', 'lavfi', '-i', 'testsrc2=s=160x120:r=10:d=1', ...H264, 'keyint=5', raw);
    expect((await openMediaFile(raw)).durationMs).toBe(1000);
    expect((await openMediaFile(raw, { frameRate: 50 })).durationMs).toBe(200);
  });
});
