import { createReadStream } from 'node:fs';
import { Readable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { KvsError } from '../../../lib/base/errors.js';
import {
  FrameReader,
  MKV_ID,
  readFrames,
  readMedia,
  type ByteSource,
  type FragmentMetadata,
  type MediaEvent,
  type MediaFrame,
} from '../../../lib/parser/index.js';
import { cut, element, golden, goldenNames, header, join, singles } from './helpers.js';
import { tags } from './media.js';

async function frames(
  chunks: ByteSource,
  onFragmentEnd?: (fragment: FragmentMetadata) => void,
): Promise<MediaFrame[]> {
  const out: MediaFrame[] = [];
  const options = onFragmentEnd === undefined ? {} : { onFragmentEnd };
  for await (const frame of readFrames(chunks, options)) out.push(frame);
  return out;
}

/** Frames of chunks through a FrameReader that gives pieces. */
function framesIn(chunks: readonly Uint8Array[], see?: (frame: MediaFrame) => void): unknown[] {
  const reader = new FrameReader({ lend: true, pieces: true });
  const found: unknown[] = [];
  for (const chunk of chunks) reader.push(chunk);
  reader.end();
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    if (event.kind !== 'frame') continue;
    see?.(event);
    found.push([short(event), event.durationMs, event.clusterTimecodeMs, [...event.data]]);
  }
  return found;
}

const short = (frame: MediaFrame): string =>
  `${frame.trackNumber} ${frame.timecodeMs} ${frame.keyFrame ? 'K' : '-'}${frame.discardable ? 'D' : '-'}${frame.invisible ? 'I' : '-'} ${frame.data.length}`;

describe('readFrames of a GetMedia payload', () => {
  it('gives frames with times, flags, track and fragment', async () => {
    const all = await frames([golden('getmedia.mkv')]);
    expect(all.slice(0, 6).map(short)).toEqual([
      '1 1511852108513 K-- 200',
      '2 1511852108513 K-- 20',
      '1 1511852108646 --- 90',
      '1 1511852108580 -D- 40',
      '1 1511852108546 -DI 30',
      '2 1511852108577 K-- 20',
    ]);
    expect(all).toHaveLength(18);
    expect(all[7]?.clusterTimecodeMs).toBe(1511852110513);
    expect(all[7]?.fragment?.fragmentNumber).toMatch(/^9134385233318150666\d{27}3$/);
    expect(all[0]?.data[3]).toBe(21);
    expect(all[0]?.track).toMatchObject({
      number: 1,
      uid: 0x8877665544332211n,
      type: 1,
      codecId: 'V_MPEG4/ISO/AVC',
      name: 'front door',
      pixelWidth: 640,
      pixelHeight: 480,
      samplingFrequency: undefined,
    });
    expect(all[0]?.track?.codecPrivate).toHaveLength(12);
    expect(all[1]?.track).toMatchObject({
      type: 2,
      codecId: 'A_AAC',
      samplingFrequency: 48000,
      channels: 2,
      bitDepth: 16,
    });
  });

  it('tells each fragment with the tags around it', async () => {
    const ended: FragmentMetadata[] = [];
    const all = await frames([golden('getmedia.mkv')], (fragment) => ended.push(fragment));
    expect(ended).toHaveLength(3);
    expect(ended[1]).toMatchObject({
      serverTimestampMs: 1511852111126,
      producerTimestampMs: 1511852110513,
      millisBehindNow: 13858,
      clusterTimecodeMs: 1511852110513,
      tags: [
        { name: 'door', value: 'open' },
        { name: 'temperature', value: '21.5' },
      ],
    });
    expect(ended[1]?.continuationToken).toBe(ended[1]?.fragmentNumber);
    expect(ended[0]?.tags).toEqual([]);
    expect(all[6]?.fragment).toBe(ended[1]);
  });

  it('tells a fragment end before the first frame of the next one', async () => {
    const kinds: string[] = [];
    for await (const event of readMedia([golden('getmedia.mkv')])) kinds.push(event.kind);
    const one = [...Array.from({ length: 6 }, () => 'frame'), 'fragmentEnd'];
    expect(kinds).toEqual([...one, ...one, ...one]);
  });
});

