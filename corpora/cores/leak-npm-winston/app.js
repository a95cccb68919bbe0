'use strict';

// A service with a log of its own for each request. After REQUESTS requests V8 writes its snapshot and the process
// aborts at once.
const v8 = require('v8');
const { handle } = require('./src/handler');

const REQUESTS = Number(process.env.REQUESTS ?? 1_600);

function serve(n) {
  for (let i = 0; i < 20; i++) handle({ number: n + i, path: '/checkout' });
  if (n + 20 < REQUESTS) return setImmediate(serve, n + 20);
  setImmediate(() => {
    v8.writeHeapSnapshot('heap.heapsnapshot');
    process.abort();
  });
}

serve(0);
