'use strict';

// A service that renders reports; each is compiled once, from its rows. When all are compiled and were shown, V8 writes
// its snapshot and the process aborts at once.
const v8 = require('v8');
const { REPORTS, show } = require('./src/reports');

function round(n) {
  for (const name of REPORTS) show(name, { user: `user-${n % 50}` });
  if (n < 40) return setImmediate(round, n + 1);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

round(0);
