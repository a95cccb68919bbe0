'use strict';

// A worker thread aborts the process in the middle of its work; the main thread waits for messages.
const { Worker } = require('worker_threads');

const worker = new Worker(require.resolve('./resize'), { name: 'image-resizer', workerData: { width: 640 } });
worker.on('message', (message) => console.log(message));
worker.on('online', () => worker.postMessage({ file: 'photo.png' }));
