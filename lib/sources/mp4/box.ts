/** A box within a buffer (ISO/IEC 14496-12, 4.2). */
export interface Box {
  readonly type: string;
  /** What stands behind its header, borrowed. */
  readonly body: Uint8Array;
}

/**
 * The boxes that stand one behind the other in `bytes`. A size that cannot be ends the list: what
 * stands behind it cannot be told apart.
 */
export function boxesOf(bytes: Uint8Array): readonly Box[] {
  const boxes: Box[] = [];
  const view = viewOf(bytes);
  for (let at = 0; at + 8 <= bytes.length;) {
    const short = view.getUint32(at);
    const header = short === 1 ? 16 : 8;
    if (at + header > bytes.length) break;
    let size = short === 1 ? Number(view.getBigUint64(at + 8)) : short;
    if (short === 0) size = bytes.length - at;
    if (size < header || at + size > bytes.length) break;
    boxes.push({ type: nameAt(bytes, at + 4), body: bytes.subarray(at + header, at + size) });
    at += size;
  }
  return boxes;
}

/** The body of the first box of that name, or of the boxes named one within the other. */
export function findBox(bytes: Uint8Array, ...path: readonly string[]): Uint8Array | undefined {
  let body: Uint8Array | undefined = bytes;
  for (const type of path) {
    body = body && boxesOf(body).find((box) => box.type === type)?.body;
  }
  return body;
}

/** Four characters as they stand. */
export function nameAt(bytes: Uint8Array, at: number): string {
  return String.fromCharCode(...bytes.subarray(at, at + 4));
}

export function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}

/** Numbers of a box, from front to back. Behind its end they are 0 and `short` is true. */
export class Fields {
  readonly #view: DataView;
  #at: number;
  short = false;

  constructor(bytes: Uint8Array, from = 0) {
    this.#view = viewOf(bytes);
    this.#at = from;
  }

  get at(): number {
    return this.#at;
  }

  skip(bytes: number): void {
    this.#at += bytes;
  }

  u8(): number {
    return this.#has(1) ? this.#view.getUint8(this.#at - 1) : 0;
  }

  u16(): number {
    return this.#has(2) ? this.#view.getUint16(this.#at - 2) : 0;
  }

  u32(): number {
    return this.#has(4) ? this.#view.getUint32(this.#at - 4) : 0;
  }

  i32(): number {
    return this.#has(4) ? this.#view.getInt32(this.#at - 4) : 0;
  }

  /** As exact as a number can be. */
  u64(): number {
    return this.#has(8) ? Number(this.#view.getBigUint64(this.#at - 8)) : 0;
  }

  i64(): number {
    return this.#has(8) ? Number(this.#view.getBigInt64(this.#at - 8)) : 0;
  }

  /** Version and flags, at the head of a full box. */
  full(): { readonly version: number; readonly flags: number } {
    const word = this.u32();
    return { version: word >>> 24, flags: word & 0xffffff };
  }

  #has(bytes: number): boolean {
    this.#at += bytes;
    if (this.#at <= this.#view.byteLength) return true;
    this.short = true;
    return false;
  }
}
