import { KvsError } from '../../base/errors.js';
import type { StatusName } from '../../generated/status.js';
import type { StreamDescription } from '../../providers/index.js';

/** Guide: limits of the producer library. */
const MAX_ARN = 1024;
const MAX_URI = 10_000;
const STREAM_STATUS: Readonly<Record<StreamDescription['streamStatus'], number>> = {
  CREATING: 0,
  ACTIVE: 1,
  UPDATING: 2,
  DELETING: 3,
};

/** The answer to a stream's call. @internal */
export interface StreamAnswer {
  readonly result: number;
  readonly streamStatus?: number;
  /** Milliseconds. */
  readonly retention?: number;
  /** Milliseconds since 1970, or Infinity. */
  readonly expiration?: number;
}

function wrong(status: StatusName, message: string): KvsError {
  return new KvsError({ status, message, retryable: true });
}

function isArn(value: unknown): boolean {
  return typeof value === 'string' && value.length > 0 && value.length <= MAX_ARN;
}

/** What DescribeStream said; throws when the service or the user's own provider said nonsense. @internal */
export function described(found: StreamDescription): {
  readonly streamStatus: number;
  readonly retention: number;
} {
  const { streamArn, streamStatus, retentionPeriod: retention } = found;
  const status: number | undefined = STREAM_STATUS[streamStatus];
  const invalid = 'STATUS_INVALID_DESCRIBE_STREAM_RESPONSE';
  if (status === undefined || !(retention >= 0 && retention < Infinity)) {
    const said = `streamStatus ${streamStatus}, retentionPeriod ${retention}`;
    throw wrong(invalid, `describeStream answered ${said}`);
  }
  if (!isArn(streamArn)) {
    throw wrong(invalid, `describeStream answered no ARN of 1 to ${MAX_ARN} characters`);
  }
  return { streamStatus: status, retention };
}

/** The ARN that CreateStream gave. @internal */
export function created(streamArn: string): string {
  if (isArn(streamArn)) return streamArn;
  throw wrong(
    'STATUS_INVALID_CREATE_STREAM_RESPONSE',
    `createStream answered no ARN of 1 to ${MAX_ARN} characters`,
  );
}

/** The address that GetDataEndpoint gave. @internal */
export function dataEndpoint(uri: string): string {
  if (typeof uri === 'string' && uri.length > 0 && uri.length <= MAX_URI) return uri;
  throw wrong(
    'STATUS_INVALID_URI_LEN',
    `getStreamingEndpoint answered no address of 1 to ${MAX_URI} characters`,
  );
}
