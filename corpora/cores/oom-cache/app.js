'use strict';

// A shop that keeps every session it ever saw, fed with the requests of one long day until the heap is full.
const { handleRequest } = require('./src/server');

const REQUESTS_OF_A_DAY = 50_000_000;

function pump() {
  for (let id = 0; id < REQUESTS_OF_A_DAY; id++) {
    handleRequest({ id, path: '/cart' });
  }
}

setImmediate(pump);
