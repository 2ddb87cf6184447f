/** What a user writes first: ten lines that stream two seconds into a service. */
export const PRODUCER = `
import { KinesisVideoProducer, FRAME_FLAG } from 'kinesis-video';
async function main(endpoint, accessKeyId = 'AKIAIOSFODNN7EXAMPLE', secretAccessKey = 'example') {
  const producer = await KinesisVideoProducer.create({
    region: 'us-west-2', endpoint, credentials: { accessKeyId, secretAccessKey } });
  const stream = await producer.createStream({ streamName: 'first', nalAdaptationFlags: 0,
    tracks: [{ codecId: 'V_TEST' }],
    callbacks: { fragmentAckReceived: ({ type }) => console.log(type) } });
  for (let i = 0, start = Date.now() - 2000; i < 50; i += 1) stream.putFrame({
    frameData: new Uint8Array(1000).fill(i), presentationTs: start + i * 40, duration: 40,
    flags: i % 25 ? FRAME_FLAG.NONE : FRAME_FLAG.KEY_FRAME });
  await stream.stop();
  await producer.close();
}
void main(process.argv[2]);
`;

/** The same package's service around the producer, in one process: prints its endpoint's life. */
export const WITH_SERVICE = `
import { mkdtempSync, rmSync } from 'node:fs';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { startService } from 'kinesis-video/service';
const dataDir = mkdtempSync('./data-');
const service = await startService({ dataDir, region: 'us-west-2' });
const [command, ...args] = JSON.parse(process.argv[2] ?? 'null') ?? [process.execPath];
const child = spawn(command, [...args, 'producer.mjs', service.endpoint], { stdio: 'inherit' });
const [code] = await once(child, 'exit');
await service.close();
rmSync(dataDir, { recursive: true });
process.exitCode = code ?? 1;
`;

/** CommonJS through Node's require of ES modules. */
export const REQUIRE = `
const { KinesisVideoProducer, VERSION } = require('kinesis-video');
const parser = require('kinesis-video/parser');
const sources = require('kinesis-video/sources');
const service = require('kinesis-video/service');
const consumer = require('kinesis-video/consumer');
KinesisVideoProducer.create({ region: 'us-west-2' })
  .then((producer) => producer.close())
  .then(() => console.log(typeof VERSION, typeof parser.readFrames, typeof sources.openMediaFile,
    typeof service.startService, typeof consumer.hlsUrl));
`;

/** A typed user of every entry: compiled, never run. */
export const TYPED = `
import {
  type Frame, FRAME_FLAG, KinesisVideoProducer, KvsError, type StreamDefinition,
} from 'kinesis-video';
import { readFrames } from 'kinesis-video/parser';
import * as consumer from 'kinesis-video/consumer';
import { openMediaFile } from 'kinesis-video/sources';
import { type ServiceOptions, startService } from 'kinesis-video/service';

export async function upload(definition: StreamDefinition, data: Uint8Array): Promise<boolean> {
  const producer = await KinesisVideoProducer.create({ region: 'us-west-2' });
  const stream = await producer.createStream(definition);
  const frame: Frame = { frameData: data, presentationTs: 0, flags: FRAME_FLAG.KEY_FRAME };
  try {
    return stream.putFrame(frame);
  } catch (error) {
    if (error instanceof KvsError) console.log(error.status, error.code);
    throw error;
  } finally {
    await producer.close();
  }
}
export const all = { readFrames, consumer, openMediaFile, startService };
export const options: ServiceOptions = { dataDir: './data' };
// @ts-expect-error a frame has bytes
export const bad: Frame = { frameData: 'text', presentationTs: 0 };
`;
