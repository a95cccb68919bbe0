'use strict';

// A login service with a rate limit for each address. It serves synthetic traffic until it has answered REQUESTS
// requests; then V8 writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { LoginService } = require('./src/login-service');
const { addressOf } = require('./src/addresses');

const REQUESTS = Number(process.env.REQUESTS ?? 90_000);

function run() {
  const service = new LoginService();
  const batch = () => {
    for (let i = 0; i < 1_000; i++) service.login({ user: `user-${service.requests % 7_000}`, address: addressOf(service.requests) });
    if (service.requests < REQUESTS) return void setTimeout(batch, 0);
    v8.writeHeapSnapshot('heap.heapsnapshot');
    process.abort();
  };
  batch();
}

run();
