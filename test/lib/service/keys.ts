import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { CreateStreamCommand } from '@aws-sdk/client-kinesis-video';
import { GetMediaCommand } from '@aws-sdk/client-kinesis-video-media';
import { cluster, header } from '../../support/mkv.js';
import type { RawPutMedia } from '../../support/put-media.js';
import { bytesOf, controlClient, mediaClient, putMedia, type Endpoint } from './helpers.js';

/* Key files and streams with keys of their own, for tests. */

export const KEY_ID = '1234abcd-12ab-34cd-56ef-1234567890ab';
export const OLD: string = Buffer.alloc(32, 1).toString('base64');
export const NEW: string = Buffer.alloc(32, 2).toString('base64');
/** Acks of a first fragment that is stored. */
export const STORED: readonly string[] = ['BUFFERING 0', 'RECEIVED 0', 'PERSISTED 0'];
const DEFAULT = { versions: { 1: Buffer.alloc(32, 9).toString('base64') } };

/** Writes a key file with the default key and one under `KEY_ID`; `undefined` leaves that out. */
export async function writeKeys(
  directory: string,
  entry: object | undefined,
  others: object = {},
): Promise<string> {
  const path = join(directory, 'own-keys.json');
  const own = entry === undefined ? {} : { [KEY_ID]: { versions: { 1: OLD }, ...entry } };
  const keys = { 'aws/kinesisvideo': DEFAULT, ...own, ...others };
  await writeFile(path, JSON.stringify({ version: 1, keys }), { mode: 0o600 });
  return path;
}

export async function createWithKey(
  service: Endpoint,
  name: string,
  kmsKeyId: string | undefined,
): Promise<void> {
  const client = controlClient(service);
  await client.send(
    new CreateStreamCommand({
      StreamName: name,
      DataRetentionInHours: 1,
      ...(kmsKeyId !== undefined && { KmsKeyId: kmsKeyId }),
    }),
  );
  client.destroy();
}

/** Puts one fragment; gives the acks in short. */
export async function putOne(
  service: Endpoint,
  stream: string,
  time: number,
  data: Uint8Array = Uint8Array.of(9),
): Promise<readonly string[]> {
  const put = putMedia(service, stream);
  put.send(header(), cluster(time, [{ time: 0, data }]));
  put.end();
  await put.untilEnded();
  put.destroy();
  return put.summary();
}

/** The whole answer of GetMedia from the earliest fragment on, which must end by itself. */
export async function readToEnd(service: Endpoint, stream: string): Promise<Buffer> {
  const client = mediaClient(service);
  const parts: Uint8Array[] = [];
  const selector = { StartSelectorType: 'EARLIEST' as const };
  const answer = await client.send(
    new GetMediaCommand({ StreamName: stream, StartSelector: selector }),
  );
  for await (const part of bytesOf(answer.Payload)) parts.push(part);
  client.destroy();
  return Buffer.concat(parts);
}

/** A PutMedia connection that has put one fragment and stays open. */
export async function openPut(service: Endpoint, stream: string): Promise<RawPutMedia> {
  const put = putMedia(service, stream);
  put.send(header(), cluster(0, [{ time: 0 }]), cluster(2000, [{ time: 0 }]));
  await put.until((self) => self.count('PERSISTED') === 1);
  return put;
}
