'use strict';

// A service that notes what happens in each request. After REQUESTS requests V8 writes its snapshot and the process
// aborts at once.
const v8 = require('v8');
const { handle } = require('./src/handler');

const REQUESTS = Number(process.env.REQUESTS ?? 18_000);

function serve(n) {
  for (let i = 0; i < 300; i++) handle({ number: n + i, path: `/products/${(n + i) % 400}` });
  if (n + 300 < REQUESTS) return setImmediate(serve, n + 300);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

serve(0);
