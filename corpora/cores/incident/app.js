'use strict';

// The shop of oom-cache, watched as a careful operator would: a heap profile from the start, written when the heap is
// nearly full, because nothing can be written when it is.
const fs = require('fs');
const { Session } = require('inspector');
const { handleRequest } = require('./src/server');

const REQUESTS_OF_A_DAY = 50_000_000;
const NEARLY_FULL = 52 << 20;

const session = new Session();
session.connect();
session.post('HeapProfiler.startSampling', { samplingInterval: 32768 });

function writeProfile() {
  session.post('HeapProfiler.stopSampling', (error, { profile }) => {
    fs.writeFileSync('app.heapprofile', JSON.stringify(profile));
  });
}

function pump() {
  let watched = true;
  for (let id = 0; id < REQUESTS_OF_A_DAY; id++) {
    handleRequest({ id, path: '/cart' });
    if (watched && id % 1000 === 0 && process.memoryUsage().heapUsed > NEARLY_FULL) {
      watched = false;
      writeProfile();
    }
  }
}

setImmediate(pump);
