'use strict';

// export.js NAME SNAPSHOT EXPORT PEER... - compares our export of a core with the snapshot that V8 wrote of the same process, and
// with what the peers (a line of JSON each, see ../snapshot/) found when they loaded the export. Prints two lines of a table; then
// the differences, and exit code 1 if there are any. By design the export is without read-only objects, and so without properties
// that lead to one (true, undefined, "" ...); properties in dictionaries hang on the dictionary; external strings count with their
// text, which V8 does from 13 on; symbols are written [name], and accessors have one name.
const fs = require('fs');

const [name, originalFile, exportFile, ...peerFiles] = process.argv.slice(2);
const LIMIT = 0.01;
const NAMED = new Set(['property', 'context']);

function read(file) {
  const { snapshot, nodes, edges, strings } = JSON.parse(fs.readFileSync(file, 'utf8'));
  const { meta } = snapshot;
  const nodeAt = Object.fromEntries(meta.node_fields.map((field, i) => [field, i]));
  const edgeAt = Object.fromEntries(meta.edge_fields.map((field, i) => [field, i]));
  const nodeTypes = meta.node_types[nodeAt.type];
  const edgeTypes = meta.edge_types[edgeAt.type];
  const [nodeFields, edgeFields] = [meta.node_fields.length, meta.edge_fields.length];
  const sum = { nodes: nodes.length / nodeFields, bytes: 0, objects: 0, named: 0, classes: new Map(), names: new Map(), all: new Set() };
  const add = (map, key) => map.set(key, (map.get(key) ?? 0) + 1);
  let edge = 0;
  for (let node = 0; node < nodes.length; node += nodeFields) {
    const type = nodeTypes[nodes[node + nodeAt.type]];
    const isObject = ['object', 'closure', 'regexp'].includes(type);
    if (type !== 'native' && type !== 'synthetic') sum.bytes += nodes[node + nodeAt.self_size];
    if (isObject) sum.objects++;
    if (type === 'object') add(sum.classes, strings[nodes[node + nodeAt.name]]);
    for (let i = 0; i < nodes[node + nodeAt.edge_count]; i++, edge += edgeFields) {
      const kind = edgeTypes[edges[edge + edgeAt.type]];
      if (kind === 'element' || kind === 'hidden') continue;
      const label = strings[edges[edge + edgeAt.name_or_index]];
      sum.all.add(label);
      if (!isObject || !NAMED.has(kind)) continue;
      // V8 names none with a double, we none that leads to a read-only value.
      if (['number', 'hidden'].includes(nodeTypes[nodes[edges[edge + edgeAt.to_node] + nodeAt.type]])) continue;
      if (label === '__proto__') continue; // V8 draws it from the object; in memory it is the hidden class that has it
      sum.named++;
      add(sum.names, label);
    }
  }
  return sum;
}

const problems = [];
const percent = (ours, theirs) => `${ours >= theirs ? '+' : ''}${(100 * (ours / theirs - 1)).toFixed(2)} %`;

function close(what, ours, theirs, limit = LIMIT, slack = 0) {
  const isClose = Math.abs(ours - theirs) <= Math.max(limit * theirs, slack);
  if (!isClose) problems.push(`${what}: ${ours}, in V8's snapshot ${theirs}`);
  return isClose;
}

// How many of the most frequent classes are as frequent in the other one.
function common(ours, theirs, count) {
  const top = [...theirs].sort((a, b) => b[1] - a[1]).slice(0, count);
  const same = top.filter(([key, times]) => close(`class ${key}`, ours.get(key) ?? 0, times, 0.02, 12));
  return `${same.length}/${top.length}`;
}

const [theirs, ours] = [originalFile, exportFile].map(read);
for (const file of peerFiles) {
  const line = fs.readFileSync(file, 'utf8').split('\n').find((text) => text.startsWith('{'));
  const peer = JSON.parse(line);
  if (peer.nodes !== ours.nodes) problems.push(`a peer found ${peer.nodes} nodes instead of ${ours.nodes}`);
}
close('nodes', ours.nodes, theirs.nodes, 0.03);
close('objects', ours.objects, theirs.objects);
const core = JSON.parse(process.env.CORE); // what core_sizes says of it
const HOLES = 12 * 65536; // V8 14: read-only objects of nothing but address space
const readOnly = core.read_only[1] - (core.read_only[1] > HOLES ? HOLES : 0);
const isWithPayload = Math.abs(ours.bytes + readOnly - theirs.bytes) <= LIMIT * theirs.bytes;
close('bytes', ours.bytes + readOnly - (isWithPayload ? 0 : core.strings), theirs.bytes);
close('named references', ours.named, theirs.named, 0.2);
const classes = common(ours.classes, theirs.classes, 40);
const names = [...theirs.names].filter(([label, times]) => times >= 25 && !/^(<symbol|[gs]et )/.test(label) && !ours.all.has(label));
if (names.length > 8) problems.push(`names of references that are nowhere: ${names.map(([label]) => label).join(', ')}`);
console.log(`| ${name} | V8 | ${theirs.nodes} | ${theirs.objects} | ${theirs.bytes} | ${theirs.classes.size} | ${theirs.named} | |`);
console.log(`| | export | ${percent(ours.nodes, theirs.nodes)} | ${percent(ours.objects, theirs.objects)} | ` +
  `${percent(ours.bytes, theirs.bytes)} | ${classes} | ${percent(ours.named, theirs.named)} | ${names.length} |`);
for (const problem of problems) console.log(`    ${problem}`);
process.exit(problems.length ? 1 : 0);
