'use strict';
// check-prof.js PROGRAM NODE LOG... - a --prof log as the program reads it, against `node --prof-process --preprocess` of the same
// Node.js: ticks, garbage collection, and self and total ticks of every function of JavaScript. V8's own processor names C++ by
// the binary, which the program does not look at: what is no JavaScript is one thing here.
const path = require('path');
const { spawnSync } = require('child_process');
const [program, node, ...logs] = process.argv.slice(2);
let bad = 0;
const say = (log, text) => { bad++; console.log(`${path.basename(path.dirname(log))}/${path.basename(log)}: ${text}`); };

// The interpreter's handlers of single bytecodes: the function they run stands below them.
const isHandler = (code) => code.kind === 'BytecodeHandler' || (code.type === 'CPP' && /^Builtins_.*Handler$/.test(code.name));

for (const log of logs) {
  const big = { encoding: 'utf8', maxBuffer: 1 << 30 };
  const theirs = JSON.parse(spawnSync(node, ['--prof-process', '--preprocess', log], big).stdout);
  const run = spawnSync(program, ['--format', 'json', '--limit', '0', log], big);
  if (run.status !== 0) { say(log, `exit code ${run.status}: ${run.stderr}`); continue; }
  const profile = JSON.parse(run.stdout).profiles[0];

  const want = new Map(), row = (name) => { if (!want.has(name)) want.set(name, { self: 0, more: 0, total: 0 }); return want.get(name); };
  let gc = 0, idle = 0;
  for (const tick of theirs.ticks) {
    if (tick.vm === 1) { gc++; continue; }
    if (tick.vm === 8 || tick.vm === 10) { idle++; continue; }
    const names = [];
    for (let i = 0; i < tick.s.length; i += 2) {
      const code = theirs.code[tick.s[i]];
      if (code && isHandler(code)) continue;
      names.push(code && code.type === 'JS' ? theirs.functions[code.func].name.trim() : null);
    }
    // V8's processor does not know all handlers that stand in the binary: then they are the binary to it, or nothing.
    const vague = (i) => { const code = theirs.code[tick.s[i]]; return !code || isHandler(code) || (code.type === 'SHARED_LIB' && code.name.endsWith('/node')); };
    let above = 0;
    while (above < tick.s.length && vague(above)) above += 2;
    const first = theirs.code[tick.s[above]];
    if (names[0]) row(names[0]).self++;
    else if (first && first.type === 'JS') row(theirs.functions[first.func].name.trim()).more++;
    for (const name of new Set(names)) if (name) row(name).total++;
  }
  const got = new Map();
  for (const f of profile.functions) {
    if (f.kind !== 'code') continue;
    got.set(`${f.function === '(anonymous)' ? '' : f.function} ${f.file}:${f.line}:${f.column}`.trim(), f);
  }
  if (profile.samples !== theirs.ticks.length) say(log, `${profile.samples} ticks, not ${theirs.ticks.length}`);
  if (profile.gc_us !== gc * profile.interval) say(log, `${profile.gc_us} us in GC, not ${gc} ticks`);
  if (profile.idle_us !== idle * profile.interval) say(log, `${profile.idle_us} us idle, not ${idle} ticks`);
  let own = 0;
  for (const [name, { self, more, total }] of want) {
    const f = got.get(name);
    own += self;
    if (!f) say(log, `no function ${name}`);
    else if (f.samples < self || f.samples > self + more || f.total !== total * profile.interval) say(log, `${name}: ${f.samples} and ${f.total} us, not ${self} and ${total} ticks`);
  }
  for (const [name, f] of got) if (!want.has(name)) say(log, `${name}: ${f.samples} ticks, which are not there`);
  if (!own || want.size < 5) say(log, `only ${want.size} functions with ${own} ticks: the log is no test`);
}
console.log(`${logs.length} logs, ${bad} differences`);
process.exit(bad ? 1 : 0);
