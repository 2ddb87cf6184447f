import { createHash } from 'node:crypto';
import { mkdtemp, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FRAME_FLAG, type Frame } from '../../../lib/base/media.js';
import { type MediaFile, openMediaFile } from '../../../lib/sources/index.js';
import {
  ffmpeg,
  have,
  mkvmerge,
  probePackets,
  type ProbedPacket,
} from '../../support/media-tools.js';

const CAMERA = fileURLToPath(new URL('../../../media/camera.mp4', import.meta.url));
const TONE = ['-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100'];
const WITH_TONE = ['-i', CAMERA, ...TONE, '-t', '6', '-c:v', 'copy', '-c:a', 'aac'];
const HEVC = ['-i', CAMERA, '-t', '4', '-c:v', 'libx265', '-preset', 'ultrafast'];
const HEVC_FAST = ['-x265-params', 'log-level=none:keyint=50:bframes=3:pools=1', '-tag:v', 'hvc1'];

/** Every kind of file: how ffmpeg makes it from the camera clip. */
const FILES: readonly (readonly [string, readonly string[]])[] = [
  ['h264.mp4', ['-i', CAMERA, '-c', 'copy']],
  ['h264-no-edit-list.mp4', ['-i', CAMERA, '-c', 'copy', '-use_editlist', '0']],
  ['h264-negative-offsets.mp4', ['-i', CAMERA, '-c', 'copy', '-movflags', 'negative_cts_offsets']],
  ['h264-aac.mp4', WITH_TONE],
  ['h264-aac.mov', WITH_TONE],
  ['h264-aac-late-video.mp4', ['-itsoffset', '0.5', ...WITH_TONE]],
  ['h264-aac-fragmented.mp4', [...WITH_TONE, '-movflags', 'frag_keyframe+empty_moov']],
  ['h264-aac-dash.mp4', [...WITH_TONE, '-movflags', 'frag_keyframe+default_base_moof+dash']],
  [
    'h264-gap-fragmented.mp4',
    [
      '-i',
      CAMERA,
      '-vf',
      'setpts=PTS+if(gte(N\\,100)\\,3\\,0)/TB',
      '-g',
      '50',
      '-bf',
      '2',
      '-t',
      '12',
      '-vsync',
      'passthrough',
      '-preset',
      'ultrafast',
      '-movflags',
      'frag_keyframe+empty_moov',
    ],
  ],
  [
    'h264-29.97.mp4',
    ['-i', CAMERA, '-t', '4', '-r', '30000/1001', '-preset', 'veryfast', '-bf', '3'],
  ],
  ['h265-aac.mp4', [...HEVC, ...HEVC_FAST]],
  ['h264.mkv', ['-i', CAMERA, '-c', 'copy']],
  ['h264-aac.mkv', WITH_TONE],
  [
    'h264-29.97.mkv',
    ['-i', CAMERA, '-t', '4', '-r', '30000/1001', '-preset', 'veryfast', '-bf', '3'],
  ],
  ['h265.mkv', [...HEVC, ...HEVC_FAST]],
  ['h264-live.mkv', [...WITH_TONE, '-live', '1']],
];

const MKVMERGE: readonly (readonly [string, readonly string[]])[] = [
  ['laced.mkv', []],
  ['block-groups.mkv', ['--engage', 'no_simpleblocks']],
  ['scale-100us.mkv', ['--timestamp-scale', '100000']],
];

