'use strict';

const { parentPort, workerData } = require('worker_threads');
const { SearchIndex } = require('./search-index');

const index = new SearchIndex(workerData.forgets);
let full = false;

parentPort.on('message', (product) => {
  if (full) return;
  index.add(product);
  if (index.size < workerData.limit) return;
  full = true;
  parentPort.postMessage('full');
});
