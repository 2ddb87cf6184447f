import { randomBytes } from 'node:crypto';
import { NAL_ADAPTATION } from '../../base/media.js';
import type { NativeStreamInfo } from '../../native/index.js';
import type { StreamCallbackProvider } from '../../providers/index.js';
import { choice, known, number, object, refuse, text } from './field-check.js';
import type { OverflowPolicy, StreamDefinition, StreamingType } from './stream-definition.js';
import { checkTracks, contentTypeOf } from './track-check.js';

const HOUR_MS = 3_600_000;
const MAX_RETENTION_MS = 87_600 * HOUR_MS;
const STREAMING_TYPES: Readonly<Record<StreamingType, number>> = {
  REALTIME: 0,
  NEAR_REALTIME: 1,
  OFFLINE: 2,
};
const OVERFLOW_POLICIES: Readonly<Record<OverflowPolicy, number>> = { DROP_OLDEST: 0, REFUSE: 1 };

const NAMES: Readonly<Record<keyof StreamDefinition, true>> = {
  streamName: true,
  retentionPeriod: true,
  tags: true,
  kmsKeyId: true,
  streamingType: true,
  overflowPolicy: true,
  contentType: true,
  maxLatency: true,
  fragmentDuration: true,
  minFragmentDuration: true,
  maxFragmentDuration: true,
  timecodeScale: true,
  keyFrameFragmentation: true,
  frameTimecodes: true,
  absoluteFragmentTimes: true,
  fragmentAcks: true,
  restartOnError: true,
  recalculateMetrics: true,
  allowStreamCreation: true,
  nalAdaptationFlags: true,
  frameRate: true,
  avgBandwidthBps: true,
  maxBandwidthBps: true,
  bufferDuration: true,
  replayDuration: true,
  connectionStaleness: true,
  sessionDuration: true,
  idleDuration: true,
  codecId: true,
  trackName: true,
  codecPrivateData: true,
  tracks: true,
  callbacks: true,
};
const DEFINITION_NAMES: readonly string[] = Object.keys(NAMES);

/** A definition with every default filled in and every rule checked. @internal */
export interface CheckedDefinition {
  readonly info: NativeStreamInfo;
  readonly tags: Readonly<Record<string, string>>;
  /** Bytes a second; Infinity without a cap of its own. */
  readonly maxBandwidth: number;
  readonly callbacks: StreamCallbackProvider | undefined;
}

/** Fills in the defaults. Throws `KvsError` that names the field, its value, the limit and the remedy. */
export function checkDefinition(definition: StreamDefinition): CheckedDefinition {
  object(definition, 'the definition', 'an object');
  known(definition, DEFINITION_NAMES);
  const callbacks = definition.callbacks ?? undefined;
  if (callbacks !== undefined) object(callbacks, 'callbacks', 'an object with callbacks by name');
  const tags = checkTags(definition.tags ?? {});
  const tracks = checkTracks(definition);
  const info: NativeStreamInfo = {
    name: checkName(definition.streamName ?? randomName()),
    contentType: text(definition.contentType ?? contentTypeOf(tracks), 'contentType', 128, {
      status: 'STATUS_MKV_INVALID_CONTENT_TYPE_LENGTH',
    }),
    kmsKeyId: text(definition.kmsKeyId ?? '', 'kmsKeyId', 2048, {
      status: 'STATUS_INVALID_ARG_LEN',
    }),
    tagCount: Object.keys(tags).length,
    retention: checkRetention(definition.retentionPeriod ?? HOUR_MS),
    nalAdaptationFlags: checkAdaptation(definition.nalAdaptationFlags ?? 8 + 32),
    tracks,
    ...choices(definition),
    ...fragmentDurations(definition),
    ...durations(definition),
    ...switches(definition),
  };
  checkOffline(info);
  const cap = number(definition.maxBandwidthBps ?? Infinity, 'maxBandwidthBps', 8000, Infinity);
  return { info, tags, maxBandwidth: cap / 8, callbacks };
}

