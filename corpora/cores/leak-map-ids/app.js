'use strict';

// A worker that makes pictures of products. It is given JOBS jobs; then V8 writes its snapshot and the process aborts
// at once.
const v8 = require('v8');
const { JobRunner } = require('./src/job-runner');

const JOBS = Number(process.env.JOBS ?? 36_000);

const runner = new JobRunner();

function submitAndRun() {
  for (let i = 0; i < 200; i++) runner.submit('thumbnail', { width: 160 + (i % 4) * 80 });
  while (runner.runNext());
  if (runner.submitted < JOBS) return setImmediate(submitAndRun);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

setImmediate(submitAndRun);
