import type { MkvEvent } from './events.js';
import type { StreamingMkvReader } from './reader.js';

/** Sees every event of a reader, in order. */
export interface MkvElementVisitor {
  /** Takes one event; its bytes are lent for the call only. */
  visit(event: MkvEvent): void;
  /** Whether it wants no more events; a visitor without this never does. */
  isDone?(): boolean;
}

/** Gives each event to several visitors, in the order in which they were given. */
export class CompositeMkvElementVisitor implements MkvElementVisitor {
  readonly #visitors: readonly MkvElementVisitor[];

  constructor(...visitors: readonly MkvElementVisitor[]) {
    this.#visitors = visitors;
  }

  visit(event: MkvEvent): void {
    for (const visitor of this.#visitors) visitor.visit(event);
  }

  /** True as soon as one of the visitors is done. */
  isDone(): boolean {
    return this.#visitors.some((visitor) => visitor.isDone?.() === true);
  }
}

/** Gives a visitor all events that the reader has now; stops when the visitor is done. */
export function applyVisitor(reader: StreamingMkvReader, visitor: MkvElementVisitor): void {
  while (visitor.isDone?.() !== true) {
    const event = reader.next();
    if (event === undefined) return;
    visitor.visit(event);
  }
}
