'use strict';
// Collections as --trace-gc prints them (stdout) against perf_hooks of the same process (stderr: one line of JSON).
const { PerformanceObserver } = require('perf_hooks');
const rows = [];
new PerformanceObserver((list) => {
  for (const e of list.getEntries()) rows.push({ kind: e.detail ? e.detail.kind : e.kind, pause: e.duration, start: e.startTime });
}).observe({ entryTypes: ['gc'] });
const keep = [];
let n = 0;
const timer = setInterval(() => {
  for (let i = 0; i < 3000; i++) keep.push({ i, text: 'row ' + i });
  if (++n === 40) clearInterval(timer);
}, 5);
process.on('exit', () => console.error('truth ' + JSON.stringify(rows)));
