import {
  GetMediaForFragmentListCommand,
  KinesisVideoArchivedMediaClient,
} from '@aws-sdk/client-kinesis-video-archived-media';
import { beforeAll, describe, expect, it } from 'vitest';
import { FrameReader, type MediaFrame } from '../../lib/parser/index.js';
import { withService } from '../lib/service/helpers.js';
import { Archive } from '../support/archive.js';
import { buildExamples, runExample } from '../support/example.js';
import { BUILT } from '../support/service-process.js';
import { CREDENTIALS } from '../support/upload.js';

describe.skipIf(!BUILT)('media-sources (needs npm run build)', () => {
  beforeAll(async () => {
    await buildExamples();
  });

  it('runs a source of image files and one of figures, and all of it is stored', async () => {
    await withService({}, async ({ endpoint }) => {
      const output = await runExample('media-sources', ['--seconds', '3'], endpoint);
      const counts = [...output.matchAll(/^(\w+): (\d+) frames in (\d+) persisted/gm)];
      expect(counts.map((hit) => hit[1])).toEqual(['pictures', 'figures']);
      const [pictures, figures] = await Promise.all([
        framesOf(endpoint, 'pictures'),
        framesOf(endpoint, 'figures'),
      ]);
      expect(pictures).toHaveLength(Number(counts[0]?.[2]));
      expect(figures).toHaveLength(Number(counts[1]?.[2]));
      expect(pictures.length).toBeGreaterThan(50);
      // Found in the pictures themselves, and adapted.
      expect(pictures[0]?.track?.codecPrivate?.[0]).toBe(1);
      expect(pictures.filter((frame) => frame.keyFrame).length).toBeGreaterThanOrEqual(2);
      const first: unknown = JSON.parse(Buffer.from(figures[0]?.data ?? []).toString());
      expect(first).toHaveProperty('freeBytes');
    });
  });
});

async function framesOf(endpoint: string, streamName: string): Promise<MediaFrame[]> {
  const archive = new Archive(endpoint);
  const client = new KinesisVideoArchivedMediaClient({
    endpoint,
    region: 'us-west-2',
    credentials: CREDENTIALS,
  });
  const fragments = (await archive.fragments(streamName)).map((one) => one.number);
  const command = new GetMediaForFragmentListCommand({
    StreamName: streamName,
    Fragments: fragments,
  });
  const { Payload } = await client.send(command);
  const reader = new FrameReader();
  reader.push((await Payload?.transformToByteArray()) ?? new Uint8Array(0));
  reader.end();
  const frames: MediaFrame[] = [];
  for (let event = reader.next(); event !== undefined; event = reader.next()) {
    if (event.kind === 'frame') frames.push(event);
  }
  archive.close();
  client.destroy();
  return frames;
}
