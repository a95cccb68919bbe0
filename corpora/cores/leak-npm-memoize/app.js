'use strict';

// A service that plans the ways of transport robots. After ROUTES ways V8 writes its snapshot and the process aborts at
// once.
const v8 = require('v8');
const { planRoute } = require('./src/route-planner');
const { devices } = require('./src/plant');

const ROUTES = Number(process.env.ROUTES ?? 20_000);

function drive(n) {
  for (let i = 0; i < 200; i++) planRoute({ x: ((n + i) * 7.31) % 400, y: ((n + i) * 3.77) % 250 }, devices.get(n + i).position);
  if (n + 200 < ROUTES) return setImmediate(drive, n + 200);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

drive(0);
