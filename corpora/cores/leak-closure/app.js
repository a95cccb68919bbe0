'use strict';

// A service that imports the customers of the old shop when it starts and then only serves. After REQUESTS requests V8
// writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { startService } = require('./src/service');

const REQUESTS = Number(process.env.REQUESTS ?? 4_000);

const service = startService();

const pump = setInterval(() => {
  for (let i = 0; i < 200; i++) service.handle({ user: `user-${i}`, path: '/account' });
  if (service.status().served < REQUESTS) return;
  clearInterval(pump);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}, 1);
