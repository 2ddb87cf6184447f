import { ACK_ERRORS, SERVICE_ERRORS, type ServiceErrorName } from '../errors.js';
import { GUIDE_LIMITS } from '../limits.js';
import type { Field, Fields } from './fields.js';
import type { Operation } from './operation.js';
import { OPERATIONS } from './operations.js';
import { UNSERVED } from './unserved.js';

const COMMON: readonly ServiceErrorName[] = [
  'AccessDeniedException',
  'ExpiredTokenException',
  'IncompleteSignatureException',
  'InternalFailure',
  'InvalidSignatureException',
  'MissingAuthenticationTokenException',
  'SerializationException',
  'UnknownOperationException',
  'UnrecognizedClientException',
];

/** docs/service-api.md, made from the tables that the service itself works by. @internal */
export function serviceApiMarkdown(): string {
  return [
    '# API of the service',
    '',
    'Made from the tables in `lib/service`; do not edit. Every operation is a `POST` to its path with a JSON body,',
    "signed with Signature Version 4 (service `kinesisvideo`) unless the service is open. AWS's SDKs call it unchanged.",
    'An exception is answered with its HTTP status, a header `x-amzn-ErrorType`, and a body `{"__type", "Message"}`; every',
    'answer has an `x-amzn-RequestId`. Common to all operations: ' +
      `${COMMON.map((name) => errorText(name)).join(', ')}.`,
    '',
    ...OPERATIONS.flatMap(operationText),
    '## What is not served',
    '',
    "Today's Kinesis Video Streams has these operations too. They are known by name and answered with",
    'NotImplementedException (501): ' + `${[...UNSERVED.values()].join(', ')}.`,
    '',
    ...hlsText(),
    ...ackErrorText(),
    ...limitsText(),
  ].join('\n');
}

function operationText(operation: Operation): string[] {
  return [
    `## ${operation.name}`,
    '',
    `\`POST ${operation.path}\`. ${operation.purpose}`,
    '',
    ...fieldTable(operation.fields),
    '',
    `Exceptions: ${operation.errors.map((name) => errorText(name)).join(', ')}.`,
    '',
  ];
}

function fieldTable(fields: Fields): string[] {
  return [
    '| parameter | type | required | rule |',
    '| --- | --- | --- | --- |',
    ...rows(fields, ''),
  ];
}

function rows(fields: Fields, prefix: string): string[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const header = 'header' in field ? ` (header \`${field.header ?? ''}\`)` : '';
    const required = field.required === true ? 'yes' : 'no';
    const path = `${prefix}${name}`;
    const row = `| \`${path}\`${header} | ${typeText(field)} | ${required} | ${ruleText(field)} |`;
    return field.type === 'object' ? [row, ...rows(field.fields, `${path}.`)] : [row];
  });
}

function typeText(field: Field): string {
  switch (field.type) {
    case 'list':
      return `list of ${typeText(field.of)}`;
    case 'map':
      return 'map of strings';
    default:
      return field.type;
  }
}

function ruleText(field: Field): string {
  switch (field.type) {
    case 'string':
      return stringRule(field);
    case 'integer':
      return `${String(field.min ?? '')} to ${String(field.max ?? '')}`;
    case 'timestamp':
      return 'seconds since 1970, with decimals';
    case 'list': {
      const items = `${String(field.min ?? 0)} to ${String(field.max ?? '')} items`;
      const rule = field.of.type === 'object' ? objectRule(field.of.fields) : ruleText(field.of);
      return `${items}; each ${rule}`;
    }
    case 'map':
      return `keys ${ruleText(field.key)}; values ${ruleText(field.value)}`;
    case 'object':
      return '';
  }
}

function objectRule(fields: Fields): string {
  return Object.entries(fields)
    .map(([name, field]) => `\`${name}\` ${ruleText(field)}`)
    .join(', ');
}

function stringRule(field: Extract<Field, { type: 'string' }>): string {
  if (field.values !== undefined) return field.values.map((value) => `\`${value}\``).join(', ');
  const length = `${String(field.min ?? 0)} to ${String(field.max ?? '')} characters`;
  if (field.pattern === undefined) return length;
  return `${length}, \`${field.pattern.source.replaceAll('|', '\\|')}\``;
}

function errorText(name: ServiceErrorName): string {
  return `${name} (${String(SERVICE_ERRORS[name])})`;
}

function hlsText(): string[] {
  return [
    '## HLS sessions',
    '',
    'The URL that GetHLSStreamingSessionURL gives holds a token in place of a signature. It is encrypted and',
    'authenticated under a key that only this service has (`hls-token.key` in its data directory), and names stream,',
    'parameters and expiry; it holds over a restart. `GET /hls/v1/NAME?SessionToken=…` looks at the token first:',
    'NotAuthorizedException (403) where it was not made here, has expired, or its session was closed by newer ones;',
    'ResourceNotFoundException (404) where its stream is deleted. **Playlists and fragments are not served yet**: with a',
    'good token the answer is NotImplementedException (501).',
    '',
    "Where today's AWS allows more than the guide, this service follows AWS: time ranges of 24 hours, 5,000 fragments in",
    'a playlist, H.265, and AAC as a second track.',
    '',
  ];
}

function ackErrorText(): string[] {
  return [
    '## Error acks of PutMedia',
    '',
    '| ErrorId | ErrorCode |',
    '| --- | --- |',
    ...Object.entries(ACK_ERRORS).map(([id, code]) => `| ${id} | ${code} |`),
    '',
    'GetMedia says 4500 to 4506 inside the media, GetMediaForFragmentList in the place of each fragment: see',
    '[service-keys.md](service-keys.md).',
    '',
  ];
}

function limitsText(): string[] {
  return [
    '## Limits',
    '',
    "The guide's values (those of connections are the service's own), each of which `startService({ limits })` may set",
    "otherwise; `limits: 'off'` lifts all but those that keep the service itself safe. Rates are calls a second, sizes",
    'bytes, times milliseconds.',
    '',
    '| limit | value |',
    '| --- | --- |',
    ...Object.entries(GUIDE_LIMITS).map(([name, value]) => `| \`${name}\` | ${String(value)} |`),
    '',
    "Two rows of the guide's tables are missing: the least duration of a fragment, 1 second, for which PutMedia has no",
    "error id and which a session's last fragment mostly breaks; and the rates of HLS playlists and fragments, which are",
    'not served yet. The `StreamLimitExceededException` of those tables is what the operations have in its place:',
    'AccountStreamLimitExceededException for streams of an account, ClientLimitExceededException for calls of a stream.',
    '',
  ];
}
