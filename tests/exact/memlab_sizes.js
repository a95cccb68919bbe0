'use strict';

// memlab_sizes.js PACKAGES SNAPSHOT... - what memlab finds in heap snapshots: counts, sizes, dominators. PACKAGES: folder with
// node_modules (@memlab/core). Prints for each file a line of JSON:
//   nodes, edges, size   all of the file
//   objects, bytes       those of V8's heap: without synthetic and native nodes
//   unsized              how many of these have no size: read-only objects, from V8 13 on
//   native               bytes of native nodes
//   top                  largest retained first: [class, type, id, self size, retained, names of edges to it]
//   classes              [name, count, self size, retained]; retained counts a node once, with the outermost of its class
const [packages, ...files] = process.argv.slice(2);
const { utils, analysis, config } = require(require.resolve('@memlab/core', { paths: [packages] }));
const TOP = 1500;

function className({ type, name }) {
  switch (type) {
    case 'object':
    case 'native':
      return name;
    case 'hidden':
      return '(system)';
    case 'code':
      return '(compiled code)';
    default:
      return `(${type})`;
  }
}

function edgeNames(node) {
  const names = new Set();
  for (const edge of node.referrers) {
    if (names.size < 40 && edge.type !== 'weak') names.add(String(edge.name_or_index));
  }
  return [...names];
}

function classesOf(nodes, names) {
  const classes = new Map();
  nodes.forEach((node, index) => {
    if (!classes.has(names[index])) classes.set(names[index], [names[index], 0, 0, 0]);
    const entry = classes.get(names[index]);
    entry[1]++;
    entry[2] += node.self_size;
  });
  return classes;
}

// For each class the retained sizes of its outermost nodes: one walk through the dominator tree, depth first.
function addRetained(nodes, classes, names) {
  const count = nodes.length;
  const first = new Uint32Array(count + 2);
  const parent = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    parent[i] = nodes[i].dominatorNode ? nodes[i].dominatorNode.nodeIndex : 0;
    if (i) first[parent[i] + 2]++;
  }
  for (let i = 2; i < count + 2; i++) first[i] += first[i - 1];
  const child = new Uint32Array(count);
  for (let i = 1; i < count; i++) child[first[parent[i] + 1]++] = i;
  const open = new Map();
  const stack = [0];
  const at = first.slice(0, count);
  while (stack.length) {
    const node = stack[stack.length - 1];
    if (at[node] < first[node + 1]) {
      const next = child[at[node]++];
      const name = names[next];
      const depth = open.get(name) ?? 0;
      if (depth === 0) classes.get(name)[3] += nodes[next].retainedSize;
      open.set(name, depth + 1);
      stack.push(next);
    } else {
      stack.pop();
      open.set(names[node], (open.get(names[node]) ?? 1) - 1);
    }
  }
}

function describe(snapshot) {
  const nodes = [];
  const sum = { nodes: 0, edges: snapshot.edges.length, size: 0, objects: 0, bytes: 0, unsized: 0, native: 0 };
  snapshot.nodes.forEach((node) => {
    nodes.push(node);
    sum.nodes++;
    sum.size += node.self_size;
    if (node.type === 'native') sum.native += node.self_size;
    if (node.type === 'native' || node.type === 'synthetic') return;
    sum.objects++;
    sum.bytes += node.self_size;
    if (node.self_size === 0) sum.unsized++;
  });
  const names = nodes.map(className);
  const classes = classesOf(nodes, names);
  addRetained(nodes, classes, names);
  const top = nodes.filter(({ type }) => type !== 'synthetic').sort((a, b) => b.retainedSize - a.retainedSize).slice(0, TOP);
  return {
    ...sum,
    top: top.map((node) => [className(node), node.type, node.id, node.self_size, node.retainedSize, edgeNames(node)]),
    classes: [...classes.values()].sort((a, b) => b[3] - a[3]),
  };
}

async function main() {
  config.muteConsole = true;
  for (const file of files) {
    const snapshot = await utils.getSnapshotFromFile(file, { buildNodeIdIndex: true, verbose: false });
    analysis.preparePathFinder(snapshot);
    console.log(JSON.stringify(describe(snapshot)));
  }
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