describe.skipIf(!have('ffmpeg') || !have('ffprobe'))(
  'media files against ffmpeg and ffprobe',
  () => {
    let directory = '';
    beforeAll(async () => {
      directory = await mkdtemp(join(tmpdir(), 'kvs-sources-'));
    });
    afterAll(async () => {
      await rm(directory, { recursive: true, force: true });
    });

    it.each(FILES)('%s: every packet, its bytes, times and key flag', async (name, args) => {
      const path = join(directory, name);
      await ffmpeg(...args, path);
      const file = await openMediaFile(path);
      const packets = await probePackets(path);
      const all = await collect(file);
      expect(all.length).toBe(file.frameCount);
      expect(all.length).toBe(packets.length);
      for (const [index, kind] of ['video', 'audio'].entries()) {
        const frames = all.filter((frame) => frame.trackId === index + 1);
        expectSame(
          frames,
          packets.filter((packet) => packet.stream === kind),
          file,
        );
      }
      expectPlayable(all);
    });

    it.skipIf(!have('mkvmerge')).each(MKVMERGE)('%s of mkvmerge', async (name, args) => {
      const source = join(directory, 'h264-aac.mkv');
      await ffmpeg(...WITH_TONE, source);
      const path = join(directory, name);
      await mkvmerge('-o', path, ...args, source);
      const file = await openMediaFile(path);
      const packets = await probePackets(path);
      const all = await collect(file);
      const video = packets.filter((packet) => packet.stream === 'video');
      expectSame(
        all.filter((frame) => frame.trackId === 1),
        video,
        file,
      );
      const audio = all.filter((frame) => frame.trackId === 2);
      const probed = packets.filter((packet) => packet.stream === 'audio');
      expect(audio.map(hash)).toEqual(probed.map((packet) => packet.hash));
      expectPlayable(all);
    });

    it.skipIf(!have('mkvmerge'))(
      'refuses a track that mkvmerge compressed, naming it',
      async () => {
        const path = join(directory, 'zlib.mkv');
        await mkvmerge('-o', path, '--compression', '0:zlib', CAMERA);
        await expect(openMediaFile(path)).rejects.toThrow(
          /zlib\.mkv cannot be read: track 1 is compressed/,
        );
      },
    );

    it('refuses a Matroska file cut off within an element, naming the byte', async () => {
      const path = join(directory, 'cut.mkv');
      await ffmpeg('-i', CAMERA, '-c', 'copy', path);
      await truncate(path, 200_000);
      await expect(openMediaFile(path)).rejects.toMatchObject({ status: 'STATUS_UNEXPECTED_EOF' });
      await expect(openMediaFile(path)).rejects.toThrow(/cut\.mkv cannot be read: .*byte \d+/);
    });

    it.each(['tone.mp4', 'tone.mkv'])('takes %s, which is sound alone', async (name) => {
      const path = join(directory, name);
      await ffmpeg(...TONE, '-t', '1', '-c:a', 'aac', path);
      // The encoder's padding behind the end is cut off by the film's edit list; ffprobe counts it.
      const file = await openMediaFile(path, { keepEdits: false });
      expect(file.tracks).toMatchObject([{ trackId: 1, codecId: 'A_AAC' }]);
      expect(file.contentType).toBe('audio/aac');
      expectSame(await collect(file), await probePackets(path), file);
    });

    it('adds the time offset to both times, to the microsecond', async () => {
      const path = join(directory, 'offset.mp4');
      await ffmpeg('-i', CAMERA, '-t', '1', '-r', '30000/1001', '-preset', 'ultrafast', path);
      const file = await openMediaFile(path);
      const plain = await collect(file);
      const live: Frame[] = [];
      const timeOffsetMs = 1_795_408_066_856;
      for await (const frame of file.frames({ timeOffsetMs })) live.push(frame);
      expect(live.map((frame) => Math.round((frame.presentationTs - timeOffsetMs) * 1000))).toEqual(
        plain.map((frame) => Math.round(frame.presentationTs * 1000)),
      );
      expect(
        live.map((frame) => Math.round(((frame.decodingTs ?? 0) - timeOffsetMs) * 1000)),
      ).toEqual(plain.map((frame) => Math.round((frame.decodingTs ?? 0) * 1000)));
    });

    it('h264.h264: the access units of the MP4 with start codes', async () => {
      const path = join(directory, 'camera.h264');
      await ffmpeg('-i', CAMERA, '-c', 'copy', '-bsf:v', 'h264_mp4toannexb', path);
      const file = await openMediaFile(path, { frameRate: 50 });
      const packets = await probePackets(path);
      const frames = await collect(file);
      expect(frames.map((frame) => hash(frame))).toEqual(packets.map((packet) => packet.hash));
      expect(frames.map(isKey)).toEqual(packets.map((packet) => packet.key));
      const shown = await collect(await openMediaFile(CAMERA));
      const turn = (list: readonly Frame[]): readonly number[] => {
        const times = list.map((frame) => frame.presentationTs).sort((a, b) => a - b);
        return list.map((frame) => times.indexOf(frame.presentationTs));
      };
      expect(turn(frames)).toEqual(turn(shown));
      expect(file.durationMs).toBe(12_000);
    });
  },
);

function expectSame(
  frames: readonly Frame[],
  packets: readonly ProbedPacket[],
  file: MediaFile,
): void {
  const shifted = (ms: number | undefined): number =>
    Math.round(((ms ?? NaN) + file.timeShiftMs) * 1000) / 1000;
  expect(frames.map(hash)).toEqual(packets.map((packet) => packet.hash));
  expect(frames.map((frame) => frame.presentationTs)).toEqual(
    packets.map((packet) => shifted(packet.ptsMs)),
  );
  expect(frames.map(isKey)).toEqual(packets.map((packet) => packet.key));
  // Matroska has no decoding times: ffprobe's are its own guess, and ours are held to rules instead.
  if (file.format === 'mp4') {
    expect(frames.map((frame) => frame.decodingTs)).toEqual(
      packets.map((packet) => shifted(packet.dtsMs)),
    );
  }
}

/** What a producer needs: decoding times grow per track, begin at 0 or later, precede the showing. */
function expectPlayable(frames: readonly Frame[]): void {
  const last = new Map<number, number>();
  for (const frame of frames) {
    const dts = frame.decodingTs ?? NaN;
    const track = frame.trackId ?? 0;
    expect(dts).toBeGreaterThan(last.get(track) ?? -0.001);
    expect(frame.presentationTs).toBeGreaterThanOrEqual(dts);
    last.set(track, dts);
  }
}

async function collect(file: MediaFile): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of file.frames()) frames.push(frame);
  return frames;
}

function hash(frame: Frame): string {
  return createHash('md5').update(frame.frameData).digest('hex');
}

function isKey(frame: Frame): boolean {
  return ((frame.flags ?? 0) & FRAME_FLAG.KEY_FRAME) !== 0;
}
