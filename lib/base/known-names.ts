/**
 * The first name of `given` that is none of `known`, with the nearest one that is, in words: `'frontdoor'
 * is not known; did you mean 'streamName'?`. Undefined where all are known. @internal
 */
export function unknownName(given: object, known: readonly string[]): string | undefined {
  const name = Object.keys(given).find((key) => !known.includes(key));
  if (name === undefined) return undefined;
  const near = nearest(name, known);
  const hint = near === undefined ? `known are ${known.join(', ')}` : `did you mean '${near}'?`;
  return `'${name.slice(0, 40)}' is not known; ${hint}`;
}

/** The known name that is meant, if any: one that ends or begins alike, or is a few letters off. */
function nearest(name: string, known: readonly string[]): string | undefined {
  const lower = name.toLowerCase();
  const scored = known.map((candidate) => ({
    candidate,
    distance: distanceOf(lower, candidate.toLowerCase()),
  }));
  const [best] = scored.sort((a, b) => a.distance - b.distance);
  if (best !== undefined && best.distance <= Math.max(2, Math.floor(name.length / 3))) {
    return best.candidate;
  }
  const parts = known.filter((candidate) => isPart(lower, candidate.toLowerCase()));
  return parts.length === 0 ? undefined : parts.sort((a, b) => a.length - b.length)[0];
}

function isPart(name: string, candidate: string): boolean {
  return name.length >= 3 && (candidate.endsWith(name) || candidate.startsWith(name));
}

/** Letters to be put in, left out or changed to make `a` into `b`. */
function distanceOf(a: string, b: string): number {
  // Far longer ones are never meant, and would only take time.
  if (a.length > 64) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= b.length; j += 1) {
      const change = (row[j - 1] ?? 0) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? Infinity;
}
