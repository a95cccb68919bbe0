'use strict';

// An API gateway behind a shop. It serves synthetic traffic until it has answered REQUESTS requests; then V8 writes its
// snapshot and the process aborts at once.
const v8 = require('v8');
const { Gateway } = require('./src/gateway');
const { Traffic } = require('./src/traffic');

const REQUESTS = Number(process.env.REQUESTS ?? 25_000);

const gateway = new Gateway();
const traffic = new Traffic();

function serveBatch() {
  for (let i = 0; i < 500; i++) gateway.handle(traffic.next());
  if (gateway.served < REQUESTS) {
    setImmediate(serveBatch);
    return;
  }
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

setImmediate(serveBatch);
