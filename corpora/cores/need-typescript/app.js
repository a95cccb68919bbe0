'use strict';

// TypeScript's compiler on a generated project. In the middle of writing the results V8 writes its snapshot and the
// process aborts at once.
const v8 = require('v8');
const { generateProject } = require('./src/generate');
const { Build } = require('./src/build');

const MODULES = Number(process.env.MODULES ?? 40);

let files = 0;

function onEmit() {
  if (++files < MODULES) return;
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

generateProject('project', MODULES);
new Build('project', onEmit).run();
