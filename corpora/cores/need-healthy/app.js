'use strict';

// A shop's server that is full and healthy: all its caches are at their limits and stay there. After REQUESTS requests
// V8 writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { Server } = require('./src/server');

const REQUESTS = Number(process.env.REQUESTS ?? 60_000);

const server = new Server();

function serve() {
  for (let i = 0; i < 500; i++) server.handle(server.served);
  if (server.served < REQUESTS) return void setTimeout(serve, 0);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

serve();
