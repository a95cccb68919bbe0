'use strict';

// A gateway that field devices connect to, each for one message. After CONNECTIONS connections V8 writes its snapshot
// and the process aborts at once.
const v8 = require('v8');
const { Gateway } = require('./src/gateway');
const { report } = require('./src/field-device');

const CONNECTIONS = Number(process.env.CONNECTIONS ?? 4_000);

async function main() {
  const gateway = new Gateway();
  const port = await gateway.listen();
  for (let n = 0; n < CONNECTIONS; n += 40) {
    await Promise.all(Array.from({ length: 40 }, (_, i) => report(port, n + i)));
  }
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

main();
