'use strict';

// A service that signs links with a key that is replaced again and again. After ROTATIONS keys V8 writes its snapshot
// and the process aborts at once.
const v8 = require('v8');
const { rotateKey } = require('./src/signing-key');
const { LinkService } = require('./src/link-service');

const ROTATIONS = Number(process.env.ROTATIONS ?? 12_000);

const links = new LinkService();

function hour(rotations) {
  for (let i = 0; i < 100; i++) {
    rotateKey();
    links.linkTo(rotations + i);
  }
  if (rotations < ROTATIONS) return setImmediate(hour, rotations + 100);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

hour(100);