describe('readFrames of other input', () => {
  it('gives a producer’s tags to the fragment that they follow', async () => {
    const ended: FragmentMetadata[] = [];
    const all = await frames([golden('putmedia.mkv')], (fragment) => ended.push(fragment));
    expect(all.map((frame) => frame.timecodeMs)).toEqual([0, 40, 80, 40]);
    expect(ended.map((fragment) => fragment.tags)).toEqual([[{ name: 'door', value: 'open' }], []]);
    expect(ended[0]?.fragmentNumber).toBeUndefined();
  });

  it('takes laces, BlockGroups and blocks before the cluster time apart', async () => {
    const all = await frames([golden('odd.mkv')]);
    expect(all.map(short)).toEqual([
      '1 5 K-- 10',
      ...['1 0 K-- 256', '1 0 K-- 3', '1 0 K-- 5'],
      ...['1 0 K-- 4', '1 0 K-- 4', '1 0 K-- 4'],
      ...['1 0 K-- 4', '1 0 K-- 6', '1 0 K-- 4', '1 0 K-- 2'],
      '1 32767 --I 12',
      '1 -2 K-- 12',
      '1 100 K-- 0',
    ]);
    expect(all[11]?.durationMs).toBe(40);
  });

  it.each(goldenNames())('gives the same frames of %s in any chunking', async (name) => {
    const bytes = golden(name);
    const plain = (all: MediaFrame[]) => all.map((frame) => ({ ...frame, data: [...frame.data] }));
    const whole = plain(await frames([bytes]));
    expect(whole.length).toBeGreaterThan(3);
    expect(plain(await frames(singles(bytes)))).toEqual(whole);
    expect(plain(await frames(cut(bytes, 1000, 1001, 2300)))).toEqual(whole);
  });

  it('copies frames unless told to lend them, out of Buffers, too', async () => {
    const bytes = Buffer.from(golden('getmedia.mkv'));
    const own: MediaFrame[] = [];
    for await (const frame of readFrames([bytes])) own.push(frame);
    const expected = (await frames([golden('getmedia.mkv')])).map((frame) => [...frame.data]);
    const lent: MediaFrame[] = [];
    for await (const frame of readFrames([bytes], { lend: true })) lent.push(frame);
    expect(lent.every((frame) => frame.data.buffer === bytes.buffer)).toBe(true);
    bytes.fill(0);
    expect(own.map((frame) => [...frame.data])).toEqual(expected);
    expect(own[0]?.track?.codecPrivate?.[1]).toBe(0x42);
  });

  it.each(goldenNames())('gives %s in pieces of the pushed chunks, never joined', (name) => {
    const bytes = golden(name);
    const whole = framesIn([bytes]);
    for (const step of [1, 7, 50, 1000]) {
      const at = Array.from({ length: Math.floor(bytes.length / step) }, (_, i) => i * step);
      const chunks = cut(bytes, ...at);
      const buffers = new Set(chunks.map((chunk) => chunk.buffer));
      const split = framesIn(chunks, (frame) => {
        for (const piece of frame.pieces ?? []) expect(buffers.has(piece.buffer)).toBe(true);
        if (frame.pieces !== undefined)
          expect(Buffer.concat(frame.pieces)).toEqual(Buffer.from(frame.data));
      });
      expect(split).toEqual(whole);
    }
  });

  it('bounds a block whose pieces pile up', () => {
    const reader = new FrameReader({ lend: true, pieces: true, maxBlockBytes: 1000 });
    reader.push(join(header(MKV_ID.CLUSTER, undefined, 8), element(MKV_ID.TIMESTAMP, [0])));
    reader.push(header(MKV_ID.SIMPLE_BLOCK, 2 ** 40));
    expect(() => reader.next()).toThrow(/maxBlockBytes is 1000/);
  });

  it('reads a Node stream and a Web stream', async () => {
    const bytes = golden('getmedia.mkv');
    let count = 0;
    for await (const frame of readFrames(Readable.from(cut(bytes, 10, 3000)))) {
      count += frame.data.length > 0 ? 1 : 0;
    }
    for await (const frame of readFrames(new Blob([Buffer.from(bytes)]).stream())) {
      count += frame.data.length > 0 ? 1 : 0;
    }
    expect(count).toBe(36);
  });
});

