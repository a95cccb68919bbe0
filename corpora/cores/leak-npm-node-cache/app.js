'use strict';

// A service that checks tokens. After CHECKS of them V8 writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { checkToken } = require('./src/tokens');

const CHECKS = Number(process.env.CHECKS ?? 40_000);

function serve(n) {
  for (let i = 0; i < 250; i++) checkToken(`eyJ.${((n + i) * 2_654_435_761).toString(36)}.${n + i}`, `user-${(n + i) % 3_000}`);
  if (n + 250 < CHECKS) return setImmediate(serve, n + 250);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

serve(0);
