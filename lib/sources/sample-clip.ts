import { fileURLToPath } from 'node:url';

/** Path of the short camera clip (H.264 in MP4) that comes with this package, to try things with. */
export function sampleClip(): string {
  return fileURLToPath(new URL('../../media/camera.mp4', import.meta.url));
}
