import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join as joinPath } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  applyVisitor,
  CompositeMkvElementVisitor,
  CopyVisitor,
  FOR_COPYING,
  FragmentMetadataVisitor,
  FrameVisitor,
  mergeSegments,
  mergeTransformStream,
  MKV_ID,
  frameTransformStream,
  OutputSegmentMerger,
  StreamingMkvReader,
  type MediaFrame,
  type MergeSegmentsOptions,
  type MkvElementVisitor,
} from '../../../lib/parser/index.js';
import { cut, dump, element, golden, goldenNames, header, join, singles } from './helpers.js';
import { asGetMedia, cutOut, framesOf, have, run, tags, u64 } from './media.js';

const plain = (frames: readonly MediaFrame[]) =>
  frames.map(({ trackNumber, timecodeMs, keyFrame, data }) => ({
    trackNumber,
    timecodeMs,
    keyFrame,
    data: [...data],
  }));

/** The playable segments that come out, each as bytes. */
async function merge(
  chunks: Iterable<Uint8Array>,
  options: MergeSegmentsOptions = {},
): Promise<Uint8Array[]> {
  const segments: Uint8Array[][] = [];
  const onSegment = () => void segments.push([]);
  for await (const bytes of mergeSegments(chunks, { onSegment, ...options }))
    segments.at(-1)?.push(bytes);
  return segments.map((parts) => join(...parts));
}

function visitAll(bytes: Uint8Array, visitor: MkvElementVisitor): void {
  const reader = new StreamingMkvReader(FOR_COPYING);
  reader.push(bytes);
  reader.end();
  applyVisitor(reader, visitor);
}

/** A stream of the Web kind with these chunks. */
function webStream(chunks: readonly Uint8Array[]): ReadableStream<Uint8Array> {
  return new ReadableStream({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(chunk);
      controller.close();
    },
  });
}

async function fromWeb<T>(stream: ReadableStream<T>): Promise<T[]> {
  const all: T[] = [];
  const reader = stream.getReader();
  for (let step = await reader.read(); !step.done; step = await reader.read()) all.push(step.value);
  return all;
}

describe('CopyVisitor', () => {
  it.each(goldenNames())('writes %s again, byte for byte', (name) => {
    const bytes = golden(name);
    for (const chunks of [[bytes], cut(bytes, 999, 1000), singles(bytes)]) {
      const parts: Uint8Array[] = [];
      const copy = new CopyVisitor((part) => parts.push(part.slice()));
      const reader = new StreamingMkvReader(FOR_COPYING);
      for (const chunk of chunks) {
        reader.push(chunk);
        applyVisitor(reader, copy);
      }
      expect(join(...parts)).toEqual(bytes);
    }
  });

  it('refuses a reader that skips', () => {
    const reader = new StreamingMkvReader();
    reader.push(golden('odd.mkv'));
    expect(() => applyVisitor(reader, new CopyVisitor(() => undefined))).toThrow(/FOR_COPYING/);
  });
});

describe('visitors together', () => {
  it('see the same events and stop when one is done', () => {
    const frames: MediaFrame[] = [];
    const ended: (string | undefined)[] = [];
    const metadata = new FragmentMetadataVisitor();
    const frameVisitor = new FrameVisitor({
      onFrame: (frame) => {
        expect(metadata.fragment?.fragmentNumber).toBe(frame.fragment?.fragmentNumber);
        frames.push(frame);
      },
      onFragmentEnd: (fragment) => ended.push(fragment.continuationToken),
    });
    visitAll(golden('getmedia.mkv'), new CompositeMkvElementVisitor(metadata, frameVisitor));
    frameVisitor.finish();
    expect(plain(frames)).toEqual(plain(framesOf(golden('getmedia.mkv'))));
    expect(ended).toHaveLength(3);
    expect(metadata.continuationToken).toBe(ended[2]);
    expect(metadata.millisBehindNow).toBe(11858);

    let seen = 0;
    const few = { visit: () => void (seen += 1), isDone: () => seen === 5 };
    visitAll(
      golden('getmedia.mkv'),
      new CompositeMkvElementVisitor(few, new FragmentMetadataVisitor()),
    );
    expect(seen).toBe(5);
  });

  it('leave an in-band error to onError, else throw it', () => {
    const bytes = join(
      header(MKV_ID.SEGMENT, undefined, 8),
      tags(['AWS_KINESISVIDEO_ERROR_ID', '5000']),
    );
    const seen: string[] = [];
    const onFrame = () => undefined;
    visitAll(bytes, new FrameVisitor({ onFrame, onError: (error) => seen.push(error.status) }));
    expect(seen).toEqual(['STATUS_ACK_ERR_ACK_INTERNAL_ERROR']);
    expect(() => visitAll(bytes, new FrameVisitor({ onFrame }))).toThrow(/5000/);
  });
});

