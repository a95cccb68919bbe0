'use strict';
// A worker for each task, never ended.
const { Worker, isMainThread, parentPort } = require('worker_threads');
if (!isMainThread) {
    parentPort.on('message', () => {});
    parentPort.postMessage('up');
} else {
    let up = 0;
    for (let i = 0; i < 12; i++)
        new Worker(__filename).on('message', () => {
            if (++up === 12) { process.report.writeReport('report.json'); process.exit(0); }
        });
}
