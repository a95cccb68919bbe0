'use strict';

// A service that asks the stock service for its users. After USERS users V8 writes its snapshot and the process aborts
// at once.
const v8 = require('v8');
const { StockClient } = require('./src/stock-client');
const { catalog, metrics } = require('./src/platform');

const USERS = Number(process.env.USERS ?? 3_000);

async function main() {
  for (let n = 0; n < USERS; n++) {
    const client = new StockClient(`user-${n}`, catalog.page(n, 8));
    if (n % 100 === 0) metrics.observe('stock', (await client.pieces(n)).length);
  }
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

main();