describe('OutputSegmentMerger', () => {
  it('makes one segment of chunks with equal heads, clusters byte for byte', async () => {
    const bytes = golden('getmedia.mkv');
    const [merged, ...more] = await merge([bytes]);
    expect(more).toEqual([]);
    expect(plain(framesOf(merged ?? new Uint8Array()))).toEqual(plain(framesOf(bytes)));
    const kept = dump([merged ?? new Uint8Array()]).filter(
      (text) =>
        / (EBML|SEGMENT|INFO|TRACKS|CLUSTER|TAGS)( |$)/.test(text) && text.includes('masterStart'),
    );
    expect(kept.map((text) => text.trim().split(' ')[2])).toEqual([
      ...['EBML', 'SEGMENT', 'INFO', 'TRACKS'],
      ...['TAGS', 'CLUSTER', 'TAGS', 'TAGS', 'CLUSTER', 'TAGS', 'TAGS', 'TAGS', 'CLUSTER', 'TAGS'],
    ]);
    const fragments: (string | undefined)[] = [];
    const frameVisitor = new FrameVisitor({
      onFrame: () => undefined,
      onFragmentEnd: (fragment) => fragments.push(fragment.fragmentNumber),
    });
    visitAll(merged ?? new Uint8Array(), frameVisitor);
    expect(new Set(fragments).size).toBe(3);
  });

  it('gives the same output in any chunking', async () => {
    const bytes = join(golden('getmedia.mkv'), golden('ffmpeg-file.mkv'));
    const whole = await merge([bytes]);
    expect(whole).toHaveLength(2);
    expect(await merge(singles(bytes))).toEqual(whole);
    expect(await merge(cut(bytes, 1, 500, 3000, 3405, 6000))).toEqual(whole);
  });

  it('begins a new segment when tracks change, and stops there when told to', async () => {
    const a = golden('getmedia.mkv');
    const b = golden('putmedia.mkv');
    const segments = await merge([a, b, a]);
    expect(segments.map((bytes) => framesOf(bytes).length)).toEqual([18, 4, 18]);
    const first = await merge([a, b, a], { stopAtFirstNonMatching: true });
    expect(first).toEqual([segments[0]]);
  });

  it('leaves out what indexes one chunk alone, and tags when told to', async () => {
    const [merged] = await merge([golden('ffmpeg-file.mkv')], { tags: 'drop' });
    const lines = dump([merged ?? new Uint8Array()]).join('\n');
    expect(lines).not.toMatch(/SEEK_HEAD|CUES|element DURATION|VOID|TAGS/);
    expect(lines).toMatch(/MUXING_APP/);
  });

  it('refuses media before any Tracks', async () => {
    const bytes = element(MKV_ID.CLUSTER, element(MKV_ID.TIMESTAMP, [0]));
    await expect(merge([bytes])).rejects.toMatchObject({
      status: 'STATUS_MKV_TRACK_INFO_NOT_FOUND',
    });
  });

  it('bounds what stands before a Cluster', () => {
    const merger = new OutputSegmentMerger({ write: () => undefined });
    const reader = new StreamingMkvReader(FOR_COPYING);
    const many = element(
      MKV_ID.TAGS,
      element(
        MKV_ID.TAG,
        element(
          MKV_ID.SIMPLE_TAG,
          element(
            MKV_ID.TAG_STRING,
            Array.from({ length: 1 << 20 }, () => 65),
          ),
        ),
      ),
    );
    reader.push(header(MKV_ID.SEGMENT, undefined, 8));
    expect(() => {
      for (let i = 0; i < 20; i += 1) {
        reader.push(many);
        applyVisitor(reader, merger);
      }
    }).toThrow(/before a Cluster/);
  });

  it('makes times begin at zero, and go on when a session begins again at zero', async () => {
    const head = join(
      cutOut(golden('getmedia.mkv'), MKV_ID.EBML, MKV_ID.INFO, MKV_ID.TRACKS).slice(),
    );
    expect(head.length).toBeGreaterThan(100);
    const doc = (time: number, producer?: string) =>
      join(
        cutOut(golden('putmedia.mkv'), MKV_ID.EBML),
        header(MKV_ID.SEGMENT, undefined, 8),
        cutOut(golden('putmedia.mkv'), MKV_ID.INFO, MKV_ID.TRACKS),
        ...(producer === undefined
          ? []
          : [
              tags(
                ['AWS_KINESISVIDEO_FRAGMENT_NUMBER', '1'],
                ['AWS_KINESISVIDEO_PRODUCER_TIMESTAMP', producer],
              ),
            ]),
        header(MKV_ID.CLUSTER, undefined, 1),
        element(MKV_ID.TIMESTAMP, u64(time)),
        element(MKV_ID.SIMPLE_BLOCK, [0x81, 0, 0, 0x80, 1]),
        element(MKV_ID.SIMPLE_BLOCK, [0x81, 0, 40, 0, 2]),
      );
    const times = async (...docs: Uint8Array[]) => {
      const [merged] = await merge(docs, { times: 'fromZero' });
      return framesOf(merged ?? new Uint8Array()).map((frame) => frame.timecodeMs);
    };
    expect(await times(doc(5000), doc(7000))).toEqual([0, 40, 2000, 2040]);
    expect(await times(doc(5000), doc(7000), doc(0), doc(2000))).toEqual([
      0, 40, 2000, 2040, 2041, 2081, 4041, 4081,
    ]);
    expect(await times(doc(5000, '100.000'), doc(0, '103.500'))).toEqual([0, 40, 3500, 3540]);
    expect(await times(doc(0, '100.000'), doc(2000, '160.000'))).toEqual([0, 40, 60000, 60040]);
    expect(await times(doc(0, '100.000'), doc(2000, '102.010'))).toEqual([0, 40, 2000, 2040]);
  });
});

