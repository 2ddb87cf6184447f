import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  FrameTransform,
  getMediaForFragments,
  hlsUrl,
  listFragments,
  saveClip,
  type FragmentInfo,
  type ListFragmentsOptions,
} from '../../../lib/consumer/index.js';
import { readFrames, type MediaFrame } from '../../../lib/parser/index.js';
import { cut, dump, golden } from '../parser/helpers.js';
import { framesOf, have, run } from '../parser/media.js';
import { withService } from '../service/helpers.js';
import { connectionTo, fill, fillReal, numberOf, putReal, START, withServer } from './helpers.js';

async function list(options: ListFragmentsOptions): Promise<FragmentInfo[]> {
  const found: FragmentInfo[] = [];
  for await (const fragment of listFragments(options)) found.push(fragment);
  return found.sort((a, b) => a.producerTimestampMs - b.producerTimestampMs);
}

const DAY = { from: START - 86_400_000, to: START + 86_400_000 };

describe('stored fragments', () => {
  it('are listed page by page, and by their times', async () => {
    await withService({}, async (service) => {
      await fill(service, 'cam', 5, 3, 100);
      const connection = connectionTo(service, 'cam');
      const all = await list({ ...connection, pageSize: 2 });
      expect(all.map((fragment) => fragment.producerTimestampMs - START)).toEqual([
        0, 2000, 4000, 6000, 8000,
      ]);
      expect(all[0]?.size).toBeGreaterThan(300);
      expect(all[0]?.durationMs).toBeGreaterThanOrEqual(80);
      const some = await list({ ...connection, range: { from: START + 2000, to: START + 5000 } });
      expect(some).toEqual(all.slice(1, 3));
      await expect(list(connectionTo(service, 'nothing'))).rejects.toThrow(/stream nothing/);
    });
  });

  it('come in the order asked for, whichever worker is done first', async () => {
    await withService({}, async (service) => {
      await fill(service, 'cam', 9, 4, 3000);
      const connection = connectionTo(service, 'cam');
      const wanted = (await list(connection)).map((fragment) => fragment.fragmentNumber).reverse();
      for (const sizes of [
        { workers: 1, batchSize: 9 },
        { workers: 3, batchSize: 2 },
        { workers: 5, batchSize: 1 },
      ]) {
        const numbers: number[] = [];
        const media = getMediaForFragments({ ...connection, ...sizes, fragments: wanted });
        for await (const frame of readFrames(media)) numbers.push(numberOf(frame));
        expect(numbers).toEqual(
          [8, 7, 6, 5, 4, 3, 2, 1, 0].flatMap((f) => [0, 1, 2, 3].map((i) => f * 1000 + i)),
        );
      }
    });
  });

  it('stop being fetched when nobody takes them, or the signal aborts', async () => {
    await withService({}, async (service) => {
      await fill(service, 'cam', 6, 2, 1000);
      const connection = connectionTo(service, 'cam');
      const wanted = (await list(connection)).map((fragment) => fragment.fragmentNumber);
      for await (const chunk of getMediaForFragments({ ...connection, fragments: wanted })) {
        expect(chunk.length).toBeGreaterThan(0);
        break;
      }
      const signal = AbortSignal.abort(new Error('no more'));
      const media = getMediaForFragments({ ...connection, fragments: wanted, signal });
      await expect(media.next()).rejects.toThrow('no more');
    });
  });
});

