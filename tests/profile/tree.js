'use strict';
// tree.js - a profile as the tree that Node wrote: nodes with callFrame, children (nodes) and self (bytes or microseconds), computed
// the way DevTools does it. What the tests compare the program with; nothing of the program is used.

function heapTree(data) {
  const visit = (node) => { node.self = node.selfSize; node.children.forEach(visit); };
  visit(data.head);
  return { root: data.head, all: flat(data.head) };
}

// A sample holds until the next one in time; the last one for ten usual distances at most.
function cpuTree(data) {
  const nodes = new Map(data.nodes.map((n) => [n.id, { ...n, self: 0, hits: 0, children: [] }]));
  for (const n of data.nodes) for (const c of n.children || []) nodes.get(n.id).children.push(nodes.get(c));
  let now = 0;
  const at = data.samples.map((id, i) => ({ id, start: (now += data.timeDeltas[i]), i }));
  at.sort((a, b) => a.start - b.start || a.i - b.i);
  const gaps = at.slice(1).map((s, i) => s.start - at[i].start).sort((a, b) => a - b);
  const end = data.endTime - data.startTime;
  at.forEach((s, i) => {
    const until = i + 1 < at.length ? at[i + 1].start : Math.min(end, s.start + 10 * gaps[gaps.length >> 1]);
    nodes.get(s.id).self += Math.max(0, until - s.start);
    nodes.get(s.id).hits++;
  });
  const root = nodes.get(data.nodes[0].id);
  return { root, all: flat(root), samples: at, end };
}

function flat(root) {
  const list = [root];
  for (let i = 0; i < list.length; i++) list.push(...list[i].children);
  return list;
}

module.exports = { heapTree, cpuTree };
