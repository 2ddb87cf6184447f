import {
  CreateStreamCommand,
  DeleteStreamCommand,
  DescribeStreamCommand,
  ListStreamsCommand,
  ListTagsForResourceCommand,
  ListTagsForStreamCommand,
  TagResourceCommand,
  TagStreamCommand,
  UntagResourceCommand,
  UntagStreamCommand,
  UpdateDataRetentionCommand,
  UpdateStreamCommand,
  type StreamInfo,
} from '@aws-sdk/client-kinesis-video';
import fc from 'fast-check';
import { expect } from 'vitest';
import { outcome, type Real } from './real.js';
import { Step, streamName as name } from './step.js';
import type { ModelStream, NewStream, World } from './world.js';

const text = fc.option(fc.constantFrom('x', 'y.z', 'long-one'), { nil: undefined });
const media = fc.option(fc.constantFrom('video/h264', 'video/h264,audio/aac'), { nil: undefined });
const tags = fc.dictionary(fc.constantFrom('p', 'q', 'r', '__proto__', 's t'), fc.string(), {
  maxKeys: 3,
});
const keys = fc.uniqueArray(fc.constantFrom('p', 'q', 'r', 'unknown'), { minLength: 1 });
/** How a stream is named: by its name, by its ARN, by both. */
const by = fc.constantFrom('name', 'arn', 'both');
const NOBODY = 'arn:aws:kinesisvideo:us-west-2:000000000000:stream/nobody/1';

function naming(world: World, stream: string, how: string): object {
  const arn = world.streams.get(stream)?.arn ?? NOBODY;
  return {
    ...(how !== 'arn' && { StreamName: stream }),
    ...(how !== 'name' && { StreamARN: arn }),
  };
}

/** What DescribeStream and ListStreams tell of a stream. The version must be the one last told. */
function expectInfo(info: StreamInfo | undefined, stream: ModelStream): void {
  const { Version, KmsKeyId, ...rest } = info ?? {};
  expect(rest).toEqual({
    CreationTime: new Date(stream.creationTime),
    DataRetentionInHours: stream.hours,
    DeviceName: stream.deviceName,
    MediaType: stream.mediaType,
    Status: 'ACTIVE',
    StreamARN: stream.arn,
    StreamName: stream.name,
  });
  expect(KmsKeyId).toBe('arn:aws:kms:us-west-2:000000000000:alias/aws/kinesisvideo');
  expect(Version).toMatch(/^[a-zA-Z0-9]{1,64}$/);
  if (stream.version !== undefined) expect(Version).toBe(stream.version);
  stream.version = Version;
}

/** The stream's version as the service says, or one that no stream has. */
async function versionFor(world: World, real: Real, name: string, right: boolean): Promise<string> {
  const stream = world.streams.get(name);
  if (stream === undefined) return 'abc';
  const { StreamInfo: info } = await real.use.control.send(
    new DescribeStreamCommand({ StreamName: name }),
  );
  expectInfo(info, stream);
  return right ? (info?.Version ?? '') : 'abc';
}

function creation(wanted: NewStream): Step {
  return new Step('create', wanted, async (world, real) => {
    const made = await outcome(() =>
      real.use.control.send(
        new CreateStreamCommand({
          StreamName: wanted.name,
          DataRetentionInHours: wanted.hours,
          DeviceName: wanted.deviceName,
          MediaType: wanted.mediaType,
          Tags: wanted.tags,
        }),
      ),
    );
    const arn = await outcome(() => world.create(wanted));
    expect(typeof made === 'string' ? made : made.StreamARN).toBe(arn);
  });
}

const create = fc
  .record({ name, hours: fc.constantFrom(0, 1, 2, 4), deviceName: text, mediaType: media, tags })
  .map(creation);

