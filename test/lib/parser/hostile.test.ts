import { describe, expect, it } from 'vitest';
import { KvsError } from '../../../lib/base/errors.js';
import {
  MKV_ELEMENTS,
  MKV_ID,
  StreamingMkvReader,
  mkvElement,
  type MkvReaderOptions,
} from '../../../lib/parser/index.js';
import { cut, dump, element, golden, goldenNames, header, join, singles } from './helpers.js';

function fault(bytes: Uint8Array, options: MkvReaderOptions = {}): KvsError {
  try {
    dump([bytes], options);
  } catch (error) {
    if (error instanceof KvsError) return error;
    throw error;
  }
  throw new Error('no fault was found');
}

const EBML = element(MKV_ID.EBML, element(MKV_ID.DOC_TYPE, 'matroska'));
const SEGMENT = header(MKV_ID.SEGMENT, undefined, 8);
const CLUSTER = header(MKV_ID.CLUSTER, undefined, 1);

describe('faults name their kind and their byte', () => {
  const cases: [string, Uint8Array, string, RegExp, MkvReaderOptions?][] = [
    ['an id of zero', join(EBML, [0, 0x81, 1]), 'STATUS_FORMAT_ERROR', /byte 30: .*0x00/],
    ['an id of five bytes', join(EBML, [0x08, 1, 2, 3, 4, 0x80]), 'STATUS_FORMAT_ERROR', /byte 30/],
    ['a size of nine bytes', join(EBML, SEGMENT, [0xec, 0]), 'STATUS_FORMAT_ERROR', /byte 42/],
    [
      'a size above 2^53',
      join(EBML, [0x18, 0x53, 0x80, 0x67, 0x01, 0x20, 0, 0, 0, 0, 0, 0]),
      'STATUS_MKV_NUMBER_TOO_BIG',
      /byte 30: .*2\^53/,
    ],
    [
      'a child larger than its parent',
      element(MKV_ID.INFO, header(MKV_ID.TITLE, 100), 'short'),
      'STATUS_FORMAT_ERROR',
      /byte 12: TITLE .*ends at byte 122, but INFO .*ends at byte 27/,
    ],
    [
      'a master larger than the one around its open parent',
      join(header(MKV_ID.SEGMENT, 40), CLUSTER, header(MKV_ID.BLOCK_GROUP, 1000)),
      'STATUS_FORMAT_ERROR',
      /byte 17: BLOCK_GROUP/,
    ],
    [
      'a block without size',
      join(CLUSTER, [0xa3, 0xff]),
      'STATUS_FORMAT_ERROR',
      /byte 5: SIMPLE_BLOCK .*no size/,
    ],
    [
      'a number of nine bytes',
      join(CLUSTER, [0xe7, 0x89]),
      'STATUS_FORMAT_ERROR',
      /byte 5: TIMESTAMP/,
    ],
    [
      'a known element in the wrong master',
      element(MKV_ID.TRACKS, element(MKV_ID.PIXEL_WIDTH, [1])),
      'STATUS_MKV_INVALID_PARENT_TYPE',
      /byte 12: PIXEL_WIDTH .*cannot stand in TRACKS/,
    ],
    [
      'a known element that no open master holds',
      join(SEGMENT, CLUSTER, element(MKV_ID.PIXEL_WIDTH, [1])),
      'STATUS_MKV_INVALID_PARENT_TYPE',
      /byte 17: .*the top level/,
    ],
    [
      'a document inside a cluster of known size',
      join(SEGMENT, header(MKV_ID.CLUSTER, 100), EBML),
      'STATUS_MKV_INVALID_PARENT_TYPE',
      /byte 24: EBML .*CLUSTER/,
    ],
    ['text', join('hello, this is no video'), 'STATUS_FORMAT_ERROR', /byte 0: unknown element/],
    ['an MP4 file', join([0, 0, 0, 24], 'ftypisom'), 'STATUS_FORMAT_ERROR', /byte 0: no element/],
    [
      'a title above maxCaptureBytes',
      join(SEGMENT, header(MKV_ID.INFO, 5000), header(MKV_ID.TITLE, 2000)),
      'STATUS_BUFFER_TOO_SMALL',
      /byte 24: TITLE has 2000 bytes, maxCaptureBytes is 1000/,
      { maxCaptureBytes: 1000 },
    ],
    [
      'a block above maxBlockBytes',
      join(CLUSTER, header(MKV_ID.SIMPLE_BLOCK, 2 ** 52)),
      'STATUS_BUFFER_TOO_SMALL',
      /byte 5: SIMPLE_BLOCK has 4503599627370496 bytes, maxBlockBytes is 67108864/,
    ],
    [
      'masters without end inside each other',
      join(
        header(MKV_ID.TAGS, undefined, 1),
        header(MKV_ID.TAG, undefined, 1),
        ...Array.from({ length: 100 }, () => header(MKV_ID.SIMPLE_TAG, undefined, 1)),
      ),
      'STATUS_FORMAT_ERROR',
      /more than 32 masters/,
    ],
  ];

  it.each(cases)('%s', (_, bytes, status, message, options) => {
    const error = fault(bytes, options);
    expect(error.status).toBe(status);
    expect(error.message).toMatch(message);
    for (const chunks of [singles(bytes), cut(bytes, Math.floor(bytes.length / 2))]) {
      expect(() => dump(chunks, options)).toThrow(error.message);
    }
  });

  it('throws the same fault again at every later call', () => {
    const reader = new StreamingMkvReader();
    reader.push(Uint8Array.of(0, 0, 0, 0));
    expect(() => reader.next()).toThrow(/byte 0/);
    reader.push(EBML);
    expect(() => reader.next()).toThrow(/byte 0/);
  });

  it('refuses bytes after the end and limits that are none', () => {
    const reader = new StreamingMkvReader();
    reader.end();
    expect(() => reader.push(EBML)).toThrow(/after end/);
    expect(() => new StreamingMkvReader({ maxDepth: 0 })).toThrow(/maxDepth is 0/);
    expect(() => new StreamingMkvReader({ maxBlockBytes: Number.NaN })).toThrow(/maxBlockBytes/);
  });
});

