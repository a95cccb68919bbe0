'use strict';

// A profile service whose database never gets ready. It accepts REQUESTS requests; then V8 writes its snapshot and the
// process aborts at once.
const v8 = require('v8');
const { ProfileService } = require('./src/profile-service');

const REQUESTS = Number(process.env.REQUESTS ?? 12_000);

const service = new ProfileService();

function accept() {
  for (let i = 0; i < 200; i++) service.handle({ id: service.accepted, user: `user-${service.accepted % 9_000}`, headers: { accept: 'application/json', host: 'shop.example' } });
  if (service.accepted < REQUESTS) return setImmediate(accept);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

setImmediate(accept);
