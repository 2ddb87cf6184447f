import type { Input } from '../api/input.js';
import { ServiceError } from '../errors.js';
import type { Call, Handler } from '../http/front.js';
import type { ServiceContext } from '../context.js';
import { keyArn } from '../keys/key-name.js';
import {
  describeImages,
  describeNotification,
  updateImages,
  updateNotification,
} from './delivery.js';
import { findStream } from './find-stream.js';
import type { Stream } from './streams.js';
import { listTags, tagStream, untagStream } from './tags.js';

const DEFAULT_PAGE = 10_000;

type ControlOperation =
  | 'CreateStream'
  | 'DeleteStream'
  | 'DescribeStream'
  | 'GetDataEndpoint'
  | 'ListStreams'
  | 'ListTagsForStream'
  | 'TagStream'
  | 'UntagStream'
  | 'UpdateDataRetention'
  | 'UpdateStream'
  | 'TagResource'
  | 'UntagResource'
  | 'ListTagsForResource'
  | 'DescribeNotificationConfiguration'
  | 'UpdateNotificationConfiguration'
  | 'DescribeImageGenerationConfiguration'
  | 'UpdateImageGenerationConfiguration';

type Run = (
  context: ServiceContext,
  call: Call,
) => Promise<object | undefined> | object | undefined;

const RUNS: Readonly<Record<ControlOperation, Run>> = {
  CreateStream: createStream,
  DeleteStream: deleteStream,
  DescribeStream: (context, call) => ({
    StreamInfo: streamInfo(context, findStream(context, call)),
  }),
  GetDataEndpoint: getDataEndpoint,
  ListStreams: listStreams,
  ListTagsForStream: listTags,
  TagStream: tagStream,
  UntagStream: untagStream,
  UpdateDataRetention: updateDataRetention,
  UpdateStream: updateStream,
  TagResource: tagStream,
  UntagResource: untagStream,
  ListTagsForResource: listTags,
  DescribeNotificationConfiguration: describeNotification,
  UpdateNotificationConfiguration: updateNotification,
  DescribeImageGenerationConfiguration: describeImages,
  UpdateImageGenerationConfiguration: updateImages,
};

/** Handlers of the control operations. @internal */
export function controlHandlers(
  context: ServiceContext,
): Readonly<Record<ControlOperation, Handler>> {
  const handler = (run: Run): Handler => ({
    kind: 'json',
    run: async (call) => {
      context.rates.checkAccount(call);
      return run(context, call);
    },
  });
  return {
    CreateStream: handler(RUNS.CreateStream),
    DeleteStream: handler(RUNS.DeleteStream),
    DescribeStream: handler(RUNS.DescribeStream),
    GetDataEndpoint: handler(RUNS.GetDataEndpoint),
    ListStreams: handler(RUNS.ListStreams),
    ListTagsForStream: handler(RUNS.ListTagsForStream),
    TagStream: handler(RUNS.TagStream),
    UntagStream: handler(RUNS.UntagStream),
    UpdateDataRetention: handler(RUNS.UpdateDataRetention),
    UpdateStream: handler(RUNS.UpdateStream),
    TagResource: handler(RUNS.TagResource),
    UntagResource: handler(RUNS.UntagResource),
    ListTagsForResource: handler(RUNS.ListTagsForResource),
    DescribeNotificationConfiguration: handler(RUNS.DescribeNotificationConfiguration),
    UpdateNotificationConfiguration: handler(RUNS.UpdateNotificationConfiguration),
    DescribeImageGenerationConfiguration: handler(RUNS.DescribeImageGenerationConfiguration),
    UpdateImageGenerationConfiguration: handler(RUNS.UpdateImageGenerationConfiguration),
  };
}

