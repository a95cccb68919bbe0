'use strict';

// One of everything in the heap; V8 writes its own heap snapshot, and the process aborts at once. Between the two only
// the statistics of the spaces are written down: a few kilobytes of plain objects, strings and arrays.
const fs = require('fs');
const v8 = require('v8');
const { population, counts } = require('./population');

globalThis.kept = population;

setTimeout(() => {
  fs.writeFileSync('counts.json', JSON.stringify(counts, null, 1));
  const abort = process.abort;
  const spaces = fs.openSync('spaces.json', 'w');
  v8.writeHeapSnapshot('heap.heapsnapshot');
  fs.writeSync(spaces, JSON.stringify(v8.getHeapSpaceStatistics(), null, 1));
  abort();
}, 50);
