'use strict';

// check.js SNAPSHOT [COUNTS] < DUMP - compares what snapshot_dump says (see dump.c) with the snapshot, read by Node's own
// JSON.parse. Prints the first differences; exit code 1 if there are any. COUNTS: counts.json, instances of classes.
const fs = require('fs');

const [file, countsFile] = process.argv.slice(2);
const snapshot = JSON.parse(fs.readFileSync(file, 'utf8'));
const { nodes, edges, strings, locations } = snapshot;
const meta = snapshot.snapshot.meta;
const nodeAt = Object.fromEntries(meta.node_fields.map((name, i) => [name, i]));
const edgeAt = Object.fromEntries(meta.edge_fields.map((name, i) => [name, i]));
const nodeTypes = meta.node_types[nodeAt.type];
const edgeTypes = meta.edge_types[edgeAt.type];
const [nodeFields, edgeFields] = [meta.node_fields.length, meta.edge_fields.length];
const KINDS = ['context', 'element', 'property', 'internal', 'hidden', 'shortcut', 'weak'];
const MAX_NAME = 256;

const nodeCount = nodes.length / nodeFields;
const field = (node, name) => nodes[node * nodeFields + nodeAt[name]];
const type = (node) => nodeTypes[field(node, 'type')];
const name = (node) => strings[field(node, 'name')];
const id = (node) => field(node, 'id');

const firstEdge = [0];
for (let i = 0; i < nodeCount; i++) firstEdge.push(firstEdge[i] + field(i, 'edge_count'));

function edgesOf(node) {
  const found = [];
  for (let i = firstEdge[node]; i < firstEdge[node + 1]; i++) {
    const kind = edgeTypes[edges[i * edgeFields + edgeAt.type]];
    const label = edges[i * edgeFields + edgeAt.name_or_index];
    const to = edges[i * edgeFields + edgeAt.to_node] / nodeFields;
    found.push({ kind, name: kind === 'element' || kind === 'hidden' ? label : strings[label], to });
  }
  return found;
}

