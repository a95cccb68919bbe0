'use strict';

// Orders arrive faster than their papers can be printed. After ORDERS orders V8 writes its snapshot and the process
// aborts at once.
const v8 = require('v8');
const { PrintService } = require('./src/print-service');

const ORDERS = Number(process.env.ORDERS ?? 20_000);

const printing = new PrintService();

const arrivals = setInterval(() => {
  for (let i = 0; i < 400; i++) printing.accept(printing.accepted);
  if (printing.accepted < ORDERS) return;
  clearInterval(arrivals);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}, 1);