function choices(
  definition: StreamDefinition,
): Pick<
  NativeStreamInfo,
  'streamingType' | 'overflowPolicy' | 'frameRate' | 'avgBandwidthBps' | 'timecodeScale'
> {
  const type = definition.streamingType ?? 'REALTIME';
  const policy = definition.overflowPolicy ?? (type === 'OFFLINE' ? 'REFUSE' : 'DROP_OLDEST');
  return {
    streamingType: choice(STREAMING_TYPES, type, 'streamingType'),
    overflowPolicy: choice(OVERFLOW_POLICIES, policy, 'overflowPolicy'),
    // The core counts whole frames; 29.97 is an estimate all the same.
    frameRate: Math.round(number(definition.frameRate ?? 25, 'frameRate', 0, 2 ** 32 - 1)),
    avgBandwidthBps: number(
      definition.avgBandwidthBps ?? 4 * 1024 * 1024,
      'avgBandwidthBps',
      0,
      2 ** 32 - 1,
    ),
    timecodeScale: number(
      definition.timecodeScale ?? 1,
      'timecodeScale',
      finestScale(definition.maxFragmentDuration ?? 10_000),
      1000,
      { status: 'STATUS_MKV_INVALID_TIMECODE_SCALE' },
    ),
  };
}

/** A block's time in its fragment has 16 bits: in a finer unit a whole fragment could not be told, ms. */
function finestScale(longest: number): number {
  const finest = Math.ceil((longest * 10_000) / 0x7fff) / 10_000;
  return finest > 0.0001 && finest < 1000 ? finest : 0.0001;
}

const CLUSTER = { status: 'STATUS_MKV_INVALID_CLUSTER_DURATION' } as const;
const VIEW = { status: 'STATUS_INVALID_CONTENT_VIEW_DURATION' } as const;

function fragmentDurations(
  d: StreamDefinition,
): Pick<NativeStreamInfo, 'fragmentDuration' | 'minFragmentDuration' | 'maxFragmentDuration'> {
  const [own, least, most] = [d.fragmentDuration, d.minFragmentDuration, d.maxFragmentDuration];
  const longest = number(most ?? 10_000, 'maxFragmentDuration', 1000, 20_000, CLUSTER);
  return {
    fragmentDuration: number(own ?? 2000, 'fragmentDuration', 1000, 20_000, CLUSTER),
    minFragmentDuration: number(least ?? 1000, 'minFragmentDuration', 0, longest - 1, CLUSTER),
    maxFragmentDuration: longest,
  };
}

function durations(
  d: StreamDefinition,
): Pick<
  NativeStreamInfo,
  | 'maxLatency'
  | 'bufferDuration'
  | 'replayDuration'
  | 'connectionStaleness'
  | 'sessionDuration'
  | 'idleDuration'
> {
  return {
    maxLatency: number(d.maxLatency ?? 0, 'maxLatency', 0, Infinity),
    bufferDuration: number(d.bufferDuration ?? 120_000, 'bufferDuration', 20_000, Infinity, VIEW),
    replayDuration: number(d.replayDuration ?? 40_000, 'replayDuration', 0, Infinity),
    connectionStaleness: number(
      d.connectionStaleness ?? 30_000,
      'connectionStaleness',
      0,
      Infinity,
    ),
    sessionDuration: sessionDuration(d.sessionDuration ?? 2_400_000),
    idleDuration: number(d.idleDuration ?? 20_000, 'idleDuration', 0, Infinity),
  };
}

function sessionDuration(given: number): number {
  return given === Infinity ? given : number(given, 'sessionDuration', 1000, 2_700_000);
}

function switches(
  d: StreamDefinition,
): Pick<
  NativeStreamInfo,
  | 'keyFrameFragmentation'
  | 'frameTimecodes'
  | 'absoluteFragmentTimes'
  | 'fragmentAcks'
  | 'restartOnError'
  | 'recalculateMetrics'
  | 'allowStreamCreation'
