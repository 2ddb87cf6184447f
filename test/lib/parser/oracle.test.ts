import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { MediaFrame } from '../../../lib/parser/index.js';
import { dump, goldenNames } from './helpers.js';
import { framesOf, have, haveElement, run } from './media.js';

const GOLDEN = new URL('../../golden/mkv/', import.meta.url).pathname;
const RECORDINGS = new URL('../../../../shared/recordings/', import.meta.url).pathname;

/** What ffprobe says of each packet, in file order: stream, ms, bytes, key or not. */
function packets(file: string): string[] {
  const entries = 'packet=stream_index,pts_time,size,flags';
  const args = ['-v', 'error', '-show_entries', entries, '-of', 'json', file];
  const parsed: unknown = JSON.parse(run('ffprobe', ...args).out);
  return listOf(parsed, 'packets').map((packet) => {
    const ms = Math.round(Number(field(packet, 'pts_time')) * 1000);
    const key = field(packet, 'flags').startsWith('K') ? 'K' : '-';
    return `${field(packet, 'stream_index')} ${ms} ${field(packet, 'size')} ${key}`;
  });
}

function listOf(value: unknown, name: string): unknown[] {
  const list: unknown = typeof value === 'object' && value !== null ? Reflect.get(value, name) : [];
  return Array.isArray(list) ? list : [];
}

function field(value: unknown, name: string): string {
  return typeof value === 'object' && value !== null ? String(Reflect.get(value, name)) : '';
}

function ours(frames: readonly MediaFrame[]): string[] {
  const tracks = [...new Set(frames.map((frame) => frame.trackNumber))].sort((a, b) => a - b);
  return frames.map((frame) => {
    // ffprobe calls every audio packet a key frame; some muxers do not.
    const key = frame.keyFrame || frame.track?.type === 2 ? 'K' : '-';
    const stream = tracks.indexOf(frame.trackNumber);
    // ffprobe takes the codec delay off, in whole milliseconds.
    const shown = frame.timecodeMs - Math.round(frame.track?.codecDelayMs ?? 0);
    return `${stream} ${Math.round(shown)} ${frame.data.length} ${key}`;
  });
}

function compare(file: string, atLeast: number): void {
  const frames = ours(framesOf(new Uint8Array(readFileSync(file))));
  expect(frames.length).toBeGreaterThanOrEqual(atLeast);
  expect(frames).toEqual(packets(file));
}