describe('Web streams', () => {
  it('give frames and playable segments', async () => {
    const bytes = golden('getmedia.mkv');
    const chunks = cut(bytes, 100, 2000);
    const frames = await fromWeb(webStream(chunks).pipeThrough(frameTransformStream()));
    expect(plain(frames)).toEqual(plain(framesOf(bytes)));
    const merged = await fromWeb(
      webStream(chunks).pipeThrough(mergeTransformStream({ tags: 'drop' })),
    );
    expect([join(...merged)]).toEqual(await merge([bytes], { tags: 'drop' }));
    const stopped = await fromWeb(
      webStream([bytes, golden('putmedia.mkv'), bytes]).pipeThrough(
        mergeTransformStream({ stopAtFirstNonMatching: true }),
      ),
    );
    expect([join(...stopped)]).toEqual(await merge([bytes]));
  });

  it('error at a fault in the input', async () => {
    const broken = webStream([Uint8Array.of(0, 0, 0)]).pipeThrough(frameTransformStream());
    await expect(fromWeb(broken)).rejects.toThrow(/byte 0/);
    const cutOff = webStream([golden('getmedia.mkv').slice(0, 1000)]).pipeThrough(
      frameTransformStream(),
    );
    await expect(fromWeb(cutOff)).rejects.toMatchObject({ status: 'STATUS_UNEXPECTED_EOF' });
  });
});

describe('what comes out, read by others', () => {
  let directory = '';
  const files: { path: string; name: string }[] = [];
  beforeAll(async () => {
    directory = mkdtempSync(joinPath(tmpdir(), 'kvs-merger-'));
    for (const name of ['ffmpeg-file.mkv', 'mkvmerge-laced.mkv']) {
      for (const options of [
        {},
        { times: 'fromZero' },
        { tags: 'drop', times: 'fromZero' },
      ] as const) {
        const [bytes] = await merge(
          asGetMedia(name, options.times === undefined ? 0 : 1_795_000_000_000),
          options,
        );
        const path = joinPath(directory, `${files.length}.mkv`);
        writeFileSync(path, bytes ?? new Uint8Array());
        files.push({ path, name });
      }
    }
  });
  afterAll(() => rmSync(directory, { recursive: true }));

  it.skipIf(!have('mkvinfo'))('mkvinfo: reads it to its end without a warning', () => {
    for (const { path, name } of files) {
      const { out, err } = run('mkvinfo', '--ui-language', 'en_US', '-v', '-v', path);
      expect(`${out}${err}`).not.toMatch(/warning|error|unknown element|invalid/i);
      expect(out.match(/\+ Simple block/g)?.length).toBe(framesOf(golden(name)).length);
    }
  });

  it.skipIf(!have('ffprobe'))('ffprobe: reads it to its end without a warning', () => {
    for (const { path } of files) {
      const { out, err } = run(
        'ffprobe',
        '-v',
        'warning',
        '-count_packets',
        '-show_entries',
        'stream=codec_name,nb_read_packets',
        '-of',
        'csv=p=0',
        path,
      );
      expect(err).toBe('');
      expect(out.trim().split('\n')).toEqual(['h264,15', 'aac,13']);
    }
  });

  it.skipIf(!have('ffmpeg'))('ffmpeg: decodes it to the pictures and sounds of the source', () => {
    const hashes = (file: string, kind: string) =>
      run('ffmpeg', '-v', 'warning', '-i', file, '-map', `0:${kind}`, '-f', 'framemd5', '-')
        .out.split('\n')
        .filter((text) => /^\d,/.test(text))
        .map((text) => text.split(',').at(-1)?.trim());
    for (const { path, name } of files) {
      const source = new URL(`../../golden/mkv/${name}`, import.meta.url).pathname;
      expect(hashes(source, 'v')).toHaveLength(15);
      expect(hashes(path, 'v')).toEqual(hashes(source, 'v'));
      expect(hashes(path, 'a').length).toBeGreaterThan(10);
      expect(hashes(path, 'a')).toEqual(hashes(source, 'a'));
    }
  });
});
