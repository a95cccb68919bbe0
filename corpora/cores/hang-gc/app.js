'use strict';

// A heap that is nearly full of live objects, and code that goes on making garbage: mark-compact after mark-compact.
const live = [];

class LiveRecord {
  constructor(i) {
    this.i = i;
    this.next = live[live.length - 1];
  }
}

function fill(megabytes) {
  while (process.memoryUsage().heapUsed < megabytes * 1e6) {
    for (let i = 0; i < 10_000; i++) live.push(new LiveRecord(i));
  }
}

function churn() {
  for (let i = 0; ; i++) {
    live[i % live.length] = new LiveRecord(i);
  }
}

setTimeout(function onTick() {
  fill(96);
  console.log('ready');
  churn();
}, 10);
