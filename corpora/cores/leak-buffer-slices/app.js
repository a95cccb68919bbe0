'use strict';

// Devices send their waveforms; only the head of each frame is kept. After FRAMES frames V8 writes its snapshot and the
// process aborts at once. The memory is outside the heap.
const v8 = require('v8');
const { FrameReader } = require('./src/frame-reader');

const FRAMES = Number(process.env.FRAMES ?? 500);

const reader = new FrameReader();

for (let n = 0; n < FRAMES; n++) reader.read(n);

setImmediate(() => {
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
});
