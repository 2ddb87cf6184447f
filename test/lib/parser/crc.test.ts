import { crc32 } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { FrameReader, MKV_ID } from '../../../lib/parser/index.js';
import { dump, element, golden, join, singles } from './helpers.js';

const VERIFY = { verifyCrc: true };

/** A master that begins with the CRC-32 of its other children. */
function withCrc(id: number, ...parts: Uint8Array[]): Uint8Array {
  const body = join(...parts);
  const value = crc32(body);
  const bytes = [0, 8, 16, 24].map((shift) => (value >>> shift) & 0xff);
  return element(id, element(MKV_ID.CRC32, bytes), body);
}

describe('verifyCrc', () => {
  it.each(['ffmpeg-file.mkv', 'ffmpeg-pipe.mkv', 'ffmpeg.webm', 'odd.mkv'])('passes %s', (name) => {
    const bytes = golden(name);
    expect(dump([bytes], VERIFY)).toEqual(dump([bytes]));
    expect(dump(singles(bytes), VERIFY)).toEqual(dump([bytes]));
  });

  it('finds each damaged byte of a frame, and names the master', () => {
    const bytes = golden('ffmpeg-pipe.mkv');
    const lines = dump([bytes]);
    const cluster = lines.find((text) => text.includes('masterStart CLUSTER')) ?? '';
    const block = lines.find((text) => text.includes('SIMPLE_BLOCK')) ?? '';
    const at = Number.parseInt(block.trim(), 10);
    for (let i = at + 10; i < at + 40; i += 1) {
      const bad = bytes.slice();
      bad[i] = (bad[i] ?? 0) ^ 0x10;
      const where = `byte ${Number.parseInt(cluster.trim(), 10)}: CLUSTER is damaged`;
      expect(() => dump([bad], VERIFY)).toThrow(where);
      expect(() => dump(singles(bad), VERIFY)).toThrow(where);
      expect(dump([bad])).toHaveLength(lines.length);
    }
  });

  it('checks masters inside each other, skipped and streamed elements included', () => {
    const inner = withCrc(MKV_ID.BLOCK_GROUP, element(MKV_ID.BLOCK, [0x81, 0, 0, 0, 1, 2, 3]));
    const bytes = withCrc(
      MKV_ID.CLUSTER,
      element(MKV_ID.TIMESTAMP, [1]),
      element(MKV_ID.VOID, 'something'),
      inner,
      element(0x4abc, 'unknown'),
    );
    for (const capture of ['whole', 'stream'] as const) {
      const options = {
        ...VERIFY,
        capture: ({ id }: { id: number }) => (id === MKV_ID.CRC32 ? 'whole' : capture),
      };
      expect(dump([bytes], options).length).toBeGreaterThan(8);
      for (let i = 21; i < bytes.length; i += 1) {
        const bad = bytes.slice();
        bad[i] = (bad[i] ?? 0) ^ 1;
        expect(() => dump([bad], options)).toThrow(/byte \d+:/);
      }
    }
  });

  it('is open to FrameReader', () => {
    const bytes = golden('ffmpeg-pipe.mkv');
    bytes[1000] = (bytes[1000] ?? 0) ^ 1;
    const reader = new FrameReader(VERIFY);
    reader.push(bytes);
    expect(() => {
      while (reader.next() !== undefined);
    }).toThrow(/damaged/);
  });
});
