'use strict';

// A service with a debugging aid that somebody forgot. After REQUESTS requests V8 writes its snapshot and the process
// aborts at once.
const v8 = require('v8');
require('./src/debug');
const { handle } = require('./src/handler');

const REQUESTS = Number(process.env.REQUESTS ?? 40_000);

function serve(n) {
  for (let i = 0; i < 400; i++) handle({ method: 'GET', path: '/products', number: n + i });
  if (n + 400 < REQUESTS) return setImmediate(serve, n + 400);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

serve(0);
