import type { StartSelector } from '@aws-sdk/client-kinesis-video-media';
import type { FragmentMetadata, MediaEvent } from '../parser/index.js';

/** Where a GetMedia begins. */
export type MediaStart =
  | { readonly kind: 'earliest' }
  | { readonly kind: 'now' }
  /** With this fragment. */
  | { readonly kind: 'fragment'; readonly fragmentNumber: string }
  /** After the fragment that gave this token. */
  | { readonly kind: 'token'; readonly continuationToken: string }
  /** With the fragment that was stored, or made, at this time (ms since 1970). */
  | { readonly kind: 'serverTime'; readonly time: number }
  | { readonly kind: 'producerTime'; readonly time: number };

/** The start as the service wants it. @internal */
export function selectorOf(start: MediaStart): StartSelector {
  switch (start.kind) {
    case 'earliest':
      return { StartSelectorType: 'EARLIEST' };
    case 'now':
      return { StartSelectorType: 'NOW' };
    case 'fragment':
      return {
        StartSelectorType: 'FRAGMENT_NUMBER',
        AfterFragmentNumber: start.fragmentNumber,
      };
    case 'token':
      return {
        StartSelectorType: 'CONTINUATION_TOKEN',
        ContinuationToken: start.continuationToken,
      };
    case 'serverTime':
      return { StartSelectorType: 'SERVER_TIMESTAMP', StartTimestamp: new Date(start.time) };
    case 'producerTime':
      return { StartSelectorType: 'PRODUCER_TIMESTAMP', StartTimestamp: new Date(start.time) };
  }
}

/**
 * Remembers what was given, so that a next connection gives neither a frame twice nor leaves one
 * out: it begins after the last fragment that came whole, and of the fragment that was cut off the
 * frames that were given already are passed over.
 * @internal
 */
export class Resume {
  #start: MediaStart;
  /** The fragment that was being given, and how many of its frames were. */
  #open: { readonly fragmentNumber: string; frames: number } | undefined;
  /** Frames of the current connection's fragment so far. */
  #seen = 0;
  #current: FragmentMetadata | undefined;
  #token: string | undefined;

  constructor(start: MediaStart) {
    this.#start = start;
  }

  /** The token of the last fragment that was given whole. */
  get continuationToken(): string | undefined {
    return this.#token;
  }

  /** Where the next connection begins. */
  start(): MediaStart {
    this.#current = undefined;
    this.#seen = 0;
    if (this.#token !== undefined) return { kind: 'token', continuationToken: this.#token };
    if (this.#open !== undefined) {
      return { kind: 'fragment', fragmentNumber: this.#open.fragmentNumber };
    }
    return this.#start;
  }

  /** Whether the event is new to the user. */
  accept(event: MediaEvent): boolean {
    if (event.kind === 'fragmentEnd') return this.#endFragment(event.fragment);
    if (event.kind === 'error') return true;
    if (event.fragment !== this.#current) {
      this.#current = event.fragment;
      this.#seen = 0;
    }
    this.#seen += 1;
    const number = event.fragment?.fragmentNumber;
    if (number === undefined) return true;
    if (this.#open?.fragmentNumber !== number) this.#open = { fragmentNumber: number, frames: 0 };
    if (this.#seen <= this.#open.frames) return false;
    this.#open.frames = this.#seen;
    return true;
  }

  /** A fragment without its token was cut off: it comes again. */
  #endFragment(fragment: FragmentMetadata): boolean {
    if (fragment.continuationToken === undefined) return false;
    this.#token = fragment.continuationToken;
    this.#start = { kind: 'token', continuationToken: this.#token };
    this.#open = undefined;
    return true;
  }
}
