'use strict';

const { parentPort } = require('worker_threads');

class InWorkerB {
  constructor(id) {
    this.id = id;
    this.label = `b ${id}`;
  }
}

globalThis.kept = Array.from({ length: 3000 }, (_, id) => new InWorkerB(id));

function churnB() {
  for (let i = 0; ; i++) {
    globalThis.last = { i, text: `b${i}` };
  }
}

parentPort.postMessage('online');
setTimeout(churnB, 10);
