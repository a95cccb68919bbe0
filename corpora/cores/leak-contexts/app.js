'use strict';

// A shop platform whose customers write their own price rules; each runs in a sandbox. When TENANTS of them were asked,
// V8 writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { priceFor } = require('./src/price-rules');

const TENANTS = Number(process.env.TENANTS ?? 60);

function ask(n) {
  for (let i = 0; i < 50; i++) priceFor(`tenant-${n}`, i);
  setTimeout(n < TENANTS ? ask : stop, 1, n + 1);
}

function stop() {
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

ask(1);
