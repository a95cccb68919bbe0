'use strict';

// The control room of a plant. People open and close dashboards until there were VISITS of them; then V8 writes its
// snapshot and the process aborts at once.
const v8 = require('v8');
const { ControlRoom } = require('./src/control-room');

const VISITS = Number(process.env.VISITS ?? 14_000);

const room = new ControlRoom();

const shift = setInterval(() => {
  for (let i = 0; i < 250; i++) room.visit(`operator-${room.visits % 40}`);
  if (room.visits < VISITS) return;
  clearInterval(shift);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}, 1);
