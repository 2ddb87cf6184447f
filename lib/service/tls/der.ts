/* The few forms of ASN.1's DER that a certificate is made of. */

/** One value: tag, length, content. @internal */
export function der(tag: number, ...parts: readonly Uint8Array[]): Uint8Array {
  const content = Buffer.concat(parts);
  return Buffer.concat([Uint8Array.of(tag), lengthOf(content.length), content]);
}

function lengthOf(length: number): Uint8Array {
  if (length < 0x80) return Uint8Array.of(length);
  if (length < 0x100) return Uint8Array.of(0x81, length);
  return Uint8Array.of(0x82, length >> 8, length & 0xff);
}

/** @internal */
export function sequence(...parts: readonly Uint8Array[]): Uint8Array {
  return der(0x30, ...parts);
}

/** A value within an explicit tag of its context. @internal */
export function tagged(number: number, ...parts: readonly Uint8Array[]): Uint8Array {
  return der(0xa0 | number, ...parts);
}

/** A number above 0, given as bytes. @internal */
export function positive(bytes: Uint8Array): Uint8Array {
  // A first bit that is set would make it negative, a first byte of 0 is one too many.
  const first = Uint8Array.of(((bytes[0] ?? 0) & 0x7f) | 0x40);
  return der(0x02, first, bytes.subarray(1));
}

/** `1.2.840.…`. @internal */
export function objectId(dotted: string): Uint8Array {
  const [first = 0, second = 0, ...rest] = dotted.split('.').map(Number);
  return der(0x06, Uint8Array.from([first * 40 + second, ...rest.flatMap(base128)]));
}

function base128(value: number): number[] {
  const digits = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) digits.unshift(0x80 | (rest & 0x7f));
  return digits;
}

/** @internal */
export function octets(...parts: readonly Uint8Array[]): Uint8Array {
  return der(0x04, ...parts);
}

/** @internal */
export function bits(bytes: Uint8Array, unused = 0): Uint8Array {
  return der(0x03, Uint8Array.of(unused), bytes);
}

/** A moment; certificates write years from 2050 on in another form. @internal */
export function moment(ms: number): Uint8Array {
  const text = new Date(ms).toISOString().replace(/[-:T]|\.\d{3}/g, '');
  return text < '2050' ? der(0x17, Buffer.from(text.slice(2))) : der(0x18, Buffer.from(text));
}

export const TRUE: Readonly<Uint8Array> = Uint8Array.of(0x01, 0x01, 0xff);
