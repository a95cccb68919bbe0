'use strict';
const { Worker, isMainThread } = require('worker_threads');
if (isMainThread) {
  new Worker(__filename, { resourceLimits: { maxOldGenerationSizeMb: 16 } }).on('error', (e) => { throw e; });
} else {
  const held = [];
  for (;;) held.push(new Array(1000).fill(held.length));
}
