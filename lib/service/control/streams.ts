import { randomBytes } from 'node:crypto';
import { ServiceError } from '../errors.js';
import type { CheckedOptions } from '../options.js';
import type { Catalog, StreamRecord } from '../store/types.js';

/** States of a stream (guide: StreamInfo). @internal */
export type StreamStatus = 'CREATING' | 'ACTIVE' | 'UPDATING' | 'DELETING';

/** A stream as the service holds it. @internal */
export interface Stream {
  readonly record: StreamRecord;
  readonly status: StreamStatus;
}

/** What a new stream is made with. @internal */
export interface NewStream {
  readonly account: string;
  readonly name: string;
  readonly retentionHours: number;
  readonly deviceName?: string | undefined;
  readonly kmsKeyId?: string | undefined;
  readonly mediaType?: string | undefined;
  readonly tags: Readonly<Record<string, string>>;
}

type Change = Partial<Omit<StreamRecord, 'id' | 'account' | 'name' | 'creationTime'>>;

/** Every stream of the service, in memory and in the store. @internal */
export class StreamRegistry {
  readonly #catalog: Catalog;
  readonly #options: Pick<CheckedOptions, 'region' | 'clock' | 'limits'>;
  readonly #streams = new Map<string, Stream>();

  constructor(catalog: Catalog, options: Pick<CheckedOptions, 'region' | 'clock' | 'limits'>) {
    this.#catalog = catalog;
    this.#options = options;
  }

  async load(): Promise<void> {
    for (const record of await this.#catalog.streams()) this.#set(record, 'ACTIVE');
  }

  all(): readonly Stream[] {
    return [...this.#streams.values()];
  }

  /** The account's streams, by name. */
  list(account: string): readonly Stream[] {
    return this.all()
      .filter((stream) => stream.record.account === account)
      .sort((a, b) => (a.record.name < b.record.name ? -1 : 1));
  }

  arn(record: StreamRecord): string {
    const { account, name, creationTime } = record;
    return `arn:aws:kinesisvideo:${this.#options.region}:${account}:stream/${name}/${String(creationTime)}`;
  }

  /** The stream of that name as it is now, undefined when it is gone. */
  current(record: StreamRecord): Stream | undefined {
    const stream = this.#streams.get(keyOf(record.account, record.name));
    return stream?.record.id === record.id ? stream : undefined;
  }

  /** The stream named by either or both. Throws what the guide says. */
  find(account: string, name: string | undefined, arn: string | undefined): Stream {
    if (name === undefined && arn === undefined) {
      throw new ServiceError(
        'InvalidArgumentException',
        'Either StreamName or StreamARN must be specified',
      );
    }
    const stream = this.lookup(account, name, arn);
    if (stream !== undefined) return stream;
    throw new ServiceError(
      'ResourceNotFoundException',
      `The requested stream ${arn ?? name ?? ''} is not found or not active in account ${account}.`,
    );
  }

  /** The stream named by either or both; undefined when there is none. */
  lookup(account: string, name: string | undefined, arn: string | undefined): Stream | undefined {
    const stream = this.#streams.get(keyOf(account, name ?? nameOfArn(arn ?? '')));
    if (stream === undefined || stream.status === 'CREATING') return undefined;
    return arn === undefined || this.arn(stream.record) === arn ? stream : undefined;
  }

  async create(wanted: NewStream): Promise<StreamRecord> {
    const key = keyOf(wanted.account, wanted.name);
    if (this.#streams.has(key)) {
      throw new ServiceError(
        'ResourceInUseException',
        `The stream ${wanted.name} already exists in account ${wanted.account}.`,
      );
    }
    const { streamsPerAccount } = this.#options.limits;
    const owned = this.all().filter(({ record }) => record.account === wanted.account).length;
    if (owned >= streamsPerAccount) {
      throw new ServiceError(
        'AccountStreamLimitExceededException',
        `Account ${wanted.account} has ${String(streamsPerAccount)} streams, the most it may have.`,
      );
    }
    const draft = draftOf(wanted, this.#options.clock.wall());
    this.#streams.set(key, { record: draft, status: 'CREATING' });
    try {
      const record = { ...draft, id: await this.#catalog.newStreamId() };
      await this.#put(record, undefined);
      this.#set(record, 'ACTIVE');
      return record;
    } catch (error) {
      this.#streams.delete(key);
      throw error;
    }
  }

  /** Changes a stream that is ACTIVE; a changed stream has a new version. */
  async update(record: StreamRecord, change: Change): Promise<StreamRecord> {
    const now = this.#requireActive(record);
    this.#set(now, 'UPDATING');
    const next = { ...now, version: newVersion(), ...change };
    try {
      await this.#put(next, now.version);
      this.#set(next, 'ACTIVE');
      return next;
    } catch (error) {
      this.#set(now, 'ACTIVE');
      throw error;
    }
  }

  /** Marks a stream as going; its media is gone at once for every caller. */
  markDeleting(record: StreamRecord): void {
    this.#set(this.#requireActive(record), 'DELETING');
  }

  async remove(record: StreamRecord): Promise<void> {
    await this.#catalog.deleteStream(record.id);
    this.#streams.delete(keyOf(record.account, record.name));
  }

  /** Another process may have changed what this one knows. */
  async #put(record: StreamRecord, since: string | undefined): Promise<void> {
    if (await this.#catalog.putStream(record, since)) return;
    throw new ServiceError(
      'VersionMismatchException',
      `The stream ${record.name} was changed meanwhile; get its version with DescribeStream.`,
    );
  }

  #requireActive(record: StreamRecord): StreamRecord {
    const stream = this.current(record);
    if (stream?.status === 'ACTIVE') return stream.record;
    throw new ServiceError(
      'ResourceInUseException',
      `The stream ${record.name} is ${stream?.status ?? 'DELETED'}; try again when it is ACTIVE.`,
    );
  }

  #set(record: StreamRecord, status: StreamStatus): void {
    this.#streams.set(keyOf(record.account, record.name), { record, status });
  }
}

function draftOf(wanted: NewStream, creationTime: number): StreamRecord {
  const { account, name, retentionHours, deviceName, kmsKeyId, mediaType, tags } = wanted;
  return {
    id: 0,
    account,
    name,
    creationTime,
    retentionHours,
    version: newVersion(),
    ...(deviceName !== undefined && { deviceName }),
    ...(kmsKeyId !== undefined && { kmsKeyId }),
    ...(mediaType !== undefined && { mediaType }),
    tags,
  };
}

function newVersion(): string {
  return randomBytes(10).toString('hex');
}

function keyOf(account: string, name: string): string {
  return `${account}/${name}`;
}

function nameOfArn(arn: string): string {
  return arn.split('/')[1] ?? '';
}
