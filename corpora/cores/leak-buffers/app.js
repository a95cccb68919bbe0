'use strict';

// A service that takes uploaded pictures and passes them on. After UPLOADS uploads V8 writes its snapshot and the
// process aborts at once. The memory is outside the heap.
const v8 = require('v8');
const { receive } = require('./src/upload-service');

const UPLOADS = Number(process.env.UPLOADS ?? 600);

async function main() {
  for (let n = 0; n < UPLOADS; n++) await receive({ name: `picture-${n}.jpg`, parts: 4, user: `user-${n % 80}` });
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

main();
