import type { ServiceContext } from '../context.js';
import { AckError, ServiceError } from '../errors.js';
import type { MediaStore } from '../store/types.js';

/* The disk quota: who is refused when it is used up. What is stored stays, and is read as before. */

/** Throws `AckError` 5001 where bytes of a fragment find no room. @internal */
export function checkRoom(media: MediaStore, bytes: number): void {
  if (media.room() >= bytes) return;
  throw new AckError(5001, 'disk or quota is used up; retention or deleted streams free some');
}

/** Of the quota, what must be free for a new PutMedia: the rest is for those that run already. */
const RESERVE = 0.01;

/** Refuses a new PutMedia while there is hardly any room, before its body is sent. @internal */
export async function checkQuota({ store, options }: ServiceContext): Promise<void> {
  await store.media.lookForRoom();
  const { diskQuota } = options;
  const reserve = diskQuota === Infinity ? 0 : diskQuota * RESERVE;
  if (store.media.room() > reserve) return;
  const what =
    diskQuota === Infinity ? 'is full' : `or the quota of ${String(diskQuota)} bytes is full`;
  throw new ServiceError(
    'ServiceUnavailable',
    `The disk ${what}; new media are taken again when retention has freed some. Try again later.`,
  );
}