describe('times', () => {
  const big = (value: bigint): number[] =>
    Array.from({ length: 8 }, (_, i) => Number((value >> BigInt(56 - 8 * i)) & 0xffn));
  const at = async (scale: bigint, time: bigint, relative: number): Promise<number> => {
    const [frame] = await frames([
      element(MKV_ID.INFO, element(MKV_ID.TIMESTAMP_SCALE, big(scale))),
      element(
        MKV_ID.CLUSTER,
        element(MKV_ID.TIMESTAMP, big(time)),
        element(MKV_ID.SIMPLE_BLOCK, [0x81, (relative >> 8) & 255, relative & 255, 0x80, 1]),
      ),
    ]);
    return frame?.timecodeMs ?? Number.NaN;
  };

  it('are exact for every time code scale', async () => {
    expect(await at(1_000_000n, 1_793_813_684_288n, -3)).toBe(1_793_813_684_285);
    expect(await at(1_000n, 1_793_813_684_437_505n, 1)).toBe(1_793_813_684_437.506);
    // 100 ns since 1970 is above 2^53.
    expect(await at(100n, 17_938_136_844_375_008n, 10)).toBe(1_793_813_684_437.5018);
    expect(await at(1_000_000_000n, 5n, -1)).toBe(4000);
  });
});

