import { FRAME_FLAG } from '../../lib/base/media.js';
import { openMediaFile } from '../../lib/sources/index.js';

const START_CODE = Uint8Array.of(0, 0, 0, 1);

/** The first `count` frames of an H.264 MP4 as a raw byte stream, parameter sets before key frames. */
export async function annexBOf(path: string, count: number): Promise<Uint8Array> {
  const file = await openMediaFile(path);
  const sets = parameterSets(file.tracks[0]?.codecPrivateData ?? new Uint8Array(0));
  const parts: Uint8Array[] = [];
  let number = 0;
  for await (const frame of file.frames()) {
    number += 1;
    if (number > count) break;
    const key = ((frame.flags ?? 0) & FRAME_FLAG.KEY_FRAME) !== 0;
    const units = [...(key ? sets : []), ...lengthPrefixed(frame.frameData)];
    parts.push(...units.flatMap((unit) => [START_CODE, unit]));
  }
  return Buffer.concat(parts);
}

function* lengthPrefixed(frame: Uint8Array): Generator<Uint8Array> {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.length);
  for (let at = 0; at < frame.length;) {
    const length = view.getUint32(at);
    yield frame.subarray(at + 4, at + 4 + length);
    at += 4 + length;
  }
}

/** SPS and PPS of an avcC record with one of each. */
function parameterSets(avcC: Uint8Array): Uint8Array[] {
  const view = new DataView(avcC.buffer, avcC.byteOffset, avcC.length);
  const spsLength = view.getUint16(6);
  const ppsAt = 8 + spsLength + 1;
  const ppsLength = view.getUint16(ppsAt);
  return [avcC.subarray(8, 8 + spsLength), avcC.subarray(ppsAt + 2, ppsAt + 2 + ppsLength)];
}
