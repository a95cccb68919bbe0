'use strict';

const { parentPort, workerData } = require('worker_threads');
const { die } = require('./die');
const crash = require('./crash.node');

class Resizer {
  constructor(width) {
    this.width = width;
  }

  resize(file) {
    return [1, 2, 3].map((step) => this.#scale(file, step));
  }

  #scale(file, step) {
    if (step === 2) die(crash.abort); // a worker may not call process.abort()
    return `${file}@${step}`;
  }
}

parentPort.on('message', function onMessage({ file }) {
  new Resizer(workerData.width).resize(file);
});
