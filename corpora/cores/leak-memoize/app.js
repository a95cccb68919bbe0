'use strict';

// A service that calculates offers. After OFFERS offers V8 writes its snapshot and the process aborts at once.
const v8 = require('v8');
const { OfferService } = require('./src/offers');

const OFFERS = Number(process.env.OFFERS ?? 22_000);

const offers = new OfferService();

function serve() {
  for (let i = 0; i < 200; i++) offers.offer(`customer-${offers.made % 800}`, offers.made, 1 + (offers.made % 4));
  if (offers.made < OFFERS) return setImmediate(serve);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

serve();
