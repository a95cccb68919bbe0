'use strict';

// Pages are rendered by a worker thread that keeps each of them. The worker reaches the limit of its heap; nobody
// listens for its 'error', so the process dies of it (--abort-on-uncaught-exception).
const path = require('path');
const { Worker } = require('worker_threads');

const renderer = new Worker(path.join(__dirname, 'src', 'render.js'), {
  name: 'renderer',
  resourceLimits: { maxOldGenerationSizeMb: 24, maxYoungGenerationSizeMb: 4 },
});

let id = 0;
setInterval(() => {
  for (let i = 0; i < 100; i++) renderer.postMessage({ id: ++id, template: `invoice-${i}` });
}, 2);
