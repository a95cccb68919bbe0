'use strict';

// Clients subscribe to devices and leave again, SUBSCRIPTIONS times; then V8 writes its snapshot and the process aborts
// at once.
const v8 = require('v8');
const { Portal } = require('./src/portal');

const SUBSCRIPTIONS = Number(process.env.SUBSCRIPTIONS ?? 28_000);

const portal = new Portal();

setImmediate(function day() {
  for (let i = 0; i < 400; i++) portal.session(`client-${i % 90}`);
  if (portal.sessions < SUBSCRIPTIONS) return setImmediate(day);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
});
