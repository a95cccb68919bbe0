'use strict';

// The main thread waits with Atomics.wait for a lock; the worker that holds it waits for the main thread's answer.
const { Worker, isMainThread, parentPort, workerData } = require('worker_threads');

function lock(cell) {
  while (Atomics.compareExchange(cell, 0, 0, 1) !== 0) Atomics.wait(cell, 0, 1);
}

if (isMainThread) {
  const cell = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(__filename, { workerData: cell, name: 'lock-holder' });
  worker.once('message', function onMessage() {
    console.log('ready');
    lock(cell);
  });
} else {
  lock(workerData);
  parentPort.postMessage('locked');
  parentPort.once('message', () => Atomics.store(workerData, 0, 0)); // never comes: the main thread is waiting
}
