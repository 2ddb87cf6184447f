// MP4 and MOV as cameras, phones and editors make them, against ffprobe's packets; and tables that lie.
import { createHash } from 'node:crypto';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KvsError } from '../../lib/base/errors.js';
import { FRAME_FLAG, type Frame, NAL_ADAPTATION } from '../../lib/base/media.js';
import { type MediaFile, openMediaFile } from '../../lib/sources/index.js';
import { ffmpeg, have, probePackets } from '../support/media-tools.js';

const input = (name: string): string => fileURLToPath(new URL(`inputs/${name}`, import.meta.url));
const CAMERA = fileURLToPath(new URL('../../media/camera.mp4', import.meta.url));

async function framesOf(file: MediaFile): Promise<Frame[]> {
  const frames: Frame[] = [];
  for await (const frame of file.frames()) frames.push(frame);
  return frames;
}

const isKey = (frame: Frame): boolean => ((frame.flags ?? 0) & FRAME_FLAG.KEY_FRAME) !== 0;
const isHidden = (frame: Frame): boolean => ((frame.flags ?? 0) & FRAME_FLAG.INVISIBLE_FRAME) !== 0;
const hash = (bytes: Uint8Array): string => createHash('md5').update(bytes).digest('hex');
/** Types of the H.264 units of an Annex-B frame. */
const unitsOf = (frame: Frame | undefined): number[] =>
  [
    ...Buffer.from(frame?.frameData ?? [])
      .toString('latin1')
      .matchAll(/\0\0\0\x01(.)/gs),
  ].map((unit) => (unit[1]?.charCodeAt(0) ?? 0) & 31);

describe('sample descriptions', () => {
  it('that change in a track: the sets of the second stand before its first key frame', async () => {
    const file = await openMediaFile(input('two-entries.mp4'));
    const frames = await framesOf(file);
    expect(file.nalAdaptationFlags).toBe(
      NAL_ADAPTATION.ANNEXB_NALS | NAL_ADAPTATION.ANNEXB_CPD_NALS,
    );
    expect(frames).toHaveLength(100);
    expect(frames.flatMap((frame, at) => (unitsOf(frame).includes(7) ? [at] : []))).toEqual([50]);
  });

  it('avc3 without sets takes those of its first key frame', async () => {
    const file = await openMediaFile(input('avc3-empty.mp4'));
    const [first] = await framesOf(file);
    expect(unitsOf(first)).toContain(7);
    const track = file.tracks[0];
    expect(
      unitsOf({ frameData: track?.codecPrivateData ?? new Uint8Array(), presentationTs: 0 }),
    ).toEqual([7, 8]);
  });

  it('sound of other codecs is taken, with every track told', async () => {
    const file = await openMediaFile(input('mp3.mp4'));
    expect(file.found).toMatchObject([
      { kind: 'video', codec: 'V_MPEG4/ISO/AVC', trackId: 1 },
      { kind: 'audio', codec: 'A_MPEG/L3', trackId: 2 },
    ]);
  });
});

describe('a film that is cut off', () => {
  it('is refused, or read as far as it goes', async () => {
    const path = input('trunc_front.mp4');
    await expect(openMediaFile(path)).rejects.toMatchObject({ status: 'STATUS_UNEXPECTED_EOF' });
    const file = await openMediaFile(path, { truncated: 'read' });
    expect(file.warnings[0]).toMatch(/is cut off: box mdat .* lacks its last 209310 bytes/);
    expect(await framesOf(file)).toHaveLength(file.frameCount);
    expect(file.frameCount).toBe(82); // ffprobe: 31 of video, 51 of sound
  });

  it('zeros behind the end are passed over', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'kvs-zeros-'));
    const path = join(folder, 'zeros.mp4');
    await writeFile(path, Buffer.concat([await readFile(input('gop16.mp4')), Buffer.alloc(5000)]));
    expect((await openMediaFile(path)).frameCount).toBe(64);
    await rm(folder, { recursive: true });
  });
});