describe('input that ends early', () => {
  it('is whole between elements of masters without size', () => {
    const bytes = join(EBML, SEGMENT, CLUSTER, element(MKV_ID.TIMESTAMP, [5]));
    expect(dump([bytes]).slice(-2)).toEqual([
      `  ${bytes.length} masterEnd CLUSTER`,
      `${bytes.length} masterEnd SEGMENT`,
    ]);
    expect(dump([])).toEqual([]);
  });

  it.each(['getmedia.mkv', 'ffmpeg-file.mkv', 'odd.mkv'])('%s: cut at every byte', (name) => {
    const bytes = golden(name);
    const whole = dump([bytes]);
    let clean = 0;
    for (let at = 0; at < bytes.length; at += 1) {
      const part = bytes.slice(0, at);
      try {
        const lines = dump([part]);
        clean += 1;
        const open = lines.filter((text) => !text.includes(`${at} masterEnd`));
        expect(whole.slice(0, open.length)).toEqual(open);
      } catch (error) {
        if (!(error instanceof KvsError)) throw error;
        expect(error.status).toBe('STATUS_UNEXPECTED_EOF');
        expect(error.message).toContain(`byte ${at}: it ends inside`);
      }
    }
    expect(clean).toBeGreaterThan(name === 'ffmpeg-file.mkv' ? 1 : 10);
  });

  it('says how much is missing of what', () => {
    const bytes = join(CLUSTER, header(MKV_ID.SIMPLE_BLOCK, 100), [0x81, 0, 0]);
    expect(fault(bytes).message).toContain(
      'byte 17: it ends inside SIMPLE_BLOCK (begun at byte 5), 97 bytes before its end',
    );
    const known = join(header(MKV_ID.CLUSTER, 30), element(MKV_ID.TIMESTAMP, [5]));
    expect(fault(known).message).toContain('it ends inside CLUSTER (begun at byte 0), 20 bytes');
  });
});

describe('memory', () => {
  it('does not follow the sizes that headers claim', () => {
    const before = process.memoryUsage().arrayBuffers;
    const readers = Array.from({ length: 200 }, () => {
      const reader = new StreamingMkvReader({ maxBlockBytes: 2 ** 40 });
      reader.push(join(CLUSTER, header(MKV_ID.SIMPLE_BLOCK, 2 ** 39), [1, 2, 3]));
      while (reader.next() !== undefined);
      return reader;
    });
    const grown = process.memoryUsage().arrayBuffers - before;
    expect(readers).toHaveLength(200);
    expect(grown).toBeLessThan(200 * 128 * 1024);
  });

  it('passes over and streams elements of any size without keeping them', () => {
    const reader = new StreamingMkvReader({ capture: () => 'stream' });
    const size = 2 ** 33;
    reader.push(join(CLUSTER, header(MKV_ID.SIMPLE_BLOCK, size)));
    const part = new Uint8Array(2 ** 20);
    let streamed = 0;
    let last = false;
    while (!last) {
      for (let event = reader.next(); event !== undefined; event = reader.next()) {
        if (event.kind !== 'data') continue;
        streamed += event.bytes.length;
        last = event.last;
      }
      if (!last) reader.push(part);
    }
    expect(streamed).toBe(size);
    expect(reader.offset).toBe(size + 5 + 9);
  });
});

describe('capture', () => {
  it('skips masters of known size whole, and enters those without', () => {
    const skip = { capture: () => 'skip' as const };
    const bytes = join(EBML, SEGMENT, element(MKV_ID.CUES, element(MKV_ID.CUE_POINT)), CLUSTER);
    expect(dump([bytes], skip)).toEqual(dump(singles(bytes), skip));
    expect(dump([bytes], skip)).toEqual([
      '0 skipped EBML 12+18',
      '30 masterStart SEGMENT 12+?',
      '  42 skipped CUES 12+9',
      '  63 masterStart CLUSTER 5+?',
      '  68 masterEnd CLUSTER',
      '68 masterEnd SEGMENT',
    ]);
  });
});

describe('the table of elements', () => {
  it('has a master of the table as the parent of every element', () => {
    for (const entry of Object.values(MKV_ELEMENTS)) {
      expect(mkvElement(entry.id)).toBe(entry);
      if (entry.parent === 'ROOT' || entry.parent === 'GLOBAL') continue;
      expect(MKV_ELEMENTS[entry.parent].type, entry.name).toBe('master');
    }
    expect(mkvElement(0x4abc).name).toBe('UNKNOWN');
  });

  it('is not empty: goldens are there', () => {
    expect(goldenNames()).toHaveLength(8);
  });
});
