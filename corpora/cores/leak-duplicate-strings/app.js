'use strict';

// A back office loads the open parcels. When PARCELS of them are there, V8 writes its snapshot and the process aborts at
// once.
const v8 = require('v8');
const { ParcelBook } = require('./src/parcel-book');
const { parcelPages } = require('./src/carrier-api');

const PARCELS = Number(process.env.PARCELS ?? 50_000);

async function main() {
  const book = new ParcelBook();
  for await (const page of parcelPages(PARCELS)) book.add(JSON.parse(page));
  console.log(`${book.size} parcels, ${book.countFor('DHL')} with DHL`);
  v8.writeHeapSnapshot('heap.heapsnapshot');
  process.abort();
}

main();
