'use strict';

// Order processing with an audit trail. It books ORDERS orders; then V8 writes its snapshot and the process aborts at
// once.
const v8 = require('v8');
const { OrderDesk } = require('./src/order-desk');

const ORDERS = Number(process.env.ORDERS ?? 30_000);

const desk = new OrderDesk();

function bookSome() {
  for (let i = 0; i < 300; i++) desk.book({ customer: `customer-${desk.booked % 5_000}`, lines: 1 + (desk.booked % 3) });
  if (desk.booked < ORDERS) return setImmediate(bookSome);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

bookSome();