describe('faults', () => {
  const errorDocument = join(
    header(MKV_ID.SEGMENT, undefined, 1),
    element(
      MKV_ID.TAGS,
      element(
        MKV_ID.TAG,
        element(
          MKV_ID.SIMPLE_TAG,
          element(MKV_ID.TAG_NAME, 'AWS_KINESISVIDEO_ERROR_ID'),
          element(MKV_ID.TAG_STRING, '4500'),
        ),
        element(
          MKV_ID.SIMPLE_TAG,
          element(MKV_ID.TAG_NAME, 'AWS_KINESISVIDEO_ERROR_CODE'),
          element(MKV_ID.TAG_STRING, "Access denied for the stream's KMS key"),
        ),
      ),
    ),
  );

  it('throws an in-band error after the frames before it', async () => {
    const seen: MediaFrame[] = [];
    const reading = (async () => {
      for await (const frame of readFrames([golden('getmedia.mkv'), errorDocument]))
        seen.push(frame);
    })();
    await expect(reading).rejects.toMatchObject({ status: 'STATUS_ACK_ERR_KMS_KEY_ACCESS_DENIED' });
    await expect(reading).rejects.toThrow(/4500: Access denied/);
    expect(seen).toHaveLength(18);
  });

  it('gives an in-band error to onError instead', async () => {
    const errors: KvsError[] = [];
    for await (const frame of readFrames([errorDocument], {
      onError: (error) => errors.push(error),
    })) {
      expect(frame).toBeUndefined();
    }
    expect(errors.map((error) => error.retryable)).toEqual([false]);
  });

  it('reads the tags of GetMediaForFragmentList, its exceptions included', async () => {
    const document = (media: Uint8Array, ...pairs: [string, string][]) =>
      join(header(MKV_ID.SEGMENT, undefined, 8), tags(...pairs), media);
    const cluster = element(
      MKV_ID.CLUSTER,
      element(MKV_ID.TIMESTAMP, [5]),
      element(MKV_ID.SIMPLE_BLOCK, [0x81, 0, 0, 0x80, 1]),
    );
    const ended: FragmentMetadata[] = [];
    const errors: string[] = [];
    const options = {
      onFragmentEnd: (fragment: FragmentMetadata) => void ended.push(fragment),
      onError: (error: KvsError) => void errors.push(error.message),
    };
    const numbers: (string | undefined)[] = [];
    for await (const frame of readFrames(
      [
        document(
          new Uint8Array(),
          ['AWS_KINESISVIDEO_FRAGMENT_NUMBER', '1'],
          ['AWS_KINESISVIDEO_EXCEPTION_ERROR_CODE', '4000'],
          ['AWS_KINESISVIDEO_EXCEPTION_MESSAGE', 'not found'],
        ),
        document(
          cluster,
          ['AWS_KINESISVIDEO_FRAGMENT_NUMBER', '2'],
          ['AWS_KINESISVIDEO_SERVER_SIDE_TIMESTAMP', '10.5'],
          ['AWS_KINESISVIDEO_PRODUCER_SIDE_TIMESTAMP', '10.25'],
        ),
      ],
      options,
    )) {
      numbers.push(frame.fragment?.fragmentNumber);
    }
    expect(numbers).toEqual(['2']);
    expect(ended).toHaveLength(1);
    expect(ended[0]).toMatchObject({
      serverTimestampMs: 10500,
      producerTimestampMs: 10250,
      errors: [],
    });
    expect(errors).toEqual([
      expect.stringContaining('cannot give fragment 1: error 4000: not found'),
    ]);
  });

  it('names the offset of a block that cannot be read', () => {
    const reader = new FrameReader();
    const before = join(header(MKV_ID.CLUSTER, undefined, 8), element(MKV_ID.TIMESTAMP, [0]));
    reader.push(join(before, element(MKV_ID.SIMPLE_BLOCK, [0x81, 0, 0, 0x84, 3, 1, 2])));
    expect(() => reader.next()).toThrow(
      new RegExp(`byte ${before.length}: a block cannot be read`),
    );
  });

  it('refuses a cluster whose blocks have no time', async () => {
    const bytes = element(MKV_ID.CLUSTER, element(MKV_ID.SIMPLE_BLOCK, [0x81, 0, 0, 0x80, 3]));
    await expect(frames([bytes])).rejects.toMatchObject({
      status: 'STATUS_MKV_INVALID_FRAME_TIMESTAMP',
    });
  });

  it('bounds the blocks that wait for a cluster time', () => {
    const reader = new FrameReader({ maxBlockBytes: 1000 });
    const block = element(
      MKV_ID.SIMPLE_BLOCK,
      [0x81, 0, 0, 0x80],
      Array.from({ length: 400 }, () => 7),
    );
    reader.push(join(header(MKV_ID.CLUSTER, undefined, 8), block, block, block));
    expect(() => reader.next()).toThrow(/maxBlockBytes is 1000/);
  });

  it('closes Node and Web streams that are silent, or never began, when the signal aborts', async () => {
    const silentNode = new Readable({ read: () => undefined });
    const controller = new AbortController();
    const waiting = readMedia(silentNode, { signal: controller.signal }).next();
    setImmediate(() => controller.abort(new Error('enough')));
    await expect(waiting).rejects.toThrow('enough');
    expect(silentNode.destroyed).toBe(true);

    const missing = createReadStream('/nonexistent/file.mkv');
    const aborted = AbortSignal.abort(new Error('before'));
    await expect(readMedia(missing, { signal: aborted }).next()).rejects.toThrow('before');
    expect(missing.destroyed).toBe(true);

    let cancelled = false;
    const silentWeb = new ReadableStream<Uint8Array>({ cancel: () => void (cancelled = true) });
    const second = new AbortController();
    const waitingWeb = readMedia(silentWeb, { signal: second.signal }).next();
    setImmediate(() => second.abort(new Error('enough')));
    await expect(waitingWeb).rejects.toThrow('enough');
    expect(cancelled).toBe(true);
  });

  it('closes the source when the loop is left', async () => {
    const node = Readable.from([golden('getmedia.mkv'), golden('getmedia.mkv')]);
    for await (const frame of readFrames(node)) {
      expect(frame.trackNumber).toBe(1);
      break;
    }
    expect(node.destroyed).toBe(true);
    await expect(frames(createReadStream('/nonexistent/file.mkv'))).rejects.toThrow('ENOENT');
  });

  it('ends a wait when the signal aborts, and closes the source', async () => {
    const controller = new AbortController();
    let closed = false;
    async function* silent(): AsyncGenerator<Uint8Array> {
      try {
        yield golden('getmedia.mkv');
        await new Promise((resolve) => controller.signal.addEventListener('abort', resolve));
      } finally {
        closed = true;
      }
    }
    const seen: MediaEvent[] = [];
    const reading = (async () => {
      for await (const event of readMedia(silent(), { signal: controller.signal })) {
        seen.push(event);
        if (seen.length === 21) setImmediate(() => controller.abort(new Error('enough')));
      }
    })();
    await expect(reading).rejects.toThrow('enough');
    await new Promise((resolve) => setImmediate(resolve));
    expect(closed).toBe(true);
  });
});
