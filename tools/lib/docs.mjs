// Fenced blocks of Markdown.

/** `{ language, mark, text }` of each fenced block; the mark is what follows the language. */
export function fencedBlocks(markdown) {
  return [...markdown.matchAll(/^```(\w*)[ \t]*(\S*)[^\n]*\n([\s\S]*?)^```$/gm)].map((hit) => ({
    language: hit[1],
    mark: hit[2],
    text: hit[3],
  }));
}
