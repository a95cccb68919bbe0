'use strict';

// The settings of a plant, changed again and again. After CHANGES changes V8 writes its snapshot and the process aborts
// at once.
const v8 = require('v8');
const { change } = require('./src/settings');
const { devices } = require('./src/plant');

const CHANGES = Number(process.env.CHANGES ?? 6_000);

function day(changes) {
  for (let i = 0; i < 200; i++) {
    const device = devices.get(changes + i);
    change({ device: device.id, limits: { low: i % 10, high: 90 + (i % 10) }, by: `operator-${i % 30}`, note: `limits of ${device.name}`, curve: new Array(250).fill(i) });
  }
  if (changes + 200 < CHANGES) return setImmediate(day, changes + 200);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

day(0);