const remove = fc.record({ name, version: fc.constantFrom('none', 'right', 'wrong') }).map(
  (wanted) =>
    new Step('delete', wanted, async (world, real) => {
      const version = await versionFor(world, real, wanted.name, wanted.version === 'right');
      const gone = await outcome(() =>
        real.use.control.send(
          new DeleteStreamCommand({
            StreamARN: world.streams.get(wanted.name)?.arn ?? NOBODY,
            CurrentVersion: wanted.version === 'none' ? undefined : version,
          }),
        ),
      );
      const known = world.streams.has(wanted.name);
      if (!known) expect(gone).toBe('ResourceNotFoundException');
      else if (wanted.version === 'wrong') expect(gone).toBe('VersionMismatchException');
      else {
        expect(gone).not.toBeTypeOf('string');
        world.streams.delete(wanted.name);
      }
    }),
);

const describeOne = fc.record({ name, by }).map(
  (wanted) =>
    new Step('describe', wanted, async (world, real) => {
      const told = await outcome(() =>
        real.use.control.send(new DescribeStreamCommand(naming(world, wanted.name, wanted.by))),
      );
      const stream = world.streams.get(wanted.name);
      if (stream === undefined) expect(told).toBe('ResourceNotFoundException');
      else expectInfo(typeof told === 'string' ? undefined : told.StreamInfo, stream);
    }),
);

const list = fc
  .record({
    prefix: fc.option(fc.constantFrom('a', 'ab', 'z'), { nil: undefined }),
    page: fc.integer({ min: 1, max: 3 }),
  })
  .map(
    (wanted) =>
      new Step('list', wanted, async (world, real) => {
        const found: StreamInfo[] = [];
        let token: string | undefined;
        do {
          const page = await real.use.control.send(
            new ListStreamsCommand({
              MaxResults: wanted.page,
              NextToken: token,
              ...(wanted.prefix !== undefined && {
                StreamNameCondition: {
                  ComparisonOperator: 'BEGINS_WITH',
                  ComparisonValue: wanted.prefix,
                },
              }),
            }),
          );
          expect(page.StreamInfoList?.length).toBeLessThanOrEqual(wanted.page);
          found.push(...(page.StreamInfoList ?? []));
          token = page.NextToken;
        } while (token !== undefined);
        const expected = [...world.streams.keys()]
          .filter((one) => one.startsWith(wanted.prefix ?? ''))
          .sort();
        expect(found.map((info) => info.StreamName)).toEqual(expected);
        for (const info of found) expectInfo(info, world.stream(info.StreamName ?? ''));
      }),
  );

const tag = fc
  .record({ name, tags: tags.filter((map) => Object.keys(map).length > 0), resource: fc.boolean() })
  .map(
    (wanted) =>
      new Step('tag', wanted, async (world, real) => {
        const { control } = real.use;
        const arn = world.streams.get(wanted.name)?.arn ?? NOBODY;
        const list = Object.entries(wanted.tags).map(([Key, Value]) => ({ Key, Value }));
        const done = await outcome<unknown>(() =>
          wanted.resource
            ? control.send(new TagResourceCommand({ ResourceARN: arn, Tags: list }))
            : control.send(new TagStreamCommand({ StreamName: wanted.name, Tags: wanted.tags })),
        );
        expectSame(
          done,
          await outcome(() => {
            world.tag(wanted.name, wanted.tags);
          }),
        );
      }),
  );

const untag = fc.record({ name, keys, resource: fc.boolean() }).map(
  (wanted) =>
    new Step('untag', wanted, async (world, real) => {
      const { control } = real.use;
      const arn = world.streams.get(wanted.name)?.arn ?? NOBODY;
      const TagKeyList = wanted.keys;
      const done = await outcome<unknown>(() =>
        wanted.resource
          ? control.send(new UntagResourceCommand({ ResourceARN: arn, TagKeyList }))
          : control.send(new UntagStreamCommand({ StreamName: wanted.name, TagKeyList })),
      );
      expectSame(
        done,
        await outcome(() => {
          const stream = world.stream(wanted.name);
          for (const key of wanted.keys) stream.tags.delete(key);
        }),
      );
    }),
);

