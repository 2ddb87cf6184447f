import type { ServiceContext } from '../context.js';
import { ServiceError, type ServiceErrorName } from '../errors.js';
import type { Caller } from '../http/auth.js';
import type { Call } from '../http/front.js';
import type { Source } from '../http/source.js';
import type { MayUse } from '../keys/stream-keys.js';
import type { StreamRecord } from '../store/types.js';
import { decide, type Decision } from './evaluate.js';

interface Asked {
  readonly caller: Caller;
  readonly source: Source;
  readonly action: string;
  readonly resource: string;
  readonly record: StreamRecord | undefined;
}

/**
 * Throws unless the caller's policies allow the call: NotAuthorizedException where the operation's
 * reference has it, AccessDeniedException otherwise. A caller without policies may do everything.
 * @internal
 */
export function authorizeCall(context: ServiceContext, call: Call): void {
  const { caller, operation, input, source } = call;
  if (caller.policies === undefined) return;
  const name = input.string('StreamName');
  const arn = input.string('StreamARN') ?? input.string('ResourceARN');
  const named = operation.actsOn === 'stream' && (name ?? arn) !== undefined;
  const record = named ? context.streams.lookup(caller.account, name, arn)?.record : undefined;
  const { region } = context.options;
  // What is not there yet has no code; `stream/NAME/*` is meant to name it all the same.
  const missing = arn ?? `arn:aws:kinesisvideo:${region}:${caller.account}:stream/${name ?? ''}/0`;
  const resource = record === undefined ? missing : context.streams.arn(record);
  const action = `kinesisvideo:${operation.name}`;
  const error = operation.errors.includes('NotAuthorizedException')
    ? 'NotAuthorizedException'
    : 'AccessDeniedException';
  check({ caller, source, action, resource: named ? resource : '*', record }, error);
}

/** What a call may do with a master key, which has an ARN of its own. @internal */
export function mayUseKey({ caller, source }: Call, record: StreamRecord): MayUse {
  return (action, resource) => isAllowed({ caller, source, action, resource, record });
}

/** The same for the metrics, which CloudWatch's action is for. @internal */
export function authorizePage(caller: Caller, source: Source): void {
  const action = 'cloudwatch:GetMetricData';
  check({ caller, source, action, resource: '*', record: undefined }, 'AccessDeniedException');
}

function isAllowed(asked: Asked): boolean {
  return decisionOf(asked) === 'allowed';
}

function decisionOf(asked: Asked): Decision {
  const { caller, action, resource } = asked;
  if (caller.policies === undefined) return 'allowed';
  return decide(caller.policies, { action, resource, context: contextOf(asked) });
}

function check(asked: Asked, error: ServiceErrorName): void {
  const { caller, action, resource } = asked;
  const decision = decisionOf(asked);
  if (decision === 'allowed') return;
  const why =
    decision === 'denied'
      ? 'with an explicit deny in an identity-based policy'
      : `because no identity-based policy allows the ${action} action`;
  throw new ServiceError(
    error,
    `User: arn:aws:iam::${caller.account}:user/${caller.user} is not authorized to perform: ` +
      `${action} on resource: ${resource} ${why}`,
  );
}

function contextOf({ caller, source, record }: Asked): ReadonlyMap<string, string> {
  const tags = Object.entries(record?.tags ?? {});
  return new Map([
    ...tags.map(([key, value]) => [`aws:resourcetag/${key.toLowerCase()}`, value] as const),
    ['aws:sourceip', source.address] as const,
    ['aws:username', caller.user] as const,
    ['aws:securetransport', String(source.secure)] as const,
  ]);
}
