'use strict';

// A controller asks devices for their state; some never answer. After CALLS calls V8 writes its snapshot and the
// process aborts at once.
const v8 = require('v8');
const { Controller } = require('./src/controller');

const CALLS = Number(process.env.CALLS ?? 30_000);

const controller = new Controller();

function scan() {
  for (let i = 0; i < 500; i++) controller.refresh(controller.calls);
  if (controller.calls < CALLS) return setImmediate(scan);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

scan();