describe('saveClip', () => {
  let directory = '';
  beforeAll(() => {
    directory = mkdtempSync(joinPath(tmpdir(), 'kvs-clip-'));
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  const plain = (frames: readonly MediaFrame[], from: number) =>
    frames.map(
      (frame) =>
        `${frame.trackNumber} ${frame.timecodeMs - from} ${frame.keyFrame} ${frame.data.length}`,
    );

  it.each(['ffmpeg-file.mkv', 'mkvmerge-laced.mkv', 'ffmpeg.webm'])(
    'writes %s as one file with an index',
    async (name) => {
      await withService({}, async (service) => {
        const count = await fillReal(service, 'cam', name);
        const path = joinPath(directory, `from-${name}`);
        const clip = await saveClip({ ...connectionTo(service, 'cam'), range: DAY, path });
        expect(clip.frames).toBe(count);
        expect(clip.durationMs).toBeGreaterThan(1400);
        expect(clip.durationMs).toBeLessThan(1800);
        const bytes = new Uint8Array(readFileSync(path));
        const source = framesOf(golden(name));
        expect(plain(framesOf(bytes), 0)).toEqual(plain(source, source[0]?.timecodeMs ?? 0));
        const lines = dump([bytes]);
        expect(lines.filter((text) => text.includes('masterStart') && text.endsWith('?'))).toEqual(
          [],
        );
        expectPositions(lines);
        expect(readdirSync(directory).filter((file) => /merging|writing/.test(file))).toEqual([]);
      });
    },
  );

  /** Every position that SeekHead and Cues tell is where such an element begins. */
  function expectPositions(lines: readonly string[]): void {
    const starts = new Map(
      lines
        .filter((text) => text.includes('masterStart'))
        .map((text) => [Number.parseInt(text.trim(), 10), text.trim().split(' ')[2]]),
    );
    const [segment] = [...starts].find(([, name]) => name === 'SEGMENT') ?? [0];
    const positions = (name: string) =>
      lines
        .filter((text) => text.includes(` ${name} `))
        .map((text) => Number(text.split(' ').at(-1)));
    expect(positions('SEEK_POSITION').map((at) => starts.get(segment + 12 + at))).toEqual([
      'INFO',
      'TRACKS',
      'CUES',
    ]);
    const clusters = positions('CUE_CLUSTER_POSITION').map((at) => starts.get(segment + 12 + at));
    expect(clusters.length).toBeGreaterThan(0);
    expect(new Set(clusters)).toEqual(new Set(['CLUSTER']));
  }

  it.skipIf(!have('mkvinfo'))('mkvinfo: reads the file without a warning', () => {
    for (const file of readdirSync(directory)) {
      const { out, err } = run(
        'mkvinfo',
        '--ui-language',
        'en_US',
        '-v',
        '-v',
        joinPath(directory, file),
      );
      expect(`${out}${err}`).not.toMatch(/warning|error|unknown element|invalid|size is unknown/i);
      expect(out).toContain('Duration');
    }
  });

  it.skipIf(!have('ffmpeg') || !have('ffprobe'))(
    'ffprobe, ffmpeg: play it like the source, and seek in it',
    () => {
      const hashes = (file: string, kind: string, ...seek: string[]) =>
        run(
          'ffmpeg',
          '-v',
          'warning',
          ...seek,
          '-i',
          file,
          '-map',
          `0:${kind}`,
          '-f',
          'framemd5',
          '-',
        )
          .out.split('\n')
          .filter((text) => /^\d,/.test(text))
          .map((text) => text.split(',').at(-1)?.trim());
      for (const file of readdirSync(directory)) {
        const path = joinPath(directory, file);
        const source = new URL(`../../golden/mkv/${file.replace('from-', '')}`, import.meta.url)
          .pathname;
        const { out, err } = run(
          'ffprobe',
          '-v',
          'warning',
          '-show_entries',
          'format=duration',
          '-of',
          'csv=p=0',
          path,
        );
        expect(err).toBe('');
        expect(Number(out)).toBeGreaterThan(1.4);
        expect(hashes(path, 'v')).toEqual(hashes(source, 'v'));
        // The last Opus packet of the source says how much of it to drop; a SimpleBlock cannot.
        expect(hashes(path, 'a').slice(0, -2)).toEqual(hashes(source, 'a').slice(0, -2));
        expect(hashes(path, 'v', '-ss', '1').length).toBeLessThan(hashes(path, 'v').length);
      }
    },
  );

  it.skipIf(!have('ffmpeg') || !have('ffprobe'))(
    'ffprobe, ffmpeg: play it as MP4 like the source',
    async () => {
      await withService({}, async (service) => {
        for (const name of ['ffmpeg-file.mkv', 'mkvmerge-laced.mkv']) {
          const stream = name.replace(/\W/g, '-');
          const count = await fillReal(service, stream, name);
          const path = joinPath(directory, `${stream}.mp4`);
          const clip = await saveClip({ ...connectionTo(service, stream), range: DAY, path });
          expect(clip.frames).toBe(count);
          const entries = 'stream=codec_name,nb_frames,start_time:format=duration';
          const { out, err } = run(
            'ffprobe',
            '-v',
            'warning',
            '-show_entries',
            entries,
            '-of',
            'csv=p=0',
            path,
          );
          expect(err).toBe('');
          const [video, audio, format] = out.trim().split('\n');
          expect(video).toMatch(/^h264,[\d.]+,15$/);
          expect(audio).toMatch(/^aac,[\d.]+,13$/);
          expect(Math.abs(Number(format) * 1000 - clip.durationMs)).toBeLessThan(5);
          const source = new URL(`../../golden/mkv/${name}`, import.meta.url).pathname;
          const pictures = (file: string) =>
            run('ffmpeg', '-v', 'warning', '-i', file, '-map', '0:v', '-f', 'framemd5', '-')
              .out.split('\n')
              .filter((text) => /^\d,/.test(text))
              .map((text) => text.split(',').at(-1)?.trim());
          expect(pictures(path)).toEqual(pictures(source));
          const packets = (file: string, kind: string) =>
            run(
              'ffprobe',
              '-v',
              'error',
              '-select_streams',
              kind,
              '-show_entries',
              'packet=pts_time,size',
              '-of',
              'csv=p=0',
              file,
            )
              .out.trim()
              .split('\n')
              .filter((text) => /^[-\d.]+,\d+/.test(text))
              .map((text) => text.split(',').map(Number));
          for (const kind of ['v', 'a']) {
            const [ours, theirs] = [packets(path, kind), packets(source, kind)];
            expect(ours.map(([, size]) => size)).toEqual(theirs.map(([, size]) => size));
            const gap = (theirs[0]?.[0] ?? 0) - (ours[0]?.[0] ?? 0);
            ours.forEach(([time = 0], i) => expect(time + gap).toBeCloseTo(theirs[i]?.[0] ?? 0, 2));
          }
          rmSync(path);
        }
      });
    },
  );

  it('says which codec MP4 cannot hold, and leaves no file', async () => {
    await withService({}, async (service) => {
      await fillReal(service, 'cam', 'ffmpeg.webm');
      const before = readdirSync(directory);
      const path = joinPath(directory, 'vp8.mp4');
      const saving = saveClip({ ...connectionTo(service, 'cam'), range: DAY, path });
      await expect(saving).rejects.toThrow(/codec V_VP8.*save the clip as mkv/);
      expect(readdirSync(directory)).toEqual(before);
    });
  });

  it('follows the producer’s clock where a session began anew', async () => {
    await withService({}, async (service) => {
      await fillReal(service, 'cam', 'ffmpeg.webm');
      await putReal(service, 'cam', 'ffmpeg.webm', START + 10_000);
      const path = joinPath(directory, 'two.mkv');
      const clip = await saveClip({ ...connectionTo(service, 'cam'), range: DAY, path });
      rmSync(path);
      expect(clip.durationMs).toBeGreaterThan(11_400);
      expect(clip.durationMs).toBeLessThan(11_900);
    });
  });

  it('says when there is nothing, or when tracks change, and leaves no file', async () => {
    await withService({}, async (service) => {
      await fillReal(service, 'cam', 'ffmpeg.webm');
      const connection = connectionTo(service, 'cam');
      const before = readdirSync(directory);
      const path = joinPath(directory, 'none.mkv');
      const early = { from: 1000, to: 2000 };
      await expect(saveClip({ ...connection, range: early, path })).rejects.toMatchObject({
        status: 'STATUS_NOT_FOUND',
      });
      await putReal(service, 'cam', 'ffmpeg-file.mkv', START + 10_000);
      await expect(saveClip({ ...connection, range: DAY, path })).rejects.toThrow(/tracks change/);
      expect(readdirSync(directory)).toEqual(before);
    });
  });
});

describe('FrameTransform', () => {
  it('gives frames in a pipeline, and passes faults on', async () => {
    const bytes = golden('getmedia.mkv');
    const sizes: number[] = [];
    await pipeline(
      Readable.from(cut(bytes, 5, 700)),
      new FrameTransform(),
      async (frames: AsyncIterable<MediaFrame>) => {
        for await (const frame of frames) sizes.push(frame.data.length);
      },
    );
    expect(sizes).toEqual(framesOf(bytes).map((frame) => frame.data.length));
    const broken = pipeline(
      Readable.from([bytes.slice(0, 1500)]),
      new FrameTransform(),
      async (frames: AsyncIterable<MediaFrame>) => {
        for await (const frame of frames) sizes.push(frame.data.length);
      },
    );
    await expect(broken).rejects.toMatchObject({ status: 'STATUS_UNEXPECTED_EOF' });
  });
});

describe('hlsUrl', () => {
  it('asks for a session as told, and gives its URL', async () => {
    const answer = {
      HLSStreamingSessionURL: 'https://127.0.0.1/hls/v1/getHLSMasterPlaylist.m3u8?SessionToken=x',
    };
    await withServer(
      (_, response) =>
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer)),
      async (endpoint, requests) => {
        const connection = { ...connectionTo({ endpoint }, 'cam'), dataEndpoint: endpoint };
        const range = { timestamps: 'server', from: 1000, to: 2500 } as const;
        expect(
          await hlsUrl({
            ...connection,
            mode: 'onDemand',
            range,
            expires: 600_000,
            discontinuity: 'never',
          }),
        ).toBe(answer.HLSStreamingSessionURL);
        expect(requests).toEqual([
          {
            path: '/getHLSStreamingSessionURL',
            body: {
              StreamName: 'cam',
              PlaybackMode: 'ON_DEMAND',
              HLSFragmentSelector: {
                FragmentSelectorType: 'SERVER_TIMESTAMP',
                TimestampRange: { StartTimestamp: 1, EndTimestamp: 2.5 },
              },
              Expires: 600,
              DiscontinuityMode: 'NEVER',
            },
          },
        ]);
      },
    );
  });

  it('gives an address that the service knows a session by', async () => {
    await withService({}, async (service) => {
      await fillReal(service, 'cam', 'ffmpeg-file.mkv');
      const connection = connectionTo(service, 'cam');
      const range = { from: START - 1000, to: START + 60_000 };
      const url = await hlsUrl({ ...connection, mode: 'onDemand', range });
      expect(url).toMatch(/\/hls\/v1\/getHLSMasterPlaylist\.m3u8\?SessionToken=[\w-]+$/);
      // The session is good; a bad one would be refused with 403.
      const playlist = await fetch(url);
      expect([playlist.status, await playlist.text()]).toEqual([
        501,
        expect.stringContaining('no playlists and fragments yet'),
      ]);
      expect((await fetch(`${url}x`)).status).toBe(403);
      await expect(hlsUrl(connectionTo(service, 'nothing'))).rejects.toThrow(/stream nothing/);
      const early = { from: 1000, to: 2000 };
      await expect(hlsUrl({ ...connection, mode: 'onDemand', range: early })).rejects.toThrow(
        /ResourceNotFoundException/,
      );
    });
  });
});
