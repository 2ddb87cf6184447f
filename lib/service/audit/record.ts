import { randomUUID } from 'node:crypto';
import type { Caller } from '../http/auth.js';
import type { ServiceErrorName } from '../errors.js';

/** What is told of a call. @internal */
export interface CallEvent {
  readonly operation: string;
  /** When it began, ms since 1970. */
  readonly time: number;
  /** Undefined where the signature was refused. */
  readonly caller: Caller | undefined;
  /** The parameters, undefined where they broke their rules. */
  readonly input: Readonly<Record<string, unknown>> | undefined;
  readonly answer: object | undefined;
  readonly error: { readonly name: ServiceErrorName; readonly message: string } | undefined;
  readonly requestId: string;
  readonly sourceAddress: string;
  readonly userAgent: string;
}

/** Operations that only read: their answers are no part of the record. */
const READS = /^(Describe|Get|List)/;

/** The record of a call in the guide's form (its monitoring chapter), one line of JSON. @internal */
export function recordLine(event: CallEvent, region: string): string {
  const { operation, caller, input, answer, error } = event;
  const record = {
    eventVersion: '1.05',
    userIdentity: identityOf(caller),
    eventTime: new Date(event.time).toISOString().replace(/\.\d{3}Z$/, 'Z'),
    eventSource: 'kinesisvideo.amazonaws.com',
    eventName: operation,
    awsRegion: region,
    sourceIPAddress: event.sourceAddress,
    userAgent: event.userAgent,
    ...(error !== undefined && { errorCode: error.name, errorMessage: error.message }),
    requestParameters: input === undefined ? null : lowerNames(input),
    responseElements: answer === undefined || READS.test(operation) ? null : lowerNames(answer),
    requestID: event.requestId,
    eventID: randomUUID(),
    eventType: 'AwsApiCall',
    ...(caller !== undefined && { recipientAccountId: caller.account }),
  };
  return `${JSON.stringify(record)}\n`;
}

function identityOf(caller: Caller | undefined): object {
  if (caller === undefined) return { type: 'Unknown' };
  const { account, user, accessKeyId } = caller;
  // An open service knows no users.
  if (accessKeyId === '') return { type: 'AWSAccount', principalId: account, accountId: account };
  return {
    type: 'IAMUser',
    principalId: accessKeyId,
    arn: `arn:aws:iam::${account}:user/${user}`,
    accountId: account,
    accessKeyId,
    userName: user,
  };
}

/** Names as the guide's records have them: StreamName is streamName there. Tags stay as named. */
function lowerNames(values: object): object {
  return Object.fromEntries(
    Object.entries(values).map(([name, value]: [string, unknown]) => [
      name.charAt(0).toLowerCase() + name.slice(1),
      name === 'Tags' ? value : lowerWithin(value),
    ]),
  );
}

function lowerWithin(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value;
  return Array.isArray(value) ? value.map(lowerWithin) : lowerNames(value);
}
