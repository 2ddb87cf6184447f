/**
 * Reads the bit fields of a NAL unit (Rec. ITU-T H.264 7.2, H.265 7.2), leaving out the emulation
 * prevention bytes. Behind the end every bit is 0 and `overrun` is true, so that a cut unit costs no
 * exception.
 */
export class BitReader {
  readonly #bytes: Uint8Array;
  #at: number;
  #bit = 0;
  #zeros = 0;

  /** Reads `bytes`, borrowed, from byte `from` on, which is behind the unit's header. */
  constructor(bytes: Uint8Array, from: number) {
    this.#bytes = bytes;
    this.#at = from;
  }

  /** Whether more was read than there is. */
  get overrun(): boolean {
    return this.#at > this.#bytes.length || (this.#at === this.#bytes.length && this.#bit > 0);
  }

  /** One bit. */
  flag(): boolean {
    return this.bits(1) === 1;
  }

  /** `count` bits, at most 32, as an unsigned number: u(n). */
  bits(count: number): number {
    let value = 0;
    for (let i = 0; i < count; i += 1) value = value * 2 + this.#next();
    return value;
  }

  skip(count: number): void {
    for (let i = 0; i < count; i += 1) this.#next();
  }

  /** Exp-Golomb, unsigned: ue(v). */
  ue(): number {
    let zeros = 0;
    while (this.#next() === 0) {
      zeros += 1;
      if (zeros > 32) return 0; // no number is that long: the unit is damaged or over
    }
    return 2 ** zeros - 1 + this.bits(zeros);
  }

  /** Exp-Golomb, signed: se(v). */
  se(): number {
    const code = this.ue();
    return code % 2 === 1 ? (code + 1) / 2 : -code / 2;
  }

  #next(): number {
    if (this.#at >= this.#bytes.length) {
      this.#at = this.#bytes.length + 1;
      return 0;
    }
    if (this.#bit === 0 && this.#zeros >= 2 && this.#bytes[this.#at] === 3) {
      this.#zeros = 0;
      this.#at += 1;
      return this.#next();
    }
    const byte = this.#bytes[this.#at] ?? 0;
    const value = (byte >> (7 - this.#bit)) & 1;
    this.#bit += 1;
    if (this.#bit === 8) {
      this.#bit = 0;
      this.#at += 1;
      this.#zeros = byte === 0 ? this.#zeros + 1 : 0;
    }
    return value;
  }
}
