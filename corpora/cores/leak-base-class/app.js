'use strict';

// A broker's feed of orders. When ORDERS have come, V8 writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { OrderFeed } = require('./src/order-feed');

const ORDERS = Number(process.env.ORDERS ?? 60_000);

const feed = new OrderFeed();
feed.on('order', (order) => feed.count(order.symbol));

function receiveSome() {
  for (let i = 0; i < 500; i++) feed.receive({ symbol: `s${i % 40}`, price: i / 8 });
  if (feed.received < ORDERS) {
    setImmediate(receiveSome);
    return;
  }
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

setImmediate(receiveSome);
