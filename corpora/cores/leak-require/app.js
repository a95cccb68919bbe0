'use strict';

// A shop whose price plugin is reloaded whenever somebody changes a rule. After RELOADS reloads V8 writes its snapshot
// and the process aborts at once.
const v8 = require('v8');
const { PluginHost } = require('./src/plugin-host');
const { catalog, recent } = require('./src/platform');

const RELOADS = Number(process.env.RELOADS ?? 450);

const host = new PluginHost('price-rules');

function change(n) {
  host.reload();
  for (let i = 0; i < 100; i++) recent.push(host.plugin.priceFor(catalog.at(n * 100 + i)));
  if (n < RELOADS) return setImmediate(change, n + 1);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

change(1);
