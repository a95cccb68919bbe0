'use strict';

// Recordings of devices are opened and forgotten; a FinalizationRegistry is to close them. After RECORDINGS of them V8
// writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { openRecording } = require('./src/recordings');

const RECORDINGS = Number(process.env.RECORDINGS ?? 14_000);

function hour(n) {
  for (let i = 0; i < 200; i++) openRecording(n + i).append(i);
  if (n + 200 < RECORDINGS) return setImmediate(hour, n + 200);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

hour(0);
