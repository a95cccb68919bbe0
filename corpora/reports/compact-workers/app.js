'use strict';
// Workers and --report-compact: the first line ends in "workers":[, the workers' reports are pretty-printed.
const { Worker, isMainThread } = require('worker_threads');
if (!isMainThread) {
    setInterval(() => {}, 60000);
    require('worker_threads').parentPort.postMessage('up');
} else {
    let up = 0;
    for (let i = 0; i < 2; i++)
        new Worker(__filename).on('message', () => {
            if (++up === 2) setTimeout(function settle() { null.price; }, 20);
        });
}