async function createStream(context: ServiceContext, call: Call): Promise<object> {
  const { input, caller } = call;
  const name = input.string('StreamName') ?? '';
  context.rates.checkName(call, name);
  const tags = Object.fromEntries(input.entries('Tags'));
  const { tagsPerStream } = context.options.limits;
  if (Object.keys(tags).length > tagsPerStream) {
    throw new ServiceError(
      'TagsPerResourceExceededLimitException',
      `A stream may have ${String(tagsPerStream)} tags.`,
    );
  }
  const record = await context.streams.create({
    account: caller.account,
    name,
    retentionHours: input.number('DataRetentionInHours') ?? 0,
    deviceName: input.string('DeviceName'),
    kmsKeyId: input.string('KmsKeyId'),
    mediaType: input.string('MediaType'),
    tags,
  });
  return { StreamARN: context.streams.arn(record) };
}

async function deleteStream(context: ServiceContext, call: Call): Promise<undefined> {
  const { record } = findStream(context, call);
  checkVersion(record.version, call.input);
  context.streams.markDeleting(record);
  await context.hubs.removed(record.id);
  await context.streams.remove(record);
  context.keys.forget(record.id);
  context.metrics.forget(record.id);
  return undefined;
}

function getDataEndpoint(context: ServiceContext, call: Call): object {
  findStream(context, call);
  const api = call.input.string('APIName') ?? '';
  return { DataEndpoint: context.endpointOf(call.source, api) };
}

function listStreams(context: ServiceContext, { input, caller }: Call): object {
  const condition = input.object('StreamNameCondition');
  const prefix = condition?.string('ComparisonValue') ?? '';
  const after = readToken(input.string('NextToken'));
  const limit = input.number('MaxResults') ?? DEFAULT_PAGE;
  const streams = context.streams
    .list(caller.account)
    .filter(({ record }) => record.name.startsWith(prefix) && record.name > after);
  const page = streams.slice(0, limit);
  const last = page.at(-1);
  return {
    StreamInfoList: page.map((stream) => streamInfo(context, stream)),
    ...(streams.length > page.length && last && { NextToken: makeToken(last.record.name) }),
  };
}

async function updateDataRetention(context: ServiceContext, call: Call): Promise<undefined> {
  const { record } = findStream(context, call);
  const { input } = call;
  checkVersion(record.version, input);
  const hours = input.number('DataRetentionChangeInHours') ?? 0;
  const grows = input.string('Operation') === 'INCREASE_DATA_RETENTION';
  const retentionHours = record.retentionHours + (grows ? hours : -hours);
  if (retentionHours < 0) {
    throw new ServiceError(
      'InvalidArgumentException',
      `DataRetentionChangeInHours ${String(hours)} is more than the ` +
        `${String(record.retentionHours)} hours that the stream retains.`,
    );
  }
  const next = await context.streams.update(record, { retentionHours });
  await context.sweeper.sweep(next);
  return undefined;
}

async function updateStream(context: ServiceContext, call: Call): Promise<undefined> {
  const { record } = findStream(context, call);
  const { input } = call;
  checkVersion(record.version, input);
  const deviceName = input.string('DeviceName');
  const mediaType = input.string('MediaType');
  await context.streams.update(record, {
    ...(deviceName !== undefined && { deviceName }),
    ...(mediaType !== undefined && { mediaType }),
  });
  return undefined;
}

function checkVersion(version: string, input: Input): void {
  const given = input.string('CurrentVersion');
  if (given === undefined || given === version) return;
  throw new ServiceError(
    'VersionMismatchException',
    `The version ${given} is not the latest; get it with DescribeStream.`,
  );
}

function streamInfo(context: ServiceContext, { record, status }: Stream): object {
  return {
    CreationTime: record.creationTime / 1000,
    DataRetentionInHours: record.retentionHours,
    DeviceName: record.deviceName,
    KmsKeyId: keyArn(record.kmsKeyId, record.account, context.options.region),
    MediaType: record.mediaType,
    Status: status,
    StreamARN: context.streams.arn(record),
    StreamName: record.name,
    Version: record.version,
  };
}

function makeToken(name: string): string {
  return Buffer.from(name).toString('base64url');
}

function readToken(token: string | undefined): string {
  if (token === undefined || token === '') return '';
  const name = Buffer.from(token, 'base64url').toString();
  if (/^[a-zA-Z0-9_.-]{1,256}$/.test(name)) return name;
  throw new ServiceError('InvalidArgumentException', 'NextToken is not one of this service');
}
