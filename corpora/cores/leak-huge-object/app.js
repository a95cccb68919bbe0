'use strict';

// A back office that exports its orders as CSV. After the export it serves a while; then V8 writes its snapshot and the
// process aborts at once.
const v8 = require('v8');
const { Export, lastExport } = require('./src/csv-export');
const { sessions } = require('./src/platform');

const LINES = Number(process.env.LINES ?? 400_000);

new Export('orders-2024').run(LINES);

let visits = 0;
const office = setInterval(() => {
  for (let i = 0; i < 100; i++) sessions.set(`clerk-${visits++ % 40}`, { bytes: lastExport().length });
  if (visits < 2_000) return;
  clearInterval(office);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}, 1);
