'use strict';

// A gateway that sends readings to a head office whose line is down. It takes FRAMES readings; then V8 writes its
// snapshot and the process aborts at once.
const v8 = require('v8');
const { devices } = require('./src/plant');
const { uplink } = require('./src/uplink');

const FRAMES = Number(process.env.FRAMES ?? 120_000);

let frames = 0;

function readAll() {
  for (let i = 0; i < 1_500; i++, frames++) {
    const device = devices.get(frames);
    device.record(frames % 100);
    uplink.send({ device: device.id, value: device.last });
  }
  if (frames < FRAMES) return setImmediate(readAll);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

readAll();
