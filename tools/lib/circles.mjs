// Circles in a graph of imports.

/** All that can be reached from `from`, each with the node by which it was reached first. */
function reached(graph, from) {
  const by = new Map();
  const queue = [from];
  for (const node of queue) {
    for (const next of graph.get(node) ?? []) {
      if (by.has(next)) continue;
      by.set(next, node);
      queue.push(next);
    }
  }
  return by;
}

/** The shortest way from `node` back to itself, or undefined. */
function wayBack(graph, node) {
  const by = reached(graph, node);
  if (!by.has(node)) return undefined;
  const way = [];
  for (let at = by.get(node); at !== node; at = by.get(at)) way.unshift(at);
  return [node, ...way];
}

/** The shortest circle through each node that stands in one; circles of the same nodes are told once. */
export function circles(graph) {
  const found = new Map();
  for (const node of graph.keys()) {
    const circle = wayBack(graph, node);
    if (circle === undefined) continue;
    const name = [...circle].sort().join('\n');
    if (!found.has(name)) found.set(name, circle);
  }
  return [...found.values()];
}
