'use strict';

// Telemetry of a plant, nine days at one measurement in ten seconds (played faster); then V8 writes its snapshot and
// the process aborts at once.
const v8 = require('v8');
const { Collector } = require('./src/collector');

const MEASUREMENTS = Number(process.env.MEASUREMENTS ?? 80_000);
const START = 1_718_236_800_000;

const collector = new Collector();
let now = START;

function tick() {
  for (let i = 0; i < 600; i++, now += 10_000 + (i % 7)) collector.measure(now);
  if (collector.measurements < MEASUREMENTS) return setImmediate(tick);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

tick();
