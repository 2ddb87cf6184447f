import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KvsError } from '../../../lib/base/errors.js';
import { openMediaFile } from '../../../lib/sources/index.js';

const CAMERA = fileURLToPath(new URL('../../../media/camera.mp4', import.meta.url));

describe('openMediaFile refuses', () => {
  let directory = '';
  let camera: Uint8Array = new Uint8Array(0);
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'kvs-sources-'));
    camera = await readFile(CAMERA);
  });
  afterAll(async () => {
    await rm(directory, { recursive: true, force: true });
  });

  async function refusal(name: string, bytes: Uint8Array): Promise<KvsError> {
    const path = join(directory, name);
    await writeFile(path, bytes);
    return openMediaFile(path).then(() => Promise.reject(new Error('it was opened')), kvsError);
  }

  it('a file that is not there, naming it and the reason', async () => {
    const error = await openMediaFile(join(directory, 'none.mp4')).catch(kvsError);
    expect(error).toMatchObject({ status: 'STATUS_OPEN_FILE_FAILED' });
    expect(messageOf(error)).toMatch(/none\.mp4: ENOENT/);
  });

  it('a frame rate of 0', async () => {
    const error = await openMediaFile(CAMERA, { frameRate: 0 }).catch(kvsError);
    expect(error).toMatchObject({ status: 'STATUS_INVALID_ARG' });
  });

  it('an empty file and an unknown format, with its first bytes and a way out', async () => {
    const empty = await refusal('empty.mp4', new Uint8Array(0));
    expect(empty).toMatchObject({ status: 'STATUS_FORMAT_ERROR' });
    expect(empty.message).toMatch(/it is empty/);
    const avi = await refusal('film.mp4', new TextEncoder().encode('RIFF....AVI LIST'));
    expect(avi.message).toMatch(/begins with 52 49 46 46 .*ffmpeg -i IN -c copy/);
  });

  it('raw H.265 without a picture', async () => {
    const vps = await refusal('hevc.h264', Uint8Array.of(0, 0, 0, 1, 0x40, 1, 0x0c, 1, 0xff));
    expect(vps).toMatchObject({ status: 'STATUS_NOT_FOUND' });
    expect(vps.message).toMatch(/no H\.265 picture/);
  });

  it('an MP4 cut off anywhere, saying so', async () => {
    for (const part of [0.999, 0.5, 0.02]) {
      const error = await refusal('cut.mp4', camera.subarray(0, camera.length * part));
      expect(error, `${part} of the file`).toMatchObject({ status: 'STATUS_UNEXPECTED_EOF' });
      expect(error.message).toMatch(/cut\.mp4 is truncated: /);
    }
  });

  it('an MP4 whose recording was never finished', async () => {
    const error = await refusal('open.mp4', Uint8Array.of(...box('ftyp', 8), ...box('mdat', 64)));
    expect(error).toMatchObject({ status: 'STATUS_UNEXPECTED_EOF' });
    expect(error.message).toMatch(/no moov box/);
  });

  it('raw H.264 without parameter sets, without a picture, without a key frame', async () => {
    const start = [0, 0, 0, 1];
    const slice = [...start, 0x65, 0x88, 0x84];
    const sets = [...start, 0x67, 0x64, 0, 10, ...start, 0x68, 0xe9];
    const sps = await refusal('no-sps.h264', Uint8Array.of(...slice));
    expect(sps).toMatchObject({ status: 'STATUS_MKV_MISSING_SPS_FROM_H264_CPD' });
    const pictures = await refusal('no-picture.h264', Uint8Array.of(...sets));
    expect(pictures).toMatchObject({ status: 'STATUS_NOT_FOUND' });
    const key = await refusal('no-key.h264', Uint8Array.of(...sets, ...start, 0x41, 0x9a, 2));
    expect(key.message).toMatch(/none of its 1 pictures is one that decoding can begin with/);
  });

  it('damaged MP4 tables, never with anything but a KvsError', async () => {
    let refused = 0;
    for (let seed = 1; seed <= 150; seed += 1) {
      const damaged = camera.slice();
      // The tables are the first 12 kB: eight bytes of them change, by a fixed rule.
      for (let k = 1; k <= 8; k += 1) damaged[(seed * 7919 * k) % 12_000] = (seed * 31 * k) & 255;
      const path = join(directory, 'damaged.mp4');
      await writeFile(path, damaged);
      const error: unknown = await openMediaFile(path).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      if (error === undefined) continue;
      expect(error, `seed ${seed}`).toBeInstanceOf(KvsError);
      refused += 1;
    }
    expect(refused).toBeGreaterThan(0);
  });
});

function box(type: string, size: number): number[] {
  const name = [...type].map((letter) => letter.charCodeAt(0));
  return [0, 0, 0, size, ...name, ...new Array<number>(size - 8).fill(0)];
}

function messageOf(value: unknown): string {
  return value instanceof Error ? value.message : 'not an error';
}

function kvsError(reason: unknown): KvsError {
  if (reason instanceof KvsError) return reason;
  throw new Error('not a KvsError', { cause: reason });
}
