'use strict';
// check-compare.js PROGRAM BEFORE AFTER [...pairs] - what `compare` says of two profiles, against sums of our own over both: every
// function's own value before and after, and what the totals of the whole come to.
const path = require('path');
const fs = require('fs');
const { spawnSync } = require('child_process');
const { heapTree, cpuTree } = require('./tree.js');
const [program, ...files] = process.argv.slice(2);
let bad = 0;
const say = (pair, text) => { bad++; console.log(`${pair.map((f) => path.basename(f)).join(' ')}: ${text}`); };
const place = (f) => [f.functionName || '(anonymous)', decodeURI(f.url.replace(/^file:\/\//, ''))].join('|');

// Sums by name and file: which functions of one name are one, lines decide, and those move.
function own(file) {
  const data = JSON.parse(fs.readFileSync(file));
  const tree = file.endsWith('.heapprofile') ? heapTree(data) : cpuTree(data);
  const rows = new Map();
  for (const node of tree.all) {
    const name = node.callFrame.functionName;
    if (['(root)', '(idle)'].includes(name) && !node.callFrame.url) continue;
    rows.set(place(node.callFrame), (rows.get(place(node.callFrame)) || 0) + node.self);
  }
  return { rows, end: tree.end };
}

for (let i = 0; i + 1 < files.length; i += 2) {
  const pair = [files[i], files[i + 1]];
  const r = spawnSync(program, ['compare', ...pair, '--format', 'json', '--limit', '0'], { encoding: 'utf8', maxBuffer: 1 << 28 });
  if (r.status !== 0) { say(pair, `exit code ${r.status}: ${r.stderr}`); continue; }
  const comparison = JSON.parse(r.stdout).profile_comparison;
  const [before, after] = pair.map(own);
  const ratio = before.end ? after.end / before.end : 1, scale = Math.abs(ratio - 1) < 0.05 ? 1 : ratio;
  if (Math.abs(comparison.scale - scale) > 1e-6) say(pair, `scale ${comparison.scale}, not ${scale}`);
  const seen = new Map();
  let last = Infinity;
  for (const f of comparison.functions) {
    const key = `${f.function}|${f.file || ''}`, row = seen.get(key) || { before: 0, after: 0 };
    row.before += f.before.self;
    row.after += f.after.self;
    seen.set(key, row);
    if (Math.abs(f.growth - (f.after.self - scale * f.before.self)) > 1) say(pair, `${key}: growth ${f.growth}`);
    if (Math.abs(f.growth) > last + 1e-6) say(pair, `${key}: order`);
    last = Math.abs(f.growth);
  }
  for (const key of new Set([...before.rows.keys(), ...after.rows.keys()])) {
    const want = [before.rows.get(key) || 0, after.rows.get(key) || 0], got = seen.get(key);
    if (!got && Math.abs(want[1] - scale * want[0]) >= 1 && scale !== 1) say(pair, `${key} is missing`);
    if (got && scale !== 1 && (got.before !== want[0] || got.after !== want[1])) say(pair, `${key}: ${got.before}, ${got.after}, not ${want}`);
    if (scale === 1 && (got ? got.after - got.before : 0) !== want[1] - want[0]) say(pair, `${key}: ${JSON.stringify(got)}, not ${want}`);
  }
  const same = spawnSync(program, ['compare', pair[0], pair[0], '--format', 'json'], { encoding: 'utf8' });
  if (JSON.parse(same.stdout).profile_comparison.function_total !== 0) say(pair, 'a profile differs from itself');
}
console.log(`${files.length / 2} pairs compared, ${bad} differences`);
process.exit(bad ? 1 : 0);
