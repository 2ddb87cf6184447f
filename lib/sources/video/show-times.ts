/** Place of one picture in the order of showing. */
export interface Place {
  readonly sequence: number;
  readonly order: number;
}

/**
 * When pictures are shown that come at a steady rate, from the order that they state. Gives, for each
 * picture in decoding order, the number of its turn, and by how many turns showing must lag behind
 * decoding so that no picture is shown before it is decoded.
 */
export function showTurns(places: readonly Place[]): {
  readonly turns: Uint32Array;
  readonly lag: number;
} {
  const sorted = places
    .map((place, at) => ({ ...place, at }))
    .sort((a, b) => a.sequence - b.sequence || a.order - b.order || a.at - b.at);
  const turns = new Uint32Array(places.length);
  let lag = 0;
  sorted.forEach(({ at }, turn) => {
    turns[at] = turn;
    lag = Math.max(lag, at - turn);
  });
  return { turns, lag };
}
