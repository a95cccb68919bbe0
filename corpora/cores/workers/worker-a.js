'use strict';

const { parentPort } = require('worker_threads');

class InWorkerA {
  constructor(id) {
    this.id = id;
    this.label = `a ${id}`;
  }
}

globalThis.kept = Array.from({ length: 2000 }, (_, id) => new InWorkerA(id));

function churnA() {
  for (let i = 0; ; i++) {
    globalThis.last = { i, text: `a${i}` };
  }
}

parentPort.postMessage('online');
setTimeout(churnA, 10);
