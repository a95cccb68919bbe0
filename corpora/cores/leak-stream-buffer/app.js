'use strict';

// A service that writes each access to an archive that hangs. After REQUESTS requests V8 writes its snapshot and the
// process aborts at once.
const v8 = require('v8');
const { AccessLog } = require('./src/access-log');
const { catalog, metrics } = require('./src/platform');

const REQUESTS = Number(process.env.REQUESTS ?? 45_000);

const log = new AccessLog();
let requests = 0;

function serve() {
  for (let i = 0; i < 500; i++) {
    const product = catalog.at(requests++);
    log.access({ path: `/products/${product.sku}`, user: `user-${requests % 3_000}`, status: 200 });
    metrics.observe('access', 1);
  }
  if (requests < REQUESTS) return setImmediate(serve);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

serve();
