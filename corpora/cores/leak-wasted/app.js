'use strict';

// The twins of a plant's sensors: all of them are made at the start, then readings arrive. After some rounds V8 writes
// its snapshot and the process aborts at once.
const v8 = require('v8');
const { SensorTwins } = require('./src/sensor-twins');

const SENSORS = Number(process.env.SENSORS ?? 4_000);

const twins = new SensorTwins(SENSORS);

function round(n) {
  for (let i = 0; i < 500; i++) twins.reading((n * 500 + i) % SENSORS, i);
  if (n < 12) return setImmediate(round, n + 1);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

round(0);
