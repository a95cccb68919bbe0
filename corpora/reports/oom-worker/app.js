'use strict';
// A worker runs into its own limit; the main thread does not handle its error.
const { Worker, isMainThread } = require('worker_threads');
if (isMainThread) {
    const worker = new Worker(__filename, { resourceLimits: { maxOldGenerationSizeMb: 24 } });
    worker.on('exit', (code) => console.log('exit', code));
} else {
    const rows = [];
    for (let i = 0; ; i++) rows.push({ i, text: 'row ' + i });
}
