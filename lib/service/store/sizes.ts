/** What each segment file that nobody appends to takes of the disk, and all of them together. */
export class SegmentSizes {
  readonly #streams = new Map<number, Map<number, number>>();
  #total = 0;

  /** Bytes of all of them. */
  get total(): number {
    return this.#total;
  }

  set(id: number, segment: number, bytes: number): void {
    const sizes = this.#streams.get(id) ?? new Map<number, number>();
    this.#streams.set(id, sizes);
    this.#total += bytes - (sizes.get(segment) ?? 0);
    sizes.set(segment, bytes);
  }

  delete(id: number, segment: number): void {
    const sizes = this.#streams.get(id);
    this.#total -= sizes?.get(segment) ?? 0;
    sizes?.delete(segment);
    if (sizes?.size === 0) this.#streams.delete(id);
  }

  deleteStream(id: number): void {
    for (const bytes of this.#streams.get(id)?.values() ?? []) this.#total -= bytes;
    this.#streams.delete(id);
  }
}
