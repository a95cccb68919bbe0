'use strict';

// make.js FOLDER - small files of the kinds that the corpus has none of: timeline.heaptimeline with recorded allocations,
// numbers.heapsnapshot with the values of numbers (where Node can), plain.heapsnapshot.
const fs = require('fs');
const inspector = require('inspector');
const path = require('path');
const v8 = require('v8');

const folder = process.argv[2];

class Reading {
  constructor(id) {
    this.id = id;
    this.value = id * 1.5;
    this.good = id % 2 === 0;
  }
}

globalThis.kept = {
  byId: new Map(Array.from({ length: 500 }, (_, id) => [`reading ${id}`, new Reading(id)])),
  numbers: new Map(Array.from({ length: 100 }, (_, i) => [i, i])),
  dictionary: Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`key${i}`, i])),
  keys: Array.from({ length: 50 }, (_, i) => ({ i })),
  texts: ['smile 😀', 'quote " and \\ and \n', 'zero \0 byte', 'ж'.repeat(3000), '\ud83d'],
};
globalThis.kept.weak = new WeakMap(globalThis.kept.keys.map((key) => [key, { of: key.i }]));

function timeline(done) {
  const session = new inspector.Session();
  const out = fs.openSync(path.join(folder, 'timeline.heaptimeline'), 'w');
  session.connect();
  session.on('HeapProfiler.addHeapSnapshotChunk', (message) => fs.writeSync(out, message.params.chunk));
  session.post('HeapProfiler.startTrackingHeapObjects', { trackAllocations: true });
  globalThis.kept.late = Array.from({ length: 300 }, (_, i) => new Reading(i));
  session.post('HeapProfiler.stopTrackingHeapObjects', {}, done);
}

v8.writeHeapSnapshot(path.join(folder, 'plain.heapsnapshot'));
v8.writeHeapSnapshot(path.join(folder, 'numbers.heapsnapshot'), { exposeNumericValues: true });
timeline(() => {});
