import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { KvsError } from '../base/errors.js';
import { KeyError } from './keys/key-error.js';
import { KeyRing } from './keys/key-ring.js';
import { storedKey } from './keys/stored-key.js';
import { defaultKeyFile } from './options.js';
import { openReadOnly } from './store/open-read-only.js';
import { openReader, type FragmentReader } from './media/reader.js';
import { FragmentDamagedError } from './store/types.js';
import type { FragmentRecord, FragmentStore, StreamRecord } from './store/types.js';

/** What was found of a data directory. */
export interface FsckReport {
  readonly streams: number;
  readonly fragments: number;
  /** Bytes of media whose checksums were compared. */
  readonly bytes: number;
  /** What is wrong, a sentence each; empty when all is well. */
  readonly faults: readonly string[];
}

const PAGE = 256;

/** How `fsck` works. */
export interface FsckOptions {
  /** Master keys of the service; default `master-keys.json` in the data directory. */
  readonly keyFile?: string;
  readonly signal?: AbortSignal;
}

/**
 * Reads everything in a service's data directory: each fragment's media and tags against their
 * checksums and seals, its header, and its entries by time. Changes nothing in the directory, and says
 * what a start would: it works on a copy of the index, for which the system's folder for temporary
 * files needs room. Memory does not grow with what is stored.
 *
 * @throws KvsError when there is no data, a service uses it, its format is unknown, or the key file
 * is bad or may be read by others.
 */
export async function fsck(dataDir: string, options: FsckOptions = {}): Promise<FsckReport> {
  try {
    await access(join(dataDir, 'media'));
  } catch (cause) {
    const message = `${dataDir} holds no data of a service; name what --data-dir of kvs serve named`;
    throw new KvsError({ status: 'STATUS_OPEN_FILE_FAILED', message, cause });
  }
  const report = { streams: 0, fragments: 0, bytes: 0, faults: new Array<string>() };
  const opened = await openReadOnly(dataDir);
  const { store } = opened;
  try {
    const ring = await openRing(dataDir, options);
    for (const stream of await store.catalog.streams()) {
      report.streams += 1;
      await checkStream({ store, stream, ring, report, signal: options.signal });
    }
  } finally {
    await opened.close();
  }
  report.faults.unshift(...opened.faults);
  return report;
}

/** Keys that are missing are a fault of the streams that need them, not of all. */
async function openRing(dataDir: string, { keyFile }: FsckOptions): Promise<KeyRing> {
  const ring = new KeyRing(keyFile ?? defaultKeyFile(dataDir));
  await ring.load();
  return ring;
}

interface StreamCheck {
  readonly store: FragmentStore;
  readonly stream: StreamRecord;
  readonly ring: KeyRing;
  readonly report: { fragments: number; bytes: number; faults: string[] };
  readonly signal: AbortSignal | undefined;
}

async function checkStream({ store, stream, ring, report, signal }: StreamCheck): Promise<void> {
  const reader = openReader(store, stream.id, storedKey(ring, store.catalog, stream));
  let from = 0n;
  try {
    for (;;) {
      const page = await store.index.byNumber(stream.id, { from, limit: PAGE });
      const last = page.at(-1);
      if (last === undefined) return;
      for (const record of page) {
        signal?.throwIfAborted();
        report.fragments += 1;
        report.bytes += record.clusterBytes;
        const fault = await faultOf(store, reader, stream.id, record);
        if (fault !== undefined) report.faults.push(`stream ${stream.name}: ${fault}`);
      }
      from = last.number + 1n;
    }
  } catch (error) {
    // An entry that cannot be read hides those behind it, and a missing key all of them.
    if (!(error instanceof FragmentDamagedError || error instanceof KeyError)) throw error;
    report.faults.push(`stream ${stream.name}: ${error.message}; what follows was not looked at`);
  } finally {
    await reader.close();
  }
}

async function faultOf(
  store: FragmentStore,
  reader: FragmentReader,
  id: number,
  record: FragmentRecord,
): Promise<string | undefined> {
  try {
    await reader.checkRecord(record);
    await reader.header(record);
    await reader.tags(record);
    await reader.table(record);
    for await (const piece of reader.pieces(record)) void piece;
  } catch (error) {
    if (error instanceof FragmentDamagedError) return error.message;
    throw error;
  }
  for (const kind of ['producer', 'server'] as const) {
    const time = kind === 'producer' ? record.producerTime : record.serverTime;
    const after = { time, number: record.number - 1n };
    const [found] = await store.index.byTime(id, { kind, from: time, to: time, limit: 1, after });
    if (found?.number !== record.number) {
      return `fragment ${String(record.number)} has no entry by ${kind} time`;
    }
  }
  return undefined;
}
