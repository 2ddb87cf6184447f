import { BlockList, isIP } from 'node:net';
import { KvsError } from '../../base/errors.js';

/** One statement of a policy. Strings may hold `*` (any characters) and `?` (any one character). */
export interface PolicyStatement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  /** For example `kinesisvideo:Get*`; in any case of letters. */
  readonly Action: string | readonly string[];
  /** ARNs of streams, `arn:aws:kinesisvideo:REGION:ACCOUNT:stream/NAME/CODE`, or `*`. */
  readonly Resource: string | readonly string[];
  /** Operator to key to values; all keys must hold, of the values any one. */
  readonly Condition?: Readonly<
    Record<string, Readonly<Record<string, string | boolean | readonly (string | boolean)[]>>>
  >;
}

/** What a user may do, in the form of IAM (guide: access control). */
export interface Policy {
  readonly Version?: string;
  readonly Statement: PolicyStatement | readonly PolicyStatement[];
}

const OPERATORS: readonly string[] = [
  'StringEquals',
  'StringNotEquals',
  'StringLike',
  'StringNotLike',
  'IpAddress',
  'NotIpAddress',
  'Bool',
];
const STATEMENT_KEYS: readonly string[] = ['Sid', 'Effect', 'Action', 'Resource', 'Condition'];
/** A policy variable, `${…}`, which IAM replaces by what it knows of the caller. */
const VARIABLE = /\$\x7b[^\x7d]*\x7d/;
const CONDITION_KEY = /^aws:(SourceIp|username|SecureTransport|ResourceTag\/.{1,128})$/i;

/**
 * Checks a policy that came as JSON; `where` is for the message. What this service could not obey is
 * refused, since to pass over it would grant or deny something else than what was written.
 *
 * @throws KvsError STATUS_INVALID_ARG naming the policy and the rule.
 */
export function parsePolicy(value: unknown, where: string): Policy {
  const refuse = (rule: string): never => {
    throw new KvsError({ status: 'STATUS_INVALID_ARG', message: `policy of ${where}: ${rule}` });
  };
  if (!isRecord(value)) return refuse('it is not an object with Statement');
  for (const key of Object.keys(value)) {
    if (!['Version', 'Id', 'Statement'].includes(key)) refuse(`'${key}' is not understood`);
  }
  const { Version = '2012-10-17', Statement } = value;
  if (Version !== '2012-10-17' && Version !== '2008-10-17') {
    refuse('Version must be 2012-10-17 or 2008-10-17');
  }
  const statements: readonly unknown[] = Array.isArray(Statement) ? Statement : [Statement];
  if (statements.length === 0) refuse('it has no Statement');
  const checked = statements.map((statement) => {
    const fault = statementFault(statement);
    return isStatement(statement, fault) ? statement : refuse(fault ?? '');
  });
  return { Statement: checked };
}

function statementFault(value: unknown): string | undefined {
  if (!isRecord(value)) return 'a Statement is not an object';
  const unknown = Object.keys(value).find((key) => !STATEMENT_KEYS.includes(key));
  if (unknown !== undefined) return `'${unknown}' of a Statement is not understood`;
  if (value['Effect'] !== 'Allow' && value['Effect'] !== 'Deny')
    return 'Effect is not Allow or Deny';
  if (!isStrings(value['Action'])) return 'Action is not a string or a list of strings';
  if (!isStrings(value['Resource'])) return 'Resource is not a string or a list of strings';
  return variableFault(value) ?? conditionFault(value['Condition'] ?? {});
}

function variableFault({
  Action,
  Resource,
  Condition,
}: Readonly<Record<string, unknown>>): string | undefined {
  const variable = VARIABLE.exec(JSON.stringify([Action, Resource, Condition]))?.[0];
  return variable === undefined ? undefined : `the variable '${variable}' is not understood`;
}

function conditionFault(value: unknown): string | undefined {
  if (!isRecord(value)) return 'Condition is not an object';
  for (const [operator, tests] of Object.entries(value)) {
    if (!OPERATORS.includes(operator)) {
      return `Condition operator ${operator} is none of ${OPERATORS.join(', ')}`;
    }
    if (!isRecord(tests)) return `Condition ${operator} is not an object`;
    for (const [key, wanted] of Object.entries(tests)) {
      if (!CONDITION_KEY.test(key)) return `Condition key ${key} is not known`;
      const values = listOf(wanted);
      if (values.length === 0 || !values.every(isScalar)) return `${key} has no string to compare`;
      if (!operator.endsWith('IpAddress')) continue;
      const bad = values.map(String).find((range) => rangeOf(range) === undefined);
      if (bad !== undefined) return `'${bad}' is no IP address or range`;
    }
  }
  return undefined;
}

/** An address range in the notation `10.0.0.0/8`. @internal */
export function rangeOf(text: string): BlockList | undefined {
  const [address = '', prefix, ...more] = text.split('/');
  const version = isIP(address);
  const most = version === 4 ? 32 : 128;
  const bits = prefix === undefined ? most : Number(prefix);
  const valid = prefix === undefined || (/^\d{1,3}$/.test(prefix) && bits <= most);
  if (version === 0 || more.length > 0 || !valid) return undefined;
  const range = new BlockList();
  range.addSubnet(address, bits, version === 4 ? 'ipv4' : 'ipv6');
  return range;
}

/** One or several as a list. @internal */
export function listOf<T>(value: T | readonly T[]): readonly T[] {
  return isList(value) ? value : [value];
}

function isList<T>(value: T | readonly T[]): value is readonly T[] {
  return Array.isArray(value);
}

function isStatement(value: unknown, fault: string | undefined): value is PolicyStatement {
  return isRecord(value) && fault === undefined;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isStrings(value: unknown): boolean {
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  return values.length > 0 && values.every((item) => typeof item === 'string' && item !== '');
}

function isScalar(value: unknown): boolean {
  return typeof value === 'string' || typeof value === 'boolean';
}
