'use strict';

// collect.js SNAPSHOT OUT - writes a heap snapshot again with those references marked as weak that V8's collector does not follow,
// though its snapshots call them strong: the tables of internalized and of external strings, and the list that Node's own C++
// objects are in (what they keep alive is a global handle as well). An entry of a weak collection is kept by its key and by the
// table; the key's reference stays, and the table's goes, for what frees the key frees the entry. References from stacks and handle
// scopes count only for what nothing else keeps, as in our graph: a value at hand would have no owner otherwise.
const fs = require('fs');

const [file, out] = process.argv.slice(2);
const text = fs.readFileSync(file, 'utf8');
const snapshot = JSON.parse(text);
const { nodes, edges, strings } = snapshot;
const meta = snapshot.snapshot.meta;
const nodeAt = Object.fromEntries(meta.node_fields.map((name, i) => [name, i]));
const edgeAt = Object.fromEntries(meta.edge_fields.map((name, i) => [name, i]));
const nodeTypes = meta.node_types[nodeAt.type];
const edgeTypes = meta.edge_types[edgeAt.type];
const WEAK = edgeTypes.indexOf('weak');
const TABLES = new Set(['(Internalized strings)', '(External strings)']);
const [nodeFields, edgeFields] = [meta.node_fields.length, meta.edge_fields.length];

const TRANSIENT = new Set(['(Stack roots)', '(Handle scope)', '(Strong roots)']); // the last: tables of the snapshot's own writer
const isNamedNode = (node, names) => nodeTypes[nodes[node + nodeAt.type]] === 'synthetic' && names.has(strings[nodes[node + nodeAt.name]]);
const firstEdge = new Map(); // of each node, by its place in nodes

// Everything that the root leads to without stacks and handle scopes.
function reachable() {
  const reached = new Set([0]);
  for (const node of reached) {
    if (isNamedNode(node, TRANSIENT)) continue;
    const end = firstEdge.get(node) + nodes[node + nodeAt.edge_count] * edgeFields;
    for (let edge = firstEdge.get(node); edge < end; edge += edgeFields) {
      const type = edgeTypes[edges[edge + edgeAt.type]];
      if (type !== 'weak' && (type !== 'shortcut' || node === 0)) reached.add(edges[edge + edgeAt.to_node]);
    }
  }
  return reached;
}

let edge = 0;
for (let node = 0; node < nodes.length; node += nodeFields) {
  const type = nodeTypes[nodes[node + nodeAt.type]];
  const isTable = isNamedNode(node, TABLES);
  firstEdge.set(node, edge);
  for (let i = 0; i < nodes[node + nodeAt.edge_count]; i++, edge += edgeFields) {
    const isNamed = !['element', 'hidden'].includes(edgeTypes[edges[edge + edgeAt.type]]);
    const isWrapper = type === 'native' && isNamed && strings[edges[edge + edgeAt.name_or_index]] === 'native_to_javascript';
    const isEntry = type === 'array' && isNamed && /^\d+ \/ part of key \(/.test(strings[edges[edge + edgeAt.name_or_index]]);
    if (isTable || isWrapper || isEntry) edges[edge + edgeAt.type] = WEAK;
  }
}
const reached = reachable();
for (const [node, first] of firstEdge) {
  if (!isNamedNode(node, TRANSIENT)) continue;
  for (let edge = first; edge < first + nodes[node + nodeAt.edge_count] * edgeFields; edge += edgeFields) {
    if (reached.has(edges[edge + edgeAt.to_node])) edges[edge + edgeAt.type] = WEAK;
  }
}
fs.writeFileSync(out, JSON.stringify(snapshot));
