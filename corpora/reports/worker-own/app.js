'use strict';
// The report of a worker itself.
const { Worker, isMainThread } = require('worker_threads');
if (isMainThread) new Worker(__filename);
else process.report.writeReport('report.json');
