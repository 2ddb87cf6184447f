import type { MkvElementType } from '../generated/elements.js';

interface Head {
  readonly element: MkvElementType;
  /** The id as read, also where `element` is `UNKNOWN_ELEMENT`. */
  readonly id: number;
  /** Where the element's header begins: bytes from the start of the whole input. */
  readonly offset: number;
  /** Bytes of the header; the data begins at `offset + headerLength`. */
  readonly headerLength: number;
  /** Number of masters around it. */
  readonly depth: number;
}

/** A master element begins. */
export interface MkvMasterStart extends Head {
  readonly kind: 'masterStart';
  /** Bytes of all that is in it, undefined where the writer did not know. */
  readonly size: number | undefined;
}

/** A master element has ended: everything in it has been given. */
export interface MkvMasterEnd {
  readonly kind: 'masterEnd';
  readonly element: MkvElementType;
  readonly id: number;
  /** Where it ends: the offset of the first byte after it. */
  readonly offset: number;
  /** As at its `masterStart`. */
  readonly depth: number;
}

/** A whole element that is no master. */
export interface MkvDataElement extends Head {
  readonly kind: 'element';
  readonly size: number;
  /** The element's data, lent until the next call of `next()` or `push()`. */
  readonly data: Uint8Array;
}

/** An element whose data follows in `data` events, as it arrives. */
export interface MkvStreamStart extends Head {
  readonly kind: 'streamStart';
  readonly size: number;
}

/** A part of the data of the element that the last `streamStart` named. */
export interface MkvData {
  readonly kind: 'data';
  readonly element: MkvElementType;
  readonly id: number;
  /** Where these bytes stand: bytes from the start of the whole input. */
  readonly offset: number;
  /** Lent until the next call of `next()` or `push()`; empty only where the element is. */
  readonly bytes: Uint8Array;
  /** Whether the element ends with these bytes. */
  readonly last: boolean;
}

/** An element whose data is passed over, told as it begins. */
export interface MkvSkipped extends Head {
  readonly kind: 'skipped';
  readonly size: number;
}

/** What `StreamingMkvReader` finds in its input, in input order. */
export type MkvEvent =
  MkvMasterStart | MkvMasterEnd | MkvDataElement | MkvStreamStart | MkvData | MkvSkipped;

/** What becomes of an element's data: given whole, given as it arrives, or passed over. */
export type MkvCapture = 'whole' | 'stream' | 'skip';

/** Settings of a `StreamingMkvReader`. */
export interface MkvReaderOptions {
  /**
   * Asked at every known element. A master is always entered, unless the answer is `skip` and its
   * size is known. Default: `skip` for Void and attached files, `whole` for everything else.
   */
  readonly capture?: (element: MkvElementType) => MkvCapture;
  /** What becomes of elements that the table does not know; default `skip`. */
  readonly unknown?: MkvCapture;
  /** Largest element given whole, bytes; default 2 MiB (codec private data may have 1 MiB). */
  readonly maxCaptureBytes?: number;
  /** Largest SimpleBlock, Block or EncryptedBlock given whole, bytes; default 64 MiB. */
  readonly maxBlockBytes?: number;
  /**
   * Check every master of known size that begins with a CRC-32 element against it: its `masterEnd`
   * throws `STATUS_FORMAT_ERROR` when its bytes were damaged. Default false.
   */
  readonly verifyCrc?: boolean;
  /** Most masters inside each other; default 32. */
  readonly maxDepth?: number;
}
