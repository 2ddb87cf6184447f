import { isIP } from 'node:net';
import { listOf, rangeOf, type Policy, type PolicyStatement } from './policy.js';

/** What is asked of policies. @internal */
export interface AccessRequest {
  readonly action: string;
  readonly resource: string;
  /** Values of condition keys, by name in lower case; what does not apply is missing. */
  readonly context: ReadonlyMap<string, string>;
}

/** @internal */
export type Decision = 'allowed' | 'denied' | 'notAllowed';

/** An explicit deny stands above every allow; what nothing allows is refused. @internal */
export function decide(policies: readonly Policy[], request: AccessRequest): Decision {
  const applying = policies
    .flatMap(({ Statement }) => listOf(Statement))
    .filter((statement) => applies(statement, request));
  if (applying.some(({ Effect }) => Effect === 'Deny')) return 'denied';
  return applying.length > 0 ? 'allowed' : 'notAllowed';
}

function applies(
  statement: PolicyStatement,
  { action, resource, context }: AccessRequest,
): boolean {
  const { Action, Resource, Condition = {} } = statement;
  return (
    listOf(Action).some((pattern) => matches(pattern.toLowerCase(), action.toLowerCase())) &&
    listOf(Resource).some((pattern) => matches(pattern, resource)) &&
    Object.entries(Condition).every(([operator, tests]) =>
      Object.entries(tests).every(([key, wanted]) =>
        holds(operator, context.get(key.toLowerCase()), listOf(wanted).map(String)),
      ),
    )
  );
}

/** A key that is missing fails every test but those that say Not. */
function holds(operator: string, value: string | undefined, wanted: readonly string[]): boolean {
  const any = (test: (value: string, wanted: string) => boolean): boolean =>
    value !== undefined && wanted.some((item) => test(value, item));
  switch (operator) {
    case 'StringEquals':
      return any((a, b) => a === b);
    case 'StringNotEquals':
      return !any((a, b) => a === b);
    case 'StringLike':
      return any((a, b) => matches(b, a));
    case 'StringNotLike':
      return !any((a, b) => matches(b, a));
    case 'IpAddress':
      return any(isInRange);
    case 'NotIpAddress':
      return !any(isInRange);
    case 'Bool':
      return any((a, b) => a.toLowerCase() === b.toLowerCase());
    default:
      // parsePolicy lets no other operator in.
      throw new Error(`Condition operator ${operator}`);
  }
}

function isInRange(address: string, range: string): boolean {
  const version = isIP(address);
  if (version === 0) return false;
  return rangeOf(range)?.check(address, version === 4 ? 'ipv4' : 'ipv6') ?? false;
}

/**
 * Whether `text` is what `pattern` says, where `*` stands for any characters and `?` for any one.
 * Goes back to the last `*` only, so that no pattern is slow. @internal
 */
export function matches(pattern: string, text: string): boolean {
  let at = 0;
  let star = -1;
  let resume = 0;
  let from = 0;
  while (at < text.length) {
    const char = pattern[from];
    if (char === '*') {
      star = from;
      resume = at;
      from += 1;
    } else if (char === '?' || char === text[at]) {
      from += 1;
      at += 1;
    } else if (star >= 0) {
      resume += 1;
      at = resume;
      from = star + 1;
    } else {
      return false;
    }
  }
  while (pattern[from] === '*') from += 1;
  return from === pattern.length;
}