function isStrong(from, edge) {
  if (edge.kind === 'weak') return false;
  if (edge.kind === 'shortcut') return from === 0;
  return !(edge.kind === 'internal' && type(from) === 'array' && /^\d+ \/ part of key \(/.test(edge.name));
}

function className(node) {
  switch (type(node)) {
    case 'object':
      return name(node);
    case 'native':
      return (field(node, 'detachedness') === 2 ? 'Detached ' : '') + name(node).slice(0, MAX_NAME);
    case 'hidden':
      return '(system)';
    case 'code':
      return '(compiled code)';
    default:
      return `(${type(node)})`;
  }
}

const TRANSIENT = ['(Stack roots)', '(Handle scope)'];
const isTransient = (node) => node && type(node) === 'synthetic' && TRANSIENT.includes(name(node));
const lifted = [];
for (let i = 1; i < Math.min(nodeCount, 4096); i++) {
  if (isTransient(i)) for (const edge of edgesOf(i)) if (isStrong(i, edge)) lifted.push({ kind: 'internal', name: name(i), to: edge.to });
}

const places = new Map();
for (let i = 0; i < locations.length; i += 4) places.set(locations[i] / nodeFields, locations.slice(i + 1, i + 4));
const target = (node, ...names) => {
  const edge = edgesOf(node).find((e) => e.kind === 'internal' && names.includes(e.name));
  return edge && edge.to;
};
const scripts = new Map();
for (const [node, [script]] of places) {
  if (type(node) !== 'closure' || scripts.has(script)) continue;
  const shared = target(node, 'shared');
  const found = shared && target(shared, 'script', 'script_or_debug_info');
  const named = found && target(found, 'name');
  if (found) scripts.set(script, named && type(named) === 'string' ? name(named) : name(found));
}

function rope(node) {
  let text = '';
  for (const stack = [node]; stack.length && text.length < 300; ) {
    const at = stack.pop();
    if (type(at) === 'concatenated string') stack.push(target(at, 'second'), target(at, 'first'));
    else if (type(at) === 'string') text += name(at);
    else return text || undefined;
    if (type(at) === 'string' && name(at).length >= 1024) break;
  }
  return text;
}

// V8's heap snapshots cut characters behind U+FFFF in halves; lone halves are replaced when they are written as UTF-8.
const clean = (text, most) => text.slice(0, most).toWellFormed?.() ?? text.slice(0, most).replace(/[\ud800-\udfff]/g, '\ufffd');

function* expected() {
  let edgeCount = 0;
  for (let i = 0; i < nodeCount; i++) edgeCount += edgesOf(i).filter((e) => isStrong(i, e)).length;
  yield ['G', nodeCount, edgeCount, lifted.length];
  for (let i = 0; i < nodeCount; i++) {
    yield ['N', id(i), field(i, 'self_size'), clean(className(i), MAX_NAME + 9)];
    const place = places.get(i);
    if (place && name(i) !== 'system / Context') yield ['L', scripts.get(place[0]) || '-', place[1] + 1, place[2] + 1];
    if (type(i) === 'string') yield ['T', clean(name(i), 300)];
    const text = type(i) === 'concatenated string' && i % 7 === 0 ? rope(i) : undefined;
    if (text !== undefined) yield ['T', clean(text, 300)];
    const strong = i && isTransient(i) ? [] : edgesOf(i).filter((e) => isStrong(i, e));
    for (const edge of i ? strong : [...lifted, ...strong]) {
      yield ['E', KINDS.indexOf(edge.kind), typeof edge.name === 'number' ? edge.name : clean(edge.name, MAX_NAME), id(edge.to)];
    }
    for (const edge of edgesOf(i)) if (edge.kind === 'weak') yield ['W', id(edge.to)];
  }
}

const COLLECTION = /^C /;
function parse(line) {
  const json = /^(\w) (.*?)("(?:[^"\\]|\\.)*")?( \d+)?$/.exec(line);
  const words = line.split(' ');
  switch (words[0]) {
    case 'N':
      return ['N', Number(words[1]), Number(words[3]), JSON.parse(line.slice(line.indexOf('"')))];
    case 'L':
      return ['L', words[1], Number(words[2]), Number(words[3])];
    case 'T':
      return ['T', JSON.parse(line.slice(2))];
    case 'E':
      return ['E', Number(words[1]), json[3] === undefined ? Number(words[2]) : JSON.parse(json[3]), Number(words.at(-1))];
    default:
      return [words[0], ...words.slice(1).map(Number)];
  }
}

let differences = 0;
const counts = {};
const lines = fs.readFileSync(0, 'utf8').split('\n').slice(0, -1);
const collections = lines.filter((line) => COLLECTION.test(line)).length;
const found = lines.filter((line) => !COLLECTION.test(line))[Symbol.iterator]();
for (const want of expected()) {
  const { value: line, done } = found.next();
  if (want[0] === 'N') counts[want[3]] = (counts[want[3]] ?? 0) + 1;
  const have = done ? ['the end'] : parse(line);
  if (JSON.stringify(have) === JSON.stringify(want)) continue;
  console.log(`expected ${JSON.stringify(want)}, found ${JSON.stringify(have)}`);
  if (++differences === 10 || have[0] !== want[0]) process.exit(1);
}
if (!found.next().done) differences++;
if (snapshot.snapshot.node_count !== nodeCount || snapshot.snapshot.edge_count !== edges.length / edgeFields) differences++;
if (collections === 0) differences++;
if (countsFile) {
  for (const [wanted, count] of Object.entries(JSON.parse(fs.readFileSync(countsFile)))) {
    // The prototype of a subclass counts as an instance of the class it extends; V8 9 calls a subclass of Map a Map.
    const have = counts[wanted] ?? 0;
    if ((have === count || have === count + 1) || (wanted === 'TaggedMap' && have === 0)) continue;
    console.log(`${have} instances of ${wanted} instead of ${count}`);
    differences++;
  }
}
process.exit(differences ? 1 : 0);
