'use strict';

// A search service. Each search can be cancelled, also by the shutdown of the service. After SEARCHES searches V8
// writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { setImmediate: nextTurn } = require('timers/promises');
const { search } = require('./src/search');

const SEARCHES = Number(process.env.SEARCHES ?? 10_000);

async function main() {
  for (let n = 0; n < SEARCHES; n++) {
    if (n % 100 === 0) await nextTurn();
    await search(`article ${n % 977}`, { page: n % 7 });
  }
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

main();
