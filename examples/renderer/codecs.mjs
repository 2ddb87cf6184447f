// What a WebCodecs decoder must be told of a track.

const SPS = 7;

const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');

/** Profile, constraints and level of the first SPS in Annex-B bytes; undefined without one. */
function annexBProfile(bytes) {
  for (let at = 0; at + 6 < bytes.length; at += 1) {
    const startCode = bytes[at] === 0 && bytes[at + 1] === 0 && bytes[at + 2] === 1;
    if (startCode && (bytes[at + 3] & 0x1f) === SPS) return bytes.subarray(at + 4, at + 7);
  }
  return undefined;
}

function h264(codecPrivate, keyFrame) {
  // An avcC record begins with 1 and says how the frames' NAL units are laid out.
  if (codecPrivate?.[0] === 1) {
    return { codec: `avc1.${hex(codecPrivate.subarray(1, 4))}`, description: codecPrivate };
  }
  const profile = annexBProfile(codecPrivate ?? keyFrame) ?? annexBProfile(keyFrame);
  if (profile === undefined) throw new Error('H.264 without codec private data and without SPS');
  return { codec: `avc1.${hex(profile)}` };
}

/** A `VideoDecoderConfig` for a video track, from its entry and its first key frame. */
export function decoderConfig({ codecId, codecPrivate }, keyFrame) {
  switch (codecId) {
    case 'V_MPEG4/ISO/AVC':
      return h264(codecPrivate, keyFrame);
    case 'V_VP8':
      return { codec: 'vp8' };
    case 'V_VP9':
      return { codec: 'vp09.00.10.08' };
    default:
      throw new Error(`codec ${codecId}: this page shows H.264, VP8, VP9 and JPEG`);
  }
}

/** Whether two tracks are decoded alike: every GetMedia chunk describes its tracks anew. */
export function sameDecoder(one, other) {
  const [a, b] = [one.codecPrivate ?? [], other.codecPrivate ?? []];
  return (
    one.codecId === other.codecId &&
    a.length === b.length &&
    a.every((byte, index) => byte === b[index])
  );
}
