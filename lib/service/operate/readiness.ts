import type { ServiceContext } from '../context.js';
import { checkQuota } from '../put/room.js';
import { fileSystemUse } from './disk.js';
import type { OpenAnswer } from './open-answer.js';

/** Below this much free space nothing can be stored, bytes. */
const LEAST_FREE = 8 * 1024 * 1024;

/** `GET /health`: the process lives and answers. @internal */
export function health(): OpenAnswer {
  return json(200, { status: 'ok' });
}

/** `GET /ready`: whether a producer that connected now would have its media stored. @internal */
export async function readiness(context: ServiceContext): Promise<OpenAnswer> {
  const reasons = await obstacles(context);
  if (reasons.length === 0) return json(200, { status: 'ready' });
  return json(503, { status: 'notReady', reasons });
}

async function obstacles(context: ServiceContext): Promise<string[]> {
  const reasons: string[] = [];
  if (context.tally.closing) reasons.push('the service is closing');
  if (!context.keys.usable) reasons.push('the key file cannot be used');
  try {
    await checkQuota(context);
  } catch {
    reasons.push('the disk or its quota is full');
  }
  const disk = await fileSystemUse(context.options.dataDir).catch(() => undefined);
  if (disk === undefined) reasons.push('the data directory cannot be read');
  else if (disk.free < LEAST_FREE) reasons.push('the disk is full');
  return reasons;
}

function json(status: 200 | 503, value: object): OpenAnswer {
  return { status, type: 'application/json', body: JSON.stringify(value) };
}
