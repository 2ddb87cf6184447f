import { expect } from 'vitest';
import { KvsError } from '../../../lib/base/errors.js';
import { readMedia } from '../../../lib/parser/index.js';
import { cluster, endOfFragment, header } from '../../support/mkv.js';
import { getMedia, putMedia, type Endpoint } from './helpers.js';

/* Media whose bytes tell their time, put one by one and read back. */

/** Times of fragments by their number, as Persisted acks told them. */
export type Acked = Map<string, number>;

const BYTES = 20_000;
const PATIENCE = 20_000;
/** Time of a fragment that marks the end of what is read. */
const MARK = 9_000_000;

function dataOf(time: number): Buffer {
  return Buffer.alloc(BYTES, (time / 1000) % 251);
}

/** Puts a fragment at each time on one connection, until one is refused or the service is gone. */
export async function putTimes(
  service: Endpoint,
  stream: string,
  times: readonly number[],
): Promise<Acked> {
  const put = putMedia(service, stream);
  put.send(header());
  try {
    for (const [index, time] of times.entries()) {
      put.send(cluster(time, [{ time: 0, data: dataOf(time) }]), endOfFragment());
      const answered = put.until((self) => {
        return self.count('PERSISTED') > index || self.count('ERROR') > 0 || self.ended;
      });
      await within(`no answer to the fragment at ${time}`, answered);
      if (put.count('ERROR') > 0 || put.ended) break;
    }
    put.end();
    await put.untilEnded();
  } catch {
    // The process is gone; what it had acknowledged counts.
  }
  put.destroy();
  const acked: Acked = new Map<string, number>();
  for (const { EventType, FragmentNumber, FragmentTimecode } of put.acks) {
    if (EventType === 'PERSISTED') acked.set(FragmentNumber ?? '', FragmentTimecode ?? -1);
  }
  return acked;
}

/**
 * Puts one fragment more and reads from the earliest one to it: how many of those that were
 * acknowledged are served. Whatever is served has the bytes that were sent.
 */
export async function readableOf(
  service: Endpoint,
  stream: string,
  acked: ReadonlyMap<string, number>,
): Promise<number> {
  const mark = await putTimes(service, stream, [MARK]);
  const [number] = mark.keys();
  if (number === undefined) throw new Error(`stream ${stream} takes no media`);
  const found = await readUntil(service, stream, number);
  return [...acked].filter(([number, time]) => found.get(number) === time).length;
}

/** Reads from the earliest fragment to the newest acknowledged one: all are there, with their bytes. */
export async function expectReadable(
  service: Endpoint,
  stream: string,
  acked: Acked,
): Promise<void> {
  const last = [...acked.keys()].sort().at(-1);
  if (last === undefined) throw new Error('nothing was acknowledged');
  const found = await readUntil(service, stream, last);
  for (const [number, time] of acked) expect(found.get(number), `at ${time}`).toBe(time);
}

/** Times of fragments by their number, from the earliest to the one with this number. */
async function readUntil(
  service: Endpoint,
  stream: string,
  last: string,
): Promise<Map<string, number>> {
  const found = new Map<string, number>();
  const reading = getMedia(service, stream, { StartSelectorType: 'EARLIEST' }, last);
  const media = await within(`fragment ${last} is not served`, reading);
  try {
    for await (const event of readMedia([media])) {
      if (event.kind !== 'frame') continue;
      const { clusterTimecodeMs, data, fragment } = event;
      expect(dataOf(clusterTimecodeMs).equals(data), `bytes at ${clusterTimecodeMs}`).toBe(true);
      found.set(fragment?.fragmentNumber ?? '', clusterTimecodeMs);
    }
  } catch (error) {
    // What follows the last one was cut off where reading ended.
    if (!found.has(last) || !(error instanceof KvsError)) throw error;
  }
  return found;
}

/** Rejects with this reason where something takes longer than a busy machine may need. */
async function within<T>(reason: string, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(reason));
    }, PATIENCE);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
