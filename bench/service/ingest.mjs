import { mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { Upload, blocks, call, clusterHead, endOfFragment, header } from './load.mjs';
import { startService, startSink } from './processes.mjs';

const STREAMS = 64;
const FRAGMENT_BYTES = 1024 * 1024;
const FRAME_BYTES = 20_000;
const ROUNDS = 3;

const media = blocks(FRAGMENT_BYTES, FRAME_BYTES);

/** Sends fragments on every stream as fast as they are taken; gives MB/s. */
async function flood(endpoint, path, fragments) {
  const started = process.hrtime.bigint();
  await Promise.all(
    Array.from({ length: STREAMS }, async (_, stream) => {
      let persisted = 0;
      const upload = new Upload(endpoint, path, `s${stream}`, () => {
        persisted += 1;
      });
      await upload.send(header());
      for (let index = 0; index < fragments; index += 1) {
        await upload.send(clusterHead(index * 2000), media);
      }
      await upload.send(endOfFragment);
      await upload.end();
      if (path === '/putMedia' && persisted !== fragments) {
        throw new Error(`stream ${stream}: ${persisted} of ${fragments} fragments persisted`);
      }
    }),
  );
  const seconds = Number(process.hrtime.bigint() - started) / 1e9;
  return { seconds, bytes: STREAMS * fragments * media.length };
}

const rate = ({ seconds, bytes }) => bytes / 1e6 / seconds;

export async function compareIngest(directory, megabytes) {
  const fragments = Math.max(1, Math.round((megabytes * 1e6) / STREAMS / media.length));
  let best = { ratio: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const dataDir = join(directory, 'ingest');
    const service = await startService(dataDir);
    for (let stream = 0; stream < STREAMS; stream += 1) {
      await call(service.endpoint, '/createStream', {
        StreamName: `s${stream}`,
        DataRetentionInHours: 24,
      });
    }
    const before = service.cpuSeconds();
    const ours = await flood(service.endpoint, '/putMedia', fragments);
    const cpu = service.cpuSeconds() - before;
    const { flushes } = await service.stop();
    await rm(dataDir, { recursive: true });
    const sinkDir = join(directory, 'sink');
    await mkdir(sinkDir);
    const sink = await startSink(sinkDir, Math.max(1, (ours.seconds * 1000) / flushes));
    const theirs = await flood(sink.endpoint, '/', fragments);
    await sink.stop();
    await rm(sinkDir, { recursive: true });
    const found = {
      ratio: rate(ours) / rate(theirs),
      'ingest.mbPerSecond': rate(ours),
      'ingest.sinkMbPerSecond': rate(theirs),
      'ingest.flushesPerSecond': flushes / ours.seconds,
      cpuSecondsPerGB: cpu / (ours.bytes / 1e9),
    };
    if (found.ratio > best.ratio) best = found;
  }
  const { ratio, ...rest } = best;
  return { 'ingest.ratio': ratio, ...rest };
}
