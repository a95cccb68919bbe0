'use strict';
// Contexts of tenants that were closed, but a callback of each is still in a list.
const { openAndClose } = require('./addon.node');
const callbacks = [];
for (let i = 0; i < 25; i++) callbacks.push(openAndClose());
global.gc(); // V8 counts what a collection finds alive
global.gc();
process.report.writeReport('report.json');