const listTags = fc.record({ name, resource: fc.boolean() }).map(
  (wanted) =>
    new Step('listTags', wanted, async (world, real) => {
      const { control } = real.use;
      const arn = world.streams.get(wanted.name)?.arn ?? NOBODY;
      const told = await outcome(async () => {
        const answer = wanted.resource
          ? await control.send(new ListTagsForResourceCommand({ ResourceARN: arn }))
          : await control.send(new ListTagsForStreamCommand({ StreamName: wanted.name }));
        return Object.entries(answer.Tags ?? {}).sort();
      });
      expect(told).toEqual(await outcome(() => [...world.stream(wanted.name).tags].sort()));
    }),
);

const retention = fc
  .record({ name, change: fc.constantFrom(-4, -2, -1, 1, 2), right: fc.boolean(), by })
  .map(
    (wanted) =>
      new Step('retention', wanted, async (world, real) => {
        const { name, change } = wanted;
        // Above four hours the ages of the model's fragments come too near to a whole hour.
        if ((world.streams.get(name)?.hours ?? 0) + change > 4) return;
        const version = await versionFor(world, real, name, wanted.right);
        const done = await outcome<unknown>(() =>
          real.use.control.send(
            new UpdateDataRetentionCommand({
              ...naming(world, name, wanted.by),
              CurrentVersion: version,
              Operation: change > 0 ? 'INCREASE_DATA_RETENTION' : 'DECREASE_DATA_RETENTION',
              DataRetentionChangeInHours: Math.abs(change),
            }),
          ),
        );
        expectSame(
          done,
          await outcome(() => {
            world.changeRetention(name, version, change);
          }),
        );
      }),
  );

const update = fc.record({ name, deviceName: text, mediaType: media, right: fc.boolean() }).map(
  (wanted) =>
    new Step('update', wanted, async (world, real) => {
      const { name, deviceName, mediaType, right } = wanted;
      const version = await versionFor(world, real, name, right);
      const done = await outcome<unknown>(() =>
        real.use.control.send(
          new UpdateStreamCommand({
            StreamName: name,
            CurrentVersion: version,
            DeviceName: deviceName,
            MediaType: mediaType,
          }),
        ),
      );
      const stream = world.streams.get(name);
      if (stream === undefined) expect(done).toBe('ResourceNotFoundException');
      else if (!right) expect(done).toBe('VersionMismatchException');
      else {
        expect(done).not.toBeTypeOf('string');
        stream.deviceName = deviceName ?? stream.deviceName;
        stream.mediaType = mediaType ?? stream.mediaType;
        stream.version = undefined;
      }
    }),
);

/** The service ends and starts again, later or, where the clock was set back, earlier. */
const restart = fc.record({ minutes: fc.constantFrom(0, 25, 50, 125, -25) }).map(
  (wanted) =>
    new Step('restart', wanted, async (world, real) => {
      await real.restart(() => {
        world.wall += wanted.minutes * 60_000;
      });
      world.restarted();
    }),
);

/** Both refuse with the same name, or neither does. */
function expectSame(done: unknown, expected: unknown): void {
  if (typeof expected === 'string') expect(done).toBe(expected);
  else expect(done).not.toBeTypeOf('string');
}

const PLAIN = { deviceName: undefined, mediaType: undefined, tags: {} };

/** What every sequence begins with, so that those behind find streams. */
export const FIRST_STEPS: readonly Step[] = [
  creation({ name: 'a', hours: 2, ...PLAIN }),
  creation({ name: 'b', hours: 0, ...PLAIN }),
];

/** Arbitrary steps of the control plane. */
export const CONTROL_STEPS: readonly fc.Arbitrary<Step>[] = [
  ...[create, remove, describeOne, list, tag, untag, listTags],
  ...[retention, update, restart],
];
