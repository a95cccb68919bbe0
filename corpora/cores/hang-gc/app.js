'use strict';

// A heap that is nearly full of live objects, and code that makes garbage: the process still works, but spends most of
// its time in mark-compact collections. stdout holds the trace of the collections.
class LiveRecord {
  constructor(id) {
    this.id = id;
    this.text = `record ${id}`;
    this.tags = ['a', id];
  }
}

const live = [];

function fill(megabytes) {
  while (process.memoryUsage().heapUsed < megabytes * 1e6) {
    for (let i = 0; i < 10_000; i++) live.push(new LiveRecord(i));
  }
}

function replaceRecords() {
  for (let i = 0; ; i++) {
    live[(i * 7919) % live.length] = new LiveRecord(i);
  }
}

setTimeout(function onTick() {
  fill(160);
  console.log('ready');
  replaceRecords();
}, 10);
