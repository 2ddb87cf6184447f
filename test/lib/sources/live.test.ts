// What becomes frames on its way: the pipe of an encoder, and the chunks of WebCodecs.
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { KinesisVideoProducer, NAL_ADAPTATION, type Frame } from '../../../lib/index.js';
import {
  AnnexBSplitter,
  fromEncodedChunk,
  openMediaFile,
  sampleClip,
  trackFromDecoderConfig,
  type AnnexBSplitterOptions,
} from '../../../lib/sources/index.js';
import { annexBOf } from '../../support/annexb.js';
import { ScriptedService } from '../../support/scripted-service.js';
import { CREDENTIALS } from '../../support/upload.js';

const START = 1_700_000_000_000;

/** In pieces that end anywhere. */
function pieces(bytes: Uint8Array, size: number): Readable {
  const parts: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) parts.push(bytes.subarray(at, at + size));
  return Readable.from(parts);
}

describe('AnnexBSplitter', () => {
  let clip: Uint8Array;

  beforeAll(async () => {
    clip = await annexBOf(sampleClip(), 100);
  });

  async function framesOf(
    source: Readable,
    options: AnnexBSplitterOptions = {},
  ): Promise<readonly Frame[]> {
    const frames: Frame[] = [];
    await pipeline(source, new AnnexBSplitter(options), async (made: AsyncIterable<Frame>) => {
      for await (const frame of made) frames.push(frame);
    });
    return frames;
  }

  it.each([1001, 64 * 1024])('cuts what comes in chunks of %i bytes', async (size) => {
    const frames = await framesOf(pieces(clip, size), { frameRate: 25, startMs: START });
    expect(frames).toHaveLength(100);
    expect(Buffer.concat(frames.map((frame) => frame.frameData))).toEqual(Buffer.from(clip));
    expect(frames.filter((frame) => frame.key)).toHaveLength(2);
    expect(frames[50]).toMatchObject({ presentationTs: START + 2000, duration: 40, trackId: 1 });
  });

  it('stamps frames with the time at which they come, and each with its own', async () => {
    const before = Date.now();
    const frames = await framesOf(pieces(clip, 100_000), { trackId: 2 });
    const times = frames.map((frame) => frame.presentationTs);
    expect(times[0]).toBeGreaterThanOrEqual(before);
    expect(times).toEqual([...new Set(times)].sort((a, b) => a - b));
    expect(frames[0]?.trackId).toBe(2);
  });

  it('refuses what is no video, and options that are none', async () => {
    const text = Readable.from([Buffer.from('no start code in here')]);
    await expect(framesOf(text)).rejects.toThrow(/21 bytes have come, and no frame is in them/);
    const many = Readable.from(Array.from({ length: 70 }, () => new Uint8Array(1024 * 1024)));
    await expect(framesOf(many)).rejects.toThrow(/no frame ends in them; they are no video/);
    expect(() => new AnnexBSplitter({ frameRate: 0 })).toThrow(/frameRate is 0; give frames/);
    expect(() => Reflect.construct(AnnexBSplitter, [{ codec: 'vp8' }])).toThrow(/codec is 'vp8'/);
  });

  it('feeds a stream: pipeline(pipe, splitter, stream)', async () => {
    const service = await ScriptedService.start();
    const producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
    });
    const stream = await producer.createStream({ streamName: 'pipe' });
    await pipeline(pieces(clip, 5000), new AnnexBSplitter({ frameRate: 25 }), stream);
    expect(stream.getMetrics()).toMatchObject({ totalFrames: 100, droppedFrames: 0 });
    expect(service.fragments).toHaveLength(2);
    await producer.close();
    await service.close();
  });
});

describe('WebCodecs', () => {
  const bytes = Uint8Array.of(0, 0, 0, 2, 9, 16);

  it('chunks become frames: µs to ms, from the time origin, with a copy of the bytes', () => {
    const chunk = {
      type: 'key',
      timestamp: 40_500,
      duration: 33_333,
      byteLength: bytes.length,
      copyTo: (into: Uint8Array) => {
        into.set(bytes);
      },
    } as const;
    expect(fromEncodedChunk(chunk, { timeOriginMs: START, trackId: 3 })).toEqual({
      frameData: bytes,
      key: true,
      presentationTs: START + 40.5,
      duration: 33.333,
      trackId: 3,
    });
  });

  it.each([
    ['an ArrayBuffer', bytes.slice().buffer],
    ['a view', new DataView(Uint8Array.of(7, ...bytes).buffer, 1)],
  ])('take the bytes of another process as %s', (_what, data) => {
    const frame = fromEncodedChunk(
      { type: 'delta', timestamp: 0, duration: null, data },
      { timeOriginMs: START },
    );
    expect(frame).toEqual({ frameData: bytes, key: false, presentationTs: START, trackId: 1 });
  });

  it('are refused without bytes or a time origin', () => {
    const chunk = { type: 'key', timestamp: 0 } as const;
    expect(() => fromEncodedChunk(chunk, { timeOriginMs: START })).toThrow(/it has no bytes/);
    expect(() => fromEncodedChunk({ ...chunk, data: bytes }, { timeOriginMs: NaN })).toThrow(
      /timeOriginMs is NaN/,
    );
  });

  it('a decoder configuration becomes a track: avcC, size, codec', async () => {
    const file = await openMediaFile(sampleClip());
    const avcC = file.tracks[0]?.codecPrivateData ?? new Uint8Array(0);
    const description = avcC.slice().buffer;
    const config = { codec: 'avc1.64000d', description, codedWidth: 400, codedHeight: 300 };
    expect(trackFromDecoderConfig(config)).toEqual({
      trackId: 1,
      trackType: 1,
      codecId: 'V_MPEG4/ISO/AVC',
      codecPrivateData: avcC,
      pixelWidth: 400,
      pixelHeight: 300,
    });
    const sound = { codec: 'mp4a.40.2', sampleRate: 48_000, numberOfChannels: 2 };
    expect(trackFromDecoderConfig(sound, 2)).toEqual({
      trackId: 2,
      trackType: 2,
      codecId: 'A_AAC',
      samplingFrequency: 48_000,
      channels: 2,
    });
    expect(() => trackFromDecoderConfig({ codec: 'theora' })).toThrow(/for the codec 'theora'/);
  });

  it('a whole clip of chunks goes through a stream', async () => {
    const service = await ScriptedService.start();
    const producer = await KinesisVideoProducer.create({
      endpoint: service.endpoint,
      credentials: CREDENTIALS,
    });
    const file = await openMediaFile(sampleClip());
    const description = file.tracks[0]?.codecPrivateData;
    const stream = await producer.createStream({
      streamName: 'page',
      tracks: [
        trackFromDecoderConfig({ codec: 'avc1.64000d', ...(description && { description }) }),
      ],
      nalAdaptationFlags: NAL_ADAPTATION.NONE,
    });
    let timestamp = 0;
    for await (const { frameData, flags } of file.frames()) {
      const type = flags === 1 ? 'key' : 'delta';
      stream.putFrame(
        fromEncodedChunk({ type, timestamp, data: frameData }, { timeOriginMs: START }),
      );
      timestamp += 40_000;
    }
    await stream.stop();
    expect(service.fragments).toHaveLength(12);
    await producer.close();
    await service.close();
  });
});
