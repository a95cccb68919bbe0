'use strict';

// A controller that writes a protocol of what it does. After STEPS steps V8 writes its snapshot and the process aborts
// at once.
const v8 = require('v8');
const { protocol } = require('./src/protocol');
const { devices } = require('./src/plant');

const STEPS = Number(process.env.STEPS ?? 100_000);

let step = 0;

function work() {
  for (let i = 0; i < 2_000; i++, step++) {
    const device = devices.get(step * 7);
    device.record(step % 100);
    protocol.note(device, step);
  }
  if (step < STEPS) return setImmediate(work);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

work();
