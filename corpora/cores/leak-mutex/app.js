'use strict';

// Orders of a shop are saved one after the other, behind a mutex, and come in faster than that. When ORDERS have come,
// V8 writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { saveOrder } = require('./src/orders');

const ORDERS = Number(process.env.ORDERS ?? 20_000);

let count = 0;
setInterval(() => {
  for (let i = 0; i < 250; i++) {
    count++;
    saveOrder({ id: count, customer: `customer-${count % 900}`, lines: [`sku-${count}`, `sku-${count + 1}`] });
  }
  if (count < ORDERS) return;
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}, 2);
