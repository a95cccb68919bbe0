'use strict';
// check.js PROGRAM FILE... - what the program says of profiles and logs, against a computation of our own on the same file
// (the way DevTools does it: recursion over plain objects) and against the truth that Node wrote beside it.
const fs = require('fs');
const path = require('path');
const { spawnSync } = require('child_process');
const { cpuTree } = require('./tree.js');
const [program, ...files] = process.argv.slice(2);
let bad = 0;
const say = (file, text) => { bad++; console.log(`${path.basename(path.dirname(file))}/${path.basename(file)}: ${text}`); };

function run(file) {
  const r = spawnSync(program, ['--format', 'json', '--limit', '1000000', file], { maxBuffer: 1 << 30, encoding: 'utf8' });
  if (r.status > 1) { say(file, `exit code ${r.status}: ${r.stderr}`); return null; }
  return JSON.parse(r.stdout);
}

const key = (f) => [f.functionName || '(anonymous)', f.url.replace(/^file:\/\//, ''), f.url && f.lineNumber >= 0 ? f.lineNumber + 1 : null].join('|');

// self and total by function: a function counts once on each way down.
function sums(root, self) {
  const result = new Map();
  const open = new Map();
  const visit = (node) => {
    let total = self(node);
    const name = key(node.callFrame);
    const row = result.get(name) || { self: 0, total: 0 };
    result.set(name, row);
    row.self += total;
    const outermost = !open.get(name);
    open.set(name, (open.get(name) || 0) + 1);
    for (const child of node.children) total += visit(child);
    open.set(name, open.get(name) - 1);
    if (outermost) row.total += total;
    return total;
  };
  return { all: visit(root), rows: result };
}

function compare(file, profile, expected) {
  const seen = new Set();
  if (profile.total !== expected.all) say(file, `total ${profile.total}, not ${expected.all}`);
  for (const f of profile.functions) {
    const name = [f.function, f.file || '', f.file ? f.line : null].join('|');
    const want = [...expected.rows].filter(([k]) => k === name);
    if (seen.has(name)) continue; // several in one line: only told apart by the column
    seen.add(name);
    const self = profile.functions.filter((g) => [g.function, g.file || '', g.file ? g.line : null].join('|') === name).reduce((s, g) => s + g.self, 0);
    if (!want.length) say(file, `no function ${name}`);
    else if (want[0][1].self !== self) say(file, `${name}: self ${self}, not ${want[0][1].self}`);
    const same = profile.functions.filter((g) => [g.function, g.file || '', g.file ? g.line : null].join('|') === name).length;
    if (want.length && same === 1 && want[0][1].total !== f.total) say(file, `${name}: total ${f.total}, not ${want[0][1].total}`);
  }
  for (const name of expected.rows.keys()) if (!seen.has(name) && !name.startsWith('(root)')) say(file, `${name} is missing`);
}

function checkHeap(file, data, profile) {
  compare(file, profile, sums(data.head, (n) => n.selfSize));
  if (profile.samples !== data.samples.length) say(file, `${profile.samples} samples, not ${data.samples.length}`);
  const truthFile = file.replace('.heapprofile', '.truth.json');
  if (!fs.existsSync(truthFile)) return;
  const truth = JSON.parse(fs.readFileSync(truthFile));
  // What the application allocated (V8 puts what an inlined function allocates on the one it is inlined into); sampled: 15 %
  // off at most with some hundred samples.
  const app = profile.packages.find((g) => g.name === '(app)');
  if (!app || Math.abs(app.total - truth.bytes) > 0.15 * truth.bytes) say(file, `allocated ${app && app.total}, planted were ${truth.bytes}`);
  const doc = run(file);
  const site = doc.findings.find((f) => f.id === 'allocation-site');
  if (!site || !/app\.js$/.test(site.positions[0].file)) say(file, 'no allocation site');
}

function checkCpu(file, data, profile) {
  const { root, samples: at, end } = cpuTree(data);
  const expected = sums(root, (n) => n.self);
  compare(file, profile, expected);
  for (const [member, name] of [['idle_us', '(idle)'], ['gc_us', '(garbage collector)'], ['program_us', '(program)']])
    if (profile[member] !== (expected.rows.get(name + '||') || { self: 0 }).self) say(file, `${member} ${profile[member]}`);
  if (profile.duration_us !== end) say(file, `duration ${profile.duration_us}, not ${end}`);
  if (profile.samples !== data.samples.length) say(file, 'number of samples');
  // Long tasks: the same rule, by hand.
  const kind = new Map();
  const mark = (n, top) => { kind.set(n.id, top); n.children.forEach((c) => mark(c, top)); };
  root.children.forEach((c) => mark(c, c));
  const top = (i) => kind.get(at[i].id);
  const name = (i) => (top(i) ? top(i).callFrame.functionName : '(root)');
  const gap = (i) => name(i) === '(idle)' || name(i) === '(root)' || (name(i) === '(program)' &&
    (i === 0 || i + 1 === at.length || top(i - 1) !== top(i + 1) || name(i + 1) === '(program)' || name(i + 1) === '(idle)'));
  let first = -1, tasks = 0;
  for (let i = 0; i <= at.length; i++) {
    if (i < at.length && !gap(i)) { if (first < 0) first = i; continue; }
    const stop = i < at.length ? at[i].start : end;
    if (first >= 0 && stop - at[first].start >= 50000) tasks++;
    first = -1;
  }
  if (tasks !== profile.long_tasks) say(file, `${profile.long_tasks} long tasks, not ${tasks}`);
}

function checkLog(file, text, doc) {
  const log = doc.logs[0];
  const folder = path.basename(path.dirname(file));
  const rows = new Set(text.split('\n').flatMap((l) => l.match(/\[\d+:0x[0-9a-f]+(?::\d+)?\] +\d+ ms: (?:[A-Za-z -]+(?:\([a-z]+\) )?[\d.]+ \([\d.]+\) -> [\d.]+ \([\d.]+\) MB, |pause=|GC: \{)/g) || []));
  const seen = log.series.reduce((s, x) => s + x.seen, 0);
  const printed = new Set([...rows].map((r) => r.replace(/\] +/, '] ')));
  // Last words repeat rows; those of the ring buffer may be cut.
  if (folder !== 'nvp' && folder !== 'verbose' && Math.abs(seen - printed.size) > 1) say(file, `${seen} collections, ${printed.size} in the text`);
  const expected = { oom: /heap-limit|ineffective-mark-compacts/, nvp: /heap-limit|ineffective/, verbose: /heap-limit|ineffective/, exception: /^uncaught-exception$/, rejection: /^uncaught-exception$/, 'worker-oom': /^uncaught-exception$/, 'invalid-size': /^fatal-error$/ }[folder];
  if (expected && !expected.test(log.death)) say(file, `death ${log.death}`);
  const finding = { oom: ['heap-limit', 'heap-grows'], exception: ['uncaught-exception'], rejection: ['uncaught-exception'], 'worker-oom': ['worker-heap-limit'], 'invalid-size': ['oversized-allocation'] }[folder] || [];
  for (const id of finding) if (!doc.findings.some((f) => f.id === id)) say(file, `no finding ${id}`);
  if (folder === 'exception' && (log.error.name !== 'PaymentError' || log.error.thrown.line !== 3 || log.error.frames[0].function !== 'charge' || log.error.code !== 'EPAY')) say(file, JSON.stringify(log.error));
  if (folder === 'exception' && !/^14|^16\.[0-8]\./.test(path.basename(file)) && log.error.cause_name !== 'TypeError') say(file, 'no cause');
  const truth = /^truth (.*)$/m.exec(text);
  if (!truth) return;
  // perf_hooks: kinds 1 scavenge, 4 mark-compact (2 in Node 26: minor), 8 incremental, 16 weak callbacks.
  const truthRows = JSON.parse(truth[1]);
  const series = log.series[0];
  const young = truthRows.filter((r) => r.kind === 1 || r.kind === 2).length, full = truthRows.filter((r) => r.kind === 4).length;
  if (Math.abs(series.scavenges + series.minor - young) > 1) say(file, `${series.scavenges} scavenges, perf_hooks saw ${young}`);
  if (Math.abs(series.mark_compacts - full) > 1) say(file, `${series.mark_compacts} mark-compacts, perf_hooks saw ${full}`);
  const pause = truthRows.filter((r) => r.kind === 1 || r.kind === 2 || r.kind === 4).reduce((s, r) => s + r.pause, 0);
  if (series.pause_total_ms > 1.2 * pause + 10 || series.pause_total_ms < 0.6 * pause - 10) say(file, `pauses ${series.pause_total_ms} ms, perf_hooks ${pause} ms`);
}

for (const file of files) {
  const doc = run(file);
  if (!doc) continue;
  if (file.endsWith('.log')) checkLog(file, fs.readFileSync(file, 'utf8'), doc);
  else if (file.endsWith('.heapprofile')) checkHeap(file, JSON.parse(fs.readFileSync(file)), doc.profiles[0]);
  else checkCpu(file, JSON.parse(fs.readFileSync(file)), doc.profiles[0]);
}
console.log(`${files.length} files, ${bad} differences`);
process.exit(bad ? 1 : 0);