describe('tables that lie', () => {
  let folder = '';
  let film: Buffer;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvs-film-'));
    film = await readFile(input('mp3.mp4'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const box = (type: string, ...bodies: readonly Uint8Array[]): Buffer => {
    const body = Buffer.concat(bodies);
    const head = Buffer.alloc(8);
    head.writeUInt32BE(body.length + 8);
    head.write(type, 4, 'latin1');
    return Buffer.concat([head, body]);
  };
  const u32 = (...values: readonly number[]): Buffer => {
    const bytes = Buffer.alloc(4 * values.length);
    values.forEach((value, at) => bytes.writeUInt32BE(value, 4 * at));
    return bytes;
  };

  it('counts of four thousand million in a few bytes cost nothing', async () => {
    const much = 0xffffffff;
    const trun = box('trun', u32(0, much));
    const moof = box('moof', box('traf', box('tfhd', u32(0x38, 1, 1, 1, 0)), trun, trun));
    const path = join(folder, 'counts.mp4');
    await writeFile(path, Buffer.concat([film, moof, moof]));
    const began = performance.now();
    const file = await openMediaFile(path).catch((error: unknown) => error);
    expect(file instanceof KvsError || typeof file === 'object').toBe(true);
    expect(performance.now() - began).toBeLessThan(5000);
  });

  it('a box of any kind that is not needed is not looked into', async () => {
    const sgpd = box('sgpd', u32(1 << 24, 0x726f6c6c, 2, 0x0fffffff));
    const at = film.indexOf('stbl') - 4;
    const parents = ['moov', 'trak', 'mdia', 'minf', 'stbl'].map((type) => film.indexOf(type) - 4);
    const grown = Buffer.concat([film.subarray(0, at + 8), sgpd, film.subarray(at + 8)]);
    for (const parent of parents) {
      grown.writeUInt32BE(grown.readUInt32BE(parent) + sgpd.length, parent);
    }
    const path = join(folder, 'sgpd.mp4');
    await writeFile(path, grown);
    // The media moved by as much as the box is long, if they stand behind the tables.
    const file = await openMediaFile(path, { truncated: 'read' });
    expect(file.frameCount).toBeGreaterThan(100);
  });

  it('an init segment alone and media segments alone say what they are', async () => {
    const moov = film.indexOf('moov') - 4;
    const init = box('moov', box('mvhd', Buffer.alloc(100)));
    const alone = join(folder, 'init.mp4');
    await writeFile(alone, Buffer.concat([film.subarray(0, Math.min(32, moov)), init]));
    await expect(openMediaFile(alone)).rejects.toThrow(/cat init\.mp4 seg\*\.m4s > film\.mp4/);
    const media = join(folder, 'seg.m4s');
    await writeFile(media, Buffer.concat([box('moof', u32(0)), box('mdat', u32(0))]));
    await expect(openMediaFile(media)).rejects.toThrow(/media segment without its init segment/);
  });

  it('are refused with a KvsError, or read, and never hang', async () => {
    const path = join(folder, 'random.mp4');
    const moov = film.indexOf('moov');
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(4000), fc.integer({ min: 0, max: 255 })), { minLength: 1 }),
        async (changes) => {
          const bytes = Buffer.from(film);
          for (const [at, value] of changes) bytes[moov + at] = value;
          await writeFile(path, bytes);
          try {
            await framesOf(await openMediaFile(path, { truncated: 'read' }));
          } catch (error) {
            expect(error).toBeInstanceOf(KvsError);
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

const CLIP = ['-i', CAMERA, '-f', 'lavfi', '-i', 'sine=frequency=440:sample_rate=44100', '-t', '4'];
const WITH = (...audio: readonly string[]): readonly string[] => [
  ...CLIP,
  ...['-c:v', 'copy', '-c:a'],
  ...audio,
];
/** Name, how ffmpeg makes it, the codec of the sound as it is stored. */
const FILES: readonly (readonly [string, readonly string[], string])[] = [
  ['opus.mp4', WITH('libopus'), 'A_OPUS'],
  ['ac3.mp4', WITH('ac3'), 'A_AC3'],
  ['flac.mp4', WITH('flac', '-strict', '-2'), 'A_FLAC'],
  ['mp3.mov', WITH('libmp3lame'), 'A_MPEG/L3'],
];

describe.skipIf(!have('ffmpeg') || !have('ffprobe'))('films from ffmpeg', () => {
  let folder = '';
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'kvs-films-'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  it.each(FILES)('%s: every packet of both tracks', async (name, how, codec) => {
    const path = join(folder, name);
    await ffmpeg(...how, path);
    const file = await openMediaFile(path);
    expect(file.tracks.map((track) => track.codecId)).toEqual(['V_MPEG4/ISO/AVC', codec]);
    const frames = (await framesOf(file)).map((frame) => hash(frame.frameData)).sort();
    const packets = (await probePackets(path)).map((packet) => packet.hash).sort();
    expect(frames).toEqual(packets);
  });

  it.each([
    ['mulaw.mov', ['pcm_mulaw', '-ar', '8000', '-ac', '1'], 'A_MS/ACM'],
    ['pcm.mov', ['pcm_s16le'], 'A_PCM/INT/LIT'],
  ])(
    '%s: sound that is stored sample by sample comes in frames of 20 ms',
    async (name, audio, codec) => {
      const path = join(folder, name);
      await ffmpeg(...WITH(...audio), path);
      const file = await openMediaFile(path);
      const sound = (await framesOf(file)).filter((frame) => frame.trackId === 2);
      expect(file.tracks[1]).toMatchObject({ codecId: codec });
      expect(Math.max(...sound.map((frame) => frame.duration ?? 0))).toBeLessThan(200);
      const raw = join(folder, `${name}.raw`);
      await ffmpeg('-i', path, '-map', '0:a', '-c', 'copy', '-f', 'data', raw);
      expect(Buffer.concat(sound.map((frame) => frame.frameData)).equals(await readFile(raw))).toBe(
        true,
      );
    },
  );

  it('what an edit list cuts off is hidden or left out, and sent when asked', async () => {
    const path = join(folder, 'cut.mp4');
    await ffmpeg('-ss', '2.3', '-i', CAMERA, '-c', 'copy', path);
    const file = await openMediaFile(path);
    const frames = await framesOf(file);
    const shown = frames.filter((frame) => !isHidden(frame));
    const begin = Math.min(...shown.map((frame) => frame.presentationTs));
    expect(frames.filter(isHidden).length).toBeGreaterThan(0);
    expect(frames.filter(isHidden).every((frame) => frame.presentationTs < begin)).toBe(true);
    expect(isKey(frames[0] ?? { frameData: new Uint8Array(), presentationTs: 0 })).toBe(true);
    const all = await framesOf(await openMediaFile(path, { keepEdits: false }));
    expect(all.filter(isHidden)).toHaveLength(0);
    expect(all).toHaveLength((await probePackets(path)).length);
  });

  it('a turned film says by how much', async () => {
    const path = join(folder, 'turned.mp4');
    await ffmpeg('-i', CAMERA, '-t', '1', '-c', 'copy', '-metadata:s:v:0', 'rotate=180', path);
    expect((await openMediaFile(path)).found[0]).toMatchObject({ rotation: 180 });
  });
});