> {
  return {
    keyFrameFragmentation: d.keyFrameFragmentation ?? true,
    frameTimecodes: d.frameTimecodes ?? true,
    absoluteFragmentTimes: d.absoluteFragmentTimes ?? true,
    fragmentAcks: d.fragmentAcks ?? true,
    restartOnError: d.restartOnError ?? true,
    recalculateMetrics: d.recalculateMetrics ?? true,
    allowStreamCreation: d.allowStreamCreation ?? true,
  };
}

function randomName(): string {
  return `stream-${randomBytes(8).toString('hex')}`;
}

function checkName(name: string): string {
  text(name, 'streamName', 256, { status: 'STATUS_INVALID_STREAM_NAME_LENGTH' });
  if (name === '') {
    refuse('STATUS_INVALID_STREAM_NAME_LENGTH', 'streamName is empty; give 1 to 256 characters');
  }
  const bad = /[^a-zA-Z0-9_.-]/u.exec(name);
  if (bad !== null) {
    refuse(
      'STATUS_INVALID_ARG',
      `streamName '${name}' has '${bad[0]}' at position ${bad.index}; ` +
        'only a-z, A-Z, 0-9, _, . and - may stand in it',
    );
  }
  return name;
}

function checkTags(tags: Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  object(tags, 'tags', 'an object of names and values');
  const entries = Object.entries(tags);
  if (entries.length > 50) {
    refuse('STATUS_MAX_TAG_COUNT', `tags has ${entries.length} entries; a stream takes at most 50`);
  }
  for (const [name, value] of entries) {
    if (name === '' || name.length > 128) {
      const what = `the tag name '${name.slice(0, 20)}' has ${name.length} characters`;
      refuse('STATUS_INVALID_TAG_NAME_LEN', `${what}; give 1 to 128`);
    }
    if (typeof value !== 'string' || value.length > 1024) {
      refuse(
        'STATUS_INVALID_TAG_VALUE_LEN',
        `the value of tag '${name}' is no text of at most 1024`,
      );
    }
  }
  return { ...tags };
}

function checkRetention(retention: number): number {
  if (Number.isFinite(retention) && retention >= 0 && retention % HOUR_MS === 0) {
    if (retention <= MAX_RETENTION_MS) return retention;
  }
  return refuse(
    'STATUS_INVALID_RETENTION_PERIOD',
    `retentionPeriod is ${String(retention)} ms; give 0, or whole hours (multiples of 3,600,000) up to ten years`,
  );
}

function checkAdaptation(flags: number): number {
  const { ANNEXB_NALS, AVCC_NALS, ANNEXB_CPD_NALS } = NAL_ADAPTATION;
  if (!Number.isInteger(flags) || (flags & ~(ANNEXB_NALS | AVCC_NALS | ANNEXB_CPD_NALS)) !== 0) {
    refuse(
      'STATUS_INVALID_ARG',
      `nalAdaptationFlags is ${String(flags)}; give a sum of NAL_ADAPTATION`,
    );
  }
  if ((flags & ANNEXB_NALS) !== 0 && (flags & AVCC_NALS) !== 0) {
    refuse(
      'STATUS_MKV_BOTH_ANNEXB_AND_AVCC_SPECIFIED',
      'nalAdaptationFlags has both ANNEXB_NALS and AVCC_NALS; frames come in one format',
    );
  }
  return flags;
}

function checkOffline(info: NativeStreamInfo): void {
  if (info.streamingType !== STREAMING_TYPES.OFFLINE) return;
  if (info.retention !== 0 && info.fragmentAcks) return;
  refuse(
    'STATUS_OFFLINE_MODE_WITH_ZERO_RETENTION',
    'streamingType OFFLINE waits for fragments to be persisted; ' +
      'it needs a retentionPeriod of at least one hour and fragmentAcks',
  );
}
