'use strict';

// Panels connect to the plant and go away again, CONNECTIONS times; then V8 writes its snapshot and the process aborts
// at once.
const v8 = require('v8');
const { accept } = require('./src/panels');

const CONNECTIONS = Number(process.env.CONNECTIONS ?? 12_000);

function shift(done) {
  for (let i = 0; i < 100; i++) accept(done + i).close();
  if (done + 100 < CONNECTIONS) return setImmediate(shift, done + 100);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

shift(0);
