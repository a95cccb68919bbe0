'use strict';

// A worker that polls its queue and traces what it does. After POLLS polls V8 writes its snapshot and the process aborts
// at once.
const v8 = require('v8');
const { Poller } = require('./src/poller');

const POLLS = Number(process.env.POLLS ?? 24_000);

const poller = new Poller({
  onPoll(polls) {
    if (polls < POLLS) return;
    v8.writeHeapSnapshot('heap.heapsnapshot');
    process.abort();
  },
});

poller.start();