describe('frames as others see them', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(join(tmpdir(), 'kvs-oracle-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const byMuxers = goldenNames().filter((name) => /^(ffmpeg|mkvmerge)/.test(name));

  it.skipIf(!have('ffprobe')).each(byMuxers)('ffprobe: the packets of %s', (name) => {
    compare(join(GOLDEN, name), 28);
  });

  it.skipIf(!have('ffmpeg') || !have('ffprobe'))(
    'ffprobe: the packets of a longer file by ffmpeg',
    () => {
      const file = join(directory, 'ffmpeg.mkv');
      const video = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=30:duration=8'];
      const audio = ['-f', 'lavfi', '-i', 'sine=frequency=300:sample_rate=48000:duration=8'];
      const codecs = [
        '-c:v',
        'libx264',
        '-preset',
        'ultrafast',
        '-bf',
        '2',
        '-g',
        '60',
        '-c:a',
        'aac',
      ];
      run('ffmpeg', '-v', 'error', ...video, ...audio, ...codecs, file);
      compare(file, 600);
    },
  );

  it.skipIf(!have('mkvmerge') || !have('ffmpeg') || !have('ffprobe'))(
    'ffprobe: the packets of H.265 and Opus by mkvmerge',
    () => {
      const video = ['-f', 'lavfi', '-i', 'testsrc2=size=128x96:rate=25:duration=2'];
      const audio = ['-f', 'lavfi', '-i', 'sine=sample_rate=48000:duration=2'];
      const codecs = [
        '-c:v',
        'libx265',
        '-preset',
        'ultrafast',
        '-x265-params',
        'log-level=none',
        '-c:a',
        'libopus',
      ];
      const mp4 = join(directory, 'in.mp4');
      const file = join(directory, 'mkvmerge.mkv');
      run('ffmpeg', '-v', 'error', ...video, ...audio, ...codecs, mp4);
      run('mkvmerge', '-q', '-o', file, mp4);
      compare(file, 140);
    },
  );

  const VP8 = ['-c:v', 'libvpx', '-deadline', 'realtime', '-cpu-used', '8', '-c:a', 'libopus'];
  const mediabunny = new URL('../../../bench/parser/node_modules/mediabunny', import.meta.url);
  const noMediabunny = !existsSync(mediabunny) || !have('ffmpeg') || !have('ffprobe');
  it.skipIf(noMediabunny).each([
    ['H.264', 'mp4', ['-c:v', 'libx264', '-bf', '2', '-an'], []],
    ['H.264, live', 'mp4', ['-c:v', 'libx264', '-bf', '2', '-an'], ['--live']],
    ['VP8 and Opus', 'webm', [...VP8], []],
    ['VP8 and Opus, live', 'webm', [...VP8], ['--live']],
  ])(
    'ffprobe: the packets of %s by mediabunny (npm run bench -- parser)',
    (_, kind, codecs, live) => {
      const from = join(directory, `in.${kind}`);
      const file = join(directory, 'mediabunny.mkv');
      const video = ['-f', 'lavfi', '-i', 'testsrc2=size=320x240:rate=30:duration=2'];
      const audio = ['-f', 'lavfi', '-i', 'sine=frequency=300:sample_rate=48000:duration=2'];
      run('ffmpeg', '-v', 'error', '-y', ...video, ...audio, ...codecs, '-g', '30', from);
      const mux = new URL('../../support/mediabunny-mux.mjs', import.meta.url).pathname;
      run(process.execPath, mux, from, file, ...live);
      compare(file, 60);
    },
  );

  // The elements come in several packages; h264parse is in none of the better known ones.
  const elements = ['x264enc', 'h264parse', 'avenc_aac', 'aacparse', 'matroskamux'];
  it.skipIf(!elements.every(haveElement) || !have('ffprobe'))(
    'ffprobe, gst-launch-1.0: the packets of a stream by matroskamux',
    () => {
      const file = join(directory, 'gst.mkv');
      const video =
        'videotestsrc num-buffers=50 ! video/x-raw,width=128,height=96,framerate=25/1 ! x264enc key-int-max=25 ! h264parse ! mux.';
      const audio = 'audiotestsrc num-buffers=90 ! avenc_aac ! aacparse ! mux.';
      const mux = `matroskamux name=mux streamable=true ! filesink location=${file}`;
      run('gst-launch-1.0', '-q', ...`${mux} ${video} ${audio}`.split(' '));
      compare(file, 130);
    },
  );
});

/** The media of a recorded chunked request. */
function body(file: string): Uint8Array {
  const bytes = readFileSync(join(RECORDINGS, file));
  const parts: Buffer[] = [];
  let at = bytes.indexOf('\r\n\r\n') + 4;
  for (;;) {
    const lineEnd = bytes.indexOf('\r\n', at);
    const size = Number.parseInt(bytes.toString('latin1', at, lineEnd), 16);
    if (!(size > 0)) return new Uint8Array(Buffer.concat(parts));
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
}

describe.skipIf(!existsSync(RECORDINGS))(
  'recordings of real clients (../shared/recordings)',
  () => {
    it('H.264: frames of every fragment, with an END_OF_FRAGMENT tag at the end', () => {
      const media = body('aws-c-h264/4-putMedia.http');
      const frames = framesOf(media);
      expect(frames.length).toBeGreaterThan(60);
      expect(frames[0]?.track).toMatchObject({ type: 1, codecId: 'V_MPEG4/ISO/AVC' });
      const clusters = new Set(frames.map((frame) => frame.clusterTimecodeMs));
      expect(frames.filter((frame) => frame.keyFrame)).toHaveLength(clusters.size);
      expect(dump([media]).findLast((text) => text.includes('TAG_NAME'))).toContain(
        'END_OF_FRAGMENT',
      );
    });

    it('audio: every frame is there', () => {
      const frames = framesOf(body('aws-c-audio/3-putMedia.http'));
      expect(frames.length).toBeGreaterThan(100);
      expect(frames[0]?.track).toMatchObject({ type: 2, codecId: 'A_AAC' });
      expect(frames[0]?.timecodeMs).toBe(0);
    });

    it('tags alone, and tags before the first Cluster', () => {
      const alone = body('aws-c-after-4004/1-putMedia-tags-only.http');
      expect(alone).toHaveLength(84);
      expect(framesOf(alone)).toEqual([]);
      expect(dump([alone]).some((text) => text.includes('END_OF_FRAGMENT'))).toBe(true);
      expect(
        framesOf(body('aws-c-after-4004/2-putMedia-tag-before-first-cluster.http')).length,
      ).toBeGreaterThan(30);
    });

    it('are all there', () => {
      expect(readdirSync(RECORDINGS)).toContain('aws-c-h264');
    });
  },
);
