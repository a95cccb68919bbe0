'use strict';
// check-export.js PROGRAM FILE... - what `export --as folded` and `--as pprof` write of a profile, against the profile itself: every
// call path with its value, the number of samples, names and places. The reader of pprof is our own, written from the published
// message numbers, and knows nothing of the program's.
const fs = require('fs');
const os = require('os');
const path = require('path');
const zlib = require('zlib');
const { spawnSync } = require('child_process');
const { heapTree, cpuTree } = require('./tree.js');
const [program, ...files] = process.argv.slice(2);
const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'export-'));
let bad = 0;
const say = (file, text) => { bad++; console.log(`${path.basename(path.dirname(file))}/${path.basename(file)}: ${text}`); };

function exported(file, as) {
  const out = path.join(scratch, 'out');
  const r = spawnSync(program, ['export', file, '--as', as, '-o', out], { encoding: 'utf8' });
  if (r.status !== 0) { say(file, `${as}: exit code ${r.status}: ${r.stderr}`); return null; }
  const bytes = fs.readFileSync(out);
  fs.unlinkSync(out);
  return bytes;
}

function frame(f) {
  const name = f.functionName || '(anonymous)', file = decodeURI(f.url.replace(/^file:\/\//, ''));
  if (!file) return name;
  return `${name} (${file}${f.lineNumber >= 0 ? `:${f.lineNumber + 1}${f.columnNumber >= 0 ? `:${f.columnNumber + 1}` : ''}` : ''})`;
}

// "outermost;...;innermost" -> { self, hits }
function paths(tree, hits) {
  const result = new Map();
  const visit = (node, above) => {
    const here = node === tree.root ? [] : [...above, frame(node.callFrame).replace(/;/g, ',')];
    const key = here.join(';') || '(root)';
    const row = result.get(key) || { self: 0, hits: 0 };
    row.self += node.self;
    row.hits += hits(node);
    if (row.self || row.hits) result.set(key, row);
    node.children.forEach((c) => visit(c, here));
  };
  visit(tree.root, []);
  return result;
}

// ---- pprof ----
function* fields(bytes) {
  let at = 0;
  const varint = () => { let value = 0n, shift = 0n, b; do { b = bytes[at++]; value |= BigInt(b & 127) << shift; shift += 7n; } while (b & 128); return value; };
  while (at < bytes.length) {
    const tag = Number(varint());
    if ((tag & 7) === 0) { yield [tag >> 3, BigInt.asIntN(64, varint())]; continue; }
    if ((tag & 7) !== 2) throw new Error(`wire type ${tag & 7}`);
    const length = Number(varint());
    yield [tag >> 3, bytes.subarray(at, at += length)];
  }
}
const message = (bytes) => { const m = {}; for (const [n, v] of fields(bytes)) (m[n] ||= []).push(v); return m; };
const packed = (list) => (list || []).flatMap((v) => (typeof v === 'bigint' ? [v] : varints(v)));
function varints(bytes) {
  const list = [];
  for (let at = 0; at < bytes.length;) { let v = 0n, s = 0n, b; do { b = bytes[at++]; v |= BigInt(b & 127) << s; s += 7n; } while (b & 128); list.push(v); }
  return list;
}
function readPprof(bytes) {
  const p = message(zlib.gunzipSync(bytes));
  const texts = p[6].map(String), text = (v) => texts[Number(v ? v[0] : 0n)];
  const functions = new Map(), locations = new Map();
  for (const f of p[5]) { const m = message(f); functions.set(m[1][0], { name: text(m[2]), file: text(m[4]), line: Number(m[5] ? m[5][0] : 0) }); }
  for (const l of p[4]) {
    const m = message(l), line = message(m[4][0]), f = functions.get(line[1][0]);
    const column = Number(line[3] ? line[3][0] : 0);
    locations.set(m[1][0], f.file ? `${f.name} (${f.file}${f.line ? `:${f.line}${column ? `:${column}` : ''}` : ''})` : f.name);
  }
  const types = p[1].map((t) => { const m = message(t); return `${text(m[1])}/${text(m[2])}`; });
  const samples = p[2].map((s) => { const m = message(s); return { path: packed(m[1]).map((id) => locations.get(id)), values: packed(m[2]).map(Number) }; });
  return { types, samples, first: texts[0], duration: Number(p[10] ? p[10][0] : 0) };
}

for (const file of files) {
  const data = JSON.parse(fs.readFileSync(file));
  const heap = file.endsWith('.heapprofile'), unit = heap ? 1 : 1000;
  const tree = heap ? heapTree(data) : cpuTree(data);
  const counts = new Map();
  if (heap) for (const s of data.samples) counts.set(s.nodeId, (counts.get(s.nodeId) || 0) + 1);
  const expected = paths(tree, (n) => (heap ? counts.get(n.id) || 0 : n.hits));

  const folded = exported(file, 'folded');
  const seen = new Map();
  for (const line of String(folded || '').split('\n').filter(Boolean)) {
    const cut = line.lastIndexOf(' ');
    if (seen.has(line.slice(0, cut))) say(file, `twice: ${line}`);
    seen.set(line.slice(0, cut), Number(line.slice(cut + 1)));
  }
  for (const [key, row] of expected) if (row.self !== (seen.get(key) || 0)) say(file, `folded: ${key}: ${seen.get(key)}, not ${row.self}`);
  for (const key of seen.keys()) if (!expected.has(key)) say(file, `folded: no path ${key}`);

  const pprof = exported(file, 'pprof');
  if (!pprof) continue;
  const read = readPprof(pprof);
  const types = heap ? 'samples/count inuse_space/bytes' : 'samples/count cpu/nanoseconds';
  if (read.types.join(' ') !== types || read.first !== '') say(file, `pprof: ${read.types.join(' ')}`);
  if (!heap && read.duration !== tree.end * 1000) say(file, `pprof: duration ${read.duration}`);
  let left = expected.size;
  for (const s of read.samples) {
    const key = s.path.slice().reverse().map((f) => f.replace(/;/g, ',')).join(';'), row = expected.get(key);
    if (!row) { say(file, `pprof: no path ${key}`); continue; }
    left--;
    if (s.values[0] !== row.hits || s.values[1] !== row.self * unit) say(file, `pprof: ${key}: ${s.values}, not ${row.hits},${row.self * unit}`);
  }
  if (left) say(file, `pprof: ${left} paths are missing`);
}
for (const [file, as, words] of [[files[0], 'heapsnapshot', /reads cores/], [path.join(__dirname, '../../corpora/reports/oom/22.23.3.json'), 'folded', /no profile/]]) {
  const r = spawnSync(program, ['export', file, '--as', as, '-o', path.join(scratch, 'out')], { encoding: 'utf8' });
  if (r.status !== 2 || !words.test(r.stderr) || fs.readdirSync(scratch).length) say(file, `${as}: exit code ${r.status}: ${r.stderr}`);
}
fs.rmSync(scratch, { recursive: true });
console.log(`${files.length} profiles exported, ${bad} differences`);
process.exit(bad ? 1 : 0);
