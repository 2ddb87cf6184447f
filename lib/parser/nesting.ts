import { MKV_ELEMENTS, type MkvElementType } from '../generated/elements.js';
import { hexId } from './ebml.js';
import { inputError } from './errors.js';
import type { MkvMasterEnd } from './events.js';

/** A master whose end has not come. @internal */
export interface OpenMaster {
  readonly element: MkvElementType;
  readonly offset: number;
  /** Where its first child begins. */
  readonly bodyAt: number;
  /** Whether its own header gave a size. */
  readonly sized: boolean;
  /** Where it ends at the latest: its own end or that of the master around it. */
  readonly end: number;
}

/**
 * The masters around the current place of the input. A master of unknown size ends at the first
 * element that it cannot hold but one around it can.
 * @internal
 */
export class Nesting {
  readonly #open: OpenMaster[] = [];
  readonly #maxDepth: number;
  #top: OpenMaster | undefined;

  constructor(maxDepth: number) {
    this.#maxDepth = maxDepth;
  }

  get depth(): number {
    return this.#open.length;
  }

  /** Whether the innermost master ends at `offset`. */
  endsAt(offset: number): boolean {
    return this.#top !== undefined && this.#top.end === offset;
  }

  /** Opens a master that ends at `end`, or wherever it turns out to when undefined. */
  open(element: MkvElementType, offset: number, bodyAt: number, end: number | undefined): void {
    if (this.#open.length >= this.#maxDepth) {
      throw inputError(
        'STATUS_FORMAT_ERROR',
        offset,
        `more than ${this.#maxDepth} masters inside each other (maxDepth)`,
      );
    }
    const limit = this.#top?.end ?? Number.POSITIVE_INFINITY;
    this.#top = { element, offset, bodyAt, sized: end !== undefined, end: end ?? limit };
    this.#open.push(this.#top);
  }

  /** The innermost master if it has a size and its first child begins at `offset`. */
  beginsAt(offset: number): OpenMaster | undefined {
    return this.#top?.sized === true && this.#top.bodyAt === offset ? this.#top : undefined;
  }

  /** Closes the innermost master, of which there must be one, at `offset`. */
  close(offset: number): MkvMasterEnd {
    const closed = this.#open.pop();
    this.#top = this.#open.at(-1);
    if (closed === undefined) {
      throw inputError('STATUS_INTERNAL_ERROR', offset, 'closed more masters than were opened');
    }
    const { element } = closed;
    return { kind: 'masterEnd', element, id: element.id, offset, depth: this.#open.length };
  }

  /** Whether the innermost master, or the top level, may hold `element`. */
  holds(element: MkvElementType): boolean {
    return mayHold(this.#top?.element, element);
  }

  /** Throws unless `element`, which the innermost master cannot hold, ends it. */
  checkCloses(element: MkvElementType, id: number, offset: number): void {
    for (let i = this.#open.length - 1; i >= 0; i -= 1) {
      const master = this.#open[i];
      if (master === undefined || mayHold(master.element, element)) return;
      if (master.sized) throw misplaced(element, id, offset, master.element.name);
    }
    if (!mayHold(undefined, element)) throw misplaced(element, id, offset, 'the top level');
  }

  /** Throws unless an element that ends at `end` fits into the innermost master. */
  checkFits(element: MkvElementType, id: number, offset: number, end: number): void {
    const top = this.#top;
    if (top === undefined || end <= top.end) return;
    throw inputError(
      'STATUS_FORMAT_ERROR',
      offset,
      `${element.name} (${hexId(id)}) ends at byte ${end}, ` +
        `but ${top.element.name} around it ends at byte ${top.end}`,
    );
  }

  /** Throws when the input ends at `offset` inside a master that says it is longer. */
  checkEnd(offset: number): void {
    const cut = this.#open.find((master) => master.sized);
    if (cut === undefined) return;
    throw inputError(
      'STATUS_UNEXPECTED_EOF',
      offset,
      `it ends inside ${cut.element.name} (begun at byte ${cut.offset}), ` +
        `${cut.end - offset} bytes before its end`,
    );
  }
}

/**
 * The top level takes the children of a Segment, too: a producer that goes on after a lost
 * connection may send Tags or Clusters without an EBML head. An unknown id there is no Matroska.
 */
function mayHold(master: MkvElementType | undefined, element: MkvElementType): boolean {
  if (master === undefined) {
    if (element.parent === 'GLOBAL') return element.name !== 'UNKNOWN';
    return element.parent === 'ROOT' || element.parent === MKV_ELEMENTS.SEGMENT.name;
  }
  if (element.parent === master.name || element.parent === 'GLOBAL') return true;
  return element.recursive && element === master;
}

function misplaced(element: MkvElementType, id: number, offset: number, place: string): Error {
  if (element.name === 'UNKNOWN') {
    return inputError(
      'STATUS_FORMAT_ERROR',
      offset,
      `unknown element ${hexId(id)} at the top level; the input is damaged or not Matroska`,
    );
  }
  return inputError(
    'STATUS_MKV_INVALID_PARENT_TYPE',
    offset,
    `${element.name} (${hexId(id)}) cannot stand in ${place}; it belongs in ${element.parent}`,
  );
}
