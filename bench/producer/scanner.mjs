// Walks the elements of a PutMedia body without keeping their content.
const CLUSTER = 0x1f43b675;
const SEGMENT = 0x18538067;
const TAGS = 0x1254c367;
const TIMESTAMP = 0xe7;

/** Calls `onFragment(time)` when a fragment is whole: at the next Cluster, or at Tags after blocks. */
export class FragmentScanner {
  #onFragment;
  #held = Buffer.alloc(0);
  #skip = 0;
  #time;

  constructor(onFragment) {
    this.#onFragment = onFragment;
  }

  push(bytes) {
    let rest = bytes;
    while (rest.length > 0) {
      if (this.#skip >= rest.length) {
        this.#skip -= rest.length;
        return;
      }
      rest = rest.subarray(this.#skip);
      this.#skip = 0;
      const data = this.#held.length === 0 ? rest : Buffer.concat([this.#held, rest]);
      const used = this.#element(data);
      if (used === 0) {
        this.#held = Buffer.from(data);
        return;
      }
      rest = data.subarray(used);
      this.#held = Buffer.alloc(0);
    }
  }

  /** Reads the head of one element (and a cluster's time); 0 when it is not all there. */
  #element(data) {
    const idWidth = Math.clz32(data[0]) - 23;
    if (data.length < idWidth + 1) return 0;
    const sizeWidth = Math.clz32(data[idWidth]) - 23;
    const head = idWidth + sizeWidth;
    if (data.length < head) return 0;
    const id = data.readUIntBE(0, idWidth);
    let size = data[idWidth] & (0xff >> sizeWidth);
    for (let i = 1; i < sizeWidth; i += 1) size = size * 256 + data[idWidth + i];
    if (id === SEGMENT || id === CLUSTER) {
      if (id === CLUSTER) this.#ended();
      return head;
    }
    if (id === TIMESTAMP) {
      if (data.length < head + size) return 0;
      this.#time = 0;
      for (let i = 0; i < size; i += 1) this.#time = this.#time * 256 + data[head + i];
      return head + size;
    }
    if (id === TAGS) this.#ended();
    this.#skip = size;
    return head;
  }

  #ended() {
    if (this.#time !== undefined) this.#onFragment(this.#time);
    this.#time = undefined;
  }
}
