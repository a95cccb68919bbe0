'use strict';

// A service that renders pages and caches them. After PAGES pages V8 writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { pageFor } = require('./src/pages');

const PAGES = Number(process.env.PAGES ?? 16_000);

function visit(n) {
  for (let i = 0; i < 200; i++) pageFor(`/products?page=${n + i}&sort=price`, n + i);
  if (n + 200 < PAGES) return setImmediate(visit, n + 200);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

visit(0);
