import { AckError } from '../errors.js';
import type { Limits } from '../limits.js';

/** The limits that a body is held to while it comes. @internal */
export type IngestLimits = Pick<
  Limits,
  'fragmentDuration' | 'fragmentBytes' | 'tracks' | 'fragmentTags' | 'framesForEveryTrack'
>;

/** Throws `AckError` 4001 for a fragment of more `bytes` than there may be. @internal */
export function checkFragmentBytes(bytes: number, { fragmentBytes }: IngestLimits): void {
  if (bytes <= fragmentBytes) return;
  throw new AckError(4001, `more than ${String(fragmentBytes)} bytes`);
}

/** Throws `AckError` 4002 for a fragment whose frames span more `ms` than they may. @internal */
export function checkFragmentSpan(ms: number, { fragmentDuration }: IngestLimits): void {
  if (ms <= fragmentDuration) return;
  throw new AckError(
    4002,
    `the fragment spans ${String(ms)} ms; ${String(fragmentDuration)} is the most`,
  );
}

/**
 * Throws for more tracks than there may be. Where one track is all that is allowed, the id is the one
 * that stood for it in 2018. @internal
 */
export function checkTrackCount(count: number, { tracks }: IngestLimits): void {
  if (count <= tracks) return;
  throw new AckError(tracks === 1 ? 4005 : 4012, `more than ${String(tracks)} tracks`);
}
